"""Words to ids and back."""

import functools
import json
import string
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seesay.models.families.mini import EMBEDDED
from seesay.models.mini.tokenizer import LETTERS, PASSED_OVER, PLURAL, READ_AS, SPECIAL, SPELL, Tokenizer
from seesay.models.mini.words import a, plural

NAMES = (
    "dog",
    "cat",
    "mouse",
    "knife",
    "sheep",
    "glasses",
    "apple",
    "unicorn",
    "hot dog",
    "hot air balloon",
    "cup of coffee",
)
WORDS = tuple(
    ", 0 1 2 a above and animal animals any are color in is it many no object objects of on picture purple red the there to "
    "under unknown what where yes".split()
)
SYNONYMS = {"puppy": "dog", "kitty": "cat", "frankfurter": "hot dog", "sea horse of gold": "unicorn"}


@functools.cache
def small() -> Tokenizer:
    return Tokenizer(NAMES, WORDS, SYNONYMS)


@functools.cache
def embedded() -> Tokenizer:
    return Tokenizer.load(EMBEDDED / "tokenizer.json")


def tokens(text: str, tokenizer: Tokenizer | None = None) -> list[str]:
    tokenizer = tokenizer or small()
    return [tokenizer.tokens[index] for index in tokenizer.encode(text)]


TOKENIZERS = pytest.mark.parametrize("tokenizer", [small(), embedded()], ids=["small", "embedded"])


@TOKENIZERS
def test_every_name_is_one_token_and_comes_back(tokenizer: Tokenizer) -> None:
    for name in tokenizer.names:
        assert tokenizer.encode(name) == [tokenizer.ids[name]], name
        assert tokenizer.decode(tokenizer.encode(name)) == name


@TOKENIZERS
def test_every_plural_comes_back_and_is_never_spelled(tokenizer: Tokenizer) -> None:
    for name in tokenizer.names:
        assert SPELL not in tokens(plural(name), tokenizer), name
        assert tokenizer.decode(tokenizer.encode(plural(name))) == plural(name)


@TOKENIZERS
def test_every_name_takes_its_article(tokenizer: Tokenizer) -> None:
    """Names that are in the plural take none, and models are taught none there."""
    for name in tokenizer.names:
        if a(name) != name:
            assert tokenizer.decode(tokenizer.encode(a(name))) == a(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dogs", ["dog", PLURAL]),
        ("mice", ["mouse", PLURAL]),
        ("knives", ["knife", PLURAL]),
        ("sheep", ["sheep"]),
        ("glasses", ["glasses"]),
        ("cups of coffee", ["cup of coffee", PLURAL]),
        ("hot air balloons", ["hot air balloon", PLURAL]),
        ("a hot dog", ["a", "hot dog"]),
        ("an apple", ["a", "apple"]),
        ("puppy", ["dog"]),
        ("Puppies", ["dog", PLURAL]),
        ("frankfurters", ["hot dog", PLURAL]),
        ("sea horse of gold", ["unicorn"]),
        ("photo", ["picture"]),
        ("the drawing, items", ["the", "picture", ",", "objects"]),
        ("Located under", ["under"]),
        ("zero", ["0"]),
        ("zoo", [SPELL, "[z]", "[o]", "[o]"]),
        ("dog zoo cat", ["dog", SPELL, "[z]", "[o]", "[o]", "cat"]),
        ("  RED\n\tdog?!  ", ["red", "dog"]),
        ("", []),
        ("?!…", []),
    ],
)
def test_text_is_read_as_the_longest_names_first(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("What's in the picture?", "what is in the picture"),
        ("What’s in the picture?", "what is in the picture"),
        ("Where's the dog?", "where is the dog"),
        ("the cat's color", "the cat color"),
        ("the cat’s color", "the cat color"),
        ("Is there any dog's knife", "is there any dog knife"),
        ("the dogs' color", "the dogs color"),
        ("Is there a 'dog'?", "is there a dog"),
        ("Is there a ‘dog’?", "is there a dog"),
        ('Is there a "dog"?', "is there a dog"),
        ("dog - cat", "dog cat"),
    ],
)
def test_apostrophes_quotes_and_dashes_leave_the_words(text: str, same: str) -> None:
    assert tokens(text) == tokens(same)


@pytest.mark.parametrize(
    "text",
    [
        "yes", "2 dogs and a cat", "a dog, 2 cats and an apple", "an animal", "a unicorn", "a picture of mice",
        "a cup of coffee", "2 cups of coffee", "a zeppelin and an umbrella", "a red x-ray and r2d2", "the hot dog on a sheep",
    ],
)  # fmt: skip
def test_a_written_text_comes_back(text: str) -> None:
    assert small().decode(small().encode(text)) == text


@pytest.mark.parametrize("word", ["sad", "basis", "zoos", "assess", "s"])
def test_a_spelled_s_is_a_letter_and_no_plural(word: str) -> None:
    assert small().decode(small().encode(word)) == word


def test_synonyms_are_read_and_never_written() -> None:
    assert small().decode(small().encode("a puppy and 2 kitties")) == "a dog and 2 cats"
    assert not set(SYNONYMS) & set(small().tokens)


def test_a_plural_with_nothing_before_it_says_nothing() -> None:
    ids = small().ids
    assert small().decode([ids[PLURAL], ids["dog"]]) == "dog"


def test_a_letter_that_is_in_no_spelled_word_is_not_written() -> None:
    """A model may give one; nobody shall read "[a]"."""
    ids = small().ids
    assert "[" not in small().decode([ids["dog"], ids["[a]"], ids["cat"]])
    assert "[" not in small().decode([ids["[a]"]])


def test_letters_that_cannot_be_spelled_leave_no_gap() -> None:
    assert "  " not in small().decode(small().encode("dog 漢字 cat"))


@given(st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12))
def test_any_word_of_letters_and_digits_comes_back(word: str) -> None:
    assume(word != "an" and word not in READ_AS and not any(word in form for form in map(str.split, SYNONYMS)))
    assume(word not in map(plural, SYNONYMS))
    assert small().decode(small().encode(word)) == word


@TOKENIZERS
@given(text=st.text(max_size=60))
def test_any_text_is_encoded_and_gives_ids_that_there_are(tokenizer: Tokenizer, text: str) -> None:
    for ids in (tokenizer.encode(text), tokenizer.encode_question(text)):
        assert all(0 <= index < len(tokenizer) for index in ids)
        assert isinstance(tokenizer.decode(ids), str)
    assert isinstance(tokenizer.unknown_words(text), list)


@TOKENIZERS
@given(data=st.data())
def test_any_ids_are_decoded_to_one_line(tokenizer: Tokenizer, data: st.DataObject) -> None:
    text = tokenizer.decode(data.draw(st.lists(st.integers(0, len(tokenizer) - 1), max_size=30)))
    assert text == text.strip()
    assert "\n" not in text
    assert not any(special in text for special in SPECIAL)


@given(st.lists(st.sampled_from((*NAMES, *WORDS[1:], *map(plural, NAMES))), max_size=8))
def test_what_is_written_is_read_the_same_again(words: list[str]) -> None:
    """Writing is stable: reading what was written and writing it again changes nothing."""
    once = small().decode(small().encode(" ".join(words)))
    assert small().decode(small().encode(once)) == once


def test_unknown_words_are_told_in_order() -> None:
    assert small().unknown_words("Is the flurbl under a zorp or the dog?") == ["flurbl", "zorp", "or"]
    assert small().unknown_words("Is there a dog in the photo?") == []


def test_words_that_change_nothing_are_passed_over() -> None:
    asked = "Please tell me, what color is the dog now?"
    assert small().unknown_words(asked) == []
    plain = [token for token in small().encode("what color is the dog") if token != small().ids[","]]
    assert [token for token in small().encode_question(asked) if token != small().ids[","]] == plain


def test_a_known_word_is_never_passed_over() -> None:
    """Some of the words that may be passed over are words of the model."""
    known = [word for word in embedded().words if word in PASSED_OVER]
    for word in known:
        assert embedded().encode_question(word) == embedded().encode(word)


@TOKENIZERS
def test_a_question_without_unknown_words_is_never_spelled(tokenizer: Tokenizer) -> None:
    """A part of a name is known within the name only: "air" of "hot air balloon" is no word of its own."""
    parts = sorted({part for name in (*tokenizer.names, *tokenizer.synonyms) for part in name.split()})
    spelled = [
        word
        for word in parts
        if not tokenizer.unknown_words(word) and tokenizer.ids[SPELL] in tokenizer.encode_question(word)
    ]
    assert spelled == []


def test_a_part_of_a_name_that_stands_alone_is_unknown() -> None:
    assert small().unknown_words("Is there any air?") == ["air"]
    assert small().unknown_words("Is there a hot air balloon?") == []


def test_new_answers_come_last_and_all_ids_before_stay() -> None:
    grown = small().with_answers(["yes", "fire truck", "two dogs", "fire truck", "", "?!", "a b c d e f g"])
    assert grown.tokens[: len(small())] == small().tokens
    assert grown.tokens[len(small()) :] == ("fire truck", "two dogs")
    for text in ("fire truck", "two dogs"):
        assert grown.encode(text) == [grown.ids[text]]
        assert grown.decode(grown.encode(text)) == text
    again = grown.with_answers(["ant hill", "fire truck"])
    assert again.tokens == (*grown.tokens, "ant hill")


def test_a_new_answer_in_any_script_can_be_written() -> None:
    grown = small().with_answers(["나무", "漢字", "café"])
    for text in ("나무", "漢字", "café"):
        assert grown.decode(grown.encode(text)) == text


def test_a_new_answer_that_looks_like_a_special_token_takes_no_ones_place() -> None:
    grown = small().with_answers(["[s]", "[end]", "[answer]", "[spell]"])
    for special in SPECIAL:
        assert grown.ids[special] == small().ids[special]


@given(st.lists(st.text(max_size=20), max_size=6))
def test_any_new_answers_leave_all_old_ids(texts: list[str]) -> None:
    grown = small().with_answers(texts)
    assert grown.tokens[: len(small())] == small().tokens
    assert all(grown.ids[token] == index for token, index in small().ids.items())
    assert not set(grown.tokens[len(small()) :]) & set(small().tokens)


def test_a_saved_tokenizer_is_the_same(tmp_path: Path) -> None:
    before = small().with_answers(["fire truck", "café"])
    before.save(tmp_path / "tokenizer.json")
    after = Tokenizer.load(tmp_path / "tokenizer.json")
    assert (after.tokens, after.synonyms, after.answers) == (before.tokens, before.synonyms, before.answers)
    assert after.encode("2 puppies, a fire truck and a zoo") == before.encode("2 puppies, a fire truck and a zoo")


def test_a_tokenizer_saved_before_there_were_answers_is_read(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps({"names": ["dog"], "words": ["a"], "synonyms": {}}), encoding="utf-8")
    assert Tokenizer.load(tmp_path / "old.json").decode([len(SPECIAL) + len(LETTERS)]) == "dog"


def test_building_takes_the_words_that_are_part_of_no_name() -> None:
    built = Tokenizer.build(["dog", "hot dog"], ["Is there an old hot dog?", "two dogs, a puppy"], {"puppy": "dog"})
    assert set(built.words) == {"is", "there", "old", "two", "a", ","}
    assert built.unknown_words("Is there an old hot dog?") == []


def test_captions_are_written_in_their_own_words() -> None:
    """A word that questions may use for another one is no longer read as that one where an answer or caption says it."""
    taught = small().with_answers(["drawing", "an", "a", "grey"])
    assert taught.answers == ("drawing", "grey")
    assert taught.decode(taught.encode("a grey drawing")) == "a grey drawing"
    assert small().decode(small().encode("drawing")) != "drawing"
