"""A batch on Ray: the rows of the local engine, whatever happens to workers and machines."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seesay import api, scale
from seesay.errors import MissingExtra, ResourceError
from seesay.settings import BatchAskSettings

ray_is_there = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not ray_is_there, reason="seesay[ray] is not installed")
# A cluster that is taken apart while it works leaves sockets and processes of Ray's to the garbage collector.
cluster_warns = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
QUESTIONS = ["Is there a dog?", "Is there a cat?", "What color is it?", "Is there a frobnicator?"]


@pytest.fixture
def pictures(tmp_path: Path, photo: Any) -> Path:
    """100 small pictures, one of them broken, one missing, by a manifest."""
    rows = []
    for index in range(100):
        photo(tmp_path / "pictures" / f"{index}.png", (64 + index, 48), ("red", "green", "blue")[index % 3])
        rows.append({"image": f"pictures/{index}.png"} | ({"id": f"row {index}"} if index % 2 else {}))
    (tmp_path / "pictures" / "7.png").write_bytes(b"broken")
    (tmp_path / "pictures" / "8.png").unlink()
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest


def rows(path: Path) -> list[bytes]:
    return sorted(path.read_bytes().splitlines())


def test_ray_is_an_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys.modules["seesay.scale.batch"], "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="--engine ray"):
        scale.batch(BatchAskSettings(output=tmp_path / "rows.jsonl"), str(tmp_path), QUESTIONS)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head that computes nothing and two nodes of one processor each."""
    monkeypatch.setenv("RAY_agent_register_timeout_ms", "200000")
    monkeypatch.setenv("RAY_prestart_worker_first_driver", "0")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(str(path) for path in (Path(api.__file__).parents[2],)))
    import ray._private.services as services
    from ray.cluster_utils import Cluster

    found = services.get_node

    def patient(*given: Any, **named: Any) -> Any:
        """Ray waits half a minute for a node to start, which is little where tests share a machine."""
        until = time.monotonic() + 150
        while True:
            try:
                return found(*given, **named)
            except RuntimeError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)

    monkeypatch.setattr(services, "get_node", patient)
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        made.lost = made.add_node(num_cpus=1)
        made.add_node(num_cpus=1)
        yield made
    finally:
        made.shutdown()


@needs_ray
@cluster_warns
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_worker_and_a_node_are_lost_and_no_row_is(pictures: Path, tmp_path: Path, cluster: Any) -> None:
    lost: list[str] = []

    def lose(done: int, total: int) -> None:
        if done >= 40 and "worker" not in lost:
            lost.append("worker")
            os.kill(_a_worker(cluster.address), signal.SIGKILL)
        elif done >= 120 and "node" not in lost:
            lost.append("node")
            cluster.remove_node(cluster.lost, allow_graceful=False)

    settings = BatchAskSettings(output=tmp_path / "ray.jsonl", batch_size=8, ray_address=cluster.address, workers=3)
    summary = scale.batch(settings, str(pictures), QUESTIONS, lose)
    local = api.batch(BatchAskSettings(output=tmp_path / "local.jsonl", batch_size=8), str(pictures), QUESTIONS)
    assert lost == ["worker", "node"]
    assert (summary.rows, summary.failed, summary.asked) == (local.rows, local.failed, local.asked) == (400, 8, 400)
    assert rows(tmp_path / "ray.jsonl") == rows(tmp_path / "local.jsonl")
    # Half of the rows cut off: the same job goes on, and by the other engine as well.
    half = (tmp_path / "ray.jsonl").read_bytes()
    (tmp_path / "ray.jsonl").write_bytes(half[: len(half) // 2])
    again = scale.batch(settings, str(pictures), QUESTIONS)
    assert 0 < again.written < 400
    assert rows(tmp_path / "ray.jsonl") == rows(tmp_path / "local.jsonl")


def _a_worker(address: str) -> int:
    """The process id of an actor of Ray Data of this cluster; its parent, the raylet, was given the address."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"ray::MapWorker" in (entry / "cmdline").read_bytes():
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                if address.encode() in Path(f"/proc/{parent}/cmdline").read_bytes():
                    return int(entry.name)
        except OSError:
            continue
    raise AssertionError("no worker runs")


@needs_ray
def test_no_cluster_there(tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def absent(*_: Any, **__: Any) -> None:
        raise ConnectionError("Could not find any running Ray instance. More of it.\nAnd more.")

    monkeypatch.setattr(ray, "init", absent)
    settings = BatchAskSettings(output=tmp_path / "rows.jsonl", ray_address="auto")
    with pytest.raises(ResourceError, match="auto: no Ray cluster there: Could not find any running Ray instance"):
        scale.batch(settings, str(pictures), QUESTIONS)
