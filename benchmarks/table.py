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
    "trained_vilt": "A trained model on every engine",
    "five_questions": "Five questions about one picture, GIT-base and BLIP",
    "git_caption": "A caption by GIT-base, preparing included",
    "qwen_vl": "A chat model of Qwen2.5-VL's eye and half a billion weights, a picture of 512 pixels",
    "smolvlm": "A chat model of SmolVLM-256M's size, a picture of one tile",
    "chat_cache": "A second question about the same two pictures, SmolVLM-256M's size, torch",
    "pictures": "Preparing pictures, and one question over many",
    "vilt_training": "Fine-tuning ViLT-B/32",
    "git_training": "Fine-tuning GIT-base",
    "serving": "A serving process, ViLT-B/32",
    "embedded": "The embedded model from nothing, one core",
}
GOALS: tuple[tuple[str, str, str, dict[str, tuple[float, float]]], ...] = (
    ("a ViLT answer, batch 1", "vilt_answer", "batch 1",
     {"onnx float32": (2.2, 0), "openvino float32": (2.2, 0), "onnx int8": (6, 8)}),
    ("a ViLT answer, batch 8", "vilt_answer", "batch 8",
     {"onnx float32": (2.2, 0), "openvino float32": (2.2, 0), "onnx int8": (5, 7)}),
    ("five questions, GIT", "five_questions", "git-base", {"onnx float32": (9, 0), "onnx int8": (18, 25)}),
    ("five questions, BLIP", "five_questions", "blip-vqa-base", {"onnx float32": (6, 0), "onnx int8": (12, 16)}),
    ("five questions, SmolVLM", "smolvlm", "five questions", {"onnx float32": (5, 0), "onnx int8": (8, 12)}),
    ("one question, many photographs of 0.3 megapixels", "pictures", "6 pictures, one question, 0.3 megapixels",
     {"onnx float32": (2, 0), "onnx int8": (5, 8)}),
    ("one question, many photographs of 12 megapixels", "pictures", "6 pictures, one question, 12 megapixels",
     {"onnx float32": (2, 0), "onnx int8": (5, 8)}),
    ("a caption, GIT", "git_caption", "20 tokens", {"onnx float32": (2, 0), "onnx int8": (5, 8)}),
    ("its first token", "git_caption", "first token", {"onnx float32": (2, 0), "onnx int8": (6, 10)}),
    ("second question of a chat, first piece", "chat_cache", "the first piece of an answer", {"second question": (10, 20)}),
    ("training ViLT", "vilt_training", "training, batches of 4",
     {"ours, float32": (2.6, 0), "ours, default": (4.7, 0), "ours, LoRA": (0, 7)}),
    ("training GIT", "git_training", "training, batches of 4",
     {"ours, float32": (6.4, 0), "ours, default": (10, 0), "ours, frozen tower": (0, 25)}),
)  # fmt: skip
"""What was aimed at before anything was built: work, topic, part, and of each way how many times as fast as transformers it should
be, and what it might become if all went well; 0 where nothing was said."""
LIMITS: tuple[tuple[str, str, str, str, str, float, float], ...] = (
    ("memory of a serving process, as a share of transformers'", "serving", "serving", "onnx int8", "memory_ratio", 0.4, 0.3),
    ("a whole `seesay ask` from nothing, s", "embedded", "a whole `seesay ask`", "seesay-mini", "first_answer_s", 1, 0.5),
)  # fmt: skip
"""Likewise what should be small: work, topic, part, way, figure, and what it should be at most."""


def table() -> str:
    """The goals, then all topics, each with its rows; what was not measured is left out."""
    known = {name: json.loads(path.read_text(encoding="utf-8")) for name in TOPICS if (path := _result(name)).is_file()}
    return "\n".join((_goals(known), *(_topic(name, found) for name, found in known.items())))


def _result(name: str) -> Path:
    return HERE / f"results/{name}.json"


def _goals(known: dict[str, dict[str, Any]]) -> str:
    def line(work: str, topic: str, part: str, way: str, figure: str, *aims: float) -> str:
        row = known.get(topic, {}).get(part, {}).get("ways", {}).get(way)
        aimed = " | ".join(f"{one:g}" if one else "" for one in aims)
        return f"| {work} | {way} | {_shown(figure, row) if row else 'not measured'} | {aimed} |"

    return "\n".join(
        (
            "| work | way | times as fast | aimed at | hoped for |",
            "|---|---|---|---|---|",
            *(
                line(work, topic, part, way, "ratio", *aims)
                for work, topic, part, goals in GOALS
                for way, aims in goals.items()
            ),
            "",
            "| work | way | measured | at most | hoped for |",
            "|---|---|---|---|---|",
            *(line(*limit) for limit in LIMITS),
            "",
        )
    )


def write() -> None:
    """Put the table into the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{table()}{END}{after}", encoding="utf-8")
    print(f"table: {PAGE}")


def _topic(name: str, found: dict[str, Any]) -> str:
    lines = [
        f"### {TOPICS[name]}",
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
    "samples_per_second": "samples a second",
    "peak_memory_mb": "peak memory, MB",
    "memory_ratio": "of its memory",
    "ratio": "times as fast",
    "of_the_fp32_limit": "of the float32 limit",
    "processor_seconds_per_sample": "processor s a sample",
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
