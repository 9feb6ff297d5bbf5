"""English forms: plurals and articles."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.models.mini.words import IRREGULAR, PLURAL_ALREADY, a, plural


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dog", "dogs"),
        ("bus", "buses"),
        ("box", "boxes"),
        ("church", "churches"),
        ("brush", "brushes"),
        ("butterfly", "butterflies"),
        ("monkey", "monkeys"),
        ("potato", "potatoes"),
        ("piano", "pianos"),
        ("knife", "knives"),
        ("mouse", "mice"),
        ("sheep", "sheep"),
        ("glasses", "glasses"),
        ("old man", "old men"),
        ("hot dog", "hot dogs"),
        ("computer mouse", "computer mice"),
        ("cup of coffee", "cups of coffee"),
        ("sun behind cloud", "suns behind cloud"),
        ("bowl of noodles", "bowls of noodles"),
        ("y", "ys"),
    ],
)
def test_a_plural_is_what_people_write(name: str, expected: str) -> None:
    assert plural(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dog", "a dog"),
        ("apple", "an apple"),
        ("umbrella", "an umbrella"),
        ("unicorn", "a unicorn"),
        ("uniform", "a uniform"),
        ("ukulele", "a ukulele"),
        ("hourglass", "an hourglass"),
        ("horse", "a horse"),
        ("onion", "an onion"),
        ("european", "a european"),
        ("orange cat", "an orange cat"),
        ("cup of coffee", "a cup of coffee"),
        ("glasses", "glasses"),
        ("pair of glasses", "a pair of glasses"),
        ("french fries", "french fries"),
        ("two dogs", "two dogs"),
    ],
)
def test_an_article_is_what_people_write(name: str, expected: str) -> None:
    assert a(name) == expected


@pytest.mark.parametrize("name", [*IRREGULAR, *PLURAL_ALREADY])
def test_the_last_word_of_a_longer_name_takes_the_same_plural(name: str) -> None:
    assert plural(f"small {name}") == f"small {plural(name)}"
    assert plural(f"{name} of gold") == f"{plural(name)} of gold"


@given(st.text(string.ascii_lowercase + " -'", max_size=20))
def test_any_name_has_forms(name: str) -> None:
    """Nothing raises, whatever a data set calls its things; the article only adds in front."""
    assert isinstance(plural(name), str)
    assert a(name).endswith(name)
