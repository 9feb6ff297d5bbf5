"""The lines of docs/serving.md, run as they stand (on another port)."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", (ROOT / "docs" / "serving.md").read_text(), re.DOTALL)
CURL = [line for kind, block in BLOCKS if kind == "bash" for line in block.splitlines()]
PYTHON = [block for kind, block in BLOCKS if kind == "python"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


@pytest.mark.parametrize("line", CURL)
def test_curl(server: Any, folder: Path, line: str) -> None:
    line = line.replace("http://127.0.0.1:8000", server.address)
    done = subprocess.run(f"{line} --fail --silent", shell=True, capture_output=True, cwd=folder, timeout=240)
    assert done.returncode == 0, done.stderr
    assert (done.stdout and json.loads(done.stdout)) or (folder / line.split("-o ")[1].split()[0]).stat().st_size > 1000


@pytest.mark.parametrize("block", PYTHON)
def test_python(server: Any, folder: Path, block: str) -> None:
    block = block.replace("http://127.0.0.1:8000", server.address)
    done = subprocess.run(
        [sys.executable, "-c", block], capture_output=True, text=True, cwd=folder, timeout=240, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
    assert "dog" in done.stdout


def test_there_are_some() -> None:
    assert len(CURL) == 6 and len(PYTHON) == 2
