"""Who speaks: embeddings from files, names and recordings, and what is refused."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy
import pytest
from safetensors.numpy import save_file

from seesay.errors import AudioError, ModelError, UsageError
from seesay.media import open_audio
from seesay.models.checkpoint import Checkpoint, Placement
from seesay.speech.speakers import SPEAKER_RATE, embedding, read_array, read_arrays, xvector

CPU = Placement("cpu", "float32")
VECTOR = numpy.arange(12, dtype=numpy.float32)


def found(speaker: Any, folder: Path, model: str = "") -> Any:
    return embedding(speaker, 12, Checkpoint("voice", folder, "", {}), CPU, model)


@pytest.mark.parametrize("name", ["v.npy", "row.npy", "v.json", "v.safetensors"])
def test_a_file_of_numbers(name: str, tmp_path: Path) -> None:
    numpy.save(tmp_path / "v.npy", VECTOR.astype(numpy.float64))
    numpy.save(tmp_path / "row.npy", VECTOR[None])
    (tmp_path / "v.json").write_text(json.dumps(VECTOR.tolist()), encoding="utf-8")
    save_file({"any": VECTOR}, tmp_path / "v.safetensors")
    vector = found(str(tmp_path / name), tmp_path)
    assert vector.dtype == numpy.float32
    assert vector.tolist() == VECTOR.tolist()


def test_names_of_the_checkpoint_its_first_by_default_and_zeros_without_any(tmp_path: Path) -> None:
    assert not found("", tmp_path).any()
    save_file({"jane": VECTOR, "ann": VECTOR + 1}, tmp_path / "speakers.safetensors")
    assert found("jane", tmp_path).tolist() == VECTOR.tolist()
    assert found("", tmp_path).tolist() == (VECTOR + 1).tolist()
    with pytest.raises(UsageError, match=r"(?s)no speaker 'jon'.*names it knows: ann, jane"):
        found("jon", tmp_path)


def test_tensors_and_arrays_as_callers_have_them(tmp_path: Path) -> None:
    import torch

    for value in (VECTOR, VECTOR[None], torch.from_numpy(VECTOR)[None], VECTOR.tolist()):
        assert found(value, tmp_path).tolist() == VECTOR.tolist()


def test_a_recording_is_heard_and_another_one_gives_another_voice(
    recording: Path, xvector_checkpoint: Path, tmp_path: Path
) -> None:
    vector = found(str(recording), tmp_path, str(xvector_checkpoint))
    assert numpy.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    noise = 0.1 * numpy.random.default_rng(0).normal(size=SPEAKER_RATE * 40)
    sound = open_audio((noise, SPEAKER_RATE))
    other = xvector(sound, str(xvector_checkpoint), CPU)
    assert numpy.abs(vector - other).max() > 1e-4
    # Only the first half minute is heard.
    first = xvector(open_audio((sound.samples[: SPEAKER_RATE * 30], SPEAKER_RATE)), str(xvector_checkpoint), CPU)
    assert numpy.array_equal(first, other)


def test_an_xvector_is_that_of_transformers(recording: Path, xvector_checkpoint: Path) -> None:
    import torch
    from transformers import AutoFeatureExtractor, AutoModelForAudioXVector

    sound = open_audio(recording, SPEAKER_RATE)
    inputs = AutoFeatureExtractor.from_pretrained(xvector_checkpoint)(
        sound.samples, sampling_rate=SPEAKER_RATE, return_tensors="pt"
    )
    with torch.no_grad():
        network = AutoModelForAudioXVector.from_pretrained(xvector_checkpoint).eval()
        by_hand = torch.nn.functional.normalize(network(inputs.input_values).embeddings[0], dim=0)
    assert numpy.abs(xvector(sound, str(xvector_checkpoint), CPU) - by_hand.numpy()).max() < 1e-5


def test_what_does_not_fit_or_is_no_speaker_is_refused(
    tmp_path: Path, recording: Path, voice_checkpoints: dict[str, Path], xvector_checkpoint: Path
) -> None:
    numpy.save(tmp_path / "wide.npy", numpy.zeros(256))
    numpy.save(tmp_path / "nan.npy", VECTOR * numpy.nan)
    numpy.save(tmp_path / "pickled.npy", numpy.array([print]), allow_pickle=True)
    numpy.save(tmp_path / "text.npy", numpy.array(["a"] * 12))
    (tmp_path / "list.json").write_text('["a"]', encoding="utf-8")
    (tmp_path / "broken.safetensors").write_bytes(b"12345678901")
    save_file({"a": VECTOR, "b": VECTOR}, tmp_path / "two.safetensors")
    (tmp_path / "large.npy").write_bytes(bytes(1_000_001))
    for name, said in {
        "wide.npy": r"shape \(256,\); this voice takes 12 numbers",
        "nan.npy": "NaN or infinity",
        "pickled.npy": r"(?s)not an .npy file of a plain array.*pickled arrays are refused",
        "text.npy": "not of numbers",
        "list.json": "not a list of numbers",
        "broken.safetensors": "not a safetensors file",
        "two.safetensors": r"(?s)2 tensors, not one.*a, b",
        "large.npy": "1,000,001 bytes",
        "missing.npy": "No such file",
        "nobody": "no speaker 'nobody'",
    }.items():
        speaker = name if name == "nobody" else str(tmp_path / name)
        with pytest.raises(UsageError, match=said):
            found(speaker, tmp_path)
    with pytest.raises(AudioError, match="no such file"):
        found(str(tmp_path / "missing.wav"), tmp_path)
    with pytest.raises(ModelError, match="cannot tell speakers apart"):
        found(str(recording), tmp_path, str(voice_checkpoints["vits"]))
    with pytest.raises(UsageError, match=r"shape \(12,\); this voice takes 512 numbers"):
        embedding(str(recording), 512, Checkpoint("voice", tmp_path, "", {}), CPU, str(xvector_checkpoint))


def test_no_pickle_is_ever_opened(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    (tmp_path / "bare.npz").write_bytes(pickle.dumps(Evil()))
    numpy.savez(tmp_path / "in.npz", semantic_prompt=numpy.array([Evil()], dtype=object))
    numpy.save(tmp_path / "in.npy", numpy.array([Evil()], dtype=object))
    for name, read in (("bare.npz", read_arrays), ("in.npz", read_arrays), ("in.npy", read_array)):
        with pytest.raises(UsageError, match="pickled arrays are refused"):
            read(tmp_path / name)
    assert not (tmp_path / "ran").exists()
