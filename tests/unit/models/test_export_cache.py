"""Exports on disk: by content, whole or not at all, within a limit."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from seesay.errors import ResourceError
from seesay.models import export_cache
from seesay.models.checkpoint import Checkpoint


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEESAY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache/exports"


def checkpoint(folder: Path, weights: bytes = b"weights") -> Checkpoint:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(weights)
    return Checkpoint(str(folder), folder, "", {})


def writing(size: int = 10) -> Any:
    def make(folder: Path) -> dict[str, Any]:
        (folder / "network.onnx").write_bytes(b"x" * size)
        return {"model": "m"}

    return make


def test_the_key_is_of_content_runtime_and_numbers_and_not_of_the_name(tmp_path: Path) -> None:
    one, same = checkpoint(tmp_path / "one"), checkpoint(tmp_path / "same")
    other = checkpoint(tmp_path / "other", b"weightz")
    key = export_cache.key_of(one, "onnx", "int8")
    assert key == export_cache.key_of(same, "onnx", "int8")
    assert len({key, *(export_cache.key_of(other, "onnx", "int8"), export_cache.key_of(one, "onnx", "float32"))}) == 3
    (tmp_path / "same/config.json").write_text("{ }")
    assert key != export_cache.key_of(same, "onnx", "int8")


def test_8_bits_of_another_kind_of_processor_are_another_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = checkpoint(tmp_path / "one")
    keys = set()
    for fast in (True, False):
        monkeypatch.setattr(export_cache, "fast_8_bits", lambda fast=fast: fast)
        keys |= {export_cache.key_of(model, "onnx", numbers) for numbers in ("int8", "float32")}
    assert len(keys) == 3


def test_large_files_are_hashed_once_and_again_when_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_cache, "LARGE", 4)
    read: list[str] = []
    monkeypatch.setattr(export_cache, "_sha256", lambda file: read.append(file.name) or file.read_bytes().hex())
    model = checkpoint(tmp_path / "one")
    first = export_cache.content_of(model)
    assert export_cache.content_of(model) == first
    assert read.count("model.safetensors") == 1
    (tmp_path / "one/model.safetensors").write_bytes(b"weightz")
    os.utime(tmp_path / "one/model.safetensors", ns=(1, 1))
    assert export_cache.content_of(model) != first


def test_what_is_kept_is_found_and_made_once() -> None:
    made = export_cache.keep("key", writing())
    assert made.manifest["model"] == "m"
    assert export_cache.keep("key", lambda _: pytest.fail("made again")) == made
    assert [entry.folder for entry in export_cache.entries()] == [made.folder]


def test_where_making_fails_nothing_is_left(cache: Path) -> None:
    def make(folder: Path) -> dict[str, Any]:
        (folder / "network.onnx").write_bytes(b"half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        export_cache.keep("key", make)
    assert export_cache.find("key") is None
    assert [path.name for path in cache.iterdir()] == [".lock"]


@pytest.mark.parametrize("damage", ["cut", "gone", "manifest"])
def test_a_damaged_export_is_none_and_is_made_again(damage: str) -> None:
    folder = export_cache.keep("key", writing()).folder
    if damage == "cut":
        (folder / "network.onnx").write_bytes(b"x")
    elif damage == "gone":
        (folder / "network.onnx").unlink()
    else:
        (folder / "manifest.json").write_text("{")
    assert export_cache.find("key") is None
    assert export_cache.entries() == []
    assert export_cache.keep("key", writing()).bytes > 10


def test_a_refusal_is_kept_too() -> None:
    assert export_cache.keep("key", lambda _: {"refusal": "too far"}).refusal == "too far"
    found = export_cache.find("key")
    assert found is not None
    assert found.refusal == "too far"


def test_what_was_used_longest_ago_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_cache, "LIMIT", 2500)
    for turn, name in enumerate(("first", "second")):
        entry = export_cache.keep(name, writing(1000))
        os.utime(entry.folder / "manifest.json", (turn, turn))
    first = export_cache.find("first")
    assert first is not None
    export_cache.used(first)
    export_cache.keep("third", writing(1000))
    assert [name for name in ("first", "second", "third") if export_cache.find(name)] == ["first", "third"]


def test_one_that_is_larger_than_the_limit_is_kept_while_it_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_cache, "LIMIT", 100)
    assert export_cache.keep("key", writing(1000)).bytes >= 1000


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SEESAY_CACHE", str(tmp_path / "file"))
    with pytest.raises(ResourceError, match="cannot be written"):
        export_cache.keep("key", writing())


def test_the_index_of_digests_may_be_broken(cache: Path, tmp_path: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "digests.json").write_text(json.dumps([1]))
    assert export_cache.content_of(checkpoint(tmp_path / "one"))
