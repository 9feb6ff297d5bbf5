"""Pictures are decoded while others are computed."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from seesay.batch import Compute, Job, computed
from seesay.batch.source import grouped, items
from seesay.media import ahead
from seesay.types import Example, Picture, Reading

PICTURES, TOGETHER = 12, 2
JOB = Job("read", {"model": "reader", "revision": ""})


@pytest.mark.parametrize("threads", [1, 2])
def test_the_next_pictures_are_decoded_while_the_first_are_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    """What computes ends when pictures of the batch after its own are there, and not before: they would never be there, were
    they not decoded meanwhile."""
    for number in range(PICTURES):
        Image.new("RGB", (40, 30), (number, 0, 0)).save(tmp_path / f"{number:02d}.png")
    open_image, more = ahead.open_image, threading.Condition()
    decoded: list[bytes] = []
    computing = 0

    def watched(data: bytes, **how: Any) -> Picture:
        picture = open_image(data, **how)
        with more:
            decoded.append(data)
            more.notify_all()
        return picture

    monkeypatch.setattr(ahead, "open_image", watched)

    def compute(examples: Sequence[Example]) -> list[Reading]:
        nonlocal computing
        with more:
            computing += len(examples)
            wanted = min(PICTURES, computing + TOGETHER)
            assert more.wait_for(lambda: len(decoded) >= wanted, timeout=60)
        return [Reading((), "", "eye") for _ in examples]

    groups = grouped(items(str(tmp_path), (), asks=False), TOGETHER)
    parts = computed(groups, JOB, [Compute(compute)] * threads, set(), size=TOGETHER)
    assert sum(len(part.rows) for part in parts) == PICTURES
    assert computing == len(decoded) == PICTURES
