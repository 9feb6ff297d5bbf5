"""Speech as pages: how a voice learned, sentence by sentence with sound and spectrogram, and what recordings are like.

One HTML file each that needs nothing else. It knows nothing of networks.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data import RecordingReport
from ..files import write_whole
from .curves import loss_page
from .page import page, picture, table

if TYPE_CHECKING:
    import numpy

SHOWN = 5
"""Evaluations whose samples a page shows; the others lie in the run's folder."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sentence that was spoken at every evaluation: `recording-<index>` and `step-<step>-<index>`, .wav and .png."""

    text: str
    speaker: str
    folder: Path
    index: int

    def steps(self) -> list[int]:
        """The steps after which it was spoken, in order."""
        found = (re.fullmatch(r"step-(\d+)-(\d+)", path.stem) for path in self.folder.glob("step-*.wav"))
        return sorted(int(match[1]) for match in found if match and int(match[2]) == self.index)


def spectrogram_picture(frames: numpy.ndarray[Any, Any], extractor: Any) -> bytes:
    """A PNG of (frames, mel bins), log10: seconds to the right, frequencies upwards."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    seconds = len(frames) * extractor.sample_stride / extractor.sampling_rate
    figure = Figure(figsize=(6, 2.2), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.imshow(
        frames.T, origin="lower", aspect="auto", cmap="magma", vmin=-4, vmax=1, extent=(0, seconds, 0, frames.shape[1])
    )
    axes.set_xlabel("seconds")
    axes.set_ylabel("mel bin")
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def sound(wav: bytes, label: str) -> str:
    """A player of a WAV inside the page."""
    data = base64.b64encode(wav).decode("ascii")
    return f'<audio controls preload="none" aria-label="{escape(label)}" src="data:audio/wav;base64,{data}"></audio>'


def speech_training_page(
    history: Sequence[Mapping[str, Any]],
    samples: Sequence[Sample],
    statements: Sequence[str],
    settings_text: str,
    best: int,
    folder: Path,
) -> None:
    """Write loss.png and report.html into the folder of a run.

    Args:
        history: the Trainer's log: dicts with `step` and what was measured then.
        best: the step whose checkpoint is the model.
    """
    measured = "loss on the validation rows"
    shown = [_spoken(sample, best) for sample in samples]
    loss_page(history, "loss", measured, statements, shown, settings_text, best, folder)


def _spoken(sample: Sample, best: int) -> str:
    steps = sample.steps()
    spread = {steps[round(index * (len(steps) - 1) / (SHOWN - 1))] for index in range(SHOWN)} if steps else set()
    shown = sorted(spread | ({best} & set(steps)))
    names = {f"recording-{sample.index}": "the recording"}
    names |= {f"step-{step:07}-{sample.index}": f"after {step:,} steps" for step in shown}
    cards = []
    for name, label in names.items():
        image = picture((sample.folder / f"{name}.png").read_bytes(), f"spectrogram: {label}")
        cards.append(f"<h3>{escape(label)}</h3>{image}{sound((sample.folder / f'{name}.wav').read_bytes(), label)}")
    who = f' <span class="soft">{escape(sample.speaker)}</span>'
    return f"<h2>“{escape(sample.text)}”{who}</h2>{''.join(cards)}"


def recordings_page(report: RecordingReport, file: Path) -> None:
    """Write what a set of recordings is like, with plots, into one HTML file."""
    parts = []
    for title, header, rows in report.tables():
        parts.append(table(title, header, rows))
    for name, measured in report.measured.items():
        if not measured:
            continue
        parts.append(f'<h2>{escape(name)}</h2><div class="plots">')
        heard = [one for one in measured if one.pace]
        for label, values in {
            "seconds": [one.seconds for one in measured],
            "characters a second": [one.pace for one in heard],
            "level of speech, dB below full scale": [one.level for one in heard],
            "share of silence": [one.silence for one in measured],
        }.items():
            if values:
                told = f"{label} of {len(values):,} recordings, from {min(values):.2f} to {max(values):.2f}"
                parts.append(picture(_histogram(values, label), told))
        if heard:
            told = "seconds of speech by characters of the text; what lies apart may not belong together"
            parts.append(picture(_scatter([(one.characters, one.spoken) for one in heard]), told))
        parts.append("</div>")
    parts.append("<h2>Problems</h2>" + "".join(f"<p>{escape(sentence)}</p>" for sentence in report.sentences()))
    write_whole(file, page(f"Recordings: {Path(report.name).name or report.name}", parts))


def _histogram(values: Sequence[float], label: str) -> bytes:
    figure, axes = _axes(label, "recordings")
    axes.hist(values, 40)
    return _png(figure)


def _scatter(pairs: Sequence[tuple[float, float]]) -> bytes:
    figure, axes = _axes("characters of the text", "seconds of speech")
    axes.scatter([x for x, _ in pairs], [y for _, y in pairs], s=6, alpha=0.4)
    return _png(figure)


def _axes(x: str, y: str) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 2.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
