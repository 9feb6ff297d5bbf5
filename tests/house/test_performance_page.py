"""The table of docs/performance.md says what benchmarks/results say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_table_is_not_stale() -> None:
    spec = importlib.util.spec_from_file_location("benchmarks_table", ROOT / "benchmarks/table.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = module.PAGE.read_text(encoding="utf-8")
    shown = page.split(module.BEGIN)[1].split(module.END)[0]
    assert shown.strip() == module.table().strip(), "python -m benchmarks table"
