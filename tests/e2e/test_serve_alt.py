"""/alt and /alt/write: documents go in and come back; nothing else is opened, nothing is kept, and no person's text is lost."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest

from seesay import api
from seesay.settings import AltSettings

PICTURES = Path(__file__).parents[2] / "examples" / "pictures"
PAGE = b"""<!doctype html><html lang=en><h1>Farm</h1>\r\n<p>Here:\t<IMG  src=cat.jpg ></p>
<a href="/"><img src='coffee.jpg'></a><img src="dogs.jpg" alt="Rex"><img src="/etc/passwd"><img src="../../x.png">
<img src="https://pictures.example/a.png"></html>"""
Sent = list[tuple[str, tuple[str, bytes]]]


@pytest.fixture(scope="module")
def http(server: Any) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.address, timeout=240) as opened:
        yield opened


@pytest.fixture(autouse=True)
def nothing_is_left(http: httpx2.Client) -> Iterator[None]:
    yield
    until = time.monotonic() + 10  # a place is given back a moment after the reply has been read
    while "seesay_waiting 0.0" not in http.get("/metrics").text.splitlines():
        assert time.monotonic() < until
        time.sleep(0.05)


def sent(**files: bytes) -> Sent:
    return [("document", (name.replace("__", "/").replace("_", "."), data)) for name, data in files.items()]


def decisions(review: dict[str, Any], **chosen: str) -> bytes:
    """Accept everything, but what is named by its picture: that gets another text."""
    rows = []
    for one in review["pictures"]:
        words = chosen.get(one["picture"].partition(".")[0])
        row = {name: one[name] for name in ("document", "key", "was", "by", "long")}
        rows.append({**row, "decision": "change" if words else "accept", "alt": words or one["alt"]})
    return json.dumps({"format": review["format"], "decisions": rows}).encode()


@pytest.fixture(scope="module")
def farm() -> Sent:
    cat, coffee = ((PICTURES / name).read_bytes() for name in ("cat.jpg", "coffee.jpg"))
    return sent(farm_html=PAGE, cat_jpg=cat, coffee_jpg=coffee)


@pytest.fixture(scope="module")
def review(http: httpx2.Client, farm: Sent) -> dict[str, Any]:
    return dict(http.post("/alt", files=farm).json())


def test_it_suggests_what_the_command_line_suggests(review: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "farm.html").write_bytes(PAGE)
    for name in ("cat.jpg", "coffee.jpg"):
        (tmp_path / name).write_bytes((PICTURES / name).read_bytes())
    outcome = api.alt(AltSettings(), [str(tmp_path / "farm.html")])
    wanted = {one.found.src: one for one in outcome.findings if one.action in ("write", "review")}
    assert [one["picture"] for one in review["pictures"]] == list(wanted) == ["cat.jpg", "coffee.jpg"]
    for one in review["pictures"]:
        told = wanted[one["picture"]].suggestion
        assert told is not None
        assert (one["alt"], one["role"], one["reason"]["text"]) == (told.alt, told.role, told.reason)
        assert [doubt["text"] for doubt in one["doubts"]] == list(told.doubts)
        assert one["thumbnail"].startswith("data:image/jpeg;base64,")
    assert [one["sure"] for one in review["pictures"]] == [True, False]


def test_nothing_but_what_was_sent_is_opened(review: dict[str, Any]) -> None:
    left = {one["picture"]: (one["action"], one["why"]["code"]) for one in review["left"]}
    assert left == {
        "dogs.jpg": ("keep", "kept_human"),
        "/etc/passwd": ("fail", "not_handed_over"),
        "../../x.png": ("fail", "not_handed_over"),
        "https://pictures.example/a.png": ("skip", "remote"),
    }


def test_what_was_decided_is_written_and_every_other_byte_stays(
    http: httpx2.Client, farm: Sent, review: dict[str, Any]
) -> None:
    files = [*farm, ("decisions", ("d.json", decisions(review, coffee="To the start")))]
    reply = http.post("/alt/write", files=files)
    assert reply.headers["content-disposition"] == "attachment; filename*=UTF-8''farm.html"
    assert (reply.headers["seesay-written"], reply.headers["seesay-kept"]) == ("2", "0")
    start, end = reply.content.index(b"<IMG"), reply.content.index(b"src=cat.jpg")
    assert reply.content[start:end].startswith(b'<IMG alt="A cat" data-alt-by="seesay/')
    plain = reply.content[: start + 4] + b"  " + reply.content[end:]
    assert plain == PAGE.replace(b"<img src='coffee.jpg'>", b"<img alt=\"To the start\" src='coffee.jpg'>")
    again = http.post("/alt/write", files=[("document", ("farm.html", reply.content)), files[-1]])
    assert again.json()["error"]["code"] == "nothing_changes"


def test_no_decision_takes_a_persons_text_away(http: httpx2.Client, farm: Sent, review: dict[str, Any]) -> None:
    forged = json.loads(decisions(review))
    forged["decisions"].append(
        {"document": "farm.html", "key": "|img|dogs.jpg|1", "was": "Rex", "decision": "change", "alt": "x", "by": ""}
    )
    reply = http.post("/alt/write", files=[*farm, ("decisions", ("d.json", json.dumps(forged).encode()))])
    assert (reply.headers["seesay-written"], reply.headers["seesay-kept"]) == ("2", "1")
    assert b'<img src="dogs.jpg" alt="Rex">' in reply.content


@pytest.mark.parametrize("kind", ["markdown", "epub", "jpeg", "png", "webp", "tiff"])
def test_every_kind_comes_back_written(
    kind: str, http: httpx2.Client, alt_documents: ModuleType, tmp_path: Path
) -> None:
    document = alt_documents.MAKERS[kind](tmp_path, [None])
    names = {document.name, "cat.jpg"} if kind == "markdown" else {document.name}
    files = [("document", (name, (tmp_path / name).read_bytes())) for name in sorted(names)]
    review = http.post("/alt", files=files).json()
    (suggested,) = review["pictures"]
    decided = json.dumps(
        {
            "format": review["format"],
            "decisions": [
                {name: suggested[name] for name in ("document", "key", "was", "by", "long")}
                | {"decision": "change", "alt": "Tom"}
            ],
        }
    ).encode()
    reply = http.post("/alt/write", files=[*files, ("decisions", ("d.json", decided))])
    assert reply.status_code == 200, reply.text
    made = {document.name: reply.content}
    if reply.headers["content-type"] == "application/zip":
        with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
            made = {name: archive.read(name) for name in archive.namelist()}
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    (finding,) = api.alt(AltSettings(), [str(document)]).findings
    assert (finding.action, finding.found.alt, finding.found.standing) == ("keep", "Tom", "human")


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("a.jpg", bytes(250_000_000))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("book.epub", bomb, "unpacks to more than 200,000,000 bytes"),
        ("book.epub", lambda: b"PK\x03\x04", "not an archive that can be read"),
        ("a.html", lambda: b"<p>" * 1_000_000, "the limit is 2,000,000"),
        ("a.png", lambda: b"GIF89a", "not a PNG picture"),
    ],
)
def test_what_cannot_be_read_is_told_by_name(http: httpx2.Client, name: str, data: Any, said: str) -> None:
    (left,) = http.post("/alt", files=[("document", (name, data()))]).json()["left"]
    assert (left["document"], left["action"]) == (name, "fail") and said in left["why"]["text"]
    assert left["why"]["code"] == "document_error"


@pytest.mark.parametrize(
    ("files", "status", "code"),
    [
        ([("document", ("notes.txt", b"x"))], 422, "no_document"),
        ([("document", ("a.html", b"x")), ("document", ("./a.html", b"y"))], 400, "usage_error"),
        ([("document", (f"{place}.html", b"x")) for place in range(201)], 400, "usage_error"),
        ([("document", ("a.html", b"<img src=a.png>" * 101))], 422, "too_many_lacking"),
        ([("other", ("a.html", b"x"))], 400, "unknown_field"),
    ],
)
def test_requests_that_cannot_be_meant_are_refused(http: httpx2.Client, files: Sent, status: int, code: str) -> None:
    reply = http.post("/alt", files=files)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    "wrong",
    [b"", b"[]", b"{}", b"\xff", b'{"format": "seesay alt decisions 1", "decisions": [1]}', b"[" * 100_000],
)
def test_decisions_that_cannot_be_read_are_refused(http: httpx2.Client, farm: Sent, wrong: bytes) -> None:
    reply = http.post("/alt/write", files=[*farm[:1], ("decisions", ("d.json", wrong))])
    assert reply.status_code == 422 and "decisions" in reply.json()["error"]["message"]


def test_names_cannot_lead_out_of_the_archive(http: httpx2.Client) -> None:
    names = ("../../a.html", "/etc/b.html", "c:\\d.html")
    files: Sent = [("document", (name, b'<input type=image src=x.png title="Go">')) for name in names]
    review = http.post("/alt", files=files).json()
    reply = http.post("/alt/write", files=[*files, ("decisions", ("d.json", decisions(review)))])
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert sorted(archive.namelist()) == ["a.html", "d.html", "etc/b.html"]
