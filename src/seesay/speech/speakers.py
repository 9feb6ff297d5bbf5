"""Who speaks, as numbers: speaker embeddings from files, by name, or heard in a recording (x-vectors).

x-vectors: Snyder et al., "X-vectors: Robust DNN embeddings for speaker recognition", ICASSP 2018; the networks are those
of transformers' `AutoModelForAudioXVector`. An embedding fits only voices that were trained on embeddings of the same
network: the published SpeechT5 was trained with speechbrain's `spkrec-xvect-voxceleb`, whose files it takes as .npy.
"""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, UsageError
from ..media import Sound, open_audio
from ..models.checkpoint import Checkpoint, Placement, find, import_torch, load_weights
from .checkpoint_voice import read_voice_config

if TYPE_CHECKING:
    import numpy

    Vector = numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]

SPEAKERS_FILE = "speakers.safetensors"
"""In a checkpoint's folder: an embedding for each speaker, by name."""
NUMBER_FILES = (".npy", ".json", ".safetensors")
LARGEST_FILE = 1_000_000
HEARD_SECONDS = 30
"""Seconds of a recording that are heard; more say no more about who speaks."""
SPEAKER_RATE = 16_000


def embedding(speaker: Any, width: int, checkpoint: Checkpoint, placement: Placement, speaker_model: str) -> Vector:
    """(width,) of a speaker: numbers, a file of them, a name in the checkpoint's `speakers.safetensors`, or a recording.

    An empty `speaker` takes the first of `speakers.safetensors`, or else zeros, which is nobody's voice in particular.

    Raises:
        UsageError: there is no such speaker, or its embedding has another width.
        AudioError: the recording cannot be used.
        ModelError: the model that hears it cannot be used.
    """
    import numpy

    if not isinstance(speaker, str):
        return _checked(_as_array(speaker), width, "speaker")
    named = checkpoint.folder / SPEAKERS_FILE
    if not speaker and not named.is_file():
        return numpy.zeros(width, numpy.float32)
    if named.is_file():
        known = _tensors(named)
        name = speaker or min(known, default="")
        if name in known:
            return _checked(known[name], width, name)
    path = Path(speaker).expanduser()
    if not path.is_file() and (named.is_file() or not path.suffix):
        names = ", ".join(sorted(_tensors(named))) if named.is_file() else "none"
        hint = f"give a file of {width} numbers ({', '.join(NUMBER_FILES)}) or a recording; names it knows: {names}"
        raise UsageError(f"no speaker {speaker!r}", where="--speaker", hint=hint)
    if path.suffix.lower() in NUMBER_FILES:
        return _checked(_read_numbers(path), width, speaker)
    return _checked(xvector(open_audio(speaker, SPEAKER_RATE), speaker_model, placement), width, speaker)


def known_speakers(checkpoint: Checkpoint) -> dict[str, Any]:
    """The embeddings that a checkpoint brings, by name."""
    named = checkpoint.folder / SPEAKERS_FILE
    return _tensors(named) if named.is_file() else {}


def xvector(sound: Sound, model: str, placement: Placement) -> Vector:
    """(width,), of length 1: the x-vector of who speaks in the first half minute of a recording.

    Args:
        sound: at 16,000 samples a second.
        model: folder or Hub repository of a checkpoint with an x-vector head.

    Raises:
        ModelError: it has no such head, or cannot be opened.
    """
    import torch

    extractor, network = _hearer(model, placement)
    samples = sound.samples[: HEARD_SECONDS * SPEAKER_RATE]
    values = extractor(samples, sampling_rate=SPEAKER_RATE, return_tensors="pt").input_values
    with torch.inference_mode():
        found = network(values.to(placement.device)).embeddings[0].float().cpu()
    vector: Vector = torch.nn.functional.normalize(found, dim=0).numpy()
    return vector


@cache
def _hearer(model: str, placement: Placement) -> tuple[Any, Any]:
    """Feature extractor and network; kept, because a data set asks for every row."""
    import_torch()
    import transformers
    from transformers.models.auto import modeling_auto

    known = modeling_auto.MODEL_FOR_AUDIO_XVECTOR_MAPPING_NAMES
    checkpoint = find(model)
    architecture = known.get(checkpoint.model_type, "")
    if checkpoint.architecture != architecture or not architecture:
        found = checkpoint.architecture or "no architecture named"
        hint = f"what can: {', '.join(known.values())}"
        raise ModelError(f"this checkpoint cannot tell speakers apart ({found})", where=checkpoint.name, hint=hint)
    kind = getattr(transformers, architecture)
    config = read_voice_config(kind.config_class, checkpoint, (architecture,))
    network = load_weights(kind, checkpoint, config, placement, attention="eager").eval()
    try:
        extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(checkpoint.folder)
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"no usable feature extractor: {reason}", where=checkpoint.name) from None
    if extractor.sampling_rate != SPEAKER_RATE:
        found = f"hears {extractor.sampling_rate} samples a second, not {SPEAKER_RATE}"
        raise ModelError(f"this checkpoint {found}", where=checkpoint.name)
    return extractor, network


def read_arrays(path: Path) -> dict[str, Any]:
    """The arrays of an .npz or .safetensors file, by name; pickled ones are refused, because they can run code.

    Raises:
        UsageError: there is no such file, it is too large, or holds something else.
    """
    if path.suffix.lower() == ".safetensors":
        return _tensors(path)
    import numpy

    data = _bytes(path)
    try:
        with numpy.load(io.BytesIO(data), allow_pickle=False) as file:
            return {name: file[name] for name in file.files} if hasattr(file, "files") else {}
    # numpy has no one class of error for a bad file (zipfile's, zlib's, ValueError and others were seen).
    except Exception:
        raise _unreadable(path, "an .npz file of plain arrays") from None


def read_array(path: Path) -> Any:
    """The array of an .npy file; a pickled one is refused, because it can run code.

    Raises:
        UsageError: as `read_arrays`.
    """
    import numpy

    data = _bytes(path)
    try:
        return numpy.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except Exception:
        raise _unreadable(path, "an .npy file of a plain array") from None


def _read_numbers(path: Path) -> Any:
    kind = path.suffix.lower()
    if kind == ".npy":
        return read_array(path)
    if kind == ".json":
        try:
            return _as_array(json.loads(_bytes(path)))
        except ValueError:
            raise _unreadable(path, "a JSON list of numbers") from None
    tensors = _tensors(path)
    if len(tensors) != 1:
        hint = f"tensors here: {', '.join(sorted(tensors)) or 'none'}"
        raise UsageError(f"{len(tensors)} tensors, not one", where=str(path), hint=hint)
    return next(iter(tensors.values()))


def _tensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(_bytes(path))
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise _unreadable(path, "a safetensors file") from None


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            message = f"{size:,} bytes; a speaker has at most {LARGEST_FILE:,}"
            raise UsageError(message, where=str(path), hint="is it another file?")
        return path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise UsageError(message, where=str(path), hint="check the name and the permissions") from None


def _as_array(numbers: Any) -> Any:
    import numpy

    if hasattr(numbers, "detach"):  # a tensor, wherever it is
        numbers = numbers.detach().float().cpu().numpy()
    try:
        return numpy.asarray(numbers, dtype=numpy.float32)
    except (TypeError, ValueError):
        raise UsageError("not a list of numbers", where="speaker", hint="give a list, an array or a tensor") from None


def _checked(found: Any, width: int, where: str) -> Vector:
    import numpy

    if found.dtype.kind not in "fiu":
        raise UsageError(f"an array of {found.dtype}, not of numbers", where=where)
    vector = found[0] if found.ndim == 2 and len(found) == 1 else found
    if vector.shape != (width,):
        message = f"a speaker embedding of shape {found.shape}; this voice takes {width} numbers"
        raise UsageError(message, where=where, hint="embeddings of another network do not fit")
    if not numpy.isfinite(vector).all():
        raise UsageError("a speaker embedding with NaN or infinity in it", where=where)
    checked: Vector = vector.astype(numpy.float32)
    return checked


def _unreadable(path: Path, wanted: str) -> UsageError:
    return UsageError(f"not {wanted}", where=str(path), hint="pickled arrays are refused, because they can run code")
