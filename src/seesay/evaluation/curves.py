"""How a training run went, as pictures and as one page: loss and accuracy over the steps, the settings, the measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from ..files import write_whole
from .measure import Report
from .page import page, picture
from .report import sections

Series = list[tuple[str, str, list[tuple[float, float]]]]


def training_page(
    history: Sequence[Mapping[str, Any]], settings_text: str, folder: Path, *, evaluation: Report
) -> None:
    """Write loss.png, accuracy.png and report.html into the folder of a run.

    Args:
        history: the Trainer's log: dicts with `step` and what was measured then.
        evaluation: the best checkpoint, measured on the validation split.
    """
    losses: Series = [
        ("training", "#1f5fbf", _points(history, "loss")),
        ("validation", "#b4570a", _points(history, "eval_loss")),
    ]
    accuracies: Series = [("validation", "#b4570a", _points(history, "eval_vqa_accuracy"))]
    loss, accuracy = _plot("loss", losses), _plot("VQA accuracy", accuracies)
    write_whole(folder / "loss.png", loss)
    write_whole(folder / "accuracy.png", accuracy)
    parts = [
        *sections(evaluation)[:3],
        '<h2>The run</h2><div class="plots">',
        picture(accuracy, f"VQA accuracy on the validation split: {_in_words(accuracies)}"),
        picture(loss, f"Loss: {_in_words(losses)}"),
        "</div>",
        *sections(evaluation)[3:],
        f'<h2>Settings</h2><pre tabindex="0">{escape(settings_text)}</pre>',
    ]
    write_whole(folder / "report.html", page(f"Training run {folder.resolve().name}", parts))


def _points(history: Sequence[Mapping[str, Any]], name: str) -> list[tuple[float, float]]:
    return [(entry["step"], entry[name]) for entry in history if name in entry]


def _plot(label: str, series: Series) -> bytes:
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


def _in_words(series: Series) -> str:
    told = [f"{name} from {points[0][1]:.3g} to {points[-1][1]:.3g}" for name, _, points in series if points]
    return "; ".join(told)
