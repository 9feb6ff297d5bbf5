"""`seesay models` and `seesay bench`, as whole processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(*words: str, cache: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SEESAY_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-m", "seesay", *words], capture_output=True, text=True, env=environment)


def test_models_lists_families_and_what_is_embedded(tmp_path: Path) -> None:
    done = run("models", cache=tmp_path)
    assert done.returncode == 0
    assert "vilt: vilt; engines: torch, onnx, openvino" in done.stdout
    assert "seesay-mini, which comes with the package" in done.stdout
    assert "exports kept: 0" in done.stdout
    rows = [json.loads(line) for line in run("models", "--json", cache=tmp_path).stdout.splitlines()]
    assert {"vilt", "blip", "git", "mini"} <= {row["family"] for row in rows}


def test_explain_says_why_without_importing_torch(vilt_checkpoint: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from seesay.cli.main import root\n"
        "root.main(sys.argv[1:], standalone_mode=False); print('torch' in sys.modules)"
    )
    words = [sys.executable, "-c", program, "models", "--explain", "--model", str(vilt_checkpoint)]
    environment = {**os.environ, "SEESAY_CACHE": str(tmp_path)}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=True)
    assert "(vilt): torch, because" in done.stdout
    assert "onnx int8: not made yet" in done.stdout
    assert done.stdout.endswith("False\n")


@pytest.mark.slow
def test_bench_makes_what_is_missing_and_measures_it(vilt_checkpoint: Path, tmp_path: Path) -> None:
    words = ["bench", "--model", str(vilt_checkpoint), "--engine", "onnx", "--rounds", "1", "--answers", "1", "--json"]
    done = run(*words, cache=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    ready = {(row["engine"], row["numbers"]) for row in rows if not row["error"]}
    assert {("torch", "float32"), ("onnx", "float32")} <= ready
    for row in rows:
        if not row["error"]:
            assert row["start"] > row["answer"] > 0
            assert row["memory"] > 20
    memory = {row["engine"]: row["memory"] for row in rows if not row["error"]}
    assert memory["onnx"] < memory["torch"] / 2  # its own, and not that of the process that made the export
    explained = run("models", "--explain", "--model", str(vilt_checkpoint), "--json", cache=tmp_path)
    assert json.loads(explained.stdout)["engine"] == "onnx"
    asked = run(
        "ask",
        str(Path("examples/pictures/cat.jpg")),
        "what?",
        "--model",
        str(vilt_checkpoint),
        "--json",
        cache=tmp_path,
    )
    assert json.loads(asked.stdout)["provenance"]["engine"].startswith("onnxruntime")
