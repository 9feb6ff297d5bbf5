"""Notes: words that are text to everybody, and have a code for programs."""

import copy
import json
import pickle

from seesay.types import Note


def test_a_note_is_its_words_and_keeps_its_code() -> None:
    note = Note("the word {word!r} is not known", "unknown_word", word="zib")
    assert note == "the word 'zib' is not known" and json.dumps(note) == "\"the word 'zib' is not known\""
    for same in (copy.deepcopy(note), pickle.loads(pickle.dumps(note)), Note.of(note)):
        assert (same, same.code, same.values) == (note, "unknown_word", {"word": "zib"})
    assert copy.deepcopy(Note("{not} filled", "plain")) == "{not} filled"


def test_plain_words_are_a_note_without_a_code() -> None:
    note = Note.of("as it is {here}")
    assert (note, note.code, note.values) == ("as it is {here}", "", {})
