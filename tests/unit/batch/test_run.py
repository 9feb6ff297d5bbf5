"""Jobs from their input to their rows, by the embedded model."""

import json
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import seesay
from seesay import api
from seesay.batch import Compute, Job, computed, run
from seesay.errors import InputError, Interrupted, RunError, UsageError
from seesay.media.ahead import BYTES_TOGETHER
from seesay.settings import BatchAskSettings, BatchCaptionSettings, BatchReadSettings
from seesay.types import Answer, Example, Reading

PICTURES = Path(__file__).parents[3] / "examples" / "pictures"
QUESTIONS = ["Is there a dog?", "What does the sign say?", "What color is the cup?"]


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_answers_are_those_of_ask_and_stand_in_the_order_of_the_input(tmp_path: Path) -> None:
    settings = BatchAskSettings(output=tmp_path / "rows.jsonl", top_k=2, batch_size=4)
    told: list[tuple[int, int]] = []
    summary = api.batch(settings, str(PICTURES), QUESTIONS, lambda *now: told.append(now))
    rows = read(tmp_path / "rows.jsonl")
    model = seesay.load()
    pairs = [(path, question) for path in sorted(PICTURES.glob("*.jpg")) for question in QUESTIONS]
    assert [(row["picture"], row["question"]) for row in rows] == [(path.name, asked) for path, asked in pairs]
    for row, (path, question) in zip(rows, pairs, strict=True):
        answer = model.ask(str(path), question, top_k=2)
        assert (row["answer"], row["certainty"], row["reason"]) == (answer.text, answer.certainty, answer.reason)
        assert row["score"] == pytest.approx(answer.score, abs=2e-6)
        assert [other["answer"] for other in row["alternatives"]] == [other.text for other in answer.alternatives]
        assert [line["text"] for line in row["lines"]] == [line.text for line in answer.lines]
        assert (row["sha256"],) == answer.provenance.inputs
        assert (row["model"], row["revision"], row["family"]) == (
            answer.provenance.model,
            answer.provenance.revision,
            answer.provenance.family,
        )
    assert (summary.asked, summary.written, summary.rows, summary.failed) == (18, 18, 18, 0)
    assert told[-1] == (18, 18)
    assert api.batch(settings, str(PICTURES), QUESTIONS).written == 0


def test_captions_and_readings(tmp_path: Path) -> None:
    api.batch(BatchCaptionSettings(output=tmp_path / "captions.jsonl"), str(PICTURES))
    model = seesay.load()
    for row in read(tmp_path / "captions.jsonl"):
        assert row["caption"] == model.caption(str(PICTURES / row["picture"])).text
    (tmp_path / "list.txt").write_text(f"{PICTURES / 'sign.jpg'}\n{PICTURES / 'cat.jpg'}\n")
    api.batch(BatchReadSettings(output=tmp_path / "texts.jsonl"), str(tmp_path / "list.txt"))
    sign, cat = read(tmp_path / "texts.jsonl")
    reading = seesay.read(str(PICTURES / "sign.jpg"))
    assert sign["text"] == reading.text
    assert sign["text"]
    assert (sign["family"], sign["engine"], cat["text"]) == ("reader", reading.engine, "")
    with pytest.raises(UsageError, match="the reader has one engine"):
        api.batch(BatchReadSettings(output=tmp_path / "none.jsonl", engine="onnx"), str(PICTURES))


@pytest.fixture
def mixed(tmp_path: Path, hostile_pictures: dict[str, Path]) -> Path:
    """A manifest of good pictures, broken ones, missing ones and bad questions."""
    (tmp_path / "again.jpg").write_bytes((PICTURES / "cat.jpg").read_bytes())
    rows: list[dict[str, Any]] = [
        {"image": str(PICTURES / "cat.jpg"), "question": "Is there a cat?"},
        *({"image": str(path), "question": "What?"} for path in hostile_pictures.values()),
        {"image": "again.jpg", "question": "Is there a cat?"},
        {"image": "again.jpg", "question": "Is there a cat?", "id": "mine"},
        {"image": str(PICTURES / "dogs.jpg"), "question": "x" * 3_000},
        {"image": str(PICTURES / "dogs.jpg"), "question": "How many dogs are there?"},
        {"question": "Of what?"},
    ]
    manifest = tmp_path / "mixed.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{no json\n")
    return manifest


def test_a_bad_row_says_why_and_the_others_are_answered(
    mixed: Path, tmp_path: Path, hostile_pictures: dict[str, Path]
) -> None:
    summary = api.batch(BatchAskSettings(output=tmp_path / "rows.jsonl", batch_size=3), str(mixed))
    rows = read(tmp_path / "rows.jsonl")
    bad = len(hostile_pictures) + 3
    assert (summary.asked, summary.repeated, summary.failed) == (len(rows) + 1, 1, bad)
    good = [row for row in rows if row["error"] is None]
    assert [row["answer"] for row in good] == ["yes", "yes", good[2]["answer"]]
    assert good[1]["id"] == "mine"
    assert sum(bool(row["error"]) and row["answer"] is None and row["score"] is None for row in rows) == bad
    errors = {row["picture"]: row["error"] for row in rows if row["error"]}
    assert errors[str(hostile_pictures["missing"])] == "no such file"
    assert errors["mixed.jsonl:" + str(len(rows) + 1)].startswith("no 'image'") or errors
    assert not any("/" in error for error in errors.values())
    assert len({row["key"] for row in rows}) == len(rows)


class Stopped(Exception):
    pass


def stopped_after(rows: int) -> Any:
    def progress(done: int, total: int) -> None:
        if done >= rows:
            raise Stopped

    return progress


def test_a_stopped_job_goes_on_and_ends_with_the_same_bytes(mixed: Path, tmp_path: Path) -> None:
    def job(name: str, stop: int | None = None) -> int:
        settings = BatchAskSettings(output=tmp_path / name, batch_size=4)
        return api.batch(settings, str(mixed), progress=stopped_after(stop) if stop else None).written

    whole = job("whole.jsonl")
    for stop in (1, 9):
        with pytest.raises(Stopped):
            job("parts.jsonl", stop)
    assert 0 < job("parts.jsonl") < whole
    assert (tmp_path / "parts.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_rows_with_the_same_neighbors_are_computed_again_where_only_some_are_lost(tmp_path: Path) -> None:
    """The last bits of a score depend on what is computed together, so lost rows are not computed among others."""
    settings = BatchAskSettings(output=tmp_path / "rows.jsonl", batch_size=6)
    api.batch(settings, str(PICTURES), QUESTIONS)
    whole = sorted((tmp_path / "rows.jsonl").read_bytes().splitlines(keepends=True))
    (tmp_path / "rows.jsonl").write_bytes(b"".join(whole[::3]))
    assert api.batch(settings, str(PICTURES), QUESTIONS).written == 12
    assert sorted((tmp_path / "rows.jsonl").read_bytes().splitlines(keepends=True)) == whole


def test_pictures_and_questions_can_be_added_later(tmp_path: Path) -> None:
    settings = BatchAskSettings(output=tmp_path / "rows.jsonl")
    api.batch(settings, str(PICTURES), QUESTIONS[:1])
    summary = api.batch(settings, str(PICTURES), QUESTIONS)
    assert (summary.asked, summary.written, summary.rows) == (18, 12, 18)


def test_other_settings_or_another_model_are_refused(tmp_path: Path, vilt_checkpoint: Path) -> None:
    settings = BatchAskSettings(output=tmp_path / "rows.jsonl")
    api.batch(settings, str(PICTURES), QUESTIONS[:1])
    before = (tmp_path / "rows.jsonl").read_bytes()
    for other, message in (
        (BatchAskSettings(output=settings.output, top_k=3), "top_k was 1 and is 3"),
        (BatchAskSettings(output=settings.output, model=str(vilt_checkpoint)), "model was 'seesay-mini'"),
        (BatchCaptionSettings(output=settings.output), "verb was 'ask' and is 'caption'"),
    ):
        with pytest.raises(RunError, match=message):
            api.batch(other, str(PICTURES), QUESTIONS[:1])
    assert (tmp_path / "rows.jsonl").read_bytes() == before


def test_a_checkpoint_without_a_revision_is_known_by_its_weights(tmp_path: Path, vilt_checkpoint: Path) -> None:
    import shutil

    folder = tmp_path / "model"
    shutil.copytree(vilt_checkpoint, folder)
    settings = BatchAskSettings(output=tmp_path / "rows.jsonl", model=str(folder), device="cpu")
    assert api.batch(settings, str(PICTURES), QUESTIONS[:1]).written == 6
    assert len(read(tmp_path / "rows.jsonl")[0]["revision"]) == 64
    (folder / "config.json").write_text((folder / "config.json").read_text() + " ")
    with pytest.raises(RunError, match="revision was"):
        api.batch(settings, str(PICTURES), QUESTIONS[:1])


def test_files_that_are_no_output_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text("mine")
    with pytest.raises(UsageError, match="is not the output of a batch"):
        api.batch(BatchAskSettings(output=tmp_path / "notes.jsonl"), str(PICTURES), QUESTIONS)
    assert (tmp_path / "notes.jsonl").read_text() == "mine"
    for output, message in ((None, "no output"), (tmp_path / "rows.txt", "neither"), (tmp_path, "neither")):
        with pytest.raises(UsageError, match=message):
            api.batch(BatchAskSettings(output=output), str(PICTURES), QUESTIONS)


def test_failed_rows_are_computed_again_where_asked(tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"image": "a.jpg", "id": "1"}\n{"image": "b.jpg", "id": "2"}\n')
    (tmp_path / "a.jpg").write_bytes((PICTURES / "cat.jpg").read_bytes())
    for kind in ("jsonl", "parquet"):
        (tmp_path / "b.jpg").unlink(missing_ok=True)
        output = tmp_path / f"rows.{kind}"
        assert api.batch(BatchCaptionSettings(output=output), str(manifest)).failed == 1
        (tmp_path / "b.jpg").write_bytes((PICTURES / "dogs.jpg").read_bytes())
        assert api.batch(BatchCaptionSettings(output=output), str(manifest)).failed == 1
        again = api.batch(BatchCaptionSettings(output=output, retry_failed=True), str(manifest))
        assert (again.failed, again.written, again.rows) == (0, 1, 2)


def test_parquet_holds_the_rows_of_jsonl_and_is_whole_or_not_there(mixed: Path, tmp_path: Path) -> None:
    from pyarrow import parquet

    table, lines = tmp_path / "rows.parquet", tmp_path / "rows.jsonl"
    with pytest.raises(Stopped):
        api.batch(BatchAskSettings(output=table, batch_size=2), str(mixed), progress=stopped_after(5))
    assert not table.exists()
    summary = api.batch(BatchAskSettings(output=table, batch_size=2), str(mixed))
    api.batch(BatchAskSettings(output=lines, batch_size=2), str(mixed))
    assert parquet.read_table(table).to_pylist() == read(lines)
    assert summary.rows == len(read(lines))
    assert sorted(path.name for path in tmp_path.glob("*rows.parquet*")) == ["rows.parquet", "rows.parquet.job.json"]
    assert api.batch(BatchAskSettings(output=table, batch_size=2), str(mixed)).written == 0
    with mixed.open("a") as file:
        file.write(json.dumps({"image": str(PICTURES / "rocket.jpg"), "question": "Is there a dog?"}) + "\n")
    assert api.batch(BatchAskSettings(output=table, batch_size=2), str(mixed)).written == 1
    assert parquet.read_table(table).num_rows == len(read(lines)) + 1


def test_a_kill_between_the_table_and_the_end_of_its_rows_doubles_nothing(tmp_path: Path) -> None:
    from pyarrow import parquet

    settings = BatchCaptionSettings(output=tmp_path / "rows.parquet")
    api.batch(BatchCaptionSettings(output=tmp_path / "rows.jsonl"), str(PICTURES))
    api.batch(settings, str(PICTURES))
    (tmp_path / "rows.parquet.rows.jsonl").write_bytes((tmp_path / "rows.jsonl").read_bytes())
    assert api.batch(settings, str(PICTURES)).rows == 6
    assert parquet.read_table(tmp_path / "rows.parquet").num_rows == 6


JOB = Job("read", {"model": "reader", "revision": ""})


def through(computes: Sequence[Compute], tmp_path: Path, *, size: int, paths: Sequence[Path]) -> list[dict[str, Any]]:
    (tmp_path / "list.txt").write_text("".join(f"{path}\n" for path in paths))

    def produce(groups: Any, there: Any, left: int) -> Generator[Any, None, None]:
        return computed(groups, JOB, computes, there, size=size)

    run(JOB, str(tmp_path / "list.txt"), (), tmp_path / "rows.jsonl", produce, size=size)
    return read(tmp_path / "rows.jsonl")


def test_what_computes_is_called_with_what_fits_and_in_order_from_several_threads(tmp_path: Path) -> None:
    """Of large pictures only as many are open at once as BYTES_TOGETHER allows."""
    paths = []
    for index in range(9):
        paths.append(tmp_path / f"{index}.png")
        Image.new("L", (5_000, 4_000), index).save(paths[-1], compress_level=1)
    sizes: list[int] = []

    def compute(examples: Sequence[Example]) -> list[Reading]:
        sizes.append(sum(example.images[0].pixels.size[0] * example.images[0].pixels.size[1] for example in examples))  # type: ignore[union-attr]
        return [Reading((), example.images[0].sha256, "eye") for example in examples]  # type: ignore[union-attr]

    rows = through([Compute(compute), Compute(compute)], tmp_path, size=8, paths=paths)
    assert [row["picture"] for row in rows] == list(map(str, paths))
    assert 3 * max(sizes) <= BYTES_TOGETHER
    assert len(sizes) >= 5


def test_one_example_that_is_refused_does_not_fail_its_batch(tmp_path: Path, photo: Any) -> None:
    paths = [photo(tmp_path / f"{index}.png", (8 + index, 8)) for index in range(5)]

    def compute(examples: Sequence[Example]) -> list[Answer | Reading]:
        if any(example.images[0].pixels.width == 10 for example in examples):  # type: ignore[union-attr]
            raise InputError("not this one")
        return [Reading((), "", "eye") for _ in examples]

    rows = through([Compute(compute)], tmp_path, size=5, paths=paths)
    assert [row["error"] for row in rows] == [None, None, "not this one", None, None]


def test_ctrl_c_keeps_what_is_written(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    settings = BatchCaptionSettings(output=tmp_path / "rows.jsonl", batch_size=2)
    with pytest.raises(Interrupted, match="stopped; 2 rows are in") as stopped:
        api.batch(settings, str(PICTURES), progress=stop)
    assert stopped.value.hint == "the same command goes on"
    assert api.batch(settings, str(PICTURES)).written == 4
