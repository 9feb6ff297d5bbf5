"""What hibari would lose or stumble over is spelled so that it is said."""

import numpy
import pytest

from seesay.settings import VoiceSettings
from seesay.speech import load, omitted
from seesay.speech.engines.hibari import _network, spell


def phonemes(text: str) -> str:
    return " ".join(_network().phonemize(spell(text)))


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("5 € or 7.50$, €9", "€5 or $7.50, €9"),
        ("9" * 16, " ".join("9" * 16)),
        ("9" * 15, "9" * 15),
        ("Ｎｏ　３ ٤ Ⅳ", "No 3 4 IV"),
        ("Łódź Ǻ ﬁ", "Lódz A fi"),
        ("一A。B", " A. B"),
        ("[hello](/x/)", "[hello] (/x/)"),
    ],
)
def test_characters_and_numbers_are_spelled_as_hibari_reads_them(text: str, spelled: str) -> None:
    assert spell(text) == spelled


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("3", "٣"),
        ("euros", "€"),
        ("Lodz", "Łodz"),
        ("one third", "⅓"),
        ("20 °C", "20 ℃"),
        ("x squared", "x²"),
        ("1A", "¹A"),
        ("2 and one half", "2½"),
        ("-5", "−5"),
    ],
)
def test_other_ways_to_write_it_sound_the_same(text: str, same: str) -> None:
    assert phonemes(text) == phonemes(same)


def test_a_word_of_any_length_is_read_to_its_end() -> None:
    """hibari alone stops after 24 letters: the longer word would sound no longer."""
    words = [load().synthesize("banana" * count) for count in (4, 8, 16)]
    assert len(words[1]) > 1.5 * len(words[0])
    assert len(words[2]) > 1.5 * len(words[1])


def test_what_is_said_and_what_is_left_out() -> None:
    engine = load()
    assert all(map(engine.can_say, "aZéßŁ09٣½²%&@#+€$°→™"))
    assert not any(map(engine.can_say, " .,!?…“”()-—\n안日яα🙂\u0301"))
    assert omitted("Ça coûte 5 €, мир: 안, 안!", engine) == ("м", "и", "р", "안")


def test_a_pronunciation_hidden_in_a_text_is_not_obeyed() -> None:
    assert phonemes("[no](/jˈɛs/)").startswith("nˈO")


def test_speed_makes_it_shorter_or_longer() -> None:
    sentence = "A brown dog is running along the beach."
    slow, plain, fast = (len(load(VoiceSettings(speed=speed)).synthesize(sentence)) for speed in (0.5, 1.0, 2.0))
    assert slow > 1.6 * plain
    assert plain > 1.6 * fast


def test_two_voices_share_one_network() -> None:
    load().synthesize("One.")
    network = _network()
    assert numpy.array_equal(load().synthesize("One."), load().synthesize("One."))
    assert _network() is network
