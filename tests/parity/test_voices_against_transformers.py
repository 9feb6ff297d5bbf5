"""Our SpeechT5, Bark, VITS and FastSpeech2Conformer against transformers by hand, on small random checkpoints of the real
architectures: the same text and the same seed give the same sound."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import pytest

from seesay.settings import VoiceSettings
from seesay.speech import load

TEXT = "a brown dog is running"
SEED = 7
TOLERANCE = 1e-6


def ours(folder: Path, **more: Any) -> Any:
    return load(VoiceSettings(model=str(folder), seed=SEED, **more))


def seeded() -> None:
    import torch
    from transformers import set_seed

    set_seed(SEED)
    torch.set_grad_enabled(False)


@pytest.fixture(autouse=True)
def _gradients() -> Any:
    import torch

    yield
    torch.set_grad_enabled(True)


def test_speecht5_spectrogram_and_waveform(voice_maker: ModuleType, tmp_path: Path) -> None:
    import torch
    from transformers import SpeechT5ForTextToSpeech, SpeechT5HifiGan, SpeechT5Tokenizer

    folder = voice_maker.speecht5(tmp_path / "voice", stop=-5.0)
    speaker = numpy.random.default_rng(0).normal(size=12).astype(numpy.float32)
    numpy.save(tmp_path / "me.npy", speaker)
    engine = ours(folder, speaker=str(tmp_path / "me.npy"))
    network = SpeechT5ForTextToSpeech.from_pretrained(folder).eval()
    vocoder = SpeechT5HifiGan.from_pretrained(folder / "vocoder").eval()
    tokenizer = SpeechT5Tokenizer.from_pretrained(folder)
    longest = 0
    for text in ("Is it red?", "dog", "two dogs, a bird."):
        ids = tokenizer(text, return_tensors="pt").input_ids
        seeded()
        spectrogram = network.generate_speech(ids, torch.from_numpy(speaker)[None])
        seeded()
        waveform = network.generate_speech(ids, torch.from_numpy(speaker)[None], vocoder=vocoder)
        seeded()
        assert torch.allclose(engine.spectrogram(text), spectrogram, atol=TOLERANCE)
        assert numpy.allclose(engine.synthesize(text), waveform.numpy(), atol=TOLERANCE)
        longest = max(longest, len(spectrogram))
    assert longest > 8  # more than the first step of the decoder was compared


def test_vits_waveform(voice_maker: ModuleType, tmp_path: Path) -> None:
    from transformers import VitsModel, VitsTokenizer

    folder = voice_maker.vits(tmp_path / "vits", speakers=3)
    inputs = VitsTokenizer.from_pretrained(folder)(TEXT, return_tensors="pt")
    network = VitsModel.from_pretrained(folder).eval()
    heard = []
    for speaker in (0, 2):
        seeded()
        waveform = network(**inputs, speaker_id=speaker).waveform[0].numpy()
        assert numpy.allclose(ours(folder, speaker=str(speaker)).synthesize(TEXT), waveform, atol=TOLERANCE)
        heard.append(waveform)
    assert heard[0].shape != heard[1].shape or not numpy.allclose(*heard, atol=1e-3)


@pytest.mark.parametrize("preset", ["", "v2/en_speaker_6"])
def test_bark_waveform(preset: str, voice_checkpoints: dict[str, Path]) -> None:
    import torch
    from transformers import BarkModel, BertTokenizer

    folder = voice_checkpoints["bark"]
    network = BarkModel.from_pretrained(folder).eval()
    inputs = BertTokenizer.from_pretrained(folder)(
        TEXT, padding="max_length", max_length=160, add_special_tokens=False, return_attention_mask=True,
        return_token_type_ids=False, return_tensors="pt",
    )  # fmt: skip
    files = {
        part: folder / f"speaker_embeddings/v2/en_speaker_6_{part}.npy"
        for part in ("semantic_prompt", "coarse_prompt", "fine_prompt")
    }
    prompt = {part: torch.from_numpy(numpy.load(file)) for part, file in files.items()} if preset else None
    seeded()
    waveform = network.generate(**inputs, history_prompt=prompt).numpy().squeeze()
    sound = ours(folder, speaker=preset).synthesize(TEXT)
    assert sound.shape == waveform.shape
    assert numpy.allclose(sound, waveform, atol=TOLERANCE)


@pytest.mark.parametrize("with_vocoder", [True, False])
def test_fastspeech2_conformer_waveform(with_vocoder: bool, voice_maker: ModuleType, tmp_path: Path) -> None:
    import torch
    import transformers

    folder = voice_maker.fastspeech2(tmp_path / "fastspeech2", with_vocoder=with_vocoder)
    if not with_vocoder:
        voice_maker.vocoder(folder / "vocoder", "FastSpeech2ConformerHifiGan")
    engine = ours(folder)
    ids = torch.tensor([engine.ids(TEXT)])
    seeded()
    if with_vocoder:
        waveform = transformers.FastSpeech2ConformerWithHifiGan.from_pretrained(folder).eval()(ids).waveform[0]
    else:
        spectrogram = transformers.FastSpeech2ConformerModel.from_pretrained(folder).eval()(ids).spectrogram
        waveform = transformers.FastSpeech2ConformerHifiGan.from_pretrained(folder / "vocoder").eval()(spectrogram)[0]
    assert numpy.allclose(engine.synthesize(TEXT), waveform.numpy(), atol=TOLERANCE)


def test_the_pipeline_gives_what_that_of_transformers_gives(voice_checkpoints: dict[str, Path]) -> None:
    """Shapes, types and names; the sound itself is brought to one loudness here."""
    import transformers

    import seesay

    folder = str(voice_checkpoints["vits"])
    theirs = transformers.pipeline("text-to-speech", model=folder)
    mine = seesay.pipeline("text-to-speech", model=folder, seed=SEED)
    seeded()
    expected, found = theirs(TEXT), mine(TEXT)
    assert expected.keys() == found.keys()
    assert expected["sampling_rate"] == found["sampling_rate"] == mine.sampling_rate
    assert (expected["audio"].shape, expected["audio"].dtype) == (found["audio"].shape, found["audio"].dtype)
    # Only the loudness differs.
    gain = numpy.dot(expected["audio"], found["audio"]) / numpy.dot(expected["audio"], expected["audio"])
    assert numpy.allclose(gain * expected["audio"], found["audio"], atol=1e-5)
    several = mine([TEXT, "a cat"])
    assert numpy.array_equal(several[0]["audio"], found["audio"])
    assert len(several) == len(theirs([TEXT, "a cat"])) == 2
