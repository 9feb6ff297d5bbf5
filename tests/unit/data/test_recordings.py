"""Recordings with their texts: every layout is read, and what is wrong with a row is told at its line."""

import json
import wave
from pathlib import Path

import numpy
import pytest

from seesay import DataError, data
from seesay.settings import DataSettings
from seesay.types import Recording

RATE = 16_000


def write_wav(path: Path, seconds: float = 1.0, pitch: float = 200.0, level: float = 0.3) -> Path:
    """A tone with a tenth of a second of silence around it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times = numpy.arange(round(seconds * RATE)) / RATE
    tone = level * numpy.sin(2 * numpy.pi * pitch * times)
    tone[: RATE // 10] = tone[-RATE // 10 :] = 0
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((numpy.clip(tone, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def load(source: Path, **more: object) -> data.RecordingSet:
    settings = DataSettings(data=str(source), validation_fraction=0.0, **more)  # type: ignore[arg-type]
    return data.load_recordings(settings)


def rows(found: data.RecordingSet, split: str = "train") -> list[tuple[str, str, str]]:
    return [(Path(str(row.audio)).name, row.text, row.speaker) for row in found.splits[split]]


def test_ljspeech_has_no_header_and_quotes_mean_nothing(tmp_path: Path) -> None:
    for name in ("LJ1", "LJ2"):
        write_wav(tmp_path / "wavs" / f"{name}.wav")
    lines = 'LJ1|He said "12|He said "twelve\nLJ2|Plain|Plain\n'
    (tmp_path / "metadata.csv").write_text(lines, encoding="utf-8")
    found = load(tmp_path)
    assert rows(found) == [("LJ1.wav", 'He said "twelve', ""), ("LJ2.wav", "Plain", "")]
    assert found.splits["train"][0].id == "LJ1"
    assert found.splits["train"][1].origin == "metadata.csv:2"


def test_common_voice_has_splits_and_clips(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_wav(tmp_path / "clips" / f"{name}.wav")
    header = "client_id\tpath\tsentence\tup_votes\n"
    (tmp_path / "train.tsv").write_text(f"{header}s1\ta.wav\tEen hond.\t2\n", encoding="utf-8")
    (tmp_path / "dev.tsv").write_text(f"{header}s2\tb.wav\tEen kat.\t2\n", encoding="utf-8")
    (tmp_path / "validated.tsv").write_text(f"{header}s2\tc.wav\tEen muis.\t2\n", encoding="utf-8")
    found = load(tmp_path)
    assert rows(found) == [("a.wav", "Een hond.", "s1")]
    assert rows(found, "validation") == [("b.wav", "Een kat.", "s2")]


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_an_audio_folder_with_the_columns_of_voxpopuli(tmp_path: Path, ending: str) -> None:
    write_wav(tmp_path / "train" / "a.wav")
    write_wav(tmp_path / "test" / "b.wav")
    table = [
        {"audio": "train/a.wav", "raw_text": "Ja, 2!", "normalized_text": "ja twee", "speaker_id": "17"},
        {"audio": "test/b.wav", "raw_text": "Nee.", "normalized_text": "", "speaker_id": "18"},
    ]
    if ending == "jsonl":
        text = "".join(json.dumps(row) + "\n" for row in table)
    else:
        text = "audio,raw_text,normalized_text,speaker_id\n" + "".join(
            ",".join(f'"{value}"' for value in row.values()) + "\n" for row in table
        )
    (tmp_path / f"metadata.{ending}").write_text(text, encoding="utf-8")
    found = load(tmp_path)
    everything = [row for split in found.splits.values() for row in split]
    assert [(row.text, row.speaker) for row in everything] == [("ja twee", "17"), ("Nee.", "18")]


def test_a_table_alone_is_read_and_bad_rows_are_told_at_their_line(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav")
    table = [
        {"path": "a.wav", "sentence": "Goed."},
        {"path": "gone.wav", "sentence": "Weg."},
        {"path": "a.wav", "sentence": "  "},
        {"path": "../../a.wav", "sentence": "Buiten."},
        {"path": "a.wav", "other": 1},
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table), encoding="utf-8")
    found = load(tmp_path / "rows.jsonl")
    assert rows(found) == [("a.wav", "Goed.", "")]
    told = {problem.where: problem.message for problem in found.problems}
    assert told["rows.jsonl:2"] == "no recording 'gone.wav'"
    assert "the text is empty" in told["rows.jsonl:3"]
    assert "lies outside the data's folder" in told["rows.jsonl:4"]
    assert told["rows.jsonl:5"] == "no field says what is said"
    assert all(problem.hint for problem in found.problems)


def test_data_sets_of_datasets_keep_the_encoded_bytes(tmp_path: Path) -> None:
    """Without torchcodec, which is not installed here."""
    import datasets

    wav = write_wav(tmp_path / "a.wav").read_bytes()
    table = {"audio": [{"bytes": wav, "path": "a.wav"}] * 2, "normalized_text": ["een", "twee"], "speaker_id": [3, 4]}
    made = datasets.Dataset.from_dict(table).cast_column("audio", datasets.Audio(sampling_rate=8_000))
    made.save_to_disk(tmp_path / "saved")
    found = load(tmp_path / "saved")
    assert [(row.audio, row.text, row.speaker) for row in found.splits["train"]] == [
        (wav, "een", "3"),
        (wav, "twee", "4"),
    ]


def test_pictures_are_no_recordings(color_data: Path, tmp_path: Path) -> None:
    assert not data.holds_recordings(DataSettings(data=str(color_data)))
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "a cat"}\n')
    assert not data.holds_recordings(DataSettings(data=str(tmp_path)))
    with pytest.raises(DataError, match="no recordings with their texts"):
        load(color_data)


def test_no_sentence_stands_in_two_splits() -> None:
    from seesay.data.split import by_sentence

    said = [Recording("x.wav", f"sentence {index % 40}", speaker=str(index)) for index in range(120)]
    drawn = by_sentence(said, 7, validation=0.2, test=0.2)
    texts = {name: {row.text for row in found} for name, found in drawn.items()}
    assert sum(len(found) for found in drawn.values()) == 120
    assert not texts["train"] & texts["validation"]
    assert not texts["train"] & texts["test"]
    assert texts["validation"]
    assert texts["test"]


def test_the_fingerprint_changes_with_text_and_recording(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav")
    seen = set()
    for seconds, text in ((1.0, "Een."), (1.0, "Twee."), (2.0, "Twee.")):
        write_wav(tmp_path / "a.wav", seconds)
        (tmp_path / "metadata.jsonl").write_text(json.dumps({"file_name": "a.wav", "text": text}) + "\n")
        seen.add(load(tmp_path).fingerprint)
    assert len(seen) == 3


def checked(folder: Path, table: list[dict[str, str]], **more: object) -> data.RecordingReport:
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table), encoding="utf-8")
    return data.check_recordings(load(folder), **more)  # type: ignore[arg-type]


def test_a_check_measures_every_recording(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", 2.0)
    write_wav(tmp_path / "b.wav", 1.0, level=1.3)
    write_wav(tmp_path / "c.wav", 1.0, level=0.0)
    (tmp_path / "d.wav").write_bytes(b"RIFF not a recording")
    table = [
        {"file_name": f"{name}.wav", "text": "twaalf letters éé", "speaker_id": "s"} for name in ("a", "b", "c", "d")
    ]
    report = checked(tmp_path, table, can_say=lambda character: character != "é")
    [split] = report.splits
    assert split.hours == pytest.approx(4 / 3600)
    assert split.clipped == 1
    assert split.speakers == {"s": 4}
    assert split.sample_rates == {RATE: 3}
    first = report.measured["train"][0]
    assert first.silence == pytest.approx(0.1, abs=0.02)
    assert first.level == pytest.approx(20 * numpy.log10(0.3 / numpy.sqrt(2)), abs=0.1)
    assert first.pace == pytest.approx(17 / 1.8, rel=0.02)
    assert report.missing == (("é", 4),)
    said = [str(problem) for problem in report.problems]
    assert any(one.startswith("metadata.jsonl:3: c.wav: nothing is heard in it") for one in said)
    assert any("1 recordings of train are clipped: metadata.jsonl:2" in one for one in said)
    assert [problem.where for problem in report.fatal] == ["metadata.jsonl:4"]
    with pytest.raises(DataError):
        report.raise_for_problems()


def test_a_text_that_does_not_fit_its_length_is_told(tmp_path: Path) -> None:
    table = []
    for index in range(9):
        write_wav(tmp_path / f"{index}.wav", 2.0)
        table.append({"file_name": f"{index}.wav", "text": "a sentence of thirty letters!!"})
    table[4]["text"] = "a sentence of thirty letters!!" * 6
    report = checked(tmp_path, table)
    assert [problem.where for problem in report.problems if "where such a text takes" in problem.message] == [
        "metadata.jsonl:5"
    ]


def test_a_recording_in_two_splits_is_told(tmp_path: Path) -> None:
    for name in ("train/a.wav", "test/a.wav"):
        write_wav(tmp_path / name)
    (tmp_path / "metadata.jsonl").write_text(
        '{"file_name": "train/a.wav", "text": "Een."}\n{"file_name": "test/a.wav", "text": "Een."}\n'
    )
    report = data.check_recordings(load(tmp_path))
    assert any("1 recordings stand in more than one split" in problem.message for problem in report.problems)
