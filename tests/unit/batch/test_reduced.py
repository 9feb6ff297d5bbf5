"""Large photographs in a batch: decoded no larger than needed, and answered as a single question is."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import seesay
from seesay import api
from seesay.batch import pipeline
from seesay.media import ahead, digest_image
from seesay.settings import BatchAskSettings, BatchCaptionSettings, BatchReadSettings
from seesay.types import Picture

LARGE = (4000, 3000)
SIGN = Path(__file__).parents[3] / "examples" / "pictures" / "sign.jpg"
SEEN, READ = "What color is it?", "What does the sign say?"


@pytest.fixture
def photos(large_photo: Callable[..., Path], tmp_path: Path) -> Path:
    """12 megapixels lying, standing, and lying but to be turned."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for place, (orientation, size) in enumerate(((1, LARGE), (1, LARGE[::-1]), (6, LARGE))):
        os.link(large_photo(orientation, size), folder / f"{place}.jpg")
    return folder


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes that a batch decodes."""
    sizes: list[tuple[int, int]] = []
    open_image = ahead.open_image

    def watched(data: bytes, **how: Any) -> Picture:
        picture = open_image(data, **how)
        sizes.append(picture.pixels.size)
        return picture

    monkeypatch.setattr(ahead, "open_image", watched)
    return sizes


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_answers_and_digests_are_those_of_single_questions(
    photos: Path, tmp_path: Path, decoded: list[tuple[int, int]]
) -> None:
    api.batch(BatchAskSettings(output=tmp_path / "rows.jsonl", top_k=3), str(photos), [SEEN, "Is there a dog?"])
    assert sorted(decoded) == [(750, 1000), (750, 1000), (1000, 750)]
    for row in rows(tmp_path / "rows.jsonl"):
        path = photos / row["picture"]
        # Another model each time: one remembers what it has seen.
        alone = seesay.load().ask(str(path), row["question"], top_k=3)
        assert [(one["answer"], one["score"]) for one in row["alternatives"]] == [
            (one.text, pytest.approx(one.score, abs=2e-6)) for one in alone.alternatives
        ]
        assert row["sha256"] == digest_image(path) == alone.provenance.inputs[0]


def test_descriptions_too(photos: Path, tmp_path: Path, decoded: list[tuple[int, int]]) -> None:
    api.batch(BatchCaptionSettings(output=tmp_path / "rows.jsonl"), str(photos))
    assert max(max(size) for size in decoded) == 1000
    for row in rows(tmp_path / "rows.jsonl"):
        alone = seesay.load().caption(str(photos / row["picture"]))
        assert (row["caption"], row["score"]) == (alone.text, pytest.approx(alone.score, abs=2e-6))


def test_models_of_torch_too(
    photos: Path, tmp_path: Path, decoded: list[tuple[int, int]], vilt_checkpoint: Path
) -> None:
    settings = BatchAskSettings(output=tmp_path / "rows.jsonl", model=str(vilt_checkpoint), engine="torch")
    api.batch(settings, str(photos), ["what?"])
    assert max(max(size) for size in decoded) < 1000
    model = seesay.load(str(vilt_checkpoint), engine="torch")
    for row in rows(tmp_path / "rows.jsonl"):
        alone = model.ask(str(photos / row["picture"]), "what?")
        assert (row["answer"], row["score"]) == (alone.text, pytest.approx(alone.score, abs=2e-5))


def test_who_reads_gets_all_of_a_picture_and_who_looks_what_it_would_take(
    large_photo: Callable[..., Path], tmp_path: Path, decoded: list[tuple[int, int]]
) -> None:
    from PIL import Image

    photo = tmp_path / "sign.jpg"
    with Image.open(SIGN) as sign:
        sign.resize((sign.width * 4, sign.height * 4)).save(photo)
        whole = (sign.width * 4, sign.height * 4)
    (tmp_path / "list.txt").write_text("sign.jpg\n")
    settings = BatchAskSettings(output=tmp_path / "rows.jsonl", abstain_at_risk=1.0)
    api.batch(settings, str(tmp_path / "list.txt"), [SEEN, READ])
    small, large = sorted(decoded)
    assert large == whole
    assert small == (whole[0] // 2, whole[1] // 2)
    for row in rows(tmp_path / "rows.jsonl"):
        alone = seesay.load().ask(str(photo), row["question"], risk=1.0)
        assert (row["answer"], row["score"]) == (alone.text, pytest.approx(alone.score, abs=2e-6))
    assert [row["family"] for row in rows(tmp_path / "rows.jsonl")] == ["mini", "reader"]
    decoded.clear()
    # Among given answers the model chooses, whatever is asked.
    chosen = BatchAskSettings(output=tmp_path / "chosen.jsonl", choices="red,blue")
    api.batch(chosen, str(tmp_path / "list.txt"), [READ])
    assert decoded == [small]
    decoded.clear()
    api.batch(BatchReadSettings(output=tmp_path / "read.jsonl"), str(tmp_path / "list.txt"))
    assert decoded == [whole]


def test_more_small_decodings_than_large_ones_fit_into_a_batch(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of 36 MB as they are would be two batches; as they are decoded they are one."""
    counts: list[int] = []
    compute = pipeline._compute

    def watched(batch: Any, *given: Any) -> Any:
        counts.append(len(batch.entries))
        return compute(batch, *given)

    monkeypatch.setattr(pipeline, "_compute", watched)
    monkeypatch.setattr(pipeline, "BYTES_TOGETHER", 80_000_000)
    api.batch(BatchAskSettings(output=tmp_path / "asked.jsonl"), str(photos), [SEEN])
    assert counts == [3]
    counts.clear()
    api.batch(BatchAskSettings(output=tmp_path / "read.jsonl"), str(photos), [READ])
    assert counts == [2, 1]
