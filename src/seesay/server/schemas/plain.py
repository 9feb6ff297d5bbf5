"""What the plain routes and the page are given."""

from __future__ import annotations

from .base import Given


class About(Given):
    """What is loaded, and the limits."""

    version: str
    model: str
    describes: bool
    converses: bool
    """Whether earlier turns are remembered."""
    calibrated: bool
    """Whether scores say how often such answers are right."""
    voice: str | None
    listens: str | None
    """The Whisper that writes recordings down."""
    finds: int | None
    """How many pictures the index has; null where there is none."""
    needs_key: bool
    pictures: int
    """Most pictures of a request."""
    bytes: int
    """Most bytes of a request."""


class Provenance(Given):
    model: str
    revision: str
    family: str
    engine: str
    device: str
    dtype: str
    inputs: list[str]
    seconds: float


class Alternative(Given):
    answer: str
    score: float


class Line(Given):
    text: str
    confidence: float
    box: list[tuple[float, float]]
    where: str


class AnswerRow(Given):
    picture: str
    question: str
    answer: str | None
    score: float
    certainty: str
    reason: str
    reason_code: str
    """What the reason says, for programs; empty where there is none."""
    reason_values: dict[str, str]
    """What it says it of, such as the word that is not known."""
    alternatives: list[Alternative]
    lines: list[Line]
    provenance: Provenance


class Answers(Given):
    answers: list[AnswerRow]


class CaptionRow(Given):
    picture: str
    caption: str | None
    score: float
    certainty: str
    provenance: Provenance


class Captions(Given):
    captions: list[CaptionRow]


class ReadingRow(Given):
    picture: str
    text: str
    lines: list[Line]
    sha256: str
    engine: str


class Readings(Given):
    readings: list[ReadingRow]


class CueRow(Given):
    text: str
    start: float
    end: float


class Spoken(Given):
    audio: str
    """A WAV file as a data: URL."""
    sample_rate: int
    seconds: float
    cues: list[CueRow]
    omitted: list[str]
    """Characters that the voice cannot say."""


class EvidenceRow(Given):
    image: str
    """A PNG as a data: URL."""
    question: str
    answer: str
    score: float
    trusted: bool
    """Whether the colored parts matter more than others do."""
    deletion: float
    insertion: float
    chance: float
