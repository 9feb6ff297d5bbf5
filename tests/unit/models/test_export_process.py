"""An export made ahead where many answers are wanted: by a process of its own, once, and never in the way of an answer."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seesay.models import explain, export_cache, export_process, load, make_ahead
from seesay.models.exported.base import Exported
from seesay.settings import AskSettings, ModelSettings


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SEESAY_CACHE", str(tmp_path / "cache"))
    yield tmp_path / "cache" / "exports"


def left(cache: Path) -> list[str]:
    """What stands in the cache but the lock and the notes of digests."""
    return sorted(path.name for path in cache.iterdir() if path.name not in (".lock", "digests.json"))


def test_one_question_makes_none_and_many_make_one(vilt_checkpoint: Path, cache: Path) -> None:
    settings, told = AskSettings(model=str(vilt_checkpoint)), list[str]()
    make_ahead(settings, export_process.MANY - 1, told.append)
    assert (told, explain(settings).engine) == ([], "torch")
    make_ahead(settings, export_process.MANY, told.append)
    assert [line.split(str(vilt_checkpoint))[0] for line in told[:1]] == ["making an export of "]
    assert told[1].startswith("the export was made and verified in ")
    found = load(settings)
    assert isinstance(found, Exported)
    assert (found.placement.dtype, found.checkpoint.name) == ("int8", str(vilt_checkpoint))
    assert explain(settings).engine == "onnx"
    assert [entry.folder.name for entry in export_cache.entries()] == left(cache)
    make_ahead(settings, None, told.append)
    assert len(told) == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"engine": "torch"},
        {"engine": "openvino"},
        {"dtype": "float32"},
        {"dtype": "bfloat16"},
        {"quantize": "int8"},
        {"device": "cuda"},
        {"model": "seesay-mini"},
        {"model": "openai:http://127.0.0.1:9/v1"},
    ],
)
def test_what_auto_would_not_take_is_not_made(
    settings: dict[str, str], vilt_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_process, "make", lambda *_: pytest.fail("made one"))
    make_ahead(ModelSettings(**{"model": str(vilt_checkpoint), **settings}), None, print)  # type: ignore[arg-type]


def test_families_without_export_and_slow_8_bits_go_without(
    blip2_checkpoint: Path, vilt_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seesay.models import engines

    monkeypatch.setattr(export_process, "make", lambda *_: pytest.fail("made one"))
    make_ahead(ModelSettings(model=str(blip2_checkpoint)), None, print)
    monkeypatch.setattr(engines, "fast_8_bits", lambda: False)
    make_ahead(ModelSettings(model=str(vilt_checkpoint)), None, print)


def test_an_export_in_other_numbers_that_is_here_is_enough(
    vilt_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(AskSettings(model=str(vilt_checkpoint), engine="onnx", dtype="float32"))
    monkeypatch.setattr(export_process, "make", lambda *_: pytest.fail("made one"))
    make_ahead(ModelSettings(model=str(vilt_checkpoint)), None, print)


def refuse(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Processes started from here refuse every export in 8 bits: Python imports `sitecustomize` first."""
    folder.mkdir()
    code = "import seesay.models.export\nseesay.models.export.SPREAD = 0.0\n"
    (folder / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]))


def test_one_that_is_refused_is_told_once_and_torch_answers(
    vilt_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, tmp_path / "site")
    settings, told = AskSettings(model=str(vilt_checkpoint)), list[str]()
    make_ahead(settings, None, told.append)
    assert told[1].startswith("torch answers: int8: logits are off by ")
    assert load(settings).needs_torch
    assert explain(settings).reason.startswith("its export is not as right as the original: int8: logits are off by")
    make_ahead(settings, None, told.append)
    assert len(told) == 2


def test_a_cache_that_cannot_be_written_is_told_and_torch_answers(vilt_checkpoint: Path, cache: Path) -> None:
    cache.parent.mkdir()
    cache.write_text("in the way")
    settings, told = AskSettings(model=str(vilt_checkpoint)), list[str]()
    make_ahead(settings, None, told.append)
    assert told[1].startswith("torch answers: its export could not be made: the cache cannot be written: ")
    assert load(settings).needs_torch


def killed_when_it_writes(cache: Path, number: int) -> threading.Thread:
    """Sends a signal to the process that makes an export, once it writes."""

    def work() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for partial in cache.glob(".partial-*"):
                os.kill(int(partial.name.split("-")[1]), number)
                return
            time.sleep(0.005)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_one_that_is_killed_leaves_nothing_and_torch_answers(vilt_checkpoint: Path, cache: Path) -> None:
    settings, told = AskSettings(model=str(vilt_checkpoint)), list[str]()
    killer = killed_when_it_writes(cache, signal.SIGKILL)
    make_ahead(settings, None, told.append)
    killer.join()
    assert "was killed (signal 9)" in told[1]
    assert left(cache) == []
    assert load(settings).needs_torch


def test_ctrl_c_ends_the_making_and_leaves_nothing(vilt_checkpoint: Path, cache: Path) -> None:
    """As a terminal does: to all processes of the group. Then the same again makes it."""
    program = (
        "from seesay.models import make_ahead\nfrom seesay.settings import ModelSettings\n"
        f"make_ahead(ModelSettings(model={str(vilt_checkpoint)!r}), None, print)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        deadline = time.monotonic() + 60
        while not list(cache.glob(".partial-*")) and time.monotonic() < deadline:
            time.sleep(0.005)
        making = int(next(cache.glob(".partial-*")).name.split("-")[1])
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGINT, 130)
    assert not Path(f"/proc/{making}").exists()
    assert left(cache) == []
    told = list[str]()
    make_ahead(ModelSettings(model=str(vilt_checkpoint)), None, told.append)
    assert told[1].startswith("the export was made")


def test_of_several_processes_one_makes_it(vilt_checkpoint: Path, cache: Path) -> None:
    program = (
        "from seesay.models import make_ahead\nfrom seesay.settings import ModelSettings\n"
        f"make_ahead(ModelSettings(model={str(vilt_checkpoint)!r}), None, print)"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) for _ in range(2)]
    made = set()
    while any(process.poll() is None for process in processes):
        made |= {path.name for path in cache.glob(".partial-*")}
        time.sleep(0.01)
    assert [process.communicate()[0].count(b"made and verified") for process in processes] == [1, 1]
    assert len(made) == 1
    assert len(left(cache)) == 1


def test_one_that_is_here_is_found_while_another_is_made(vilt_checkpoint: Path, cache: Path) -> None:
    from seesay.models.feature_cache import lock_file

    settings = AskSettings(model=str(vilt_checkpoint), engine="onnx", dtype="float32")
    load(settings)
    with lock_file(cache / ".lock"):
        assert isinstance(load(settings), Exported)


def test_where_the_packages_are_missing_none_is_begun(vilt_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.util import find_spec

    from seesay.models import engines

    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == "onnx" else find_spec(name))
    monkeypatch.setattr(export_process, "make", lambda *_: pytest.fail("begun"))
    make_ahead(ModelSettings(model=str(vilt_checkpoint)), None, print)
