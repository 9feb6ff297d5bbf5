"""`seesay ask` and `seesay caption` with models that write, as people type them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def seesay(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "seesay", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)


@pytest.mark.parametrize("name", ["git", "blip-vqa", "blip2-opt", "instructblip-t5"])
def test_questions_are_answered(name: str, generative_checkpoints: dict[str, Path], vilt_pictures: list[Path]) -> None:
    options = ["--model", generative_checkpoints[name], "--json", "--top-k", 2, "--max-new-tokens", 4]
    done = seesay("ask", *vilt_pictures, "What color is it?", *options)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["picture"] for row in rows] == [str(path) for path in vilt_pictures]
    assert all(0 < row["score"] <= 1 for row in rows)


@pytest.mark.parametrize("name", ["git", "blip-caption"])
def test_pictures_are_described(name: str, generative_checkpoints: dict[str, Path], vilt_pictures: list[Path]) -> None:
    done = seesay("caption", *vilt_pictures, "--model", generative_checkpoints[name], "--num-beams", 3)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [str(path) for path in vilt_pictures]


def test_the_wrong_task_is_refused_in_a_line(
    generative_checkpoints: dict[str, Path], vilt_pictures: list[Path]
) -> None:
    for command, name in (
        (["ask", vilt_pictures[0], "What color is it?"], "blip-caption"),
        (["caption", vilt_pictures[0]], "blip-vqa"),
    ):
        done = seesay(*command, "--model", generative_checkpoints[name])
        assert done.returncode not in (0, 1)
        assert "Traceback" not in done.stderr
        assert "describe" in done.stderr
