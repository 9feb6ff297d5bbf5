"""Run measurements and keep them: `python -m benchmarks [NAME...]`; without names all of them. Of some, NAME:PART runs a part.

Each writes benchmarks/results/<name>.json with the machine's line and the commit it was measured at; `table` then writes what
they say into docs/performance.md. One topic takes minutes at most, so a run that was stopped goes on with
the topics that are left: `python -m benchmarks vilt_answer`.
"""

import importlib
import json
import os
import pkgutil
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent


def machine() -> str:
    """Processor, cores, memory and versions in one line."""
    import torch
    import transformers

    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    processor = next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), platform.processor())
    flags = next((line for line in lines if line.startswith("flags")), "")
    instructions = [name for name in ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_tile") if name in flags]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{processor} ({', '.join(instructions)}), {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB; "
        f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}"
    )


def main() -> None:
    names = sys.argv[1:] or [name for name in _modules() if "def measure()" in (HERE / f"{name}.py").read_text()]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    for wanted in names:
        name, _, part = wanted.partition(":")
        if name == "table":
            importlib.import_module("benchmarks.table").write()
            continue
        measured = importlib.import_module(f"benchmarks.{name}").measure(*filter(None, [part]))
        target = HERE / "results" / f"{name}.json"
        # Beside a part that is measured again the others stay as they were.
        kept = json.loads(target.read_text(encoding="utf-8")) if part and target.is_file() else {}
        result = {
            **kept,
            "machine": machine(),
            "commit": commit,
            "date": datetime.now(UTC).date().isoformat(),
            "command": f"python -m benchmarks {wanted}",
            **measured,
        }
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        print(f"{wanted}: {target}")
        print(json.dumps(measured, indent=2))


def _modules() -> list[str]:
    return [info.name for info in pkgutil.iter_modules([str(HERE)]) if not info.name.startswith("__")]


main()
