"""How a training run went, as pictures and as one page: loss, and accuracy where answers are measured, over the steps, the
settings, the measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from ..files import write_whole
from .page import page, picture
from .report import Report, details, headline

Series = list[tuple[str, str, list[tuple[float, float]]]]


def training_page(
    history: Sequence[Mapping[str, Any]], settings_text: str, folder: Path, *, evaluation: Report
) -> None:
    """Write loss.png, accuracy.png or cider.png (of a model that answers or that describes), and report.html into the folder
    of a run.

    Args:
        history: the Trainer's log: dicts with `step` and what was measured then.
        evaluation: the best checkpoint, measured on the validation split.
    """
    curves = {"loss": ("loss", "Loss", _losses(history))}
    if evaluation.task == "vqa":
        accuracies: Series = [("validation", "#b4570a", points(history, "eval_vqa_accuracy"))]
        curves["accuracy"] = ("VQA accuracy", "VQA accuracy on the validation split", accuracies)
    else:
        ciders: Series = [("validation", "#b4570a", points(history, "eval_cider_d"))]
        curves["cider"] = ("CIDEr-D", "CIDEr-D of captions of validation pictures", ciders)
    parts = [*headline(evaluation), '<h2>The run</h2><div class="plots">']
    for file, (label, title, series) in sorted(curves.items()):
        drawn = plot(label, series)
        write_whole(folder / f"{file}.png", drawn)
        parts.append(picture(drawn, f"{title}: {in_words(series)}"))
    parts += ["</div>", *details(evaluation)]
    parts.append(f'<h2>Settings</h2><pre tabindex="0">{escape(settings_text)}</pre>')
    write_whole(folder / "report.html", page(f"Training run {folder.resolve().name}", parts))


def loss_page(
    history: Sequence[Mapping[str, Any]],
    label: str,
    measured: str,
    statements: Sequence[str],
    shown: Sequence[str],
    settings_text: str,
    best: int,
    folder: Path,
) -> None:
    """Write loss.png and report.html into the folder of a run whose checkpoints are compared by their loss.

    Args:
        label: what the loss is, beside its curve.
        measured: the same and on what, in a sentence that goes on with how many steps.
        statements: sentences below it.
        shown: HTML of what the model now does.
        best: the step whose checkpoint is the model.
    """
    series = _losses(history)
    drawn = plot(label, series)
    write_whole(folder / "loss.png", drawn)
    validation = dict(series[1][2])
    parts = [
        f'<p class="headline">{validation[best]:.3f}</p>',
        f"<p>{measured} after {best:,} steps, the best of {len(validation)} evaluations</p>",
        "".join(f'<p class="soft">{escape(sentence)}</p>' for sentence in statements),
        '<h2>The run</h2><div class="plots">',
        picture(drawn, f"Loss: {in_words(series)}"),
        "</div>",
        *shown,
        f'<h2>Settings</h2><pre tabindex="0">{escape(settings_text)}</pre>',
    ]
    write_whole(folder / "report.html", page(f"Training run {folder.resolve().name}", parts))


def _losses(history: Sequence[Mapping[str, Any]]) -> Series:
    return [
        ("training", "#1f5fbf", points(history, "loss")),
        ("validation", "#b4570a", points(history, "eval_loss")),
    ]


def points(history: Sequence[Mapping[str, Any]], name: str) -> list[tuple[float, float]]:
    """Step and value, wherever `name` was measured."""
    return [(entry["step"], entry[name]) for entry in history if name in entry]


def plot(label: str, series: Series) -> bytes:
    """A PNG of curves over the steps: each a name, a color, and its points."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for name, color, points in series:
        steps, values = [step for step, _ in points], [value for _, value in points]
        axes.plot(
            steps, values, color=color, label=name, linewidth=1.8, marker="o" if len(points) < 40 else "", markersize=4
        )
    axes.set_xlabel("optimizer step")
    axes.set_ylabel(label)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if len(series) > 1:
        axes.legend(frameon=False)
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def in_words(series: Series) -> str:
    """Where each curve begins and ends, for those who cannot see it."""
    told = [f"{name} from {points[0][1]:.3g} to {points[-1][1]:.3g}" for name, _, points in series if points]
    return "; ".join(told)
