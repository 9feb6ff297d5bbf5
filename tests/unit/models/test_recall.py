"""What is kept between questions: within its limit, the newest first, and only as much of a text as is the same."""

from pathlib import Path

import numpy
import pytest
import torch

import seesay
from seesay import Example
from seesay.answering import answer
from seesay.models.memory import Memory
from seesay.models.picture_features import Seen, by_rows
from seesay.models.recall import TAIL, Text, passages, recollect, remember

IMAGE = 9


def text(*ids: int, row: tuple[str, ...] = (), seen: torch.Tensor | None = None) -> Text:
    return Text(row, numpy.array(ids), seen, IMAGE)


def floats(count: int) -> torch.Tensor:
    return torch.zeros(count)


def test_texts_have_in_common_what_is_the_same_from_the_beginning() -> None:
    assert text(1, 2, 3).common(text(1, 2, 4, 3)) == 2
    assert text(1, 2).common(text(1, 2, 3)) == 2
    assert text(1).common(text(2)) == 0


def test_a_picture_is_the_same_where_it_is_and_looks_the_same() -> None:
    eye = torch.arange(8.0).reshape(4, 2)
    one = text(1, IMAGE, IMAGE, 2, 3, row=("a",), seen=eye[:2])
    assert one.common(text(1, IMAGE, IMAGE, 2, 3, row=("b",), seen=eye[:2])) == 1
    assert one.common(text(1, IMAGE, IMAGE, 2, 4, row=("a",), seen=eye[:2])) == 4
    more = text(1, IMAGE, IMAGE, 2, IMAGE, IMAGE, 3, row=("a", "b"), seen=eye)
    assert one.common(more) == more.common(one) == 4
    other = text(1, IMAGE, IMAGE, 2, IMAGE, IMAGE, 3, row=("a", "b"), seen=eye + torch.tensor([[0], [1], [0], [0]]))
    assert one.common(other) == 1  # prepared otherwise, beside another picture


def test_the_common_part_does_not_end_within_a_picture() -> None:
    seen = torch.zeros(3, 2)
    one = text(1, IMAGE, IMAGE, IMAGE, row=("a",), seen=seen)
    assert one.common(text(1, IMAGE, IMAGE, 2, row=("a",), seen=seen[:2])) == 1


def filled(length: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    states = torch.arange(float(length)).reshape(1, 1, length, 1)
    return [(states, -states), (states + 1, -states)]


def keep(recall: Memory, *ids: int) -> None:
    remember(recall, text(*ids), filled(len(ids)), 16 * len(ids))


def test_a_beginning_is_recollected_cut_to_what_is_the_same_and_leaves_a_token_to_read() -> None:
    recall = Memory()
    remember(recall, text(*range(4)).longer([4, 5], 5), filled(5), 80)
    layers = recollect(recall, text(0, 1, 2, 7))
    assert layers[1][0].flatten().tolist() == [1, 2, 3]
    assert recollect(recall, text(0, 1))[0][0].shape[-2] == 1
    assert recollect(recall, text(0, 1, 2, 3, 4, 5, 6))[0][0].shape[-2] == 5
    assert recollect(recall, text(8, 1)) == []
    assert recall.bytes == 80


def test_of_texts_that_differ_at_their_ends_the_newer_is_kept_and_others_stay() -> None:
    recall = Memory()
    for last in (100, 101, 102):
        keep(recall, *range(50), last)
    assert [int(passage.text.ids[-1]) for _, passage in passages(recall)] == [102]
    keep(recall, *range(50), *range(200, 200 + 2 * TAIL))
    assert len(passages(recall)) == 1  # a longer text with the same beginning takes its place
    keep(recall, *range(50), *range(500, 500 + 2 * TAIL))
    assert len(passages(recall)) == 2
    keep(recall, *range(50), 7)
    assert len(passages(recall)) == 2  # one of the two has all but the end of it


def test_features_are_taken_apart_by_rows_and_put_together_again() -> None:
    patches = torch.arange(16.0).reshape(8, 2)
    grids = torch.tensor([[1, 2, 1], [1, 2, 2], [1, 2, 1]])
    rows = by_rows({"pixel_values": patches, "image_grid_thw": grids}, [2, 1])
    assert [len(row["pixel_values"]) for row in rows] == [6, 2]
    assert [len(row["image_grid_thw"]) for row in rows] == [2, 1]
    parts = [Seen((torch.ones(2, 3), torch.zeros(2, 3)), False, ()), Seen((torch.full((2, 3), 2.0),), False, ())]
    together = Seen.together(parts)
    assert together.output().pooler_output.shape == (3, 2, 3)
    assert together.behind(3).flat()[:, 0].tolist() == [0, 2, 2]
    inner = Seen((torch.ones(2, 3),), True, ((torch.zeros(2, 3),), (torch.ones(2, 3),)))
    twice = Seen.together([inner, inner]).behind(1).output()
    assert [len(one) for one in twice.pooler_output] == [3]
    assert [[len(one) for one in layer] for layer in twice.deepstack_features] == [[3], [3]]


@pytest.mark.parametrize("name", ["blip-vqa", "blip2-opt"])
def test_blip_looks_at_a_picture_once(
    name: str, generative_checkpoints: dict[str, Path], vilt_pictures: list[Path]
) -> None:
    model = seesay.load(str(generative_checkpoints[name]))
    looked: list[int] = []
    eye = model.family.network.vision_model
    assert isinstance(eye, torch.nn.Module)
    eye.register_forward_hook(
        lambda module, args, given, output: looked.append(len(output.last_hidden_state)), with_kwargs=True
    )
    asked = [
        Example((path,), question) for path in vilt_pictures[:2] for question in ("what is it?", "how many?", "a?")
    ]
    answers = list(answer(model.family, asked, batch_size=6))
    assert looked == [2]
    again = [next(answer(model.family, [example])) for example in asked]
    assert looked == [2]
    assert [one.text for one in again] == [one.text for one in answers]
