"""`seesay batch` as users run it: whole folders, stopped and killed and continued, full disks."""

import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "examples" / "pictures"


def seesay(*words: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "seesay", *words], capture_output=True, text=True, **options)  # type: ignore[call-overload,no-any-return]


@pytest.fixture(scope="module")
def kills() -> ModuleType:
    """The measurement of the same, for its parts."""
    spec = importlib.util.spec_from_file_location("batch_kills", ROOT / "benchmarks" / "batch_kills.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_folder_with_a_broken_picture(tmp_path: Path) -> None:
    folder, output = tmp_path / "photos", tmp_path / "rows.jsonl"
    shutil.copytree(PICTURES, folder)
    (folder / "broken.jpg").write_bytes((PICTURES / "cat.jpg").read_bytes()[:5_000])
    done = seesay("batch", "ask", folder, "-q", "Is there a dog?", "-o", output)
    assert done.returncode == 3
    assert done.stdout == f"{output}: 7 rows, 7 of them new\n"
    assert "1 rows failed" in done.stderr
    assert "a broken or cut-short JPEG picture" in done.stderr
    rows = {row["picture"]: row for row in map(json.loads, output.read_bytes().splitlines())}
    assert rows["dogs.jpg"]["answer"] == "yes"
    assert rows["broken.jpg"]["error"] == "a broken or cut-short JPEG picture"
    again = seesay("batch", "ask", folder, "-q", "Is there a dog?", "-o", output, "--json")
    summary = json.loads(again.stdout)
    assert again.returncode == 3
    assert (summary["rows"], summary["written"], summary["failed"]) == (7, 0, 1)


def test_usage_is_explained_without_a_traceback(tmp_path: Path) -> None:
    for words, message in (
        (("ask", PICTURES, "-o", tmp_path / "rows.jsonl"), "no question"),
        (("ask", PICTURES, "-q", "What?"), "no output named"),
        (("ask", tmp_path / "none", "-q", "What?", "-o", tmp_path / "rows.jsonl"), "no such folder or manifest"),
        (("ask", PICTURES, "-q", "a\a", "-o", tmp_path / "rows.jsonl"), "a control character"),
        (("caption", PICTURES, "-o", tmp_path / "rows.txt"), "neither .jsonl nor .parquet"),
    ):
        done = seesay("batch", *words)
        assert done.returncode in (2, 3)
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_quickly_and_the_same_command_goes_on(tmp_path: Path, kills: ModuleType, number: int) -> None:
    manifest, output = kills.make(tmp_path, 20, seed=3), tmp_path / "rows.jsonl"
    command = kills.command(manifest, output, 20)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not output.exists() or not output.stat().st_size:
        time.sleep(0.02)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.startswith("seesay: stopped; ")
    assert errors.endswith("hint: the same command goes on\n")
    assert output.read_bytes().endswith(b"\n")
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert len(output.read_bytes().splitlines()) == 400


@pytest.mark.slow
def test_kills_and_cuts_lose_nothing(tmp_path: Path, kills: ModuleType) -> None:
    manifest = kills.make(tmp_path, 60, seed=1)
    whole, killed = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    subprocess.run(kills.command(manifest, whole, 5), capture_output=True, check=False)
    processes = []

    def begin() -> int:
        processes.append(subprocess.Popen(kills.command(manifest, killed, 5), stdout=-3, stderr=-3))
        return processes[-1].pid

    stopped = kills.disturbed(begin, killed, rounds=6, seed=5, start=2.0, most=0.3)
    for process in processes:  # reaped by the measurement
        process.wait()
    found = kills.compare(killed, whole)
    assert stopped["exit_code"] == 3
    assert found == {
        "rows": len(whole.read_bytes().splitlines()),
        "lost": 0,
        "duplicate": 0,
        "broken": 0,
        "equal_to_the_undisturbed_run_after_sorting": True,
    }


def test_no_room_is_told_and_the_same_command_goes_on(tmp_path: Path) -> None:
    output = tmp_path / "rows.jsonl"
    words = (
        "batch",
        "ask",
        PICTURES,
        "-q",
        "Is there a dog?",
        "-q",
        "Is there a cat?",
        "--batch-size",
        "2",
        "-o",
        output,
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_500, 2_500))

    done = seesay(*words, preexec_fn=limit)
    assert done.returncode == 4
    assert "cannot be written: File too large" in done.stderr
    assert "give the same command again" in done.stderr
    assert output.read_bytes().endswith(b"\n")
    assert 0 < len(output.read_bytes().splitlines()) < 12
    assert seesay(*words).returncode == 0
    assert len(output.read_bytes().splitlines()) == 12


def test_a_second_process_is_refused(tmp_path: Path, kills: ModuleType) -> None:
    manifest, output = kills.make(tmp_path, 300, seed=3), tmp_path / "rows.jsonl"
    command = kills.command(manifest, output, 20)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not output.exists() or not output.stat().st_size:
            time.sleep(0.02)
        second = subprocess.run(command, capture_output=True, text=True)
        assert second.returncode == 3
        assert "another process is writing this file" in second.stderr
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
