"""Beam search over a decoder that keeps what it read, as transformers' `generate` does it with a length penalty of 1.

Knows nothing of texts; the embedded model has a search of its own, which ranks otherwise (`mini.search`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy

Array = numpy.ndarray[Any, Any]
State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Reply:
    """What was written, without its end, and the mean log-probability of its tokens with it."""

    ids: tuple[int, ...]
    mean: float


def beam_search(
    step: Callable[[Sequence[int], State | None], tuple[Array, State]],
    prompt: Sequence[int],
    ends: Sequence[int],
    beams: int,
    longest: int,
) -> list[Reply]:
    """The `beams` best replies that were found, best first.

    Args:
        step: reads tokens behind a state and gives the log-probabilities (vocabulary,) of the next one, and the new state.
        longest: tokens of the longest reply, its end included.
    """
    chances, state = step(prompt, None)
    running: list[tuple[float, tuple[int, ...], State, Array]] = [(0.0, (), state, chances)]
    done: list[Reply] = []
    for length in range(1, longest + 1):
        totals = numpy.stack([total + found for total, _, _, found in running])
        flat = totals.ravel()
        likeliest = numpy.argpartition(-flat, min(2 * beams, flat.size) - 1)[: 2 * beams]
        ranked = likeliest[numpy.argsort(-flat[likeliest], kind="stable")].tolist()
        going: list[tuple[float, tuple[int, ...], State, int]] = []
        for rank, index in enumerate(ranked):
            beam, token = divmod(index, totals.shape[1])
            total, ids = float(flat[index]), running[beam][1]
            if token in ends:
                if rank < beams:
                    done.append(Reply(ids, total / length))
            else:
                if length == longest and rank < beams:
                    done.append(Reply((*ids, token), total / length))
                going.append((total, ids, running[beam][2], token))
        done = sorted(done, key=lambda reply: -reply.mean)[:beams]
        # No beginning can become better than what is done, if it went on without loss.
        if length == longest or not going or (len(done) == beams and going[0][0] / length <= done[-1].mean):
            break
        running = []
        for total, ids, state, token in going[:beams]:
            chances, after = step([token], state)
            running.append((total, (*ids, token), after, chances))
    return done
