"""Memory that is freed stays, in a process of its own: the switch cannot be turned back."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

pytest.importorskip("torch")

PROGRAM = """
import resource
from seesay.models.allocation import keep_freed_memory
done = keep_freed_memory()
import torch
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def work():
    for _ in range(20):
        torch.ones(50_000_000 // 4)
work()
before = faults()
work()
print(done, faults() - before)
"""


def run(**environment: str) -> tuple[str, int]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC", "LD_PRE"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env={**clean, **environment}
    )
    said, faults = done.stdout.split()
    return said, int(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone")
def test_memory_that_was_freed_is_used_again_without_new_pages() -> None:
    said, faults = run()
    assert said == "True"
    assert faults < 100  # 20 times 50 MB are 244,000 pages, or 480 large ones


def test_an_environment_that_says_how_to_allocate_is_obeyed() -> None:
    said, _ = run(MALLOC_ARENA_MAX="2")
    assert said == "False"
