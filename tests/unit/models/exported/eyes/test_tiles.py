"""How far the tokens of a prompt see where those of a picture see one another."""

import numpy
from hypothesis import given
from hypothesis import strategies as st

from seesay.models.exported.eyes.tiles import Gemma3Eye, LlavaEye, PaliGemmaEye


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_a_token_of_a_picture_sees_to_its_end_and_others_themselves(inside: list[bool]) -> None:
    ids = numpy.array(inside, numpy.int64)
    for place, end in enumerate(Gemma3Eye({}).reach(ids, 1)):
        assert all(inside[place : end + 1]) or end == place
        assert not inside[place] or end + 1 == len(inside) or not inside[end + 1]
        assert inside[place] or end == place


def test_a_prompt_of_paligemma_sees_itself_and_counts_from_one() -> None:
    ids = numpy.array([5, 5, 1, 2])
    assert PaliGemmaEye({}).reach(ids, 5).tolist() == [3, 3, 3, 3]
    assert PaliGemmaEye({}).positions(ids, 5, {}).tolist() == [[1, 2, 3, 4]]
    assert LlavaEye({}).reach(ids, 5).tolist() == [0, 1, 2, 3]
