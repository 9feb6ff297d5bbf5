"""Sound to text, through any Whisper checkpoint: of transformers, or converted for CTranslate2 (`faster-whisper`).

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022. Whisper hears half a minute at once;
longer recordings are cut where they are quietest. On silence it makes sentences up, so silence is told before it is asked.
It knows nothing about questions.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtra, ModelError, UsageError
from ..media import open_audio
from ..models.checkpoint import Checkpoint, find, import_torch, load_weights, place
from ..settings import ListenSettings, ModelSettings
from ..types import AudioSource, Transcript

if TYPE_CHECKING:
    import numpy

    Samples = numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]

SAMPLE_RATE = 16_000
WINDOW = 30 * SAMPLE_RATE
"""Samples that Whisper hears at once."""
LOOK_BACK = 10 * SAMPLE_RATE
"""A window may end this much earlier, where it is quietest."""
FRAME = SAMPLE_RATE // 10
SILENCE = 1e-3
"""Root mean square (full scale being 1, so -60 dB) below which a tenth of a second is silent."""
LONGEST_TEXT = 224
"""Tokens written for one window, half of what Whisper's decoder has positions for, as in its own code."""


class Listener(ABC):
    """A loaded model that writes down what is said."""

    name: str

    @abstractmethod
    def _write(self, samples: Samples) -> tuple[str, str]:
        """The text of at most `WINDOW` samples and its language."""

    def listen(self, source: AudioSource) -> Transcript:
        """What is said in a recording.

        Raises:
            AudioError: the recording cannot be used.
        """
        sound = open_audio(source, SAMPLE_RATE)
        texts, language = [], ""
        for window in _windows(sound.samples):
            if _audible(window):
                text, language = self._write(window)
                texts.append(text.strip())
        return Transcript(" ".join(filter(None, texts)), language, sound.seconds, sound.sha256, self.name)


def load_listener(settings: ListenSettings) -> Listener:
    """The Whisper that `settings` name.

    Raises:
        ModelNotFound, ModelError: there is none of that name, or it does not write down speech.
        UsageError: it does not know the language.
        MissingExtra: packages that it needs are not installed.
    """
    folder = Path(settings.model).expanduser()
    if (folder / "model.bin").is_file() and (folder / "config.json").is_file() and _is_converted(folder):
        return _Converted(folder, settings)
    return _Whisper(find(settings.model, settings.revision), settings)


class _Whisper(Listener):
    """A Whisper of transformers."""

    def __init__(self, checkpoint: Checkpoint, settings: ListenSettings) -> None:
        if checkpoint.architecture != "WhisperForConditionalGeneration":
            found = checkpoint.architecture or "no architecture named"
            hint = "take a Whisper checkpoint, such as openai/whisper-base.en"
            raise ModelError(f"this checkpoint does not write down speech ({found})", where=checkpoint.name, hint=hint)
        import_torch()
        from transformers import (
            WhisperConfig,
            WhisperFeatureExtractor,
            WhisperForConditionalGeneration,
            WhisperTokenizer,
        )

        placement = place(ModelSettings(device=settings.device, dtype="float32"))
        try:
            config = WhisperConfig.from_dict(dict(checkpoint.config))
            self._extractor: Any = WhisperFeatureExtractor.from_pretrained(checkpoint.folder)
            self._tokenizer: Any = WhisperTokenizer.from_pretrained(checkpoint.folder)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(f"no usable checkpoint: {reason}", where=checkpoint.name) from None
        self._network: Any = load_weights(WhisperForConditionalGeneration, checkpoint, config, placement).eval()
        self._device, self.name = placement.device, checkpoint.name
        self._known: dict[int, str] = {}
        self._language = self._check_language(settings.language)

    def _check_language(self, language: str) -> str:
        config = self._network.generation_config
        if not getattr(config, "is_multilingual", False):
            if language not in ("", "en"):
                raise UsageError(f"{self.name} hears English, not {language!r}", where="--language")
            return "en"
        self._known = {
            index: token.strip("<|>") for token, index in (getattr(config, "lang_to_id", None) or {}).items()
        }
        if language and language not in self._known.values():
            known = ", ".join(self._known.values())
            raise UsageError(f"no language {language!r}", where="--language", hint=f"known: {known}")
        return language

    def _write(self, samples: Samples) -> tuple[str, str]:
        import torch

        heard = self._extractor(samples, sampling_rate=SAMPLE_RATE, return_tensors="pt", return_attention_mask=True)
        features, language = heard.input_features.to(self._device), self._language
        options: dict[str, Any] = {}
        with torch.inference_mode():
            if self._known:
                found = language or self._known[int(self._network.detect_language(input_features=features)[0])]
                language, options = found, {"language": found, "task": "transcribe"}
            ids = self._network.generate(
                features, attention_mask=heard.attention_mask.to(self._device), do_sample=False,
                max_new_tokens=min(LONGEST_TEXT, self._network.config.max_target_positions // 2), **options,
            )  # fmt: skip
        text: str = self._tokenizer.decode(ids[0], skip_special_tokens=True)
        return text, language


class _Converted(Listener):
    """A Whisper in the form of CTranslate2, on the processor or CUDA."""

    def __init__(self, folder: Path, settings: ListenSettings) -> None:
        if find_spec("faster_whisper") is None:
            raise MissingExtra("a Whisper in the form of CTranslate2", "seesay[listen]")
        import faster_whisper

        self.name, self._language = settings.model, settings.language or None
        device = "cpu" if settings.device == "mps" else settings.device
        try:
            # int8 on the processor, as in benchmarks/whisper.
            self._model: Any = faster_whisper.WhisperModel(
                str(folder),
                device=device,
                compute_type="default" if device == "cuda" else "int8",
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelError(f"cannot be opened: {str(error).splitlines()[0]}", where=settings.model) from None
        if self._language and self._language not in self._model.supported_languages:
            known = ", ".join(self._model.supported_languages)
            raise UsageError(f"no language {self._language!r}", where="--language", hint=f"known: {known}")

    def _write(self, samples: Samples) -> tuple[str, str]:
        segments, info = self._model.transcribe(
            samples, language=self._language, beam_size=5, temperature=0.0, condition_on_previous_text=False
        )
        return " ".join(segment.text.strip() for segment in segments), str(info.language)


def _is_converted(folder: Path) -> bool:
    """CTranslate2's config.json has no model_type; that of transformers has."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return False
    return isinstance(config, dict) and "model_type" not in config


def _windows(samples: Samples) -> Iterator[Samples]:
    """Parts of at most `WINDOW` samples, cut in the quietest tenth of a second before each limit."""
    import numpy

    while len(samples) > WINDOW:
        late = samples[WINDOW - LOOK_BACK : WINDOW].reshape(-1, FRAME)
        quietest = int(numpy.square(late).mean(axis=1).argmin())
        cut = WINDOW - LOOK_BACK + quietest * FRAME + FRAME // 2
        yield samples[:cut]
        samples = samples[cut:]
    yield samples


def _audible(samples: Samples) -> bool:
    import numpy

    frame = min(FRAME, len(samples))
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    return bool(numpy.sqrt(numpy.square(frames).mean(axis=1)).max() > SILENCE)
