"""float32 products by the faster library: as exact, and the process's own setting is as it was."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from seesay.models import arithmetic
from seesay.models.arithmetic import ALLOWED, fast_float32, onednn_is_exact


@pytest.fixture(params=["highest", "high"])
def before(request: pytest.FixtureRequest) -> str:
    kept = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(request.param)
    yield request.param
    torch.set_float32_matmul_precision(kept)


def test_products_in_the_block_are_exact() -> None:
    generator = torch.Generator().manual_seed(1)
    left, right = torch.randn(240, 768, generator=generator), torch.randn(3072, 768, generator=generator)
    exact = left.double() @ right.double().T
    with fast_float32():
        found = torch.nn.functional.linear(left, right)
    assert float((found - exact).abs().max() / exact.std()) < ALLOWED


def test_the_setting_is_put_back_however_threads_come_and_go(before: str) -> None:
    barrier = threading.Barrier(4)

    def work(turn: int) -> None:
        barrier.wait()
        for _ in range(20):
            with fast_float32():
                torch.ones(4, 4) @ torch.ones(4, 4)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert torch.get_float32_matmul_precision() == before


def test_it_is_put_back_after_an_error(before: str) -> None:
    with pytest.raises(ZeroDivisionError), fast_float32():
        raise ZeroDivisionError
    assert torch.get_float32_matmul_precision() == before


@pytest.mark.parametrize(
    ("processor", "flags", "error", "taken"),
    [
        ("AuthenticAMD", "avx512_bf16", 1e-7, True),
        ("AuthenticAMD", "avx512_bf16 amx_tile amx_bf16", 1e-7, False),
        ("GenuineIntel", "avx512_bf16", 1e-7, False),
        ("AuthenticAMD", "avx2", 1e-3, False),
    ],
)
def test_where_bfloat16_could_be_taken_it_is_left_alone(
    processor: str, flags: str, error: float, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: f"vendor_id : {processor}\nflags : {flags}\n")
    monkeypatch.setattr(arithmetic, "_measured", lambda: error)
    assert onednn_is_exact.__wrapped__() is taken
