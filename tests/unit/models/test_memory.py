"""Values within a limit of bytes: the newest stay."""

import numpy
from hypothesis import given
from hypothesis import strategies as st

from seesay.models.memory import Memory


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12)), max_size=40), st.integers(0, 120))
def test_the_limit_holds_and_the_bytes_are_counted(puts: list[tuple[int, int]], limit: int) -> None:
    memory = Memory(limit)
    sizes: dict[int, int] = {}
    for key, count in puts:
        memory.put(key, key, count)
        sizes[key] = count
        assert memory.bytes == sum(size for key, size in sizes.items() if memory.get(key) is not None) <= limit


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    memory = Memory(limit=8)
    for key in "ab":
        memory.put(key, key, 4)
    memory.get("a")
    memory.put("c", "c", 4)
    assert [memory.get(key) for key in "abc"] == ["a", None, "c"]
    memory.put("d", "d", 12)  # larger than all of it: kept by none, and nothing goes for it
    assert [memory.get(key) for key in "acd"] == ["a", "c", None]


def test_a_value_is_made_once() -> None:
    memory, made = Memory(limit=100), []

    def prepare() -> numpy.ndarray:
        made.append(1)
        return numpy.zeros(8)

    assert memory.made("a", prepare) is memory.made("a", prepare)
    assert (made, memory.bytes) == ([1], 64)
