"""Texts in the metadata of pictures, held against exiftool where it is installed; the pictures stay as they are."""

import io
import json
import shutil
import struct
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from seesay import api
from seesay.alttext.document import DocumentError
from seesay.alttext.documents import kinds, open_documents
from seesay.alttext.found import Change, Mark, digest_of
from seesay.alttext.own_text import own_text
from seesay.alttext.picture_file import KEY, PictureFile
from seesay.alttext.xmp import ALT, BY, LONG, Packet
from seesay.settings import AltSettings

EXIFTOOL = shutil.which("exiftool")
PICTURES = sorted(name for name, kind in kinds().items() if issubclass(kind, PictureFile))
needs_exiftool = pytest.mark.skipif(
    EXIFTOOL is None, reason="exiftool is not installed (Debian: libimage-exiftool-perl)"
)
TEXT = 'Zoë\'s "cat" & <dog>, 猫'


def change(text: str, long: str = "") -> Change:
    return Change(text, Mark("test", digest_of(text)), long)


def by_exiftool(file: Path) -> dict[str, Any]:
    told = subprocess.run(
        [EXIFTOOL or "", "-j", "-validate", "-warning", "-a", "-XMP:all", str(file)], capture_output=True, check=True
    )
    row: dict[str, Any] = json.loads(told.stdout)[0]
    return row


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGBA").tobytes()


@needs_exiftool
@pytest.mark.parametrize("kind", PICTURES)
def test_exiftool_reads_what_is_written_and_finds_nothing_wrong(
    kind: str, alt_documents: ModuleType, tmp_path: Path
) -> None:
    file = alt_documents.MAKERS[kind](tmp_path, [None])
    before = file.read_bytes()
    known = by_exiftool(file).get("Warning")
    (opened,), _ = open_documents([str(file)], None)
    file.write_bytes(opened.document.written({KEY: change(TEXT, "All of it")})[file])
    told = by_exiftool(file)
    assert (told["AltTextAccessibility"], told["ExtDescrAccessibility"]) == (TEXT, "All of it")
    assert told["AltBy"].startswith("seesay/")
    assert told.get("Warning") == known
    assert pixels(file.read_bytes()) == pixels(before)


@needs_exiftool
@pytest.mark.parametrize("kind", PICTURES)
def test_what_exiftool_wrote_is_a_persons_and_what_it_wrote_beside_ours_does_not_harm(
    kind: str, alt_documents: ModuleType, tmp_path: Path
) -> None:
    file = alt_documents.MAKERS[kind](tmp_path, [None])
    run = [EXIFTOOL or "", "-overwrite_original", "-q"]
    subprocess.run([*run, "-XMP-iptcCore:AltTextAccessibility=By hand", "-XMP-dc:Subject=cats", str(file)], check=True)
    assert api.alt(AltSettings(), [str(file)]).findings[0].action == "keep"
    subprocess.run([*run, "-XMP-iptcCore:AltTextAccessibility=", str(file)], check=True)
    assert api.alt(AltSettings(write=True), [str(file)]).findings[0].action == "write"
    subprocess.run([*run, "-XMP-dc:Subject=dogs", str(file)], check=True)
    assert by_exiftool(file)["Subject"] == "dogs"
    (opened,), _ = open_documents([str(file)], None)
    assert opened.document.found[0].standing == "ours"
    file.write_bytes(opened.document.written({KEY: change("Renewed")})[file])
    told = by_exiftool(file)
    assert (told["AltTextAccessibility"], told["Subject"]) == ("Renewed", "dogs")


@pytest.mark.parametrize("kind", PICTURES)
def test_other_metadata_stay_as_they_are(kind: str, alt_documents: ModuleType, tmp_path: Path) -> None:
    file = alt_documents.MAKERS[kind](tmp_path, [None])
    cls = kinds()[kind]
    assert issubclass(cls, PictureFile)
    more = "<dc:subject xmlns:dc='http://purl.org/dc/elements/1.1/'>cats &amp; dogs</dc:subject>"
    data = cls.with_packet(file.read_bytes(), alt_documents.packet("", more), "")
    file.write_bytes(data)
    (opened,), _ = open_documents([str(file)], None)
    made = opened.document.written({KEY: change("Text")})[file]
    old, new = cls.packet(data, ""), cls.packet(made, "")
    assert old is not None and new is not None
    at = old.index(b"</rdf:RDF>")
    assert new.startswith(old[:at]) and new.endswith(old[at:].rstrip(b"\0"))


def test_what_was_read_in_a_chart_is_no_description_and_a_long_text_is(
    tmp_path: Path, alt_documents: ModuleType
) -> None:
    sign = tmp_path / "sign.jpg"
    sign.write_bytes((alt_documents.EXAMPLES / "sign.jpg").read_bytes())
    found = api.alt(AltSettings(limit=30), [str(alt_documents.chart(tmp_path / "chart.png")), str(sign)]).findings
    told = [finding.suggestion for finding in found]
    assert [one and one.role for one in told] == ["complex", "text"]
    assert [bool(one and one.long) for one in told] == [True, True]
    assert [bool(one and one.description) for one in told] == [False, True]


def test_a_simple_webp_and_one_with_transparency_keep_their_pixels(tmp_path: Path) -> None:
    for number, (mode, options) in enumerate(
        (("RGB", {"quality": 80}), ("RGBA", {"lossless": True}), ("RGBA", {"quality": 80}))
    ):
        file = tmp_path / f"{number}.webp"
        Image.linear_gradient("L").resize((33, 21)).convert(mode).rotate(45, fillcolor=0).save(file, "WEBP", **options)
        before = file.read_bytes()
        (opened,), _ = open_documents([str(file)], None)
        made = opened.document.written({KEY: change("Text")})[file]
        assert pixels(made) == pixels(before)
        assert own_text(made) == ("", "") and b"AltTextAccessibility" in made


def test_big_endian_tiffs_and_their_second_pages_are_kept(tmp_path: Path, picture_makers: ModuleType) -> None:
    first, second = Image.new("RGB", (8, 6), "red"), Image.new("RGB", (8, 6), "blue")
    buffer = io.BytesIO()
    first.save(buffer, "TIFF", save_all=True, append_images=[second])
    single = picture_makers.tiff(
        bytes(9), [(256, 3), (257, 3), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 3), (279, 9)], ">"
    )
    for number, data in enumerate((buffer.getvalue(), single)):
        file = tmp_path / f"{number}.tif"
        file.write_bytes(data)
        (opened,), problems = open_documents([str(file)], None)
        assert not problems
        made = opened.document.written({KEY: change("Text")})[file]
        with Image.open(io.BytesIO(made)) as image, Image.open(io.BytesIO(data)) as old:
            assert image.n_frames == old.n_frames
            for page in range(old.n_frames):
                image.seek(page)
                old.seek(page)
                assert image.tobytes() == old.tobytes()


def test_captions_of_older_metadata_are_suggested_for_review(tmp_path: Path, alt_documents: ModuleType) -> None:
    data = alt_documents.MAKERS["jpeg"](tmp_path, [None]).read_bytes()
    block = b"\x1c\x02\x78" + struct.pack(">H", 22) + b"Minka at the window si"
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">L", len(block)) + block
    body = b"Photoshop 3.0\0" + resource
    (tmp_path / "photo.jpg").write_bytes(data[:2] + b"\xff\xed" + struct.pack(">H", len(body) + 2) + body + data[2:])
    (finding,) = api.alt(AltSettings(), [str(tmp_path / "photo.jpg")]).findings
    assert (finding.action, finding.suggestion and finding.suggestion.alt) == ("review", "Minka at the window si")


@pytest.mark.parametrize(
    ("segment", "why"),
    [(b"\xff\xe2\x00\x08MPF\0xx", "several pictures"), (b"\xff\xeb\x00\x08JPxxxx", "credentials")],
)
def test_files_that_a_change_would_break_are_left_alone(
    tmp_path: Path, alt_documents: ModuleType, segment: bytes, why: str
) -> None:
    data = alt_documents.MAKERS["jpeg"](tmp_path, [None]).read_bytes()
    file = tmp_path / "locked.jpg"
    file.write_bytes(data[:2] + segment + data[2:])
    (finding,) = api.alt(AltSettings(write=True), [str(file)]).findings
    assert finding.action == "skip" and why in finding.why


def test_a_packet_with_a_document_type_or_in_utf_16_is_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    for data in (bomb, "<x/>".encode("utf-16"), b"<x>", b"\xff"):
        with pytest.raises(DocumentError, match="XMP"):
            Packet(data, "photo.jpg")


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_goes_into_a_packet_and_comes_out(text: str, long: str) -> None:
    text, long = (" ".join("".join(c for c in one if c.isprintable()).split()) for one in (text, long))
    packet = Packet(Packet(None, "").edited(change(text, long)), "")
    assert packet.text(ALT) == text
    assert (packet.text(LONG) or "") == long
    assert Mark.parse(packet.text(BY)) is not None
    again = Packet(packet.edited(Change("By hand", None)), "")
    assert (again.text(ALT), again.text(BY)) == ("By hand", None)
