"""The table in docs/performance.md, made of benchmarks/results/*.json; a test holds the two together.

Knows nothing of how figures were measured.
"""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs/performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
TOPICS = {
    "vilt_answer": "ViLT-B/32, an answer, the network alone",
    "five_questions": "Five questions about one picture",
    "smolvlm": "A chat model of SmolVLM-256M's size, a picture of one tile",
    "git_caption": "A caption by GIT-base, preparing included",
    "pictures": "Preparing pictures, and one question over many",
    "serving": "A serving process",
    "trained_vilt": "A trained model on every engine",
}


def table() -> str:
    """All topics, each with its rows; where one was not measured, it is left out."""
    return "\n".join(_topic(name, title) for name, title in TOPICS.items() if (HERE / f"results/{name}.json").is_file())


def write() -> None:
    """Put the table into the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{table()}{END}{after}", encoding="utf-8")
    print(f"table: {PAGE}")


def _topic(name: str, title: str) -> str:
    found = json.loads((HERE / f"results/{name}.json").read_text(encoding="utf-8"))
    lines = [
        f"### {title}",
        "",
        f"`{found['command']}`, commit {found['commit']}, {found['date']}: {found['machine']}.",
        "",
    ]
    if "ceilings_gflops" in found:
        limits = ", ".join(f"{kind} {value:,.0f}" for kind, value in found["ceilings_gflops"].items())
        lines += [f"Limits of one thread measured beside it, in GFLOP/s: {limits}.", ""]
    rows = [
        (what, way, values)
        for what, part in found.items()
        if isinstance(part, dict) and "ways" in part
        for way, values in part["ways"].items()
    ]
    columns = [name for name in COLUMNS if any(name in values for _, _, values in rows)]
    lines += [
        "| what | way | " + " | ".join(COLUMNS[name] for name in columns) + " |",
        "|---|---|" + "---|" * len(columns),
        *(
            f"| {what} | {way} | " + " | ".join(_shown(name, values) for name in columns) + " |"
            for what, way, values in rows
        ),
        "",
    ]
    return "\n".join(lines) + "\n"


COLUMNS = {
    "ms": "processor ms (least to most)",
    "first_answer_s": "first answer, s",
    "peak_memory_mb": "peak memory, MB",
    "memory_ratio": "of its memory",
    "ratio": "times as fast",
    "of_the_fp32_limit": "of the float32 limit",
    "largest_error": "largest error of a logit",
    "accuracy": "accuracy",
    "questions": "questions",
}


def _shown(name: str, values: dict[str, Any]) -> str:
    if name not in values:
        return ""
    if name == "ms":
        return f"{values['ms']:,.1f} ({values['ms_min']:,.1f} to {values['ms_max']:,.1f})"
    return f"{values[name]:g}"
