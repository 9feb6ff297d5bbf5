"""Sentences put together: pauses, loudness, times, what is left out, and what happens when a voice fails."""

import numpy
import pytest

from seesay.errors import SpeechError
from seesay.speech import Engine, omitted, speak, stream
from seesay.speech.speak import BREATH, LOUDNESS, PAUSE, PEAK


class Tone(Engine):
    """A voice of a tenth of a second of tone a word; louder for words in capitals. It cannot say Korean."""

    name = "tone"
    sample_rate = 8_000
    max_characters = 20

    def can_say(self, character: str) -> bool:
        return character.isascii() and character.isalnum()

    def synthesize(self, sentence: str) -> numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]:
        if "broken" in sentence:
            raise IndexError("list index out of range")
        loudness = 0.0 if "silent" in sentence else 3.0 if sentence.isupper() else 0.01
        time = numpy.arange(800 * len(sentence.split())) / self.sample_rate
        return (loudness * numpy.sin(2 * numpy.pi * 440 * time)).astype(numpy.float32)


def test_times_say_where_each_sentence_is_heard_and_pauses_stand_between() -> None:
    speech = speak("One two. Three.", Tone())
    assert [cue.text for cue in speech.cues] == ["One two.", "Three."]
    assert [(cue.start, cue.end) for cue in speech.cues] == [(0, 0.2), (0.2 + PAUSE, pytest.approx(0.3 + PAUSE))]
    assert speech.seconds == pytest.approx(0.3 + PAUSE)
    assert not speech.samples[1600 : 1600 + round(PAUSE * 8000)].any()


def test_parts_of_one_sentence_have_only_a_breath_between_them() -> None:
    speech = speak("one two three four five six", Tone())
    assert speech.cues[1].start - speech.cues[0].end == pytest.approx(BREATH)


def test_loud_and_quiet_sentences_come_out_evenly_loud_and_never_clip() -> None:
    quiet, loud = stream("Quiet one. LOUD ONE.", Tone())
    for utterance in (quiet, loud):
        heard = utterance.samples[:1600]
        assert numpy.sqrt(numpy.mean(heard**2)) == pytest.approx(LOUDNESS, rel=0.01)
        assert numpy.abs(heard).max() <= PEAK


def test_a_sharp_peak_is_kept_below_full_scale() -> None:
    class Click(Tone):
        name = "click"

        def synthesize(self, sentence: str) -> numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]:
            samples = numpy.full(8000, 0.1, numpy.float32)
            samples[100] = 2
            return samples

    assert numpy.abs(speak("A click.", Click()).samples).max() == pytest.approx(PEAK)


def test_a_stream_is_the_speech_in_parts_and_comes_before_the_whole_is_done() -> None:
    text = "One. Two three. Four."
    parts = stream(text, Tone())
    assert next(parts).cue.text == "One."
    whole = numpy.concatenate([utterance.samples for utterance in stream(text, Tone())])
    assert numpy.array_equal(whole, speak(text, Tone()).samples)


def test_what_cannot_be_said_is_told_and_the_rest_is_spoken() -> None:
    speech = speak("Hello 안녕 안. 한국. Bye 🙂!", Tone())
    assert [cue.text for cue in speech.cues] == ["Hello 안녕 안.", "Bye 🙂!"]
    assert speech.omitted == ("안", "녕", "한", "국", "🙂")


def test_punctuation_space_and_joiners_are_not_told_as_left_out() -> None:
    assert omitted("a, b... (c) “d” — e\u200d\ufe0f\n", Tone()) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [("...", "only punctuation"), ("안녕. 🙂", "nothing in it can be spoken: 안 녕 🙂"), ("", "only punctuation")],
)
def test_nothing_to_say_is_an_error(text: str, said: str) -> None:
    with pytest.raises(SpeechError, match=said):
        speak(text, Tone())


@pytest.mark.parametrize(("word", "said"), [("broken", "IndexError"), ("silent", "no sound")])
def test_a_failing_voice_names_the_sentence(word: str, said: str) -> None:
    with pytest.raises(SpeechError, match=f"(?s)'It is {word}.'.*{said}"):
        speak(f"All good. It is {word}. Bye.", Tone())
