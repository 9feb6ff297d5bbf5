"""The README.md of a trained model: what it is, what was measured, how to use it, how it was made, where it ends.

It opens with the metadata that the Hub reads (https://huggingface.co/docs/hub/model-cards), written by huggingface_hub's
own classes. It knows nothing of models, data sets or reports: everything comes in as words.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..models.checkpoint import HUB_NAME


@dataclass(frozen=True, slots=True)
class _Task:
    """What differs between the cards of models that answer, that describe and that speak."""

    hub: str
    """The Hub's name of the task."""
    metric: str
    rows: str
    what: str
    shell: str
    python: str
    """Code with `{title!r}` in it."""
    extra: str


_TASKS = {
    "vqa": _Task(
        "visual-question-answering",
        "accuracy",
        "questions",
        "A model that answers questions about pictures, {origin} with seesay.",
        'seesay ask photo.jpg "What is this?"',
        'model = seesay.load({title!r})\nprint(model.ask("photo.jpg", "What is this?").text)',
        "seesay[models]",
    ),
    "caption": _Task(
        "image-to-text",
        "cider",
        "rows with captions",
        "A model that describes pictures in a sentence, {origin} with seesay.",
        "seesay caption photo.jpg",
        'model = seesay.load({title!r})\nprint(model.caption("photo.jpg").text)',
        "seesay[models]",
    ),
    "speech": _Task(
        "text-to-speech",
        "loss",
        "recordings",
        "A SpeechT5 that speaks, {origin} with seesay. `speakers.safetensors` has its speakers by name.",
        'seesay speak "..." --output spoken.wav',
        'voice = seesay.load_voice({title!r})\nseesay.save_speech(voice.speak("..."), "spoken.wav")',
        "seesay[voices]",
    ),
}
_HUB_DATA = "hf:"
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def model_card(
    *,
    task: Literal["vqa", "caption", "speech"],
    title: str,
    base_model: str,
    data_name: str,
    data_rows: int,
    metrics: Sequence[tuple[str, str]],
    settings_text: str,
    command: str,
    limits: Sequence[str],
) -> str:
    """The text of README.md, metadata included. No licence is stated: it follows from the base model and the data.

    Args:
        task: what it was trained for.
        title: the model's name as it is loaded: `owner/name` on the Hub, else that of the run.
        base_model: what it was fine-tuned from, as given to `--model`; empty for random weights. It enters the metadata
            if it is a Hub repository; of a folder only the last name is told.
        data_name: as given to `--data`; `hf:owner/name` enters the metadata, of a path only the last name is told.
        data_rows: rows it was trained on.
        metrics: name and value in words of at least one figure: first the one the model is measured by (its value opens
            with the number, as in "63.4 % (61.2 to 65.5)"), then what it is to be compared with.
        settings_text: the settings as TOML.
        command: what made it, as typed; empty where it was not made on the command line.
        limits: what it cannot do or was not measured, one sentence each.
    """
    kind = _TASKS[task]
    title, data_name = _line(title), _line(data_name)
    base = _line(base_model) if _on_the_hub(base_model) else Path(base_model).name
    data = data_name if data_name.startswith(_HUB_DATA) else Path(data_name).name
    parts = [
        f"---\n{_metadata(kind, title, base_model, data, metrics[0])}\n---",
        f"# {_text(title)}",
        kind.what.format(origin=f"fine-tuned from `{_code(base)}`" if base else "trained from random weights"),
        f"## Data\n\nTrained on {data_rows:,} {kind.rows} of `{_code(data)}`.",
        f"## Measured\n\n{_table(metrics)}",
        _how_to_use(kind, title),
        _how_it_was_made(settings_text, command),
        "## Limits\n\n" + "\n".join(f"- {_text(_line(limit))}" for limit in limits),
    ]
    return "\n\n".join(parts) + "\n"


def _metadata(kind: _Task, title: str, base_model: str, data: str, metric: tuple[str, str]) -> str:
    """The YAML between the dashes."""
    from huggingface_hub import EvalResult, ModelCardData

    name, value = metric
    number = _NUMBER.match(value)
    on_hub = data.startswith(_HUB_DATA)
    plain = data.removeprefix(_HUB_DATA).partition("[")[0]
    result = EvalResult(
        task_type=kind.hub,
        dataset_type=plain,
        dataset_name=plain,
        metric_type=kind.metric,
        metric_value=float(number[0]) if number else _line(value),
        metric_name=_line(name),
    )
    described = ModelCardData(
        base_model=base_model if _on_the_hub(base_model) else None,
        datasets=[plain] if on_hub else None,
        eval_results=[result],
        library_name="transformers",
        model_name=title,
        pipeline_tag=kind.hub,
        tags=["seesay"],
    )
    return str(described.to_yaml())


def _how_to_use(kind: _Task, title: str) -> str:
    shell = f'pip install "{kind.extra}"\n{kind.shell} --model {shlex.quote(title)}'
    python = f"import seesay\n\n{kind.python.format(title=title)}"
    return f"## How to use it\n\n{_fenced(shell, 'sh')}\n\n{_fenced(python, 'python')}"


def _how_it_was_made(settings_text: str, command: str) -> str:
    typed = f"{_fenced(command, 'sh')}\n\n" if command else ""
    return f"## How it was trained\n\n{typed}All settings:\n\n{_fenced(settings_text.strip(), 'toml')}"


def _on_the_hub(base_model: str) -> bool:
    """As when a model is loaded, a folder that is there comes before a repository of that name."""
    return HUB_NAME.fullmatch(base_model) is not None and not Path(base_model).is_dir()


def _table(metrics: Sequence[tuple[str, str]]) -> str:
    rows = [
        ("measure", "value"),
        ("---", "---"),
        *((_text(_line(name)), _text(_line(value))) for name, value in metrics),
    ]
    return "\n".join(f"| {name} | {value} |" for name, value in rows)


def _line(text: str) -> str:
    return " ".join(text.split())


def _text(line: str) -> str:
    """Words that must not act as Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", line)


def _code(line: str) -> str:
    """Words between backticks."""
    return line.replace("`", "'")


def _fenced(text: str, language: str) -> str:
    """A block of code; its fence is longer than any row of backticks in it."""
    fence = "`" * max(3, *(len(ticks) + 1 for ticks in ["", *re.findall("`+", text)]))
    return f"{fence}{language}\n{text}\n{fence}"
