"""Exports that `auto` makes where many answers are wanted, as users meet them: batches, and servers that start."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

ROWS = 510
MAKING, MADE = "making an export of ", "the export was made and verified in "


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "SEESAY_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def manifest(tmp_path: Path, photo: Callable[..., Path]) -> Path:
    """More questions than it takes to make an export, about two pictures."""
    pictures = [photo(tmp_path / f"{color}.png", (64, 48), color) for color in ("red", "blue")]
    rows = [{"image": str(pictures[row % 2]), "question": f"what is it {row}", "id": str(row)} for row in range(ROWS)]
    path = tmp_path / "asked.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in sorted(rows, key=lambda row: row["image"])))
    return path


def batch(
    manifest: Path, output: Path, model: Path, environment: dict[str, str], *more: str
) -> subprocess.CompletedProcess[str]:
    words = ["batch", "ask", str(manifest), "-o", str(output), "--model", str(model), *more]
    return subprocess.run([sys.executable, "-m", "seesay", *words], capture_output=True, text=True, env=environment)


def rows(path: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in map(json.loads, path.read_bytes().splitlines())}


def test_a_large_batch_makes_one_once_and_says_the_same(
    manifest: Path, vilt_checkpoint: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    plain = batch(manifest, tmp_path / "torch.jsonl", vilt_checkpoint, environment, "--engine", "torch")
    assert plain.returncode == 0, plain.stderr
    assert MAKING not in plain.stderr
    first = batch(manifest, tmp_path / "first.jsonl", vilt_checkpoint, environment)
    assert first.returncode == 0, first.stderr
    told = [line for line in first.stderr.splitlines() if " rows  " not in line]  # where the machine is slow: progress
    assert len(told) == 2
    assert told[0].startswith(MAKING)
    assert told[1].startswith(MADE)
    second = batch(manifest, tmp_path / "second.jsonl", vilt_checkpoint, environment)
    assert second.returncode == 0
    assert MAKING not in second.stderr
    assert (tmp_path / "first.jsonl").read_bytes() == (tmp_path / "second.jsonl").read_bytes()
    by_torch, by_export = rows(tmp_path / "torch.jsonl"), rows(tmp_path / "first.jsonl")
    assert {row["engine"].split()[0] for row in by_torch.values()} == {"torch"}
    assert {(row["engine"].split()[0], row["dtype"]) for row in by_export.values()} == {("onnxruntime", "int8")}
    assert len(by_torch) == len(by_export) == ROWS
    for key, row in by_torch.items():
        other = by_export[key]
        # As an export is verified: where another answer comes first, it is one that is as likely.
        assert other["answer"] == row["answer"] or abs(other["score"] - row["score"]) < 0.05
        assert other["score"] == pytest.approx(row["score"], abs=0.05)


def test_a_small_batch_makes_none(
    vilt_checkpoint: Path, tmp_path: Path, environment: dict[str, str], photo: Callable[..., Path]
) -> None:
    photo(tmp_path / "pictures" / "red.png")
    done = batch(tmp_path / "pictures", tmp_path / "rows.jsonl", vilt_checkpoint, environment, "-q", "what?")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "rows.jsonl").read_text())["engine"].startswith("torch ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_batch_that_is_stopped_while_it_makes_one_leaves_nothing_and_goes_on(
    manifest: Path, vilt_checkpoint: Path, tmp_path: Path, environment: dict[str, str], number: int
) -> None:
    output, exports = tmp_path / "rows.jsonl", tmp_path / "cache" / "exports"
    words = ["batch", "ask", str(manifest), "-o", str(output), "--model", str(vilt_checkpoint)]
    with subprocess.Popen(
        [sys.executable, "-m", "seesay", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    ) as process:
        wait_until(lambda: process.poll() is not None or list(exports.glob(".partial-*")))
        # Ctrl-C goes to all of a terminal's group, SIGTERM to one process.
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[1:] == [f"seesay: stopped; 0 rows are in {output}", "hint: the same command goes on"]
    assert {path.name for path in exports.iterdir()} <= {".lock", "digests.json"}
    again = batch(manifest, output, vilt_checkpoint, environment)
    assert again.returncode == 0
    assert len(rows(output)) == ROWS


def wait_until(holds: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def starting(vilt_checkpoint: Path, environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server that has just begun to start, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["serve", "--port", str(port), "--json", "--model", str(vilt_checkpoint), "--voice", ""]
    with subprocess.Popen(
        [sys.executable, "-m", "seesay", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, "PYTHONWARNINGS": "error"},
    ) as process:
        yield process, f"http://127.0.0.1:{port}"
        process.kill()


def answers(http: httpx2.Client, path: str) -> bool:
    try:
        return bool(http.get(path).status_code)
    except httpx2.HTTPError:
        return False


def test_a_server_that_starts_lives_and_is_not_ready(
    starting: tuple[subprocess.Popen[str], str], photo: Callable[..., Path], tmp_path: Path
) -> None:
    process, address = starting
    assert process.stdout is not None and process.stderr is not None
    with httpx2.Client(base_url=address, timeout=60) as http:
        wait_until(lambda: answers(http, "/live"))
        assert http.get("/live").status_code == 200
        ready = http.get("/ready")
        assert (ready.status_code, ready.text) == (503, "no\n")
        refused = http.post("/ask", data={"question": "what?"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json()["error"]["code"] == "starting"
        assert http.post("/api/chat", json={}).json() == {"error": "the server is starting; ask again in a moment"}
        assert process.stderr.readline().startswith(MAKING)
        assert process.stderr.readline().startswith(MADE)
        assert json.loads(process.stdout.readline())["address"] == address
        assert http.get("/ready").status_code == 200
        picture = photo(tmp_path / "red.png")
        files = {"picture": ("red.png", picture.read_bytes(), "image/png")}
        (answer,) = http.post("/ask", files=files, data={"question": "what?"}).json()["answers"]
        assert answer["provenance"]["engine"].startswith("onnxruntime")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_stopped_while_it_starts_leaves_nothing(
    starting: tuple[subprocess.Popen[str], str], tmp_path: Path, number: int
) -> None:
    process, _ = starting
    exports = tmp_path / "cache" / "exports"
    wait_until(lambda: process.poll() is not None or list(exports.glob(".partial-*")))
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[1:] == ["", "seesay: interrupted"]
    assert {path.name for path in exports.iterdir()} <= {".lock", "digests.json"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_on_ray_it_is_made_once_before_the_workers_come(
    manifest: Path, vilt_checkpoint: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    pytest.importorskip("ray")
    done = batch(manifest, tmp_path / "rows.jsonl", vilt_checkpoint, environment, "--engine", "ray")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(MAKING) == done.stderr.count(MADE) == 1
    assert {row["dtype"] for row in rows(tmp_path / "rows.jsonl").values()} == {"int8"}
    assert len(rows(tmp_path / "rows.jsonl")) == ROWS
