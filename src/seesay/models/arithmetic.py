"""float32 products on the processor by the faster of torch's two libraries, where it is as exact.

torch multiplies float32 matrices by MKL, which on AMD takes a slow path; oneDNN reaches twice as much there, with the same
arithmetic. torch's switch for it (`set_float32_matmul_precision("medium")`) also allows bfloat16, which oneDNN takes on
processors that multiply tiles of it (AMX): errors of 1e-2 instead of 1e-6, unasked. So it is set only where the processor is
AMD's and has no tiles, only while a network computes, and never where a product came out of it less exact. On a row at a
time, as in writing, oneDNN is the slower one (15 against 31 GFLOP/s on rows of 768).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

ALLOWED = 1e-5
"""The largest error of a product of unit length, about ten times what float32 rounds."""


@contextmanager
def fast_float32() -> Iterator[None]:
    """float32 products within the block are fast and exact; may be entered by several threads at once."""
    if not onednn_is_exact():
        yield
        return
    with _SWITCH:
        yield


@cache
def onednn_is_exact() -> bool:
    """Whether float32 products go through oneDNN: an AMD processor without tiles, where they were as exact just now."""
    try:
        facts = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "AuthenticAMD" in facts and "amx" not in facts and _measured() < ALLOWED


def _measured() -> float:
    """The largest error of oneDNN's products of rows and columns of unit length."""
    import torch

    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(128, 256, generator=generator) / 16 for _ in range(2))
    with _SWITCH:
        found = torch.nn.functional.linear(left, right)
    return float((found.double() - left.double() @ right.double().T).abs().max())


class _Switch:
    """Sets the precision when the first thread enters and puts back what it was when the last one leaves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = "highest"

    def __enter__(self) -> None:
        import torch

        with self._lock:
            if self._inside == 0:
                self._before = torch.get_float32_matmul_precision()
                torch.set_float32_matmul_precision("medium")
            self._inside += 1

    def __exit__(self, *_: Any) -> None:
        import torch

        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                torch.set_float32_matmul_precision(self._before)


_SWITCH = _Switch()
