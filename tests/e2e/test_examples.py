"""The examples run as they stand, and the README's Python does what it says."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def test_the_visual_question_answering_guide_runs(color_data: Path, tmp_path: Path) -> None:
    script = ROOT / "examples/visual_question_answering.py"
    assert len(script.read_text().splitlines()) <= 60
    words = [
        sys.executable,
        str(script),
        "--data",
        str(color_data),
        "--output",
        str(tmp_path / "run"),
        "--max-steps",
        "4",
    ]
    done = subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "by the question alone" in done.stdout
    assert (tmp_path / "run/test/report.html").is_file()
    assert "[{'score':" in done.stdout.splitlines()[-1]
