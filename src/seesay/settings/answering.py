"""Settings of the commands that answer, describe, talk and read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .fields import setting
from .models import GenerationSettings, ModelSettings


@dataclass(frozen=True, kw_only=True)
class AskSettings(GenerationSettings, ModelSettings):
    """Ask questions about pictures."""

    top_k: int = setting(1, low=1, high=1000)
    """How many answers to give, best first."""
    choices: str = ""
    """Answer with one of these, separated by commas, such as `yes,no`; scores say how likely each is among them."""
    batch_size: int = setting(16, low=1, high=1024)
    """How many questions are computed at once; it never changes an answer."""
    abstain_at_risk: float | None = setting(None, low=0.0, high=1.0)
    """Give no answer where too many such answers are wrong: of those given at most this share is. 1 always answers; the
    default is the model's own, 0.1 for `seesay-mini`."""
    evidence: Path | None = None
    """Draw into this PNG file which parts of the picture the answer hangs on; for one picture and one question."""
    listen: Path | None = None
    """Take the question from this recording."""
    listen_model: str = "openai/whisper-base.en"
    """The Whisper checkpoint that writes the question down: a folder or a Hub repository."""
    speak: bool = False
    """Speak the answers on this machine's loudspeaker."""
    speech: Path | None = None
    """Write the answers as speech into this sound file."""


@dataclass(frozen=True, kw_only=True)
class CaptionSettings(GenerationSettings, ModelSettings):
    """Describe pictures."""

    batch_size: int = setting(16, low=1, high=1024)
    """How many pictures are computed at once; it never changes a caption."""
    speak: bool = False
    """Speak the captions on this machine's loudspeaker."""
    speech: Path | None = None
    """Write the captions as speech into this sound file."""


@dataclass(frozen=True, kw_only=True)
class ChatSettings(ModelSettings):
    """Talk about pictures."""

    max_new_tokens: int = setting(128, low=1, high=1024)
    """Tokens (about as many as words) after which an answer stops."""
    deadline: float = setting(120.0, low=1.0, high=3600.0)
    """Seconds after which an answer stops."""
    speak: bool = False
    """Speak the answers on this machine's loudspeaker."""


@dataclass(frozen=True, kw_only=True)
class ReadSettings:
    """Read the text in pictures."""

    min_confidence: float = setting(0.5, low=0.0, high=1.0)
    """Leave out lines of less confidence than this."""
