"""FastSpeech2Conformer: its phonemes without g2p_en, its vocoder, speakers, pace."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import pytest

from seesay.errors import ModelError, ModelNotFound, UsageError
from seesay.settings import VoiceSettings
from seesay.speech import load
from seesay.speech.engines.fastspeech2_conformer import _phonemes, arpabet


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        # As in the CMU dictionary, which g2p_en takes them from.
        ("hello", "HH AH0 L OW1"),
        ("bird", "B ER1 D"),
        ("water", "W AO1 T ER0"),
        ("judge", "JH AH1 JH"),
        ("church", "CH ER1 CH"),
        ("thing", "TH IH1 NG"),
        ("measure", "M EH1 ZH ER0"),
        ("boy", "B OY1"),
        ("house", "HH AW1 S"),
        ("my", "M AY1"),
        ("yes", "Y EH1 S"),
        ("cat", "K AE1 T"),
        ("photograph", "F OW1 T AH0 G R AE2 F"),
    ],
)
def test_words_are_as_in_the_cmu_dictionary(word: str, phonemes: str) -> None:
    assert " ".join(arpabet(_phonemes(word))) == phonemes


def test_marks_stay_and_tokens_end_with_the_end(voice_checkpoints: dict[str, Path]) -> None:
    engine: Any = load(VoiceSettings(model=str(voice_checkpoints["fastspeech2_conformer"])))
    names = {index: token for token, index in engine.vocabulary.items()}
    assert [names[index] for index in engine.ids("big cat; yes.")] == "B IH1 G K AE1 T , Y EH1 S . <sos/eos>".split()
    assert numpy.array_equal(engine.synthesize("25 dogs"), engine.synthesize("twenty-five dogs"))


def test_faster_is_shorter(voice_checkpoints: dict[str, Path]) -> None:
    model = str(voice_checkpoints["fastspeech2_conformer"])
    slow, plain, fast = (
        len(load(VoiceSettings(model=model, speed=speed)).synthesize("a brown dog is running"))
        for speed in (0.5, 1.0, 2.0)
    )
    assert slow > 1.5 * plain > 2 * fast


def test_speakers_and_vocoders(voice_maker: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    folder = voice_maker.fastspeech2(tmp_path / "two", with_vocoder=False, speakers=2)
    with pytest.raises(ModelNotFound, match="espnet/fastspeech2_conformer_hifigan"):
        load(VoiceSettings(model=str(folder)))
    voice_maker.vocoder(folder / "vocoder", "FastSpeech2ConformerHifiGan")
    one, other = (load(VoiceSettings(model=str(folder), speaker=speaker)).synthesize("a dog") for speaker in "01")
    assert one.shape != other.shape or not numpy.allclose(one, other)
    with pytest.raises(UsageError, match="speakers 0 to 1"):
        load(VoiceSettings(model=str(folder), speaker="2"))
    (folder / "vocab.json").write_text('{"<unk>": 0}')
    with pytest.raises(ModelError, match="no token '<sos/eos>'"):
        load(VoiceSettings(model=str(folder)))
