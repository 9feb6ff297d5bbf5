"""Which model computes, on what, and how it writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

from .fields import setting

Device = Literal["auto", "cpu", "cuda", "mps"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Quantize = Literal["", "int8", "int4"]
Engine = Literal["auto", "torch", "onnx", "openvino", "ray"]
"""`ray` is for what is spread over machines, each of which then takes what `auto` takes."""


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """What decides which model computes, and on what."""

    model: str = "seesay-mini"
    """`seesay-mini`, which comes with the package, the folder of a checkpoint or of a finished run, a Hub repository, or a model
    on another server, as `openai:http://127.0.0.1:8000/v1#name`."""
    revision: str = ""
    """Branch, tag or commit of a Hub repository."""
    device: Device = "auto"
    """Where to compute; `auto` takes CUDA, then Apple's MPS, then the processor."""
    dtype: Dtype = "auto"
    """Number type of the weights; `auto` is float32 on a processor and bfloat16 on an accelerator that has it."""
    engine: Engine = "auto"
    """What computes on a processor: torch, or an export of the model under ONNX Runtime or OpenVINO, made and verified once;
    `auto` takes an export where a verified one is kept, and has it made first where many answers are wanted: for a large batch,
    or a server. `seesay models --explain` says what it takes and why."""
    quantize: Quantize = ""
    """Hold the weights of linear layers in 8 or 4 bits, made while they are loaded; the others are then bfloat16 by `auto`."""


class ModelKeywords(TypedDict, total=False):
    """`ModelSettings` as keywords of `seesay.load`; a test keeps the two alike."""

    revision: str
    device: Device
    dtype: Dtype
    engine: Engine
    quantize: Quantize


@dataclass(frozen=True, kw_only=True)
class GenerationSettings:
    """How large models (GIT, BLIP, BLIP-2, InstructBLIP, those that chat) write; `seesay-mini` and classifiers take no
    notice."""

    max_new_tokens: int = setting(20, low=1, high=1000)
    """Tokens (about as many as words) after which GIT, BLIP and the like stop writing."""
    num_beams: int = setting(1, low=1, high=32)
    """Beginnings of an answer that GIT, BLIP and the like keep in view; more find likelier ones and take longer. At least
    3 where several answers are asked for."""
