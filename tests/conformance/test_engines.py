"""What every voice must do, run over all that `discover()` finds. A new voice needs nothing here but, where it is a
checkpoint, a small one in `tests/voices_by_formula.py`."""

import sys
from pathlib import Path

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seesay.errors import SpeechError
from seesay.settings import VoiceSettings
from seesay.speech import CheckpointVoice, Engine, all_engines, load, speak

DESCRIPTION = "A brown dog is running along the beach."
PACKAGED = sorted(name for name, voice in all_engines().items() if not issubclass(voice, CheckpointVoice))
LOADED: dict[str, Engine] = {}
"""Voices by name: opening a checkpoint takes longer than most tests here."""


def voice(name: str, checkpoints: dict[str, Path]) -> Engine:
    if name not in LOADED:
        LOADED[name] = load(VoiceSettings(model=str(checkpoints.get(name, name))))
    return LOADED[name]


@pytest.fixture(params=sorted(all_engines()))
def engine(request: pytest.FixtureRequest, voice_checkpoints: dict[str, Path]) -> Engine:
    return voice(request.param, voice_checkpoints)


@pytest.fixture(params=PACKAGED)
def packaged(request: pytest.FixtureRequest) -> Engine:
    """Voices whose weights are known; those of the small checkpoints are noise."""
    return load(VoiceSettings(model=request.param))


def test_making_a_packaged_voice_loads_nothing(packaged: Engine) -> None:
    assert type(packaged)(speed=1.5).speed == 1.5


def test_a_sentence_becomes_mono_float32_within_full_scale(engine: Engine) -> None:
    samples = engine.synthesize(DESCRIPTION)
    assert (samples.dtype, samples.ndim) == (numpy.float32, 1)
    assert numpy.isfinite(samples).all()
    assert numpy.abs(samples).max() <= 1


def test_a_sentence_has_a_plausible_length(packaged: Engine) -> None:
    # People say 10 to 25 characters a second.
    seconds = len(packaged.synthesize(DESCRIPTION)) / packaged.sample_rate
    assert len(DESCRIPTION) / 25 < seconds < len(DESCRIPTION) / 10


def test_saying_it_again_gives_the_same_bits_and_leaves_the_callers_random_state_alone(engine: Engine) -> None:
    import torch

    before, torch_before = numpy.random.get_state()[1].tolist(), torch.get_rng_state()  # type: ignore[index]
    assert numpy.array_equal(engine.synthesize(DESCRIPTION), engine.synthesize(DESCRIPTION))
    assert numpy.random.get_state()[1].tolist() == before  # type: ignore[index]
    assert torch.equal(torch.get_rng_state(), torch_before)


def test_a_sentence_sounds_the_same_alone_and_in_a_text(engine: Engine) -> None:
    alone = speak("It is running.", engine)
    text = speak("A dog. It is running.", engine)
    start = round(text.cues[1].start * engine.sample_rate)
    assert numpy.array_equal(text.samples[start:], alone.samples)


def test_letters_and_digits_are_said_and_marks_are_not(engine: Engine) -> None:
    assert all(map(engine.can_say, "azAZ09"))
    assert not any(map(engine.can_say, " \n.,!?()\u200d"))


def test_longer_text_takes_longer_up_to_the_limit(packaged: Engine) -> None:
    words = "stone " * (packaged.max_characters // 6)
    half, whole = packaged.synthesize(words[: len(words) // 2]), packaged.synthesize(words)
    assert len(whole) > 1.6 * len(half)


TEXTS = {
    "digits": ("7 2 9", 0.8),
    "number": ("4711", 0.8),
    "1,000 digits": ("12345678901234567890" * 50, 150),
    "5,000 letters": ("abcdefghij" * 500, 150),
    "10,000 characters": ("The quick brown fox jumps over the lazy dog. " * 223, 400),
    "5,000 without a mark": ("word " * 1000, 200),
}


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_cut_off(packaged: Engine, name: str) -> None:
    text, seconds = TEXTS[name]
    assert _whole(text, packaged) > seconds


@pytest.mark.parametrize("name", ["digits", "1,000 digits", "10,000 characters"])
@pytest.mark.parametrize("kind", sorted(set(all_engines()) - set(PACKAGED)))
def test_checkpoints_take_texts_of_any_length(kind: str, name: str, voice_checkpoints: dict[str, Path]) -> None:
    assert _whole(TEXTS[name][0], voice(kind, voice_checkpoints)) > 0


def _whole(text: str, engine: Engine) -> float:
    """Seconds of the text spoken, after a look at whether all of it is in the speech."""
    speech = speak(text, engine)
    assert "".join("".join(cue.text for cue in speech.cues).split()) == "".join(text.split())
    assert not speech.omitted
    assert numpy.abs(speech.samples).max() <= 1
    return speech.seconds


def test_times_follow_one_another_within_the_sound(engine: Engine) -> None:
    speech = speak("A dog. A cat! Is it red? No, it is not.", engine)
    times = [time for cue in speech.cues for time in (cue.start, cue.end)]
    assert len(speech.cues) == 4
    assert times == sorted(times)
    assert times[-1] <= speech.seconds


@given(st.text(alphabet=st.characters(max_codepoint=0x3100, exclude_categories=["Cs"]), min_size=1, max_size=60))
@settings(max_examples=60)
@pytest.mark.parametrize("name", sorted(all_engines()))
def test_any_text_is_spoken_or_refused_by_name(name: str, voice_checkpoints: dict[str, Path], text: str) -> None:
    engine = voice(name, voice_checkpoints)
    try:
        assert speak(text, engine).samples.any()
    except SpeechError as error:
        assert not any(map(engine.can_say, text)), error


def test_no_voice_needs_torch_to_be_found() -> None:
    """Finding voices imports their modules; their libraries are imported with the first sentence."""
    for kind in all_engines().values():
        assert "torch" not in vars(sys.modules[kind.__module__])
