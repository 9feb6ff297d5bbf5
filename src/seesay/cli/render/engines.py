"""Models, and what computes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .plain import json_line

if TYPE_CHECKING:
    from ...api import Measured
    from ...models import Explained, Known
    from ...models.export_cache import Entry


def models(families: Sequence[Known], exports: Sequence[Entry], *, as_json: bool) -> None:
    """Families, then what is kept of exports."""
    if as_json:
        for family in families:
            json_line(dataclasses.asdict(family))
        for export in exports:
            json_line({"export": export.folder.name, "bytes": export.bytes, **export.manifest})
        return
    for family in families:
        types = ", ".join(family.model_types) or "all that transformers opens as image-text-to-text"
        print(f"{family.family}: {types}; engines: {', '.join(family.engines)}")
        for name in family.embedded:
            print(f"  {name}, which comes with the package")
        for name in family.from_scratch:
            print(f"  {name}, to be trained from random weights")
    print(f"exports kept: {len(exports)}, {sum(export.bytes for export in exports) / 1e6:,.0f} MB")
    for export in exports:
        kept = export.manifest
        state = kept.get("refusal") or f"{export.bytes / 1e6:,.0f} MB"
        print(f"  {kept['model']}: {kept['runtime']} {kept['numbers']}, {state}")


def explained(given: Explained, *, as_json: bool) -> None:
    """Which engine, why, and the others."""
    if as_json:
        json_line(dataclasses.asdict(given))
        return
    print(f"{given.model} ({given.family}): {given.engine}, because {given.reason}")
    for option in given.options:
        measured = option.agreement
        off = (
            f"; logits off by {measured['root_mean_square_error']:.2g} of their spread, the same best answer to"
            f" {measured['same_best']:.0%} of the samples"
            if measured
            else ""
        )
        print(f"  {option.engine} {option.numbers}: {option.state}{off}")


def measured(rows: Sequence[Measured], *, as_json: bool) -> None:
    """What was measured of engines, as a short table."""
    if as_json:
        for row in rows:
            json_line(dataclasses.asdict(row))
        return
    print(f"{'engine':<10}{'numbers':<10}{'start':>9}{'answer':>10}{'new picture':>13}{'memory':>10}")
    for row in rows:
        if row.error:
            print(f"{row.engine:<10}{row.numbers:<10} {row.error}")
            continue
        times = f"{row.start:>8.2f}s{row.answer * 1e3:>8.0f}ms{row.new_picture * 1e3:>11.0f}ms"
        print(f"{row.engine:<10}{row.numbers:<10}{times}{row.memory:>8.0f}MB")
