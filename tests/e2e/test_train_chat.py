"""Models that chat are trained by command, in a process of their own: checked, killed, resumed, adapted, and talked to."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

COMMAND = [sys.executable, "-m", "seesay"]
SHORT = ["--max-steps", "4", "--eval-steps", "1", "--per-device-train-batch-size", "2", "--gradient-accumulation-steps", "2",
         "--learning-rate", "0.003", "--max-new-tokens", "6", "--threads", "1"]  # fmt: skip
COLORS = ("red", "green", "blue", "black", "white")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    quiet = {"PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return {**os.environ, **quiet, "SEESAY_CACHE": str(tmp_path_factory.mktemp("cache"))}


def seesay(
    environment: dict[str, str], *arguments: object, code: int = 0, say: str = ""
) -> subprocess.CompletedProcess[str]:
    words = [*COMMAND, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=280, input=say)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Conversations of two answers, with a picture in each and some with another later on."""
    folder = tmp_path_factory.mktemp("talks")
    rows = []
    for index in range(10):
        color, name = COLORS[index % 5], f"{index}.png"
        Image.new("RGB", (40 + index, 48), color).save(folder / name)
        later = "<image>\nand this" if index % 3 == 0 else "how many are there"
        said = [
            ("human", "What is the color of this picture?\n<image>"),
            ("gpt", color),
            ("human", later),
            ("gpt", "one"),
        ]
        images = [name, name] if index % 3 == 0 else [name]
        rows.append(
            {"id": index, "images": images, "conversations": [{"from": who, "value": text} for who, text in said]}
        )
    (folder / "talks.json").write_text(json.dumps(rows))
    return folder / "talks.json"


@pytest.fixture(scope="module")
def words(talks: Path, chat_checkpoint: Path) -> list[Any]:
    return ["train", "chat", "--data", talks, "--model", chat_checkpoint, *SHORT, "--output"]


@pytest.fixture(scope="module")
def run(words: list[Any], environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("runs") / "small"
    seesay(environment, *words, output)
    return output


def same(one: Path, other: Path, *names: str) -> None:
    for name in names:
        assert (one / "model" / name).read_bytes() == (other / "model" / name).read_bytes(), name


def test_a_run_holds_a_model_to_talk_to_its_report_and_its_card(
    run: Path, talks: Path, environment: dict[str, str]
) -> None:
    done = seesay(environment, "chat", talks.parent / "1.png", "--model", run, "--json", say="how many are there\n")
    assert json.loads(done.stdout.splitlines()[-1])["provenance"]["family"] == "chat"
    page = (run / "report.html").read_text()
    assert "What it says" in page
    assert "how many are there" in page or "and this" in page
    assert (run / "loss.png").stat().st_size > 1000
    card = (run / "model/README.md").read_text()
    assert "pipeline_tag: image-text-to-text" in card
    assert "loss a token, validation split" in card
    assert (run / "train.log").read_text().count("eval_loss") == 4


def test_a_run_that_was_killed_ends_in_the_same_bits(
    run: Path, words: list[Any], environment: dict[str, str], tmp_path: Path
) -> None:
    output = tmp_path / "killed"
    started = subprocess.Popen(
        [*COMMAND, *map(str, [*words, output])], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and not list(output.glob("checkpoint-*/manifest.json")):
        assert started.poll() is None
        time.sleep(0.01)
    started.send_signal(signal.SIGKILL)
    assert started.wait() == -signal.SIGKILL
    assert not (output / "model").exists()
    done = seesay(environment, *words, output)
    assert "next: seesay chat PICTURE" in done.stdout
    assert "continuing from checkpoint-" in (output / "train.log").read_text()
    same(run, output, "model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja")
    # The best one may be older than the kill; the last is not.
    last = "checkpoint-4/model.safetensors"
    assert (run / last).read_bytes() == (output / last).read_bytes()


@pytest.mark.slow
def test_adapters_over_four_bits_are_stopped_resumed_and_talked_to(
    words: list[Any], talks: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    pytest.importorskip("bitsandbytes")
    four = [*words[:-1], "--lora", 2, "--quantize", "int4", "--freeze-vision", "--output"]
    # bitsandbytes itself warns on import and in its kernels.
    loose = {name: value for name, value in environment.items() if name != "PYTHONWARNINGS"}
    undisturbed = seesay(loose, *four, tmp_path / "undisturbed", "--json")
    assert "adapters alone are saved" in json.loads(undisturbed.stdout)["statements"][1]
    stopped = subprocess.Popen(
        [*COMMAND, *map(str, [*four, tmp_path / "stopped"])],
        env=loose,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and not list((tmp_path / "stopped").glob("checkpoint-*/manifest.json")):
        assert stopped.poll() is None
        time.sleep(0.01)
    stopped.send_signal(signal.SIGINT)
    _, told = stopped.communicate(timeout=120)
    if stopped.returncode:  # it may have been through by then
        assert stopped.returncode == 130
        assert b"the same command goes on" in told
    seesay(loose, *four, tmp_path / "stopped")
    same(tmp_path / "undisturbed", tmp_path / "stopped", "adapter/adapter_model.safetensors", "base.json")
    done = seesay(loose, "chat", talks.parent / "1.png", "--model", tmp_path / "stopped", "--json", say="how many\n")
    assert "int4" in json.loads(done.stdout.splitlines()[-1])["provenance"]["dtype"]


def test_the_mask_is_shown_in_braces_and_in_json(
    talks: Path, chat_checkpoint: Path, environment: dict[str, str]
) -> None:
    done = seesay(environment, "check", talks, "--model", chat_checkpoint)
    assert "sharegpt" in done.stdout
    assert "{Ġred <end_of_utterance>}" in done.stdout
    found = json.loads(seesay(environment, "check", talks, "--model", chat_checkpoint, "--json").stdout)
    assert sum(split["conversations"] for split in found["splits"]) == 10
    learned = [token for token, is_learned in found["preview"][0]["tokens"] if is_learned]
    assert learned.count("<end_of_utterance>") == 2


def test_bad_conversations_are_told_before_torch_is_imported(
    talks: Path, chat_checkpoint: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    rows = json.loads(talks.read_text())
    rows[3]["images"] = rows[3]["images"][:1]
    rows[4]["conversations"][1]["value"] = ""
    path = talks.with_name("bad.json")
    path.write_text(json.dumps(rows))
    words = ["train", "chat", "--data", path, "--model", chat_checkpoint, "--output", tmp_path / "run"]
    profiled = {**environment, "PYTHONPROFILEIMPORTTIME": "1"}
    refused = subprocess.run([*COMMAND, *map(str, words)], capture_output=True, text=True, env=profiled, timeout=200)
    assert refused.returncode == 3
    assert "| torch\n" not in refused.stderr
    assert "bad.json:entry 4: 2 places for pictures in the turns, and 1 picture in the row" in refused.stderr
    assert "bad.json:entry 5: turn 2 (assistant) is empty" in refused.stderr
    assert not (tmp_path / "run").exists()


def test_models_and_rows_that_cannot_be_learned_leave_no_run_behind(
    talks: Path, chat_checkpoint: Path, git_checkpoint: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    output = tmp_path / "run"
    words = ["train", "chat", "--data", talks, "--output", output, "--model"]
    assert "learn no conversations" in seesay(environment, *words, git_checkpoint, code=3).stderr
    refused = seesay(environment, *words, chat_checkpoint, "--quantize", "int8", code=2)
    assert "--lora 16" in refused.stderr
    rows = json.loads(talks.read_text())
    rows[2]["conversations"][1]["value"] = "very long " * 1500
    long = talks.with_name("long.json")
    long.write_text(json.dumps(rows))
    refused = seesay(
        environment, "train", "chat", "--data", long, "--output", output, "--model", chat_checkpoint, code=3
    )
    assert "long.json:entry 3: " in refused.stderr
    assert "reads 2,048" in refused.stderr
    assert not output.exists()
    checked = seesay(environment, "check", long, "--model", chat_checkpoint, code=3)
    assert "long.json:entry 3: " in checked.stdout
