"""VITS and MMS: texts of which nothing is left, other languages, speakers, pace."""

import json
from pathlib import Path
from types import ModuleType

import numpy
import pytest

from seesay.errors import MissingExtra, SpeechError, UsageError
from seesay.settings import VoiceSettings
from seesay.speech import load, omitted, speak


def test_numbers_are_words_of_its_language_and_the_rest_is_told(voice_maker: ModuleType, tmp_path: Path) -> None:
    dutch = load(VoiceSettings(model=str(voice_maker.vits(tmp_path / "nld", language="nld"))))
    assert dutch.speaks == "the language 'nld'"
    assert numpy.array_equal(dutch.synthesize("21 honden"), dutch.synthesize("Eenentwintig honden"))
    assert speak("12", dutch).omitted == ()
    assert omitted("ééne hond, мир", dutch) == ("м", "и", "р")
    quechua = load(VoiceSettings(model=str(voice_maker.vits(tmp_path / "quz", language="quz"))))
    assert speak("12 allqu", quechua).omitted == ("1", "2")
    for text in ("12", "3 4 5.", "мир"):
        with pytest.raises(SpeechError, match="nothing in it can be spoken"):
            speak(text, quechua)
    with pytest.raises(SpeechError, match="only punctuation"):
        speak("...", quechua)


def test_letters_of_its_own_script(voice_maker: ModuleType, tmp_path: Path) -> None:
    russian = load(
        VoiceSettings(model=str(voice_maker.vits(tmp_path / "rus", language="rus", letters="абвгдежзиклмнопрстуфыья")))
    )
    assert russian.can_say("Д") and not russian.can_say("d")
    assert len(russian.synthesize("Собака")) > len(russian.synthesize("да"))


def test_faster_is_shorter(voice_checkpoints: dict[str, Path]) -> None:
    model = str(voice_checkpoints["vits"])
    slow, fast = (len(load(VoiceSettings(model=model, speed=speed)).synthesize("a brown dog")) for speed in (0.5, 2.0))
    assert slow > 1.5 * fast


def test_speakers_by_number(voice_maker: ModuleType, voice_checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = str(voice_maker.vits(tmp_path / "three", speakers=3))
    one, first, last = (load(VoiceSettings(model=folder, speaker=s)).synthesize("a dog") for s in ("", "0", "2"))
    assert numpy.array_equal(one, first)
    assert one.shape != last.shape or not numpy.allclose(one, last)
    for speaker in ("3", "-1", "jane", "٢"):
        with pytest.raises(UsageError, match=f"(?s)no speaker '{speaker}'.*0 to 2"):
            load(VoiceSettings(model=folder, speaker=speaker))
    with pytest.raises(UsageError, match="has one speaker"):
        load(VoiceSettings(model=str(voice_checkpoints["vits"]), speaker="1"))


@pytest.mark.parametrize(("setting", "package"), [("is_uroman", "uroman"), ("phonemize", "phonemizer")])
def test_tokenizers_that_need_a_package_say_which(
    setting: str, package: str, voice_maker: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import seesay.speech.engines.vits as module

    folder = voice_maker.vits(tmp_path / "amh", language="amh")
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), setting: True}))
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=f"pip install .{package}"):
        load(VoiceSettings(model=str(folder)))
