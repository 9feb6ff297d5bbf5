"""One run by two processes that torchrun starts: the same model as by one, stopped and continued, refused by another number."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seesay.errors import UsageError
from seesay.training.plan import Visit
from seesay.training.together import Team, together


def test_every_row_of_a_batch_is_taken_by_one_process() -> None:
    batches = [[Visit(row, 0) for row in range(start, start + 6)] for start in (0, 6)]
    shared = [Team(rank, 3).share(batches) for rank in range(3)]
    for index, batch in enumerate(batches):
        parts = [part[index] for part in shared]
        assert [len(part) for part in parts] == [2, 2, 2]
        assert sorted(visit.row for part in parts for visit in part) == [visit.row for visit in batch]


def test_one_process_is_a_team_of_its_own() -> None:
    with together() as team:
        team.wait()
        assert team.first
        assert team.tell(lambda: {"loss": 1.0}) == {"loss": 1.0}
        assert team.total([3, 0]) == [3, 0]


def test_batches_that_cannot_be_shared_out_are_refused() -> None:
    Team(0, 2).check(4)
    with pytest.raises(UsageError, match="batches of 5 rows cannot be shared by 2 processes"):
        Team(0, 2).check(5)


def train(data: Path, output: Path, processes: int, *more: str) -> list[str]:
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m", "seesay"]
    settings = {
        "num-train-epochs": 2,
        "per-device-train-batch-size": 8,
        "eval-steps": 3,
        "logging-steps": 1,
        "threads": 1,
    }
    flags = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    started = launcher if processes > 1 else ["seesay"]
    return [
        *(sys.executable, "-m", *started, "train", "vqa", "--data", str(data), "--from-scratch", "vilt-small"),
        *("--output", str(output), *flags, *more),
    ]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=200)


def logged(output: Path, name: str) -> list[float]:
    """What the run noted of each step."""
    return [float(found) for found in re.findall(rf"[ :]{name}=([\d.e-]+)", (output / "train.log").read_text())]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_learn_what_one_does(color_data: Path, tmp_path: Path) -> None:
    one, two, parts = tmp_path / "one", tmp_path / "two", tmp_path / "parts"
    assert run(train(color_data, one, 1)).returncode == 0
    done = run(train(color_data, two, 2))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("model: ") == 1  # one process reports
    # The first step is the same but for rounding; from then on Adam makes rounding larger.
    assert logged(two, "loss")[0] == pytest.approx(logged(one, "loss")[0], rel=1e-4)
    assert logged(two, "grad_norm")[0] == pytest.approx(logged(one, "grad_norm")[0], rel=1e-3)
    assert logged(two, "loss") == pytest.approx(logged(one, "loss"), rel=0.1)
    # Stopped and continued, the run of two is equal to the bit.
    process = subprocess.Popen(train(color_data, parts, 2), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while process.poll() is None and not list(parts.glob("checkpoint-*")):
        time.sleep(0.1)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=120)
    steps = [int(path.name.split("-")[1]) for path in parts.glob("checkpoint-*")]
    assert steps
    refused = run(train(color_data, parts, 1))
    assert refused.returncode == 3
    assert "was begun by 2 processes, and these are 1" in refused.stderr
    assert run(train(color_data, parts, 2)).returncode == 0
    assert (parts / "model" / "model.safetensors").read_bytes() == (two / "model" / "model.safetensors").read_bytes()
    assert json.loads((parts / "run.json").read_text())["processes"] == 2
