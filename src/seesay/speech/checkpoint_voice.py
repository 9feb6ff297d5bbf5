"""Voices that are checkpoints of transformers: how they are found by config.json, opened, seeded and cut to their limits.

A voice of this kind is a file in `engines/` with a subclass of `CheckpointVoice`. Weights are safetensors, read by
`models.load_weights`, every tensor accounted for. This module knows no architecture.
"""

from __future__ import annotations

import json
import threading
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..errors import ModelError, ModelNotFound, UsageError
from ..models.checkpoint import Checkpoint, Placement, find, import_torch, load_weights
from ..settings import VoiceSettings
from .engine import Engine
from .sentences import split
from .spell import Speller

if TYPE_CHECKING:
    import numpy
    import torch

    Samples = numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]

EXTRA = "seesay[voices]"
VOCODER_FOLDER = "vocoder"
"""Where a checkpoint keeps the vocoder it was trained with."""
BREATH = 0.1
"""Seconds between the parts of a sentence that became too long when its numbers were spelled."""
_RANDOM = threading.RLock()


class CheckpointVoice(Engine):
    """A loaded checkpoint that speaks."""

    model_types: ClassVar[tuple[str, ...]]
    """The values of `model_type` in config.json that this voice opens. No two voices may claim one."""
    architectures: ClassVar[tuple[str, ...]]
    """The classes in config.json that turn text into sound; another one of the same family has another head."""
    has_speed: ClassVar[bool] = False
    """Whether its pace can be changed."""

    def __init__(self, checkpoint: Checkpoint, placement: Placement, settings: VoiceSettings, speller: Speller) -> None:
        super().__init__(settings.speed)
        self.checkpoint, self.placement, self.seed, self.speller = checkpoint, placement, settings.seed, speller
        if settings.speed != 1.0 and not self.has_speed:
            hint = "leave out --speed"
            raise UsageError(f"voices of the kind {self.name} have one pace", where="--speed", hint=hint)

    @classmethod
    @abstractmethod
    def open(cls, checkpoint: Checkpoint, placement: Placement, settings: VoiceSettings) -> Self:
        """Open a checkpoint that can speak, with the speaker and the vocoder that `settings` name.

        Raises:
            ModelError: it cannot speak, or its weights do not fit its configuration.
            UsageError: there is no such speaker.
        """

    @abstractmethod
    def use_speaker(self, speaker: Any) -> None:
        """Speak in the voice of this speaker from now on: what `--speaker` takes, or the value itself (numbers, an id).

        Raises:
            UsageError: there is no such speaker.
        """

    @abstractmethod
    def _sound(self, text: str) -> torch.Tensor:
        """(samples,) of a text in the voice's characters, at most `max_characters` of them."""

    def can_say(self, character: str) -> bool:
        return self.speller.can_say(character)

    def synthesize(self, sentence: str) -> Samples:
        import numpy
        import torch

        # Spelled, "1984" is four times as long.
        pieces = [piece.text for piece in split(self.speller.spell(sentence), self.max_characters)]
        breath = numpy.zeros(round(BREATH * self.sample_rate), numpy.float32)
        parts: list[Samples] = []
        for piece in pieces:
            if not any(map(str.isalnum, piece)):
                continue
            with torch.inference_mode(), seeded(self.seed, self.placement.device):
                sound = self._sound(piece).float().cpu().numpy()
            parts += [breath, sound] if parts else [sound]
        return numpy.concatenate(parts) if parts else breath


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Global randomness begins at `seed` within, and outside it goes on as if nothing had been drawn.

    The networks of transformers draw from torch's and numpy's global generators, so one thread at a time computes.
    """
    import numpy
    import torch

    kind = device.partition(":")[0]
    own = {} if kind == "cpu" else {"device_type": kind, "devices": range(getattr(torch, kind).device_count())}
    with _RANDOM, torch.random.fork_rng(**own or {"devices": ()}):
        before = numpy.random.get_state()
        torch.manual_seed(seed)
        numpy.random.seed(seed)
        try:
            yield
        finally:
            numpy.random.set_state(before)


def read_voice_config(kind: Any, checkpoint: Checkpoint, architectures: Sequence[str]) -> Any:
    """The checkpoint's configuration of the class `kind`, where its architecture is one that speaks.

    Raises:
        ModelError: it was saved with another head, or config.json cannot be used.
    """
    if checkpoint.architecture not in architectures:
        # transformers would build the head that is asked for, with random weights.
        found = checkpoint.architecture or "no architecture named"
        hint = f"what can: {', '.join(architectures)}"
        raise ModelError(f"this checkpoint cannot speak ({found})", where=checkpoint.name, hint=hint)
    import_torch()
    from huggingface_hub.errors import StrictDataclassError

    try:
        return kind.from_dict(dict(checkpoint.config))
    except (StrictDataclassError, TypeError, ValueError, KeyError, AttributeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(f"config.json cannot be used: {reason}", where=checkpoint.name) from None


def read_tokenizer(kind: Any, checkpoint: Checkpoint) -> Any:
    """The tokenizer of the class `kind` from the checkpoint's files.

    Raises:
        ModelError: files are missing or cannot be used.
    """
    names = [name for name in kind.vocab_files_names.values() if name]
    if not any((checkpoint.folder / name).is_file() for name in names):
        # Without them, transformers would make a tokenizer that knows next to nothing.
        raise ModelError("no tokenizer", where=checkpoint.name, hint=f"a file of it: {', '.join(names)}")
    try:
        return kind.from_pretrained(checkpoint.folder)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(f"no usable tokenizer: {reason}", where=checkpoint.name) from None


def read_json(path: Path, name: str) -> dict[str, Any]:
    """A JSON object beside the weights; empty where there is no such file.

    Raises:
        ModelError: it is not JSON, or not an object.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise ModelError(f"{path.name} cannot be read: {error}", where=name) from None
    if not isinstance(found, dict):
        raise ModelError(f"{path.name} holds a {type(found).__name__}, not an object", where=name)
    return found


def load_vocoder(
    kind: Any, config_kind: Any, checkpoint: Checkpoint, placement: Placement, named: str, usual: str, bins: int
) -> Any:
    """The network that turns spectrograms into sound: the one named, else the checkpoint's own, else the usual one.

    Args:
        kind: class of the network.
        named: `--vocoder`; empty for none.
        usual: Hub repository of the one that fits the published checkpoints.
        bins: mel bins of the spectrograms it will get.

    Raises:
        ModelError: there is none, or it takes other spectrograms.
    """
    own = checkpoint.folder / VOCODER_FOLDER
    name = named or (str(own) if own.is_dir() else usual)
    try:
        found = find(name)
    except ModelNotFound as error:
        if named:
            raise
        hint = (
            f"give --vocoder FOLDER (a HiFi-GAN with config.json and *.safetensors), or put it into {VOCODER_FOLDER}/;"
            " for a SpeechT5, --vocoder griffin-lim needs none and sounds hollow"
        )
        message = f"no vocoder to turn its spectrograms into sound ({usual}: {error.message})"
        raise ModelNotFound(message, where=checkpoint.name, hint=hint) from None
    config = read_voice_config(config_kind, found, (kind.__name__,))
    if config.model_in_dim != bins:
        message = f"this vocoder takes spectrograms of {config.model_in_dim} mel bins, the voice makes {bins}"
        raise ModelError(message, where=found.name, hint="take the vocoder that the voice was trained with")
    return load_weights(kind, found, config, placement, attention="eager").eval()


def speaker_number(speaker: Any, count: int, name: str) -> int | None:
    """`speaker` as a number from 0 to `count` - 1; None where none is given and none is needed.

    Raises:
        UsageError: it is no such number.
    """
    if speaker in ("", None):
        return 0 if count > 1 else None
    text = str(speaker)
    if count < 2:
        message, hint = f"{name} has one speaker, not {text!r}", "leave out --speaker"
    elif text.isascii() and text.isdigit() and int(text) < count:
        return int(text)
    else:
        message, hint = f"no speaker {text!r}", f"{name} has speakers 0 to {count - 1}"
    raise UsageError(message, where="--speaker", hint=hint)
