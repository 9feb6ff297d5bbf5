"""What every voice must do, run over all that `discover()` finds. A new voice needs nothing here."""

import sys

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seesay.errors import SpeechError
from seesay.speech import Engine, all_engines, load, speak

DESCRIPTION = "A brown dog is running along the beach."


@pytest.fixture(params=sorted(all_engines()))
def engine(request: pytest.FixtureRequest) -> Engine:
    return load(request.param)


def test_making_a_voice_loads_nothing(engine: Engine) -> None:
    assert type(engine)(speed=1.5).speed == 1.5


def test_a_sentence_becomes_mono_float32_of_plausible_length_within_full_scale(engine: Engine) -> None:
    samples = engine.synthesize(DESCRIPTION)
    assert (samples.dtype, samples.ndim) == (numpy.float32, 1)
    assert numpy.isfinite(samples).all()
    assert numpy.abs(samples).max() <= 1
    # People say 10 to 25 characters a second.
    assert len(DESCRIPTION) / 25 < len(samples) / engine.sample_rate < len(DESCRIPTION) / 10


def test_saying_it_again_gives_the_same_bits_and_leaves_the_callers_random_state_alone(engine: Engine) -> None:
    before = numpy.random.get_state()[1].tolist()  # type: ignore[index]
    assert numpy.array_equal(engine.synthesize(DESCRIPTION), engine.synthesize(DESCRIPTION))
    assert numpy.random.get_state()[1].tolist() == before  # type: ignore[index]


def test_letters_and_digits_are_said_and_marks_are_not(engine: Engine) -> None:
    assert all(map(engine.can_say, "azAZ09"))
    assert not any(map(engine.can_say, " \n.,!?()\u200d"))


def test_longer_text_takes_longer_up_to_the_limit(engine: Engine) -> None:
    words = "stone " * (engine.max_characters // 6)
    half, whole = engine.synthesize(words[: len(words) // 2]), engine.synthesize(words)
    assert len(whole) > 1.6 * len(half)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7 2 9", 0.8),
        ("4711", 0.8),
        ("12345678901234567890" * 50, 150),
        ("abcdefghij" * 500, 150),
        ("The quick brown fox jumps over the lazy dog. " * 223, 400),
        ("word " * 1000, 200),
    ],
    ids=["digits", "number", "1,000 digits", "5,000 letters", "10,000 characters", "5,000 without a mark"],
)
def test_nothing_is_cut_off(engine: Engine, text: str, seconds: float) -> None:
    speech = speak(text, engine)
    assert speech.seconds > seconds
    assert "".join("".join(cue.text for cue in speech.cues).split()) == "".join(text.split())
    assert numpy.abs(speech.samples).max() <= 1


def test_times_follow_one_another_within_the_sound(engine: Engine) -> None:
    speech = speak("A dog. A cat! Is it red? No, it is not.", engine)
    times = [time for cue in speech.cues for time in (cue.start, cue.end)]
    assert len(speech.cues) == 4
    assert times == sorted(times)
    assert times[-1] <= speech.seconds


@given(st.text(alphabet=st.characters(max_codepoint=0x3100, exclude_categories=["Cs"]), min_size=1, max_size=60))
@settings(max_examples=60)
@pytest.mark.parametrize("name", sorted(all_engines()))
def test_any_text_is_spoken_or_refused_by_name(name: str, text: str) -> None:
    engine = load(name)
    try:
        assert speak(text, engine).samples.any()
    except SpeechError as error:
        assert not any(map(engine.can_say, text)), error


def test_no_voice_needs_torch_to_be_found() -> None:
    """Finding voices imports their modules; their libraries are imported with the first sentence."""
    for voice in all_engines().values():
        assert "torch" not in vars(sys.modules[voice.__module__])
