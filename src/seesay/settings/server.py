"""Settings of `seesay serve`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .fields import setting
from .models import Engine, GenerationSettings, ModelSettings


@dataclass(frozen=True, kw_only=True)
class ServeSettings(GenerationSettings, ModelSettings):
    """Serve a model, a voice and a page."""

    host: str = "127.0.0.1"
    """Address to listen on; any but this machine's own (127.0.0.1, ::1) needs an `api_key`."""
    port: int = setting(8000, low=0, high=65535)
    """Port to listen on; 0 takes a free one."""
    api_key: str = ""
    """Key that clients must send (`Authorization: Bearer KEY`); better in the environment, as SEESAY_SERVE__API_KEY, where
    other users of this machine do not see it."""
    allowed_hosts: str = ""
    """Further names by which clients may address the server, separated by commas; the address listened on and, on this
    machine, localhost are known."""
    voice: str = "hibari"
    """The voice that speaks: `hibari`, the folder of a checkpoint or a Hub repository; empty for none."""
    listen_model: str = ""
    """The Whisper checkpoint that writes down recordings: a folder or a Hub repository; empty for none."""
    index: Path | None = None
    """The index of pictures (see `seesay index`) that clients may search; its pictures are then given to whoever may ask."""
    batch_size: int = setting(16, low=1, high=256)
    """How many questions of any clients are computed at once; it never changes an answer."""
    queue: int = setting(32, low=1, high=10_000)
    """How many requests may wait; further ones are refused (429)."""
    deadline: float = setting(120.0, low=1.0, high=3600.0)
    """Seconds after which a request is given up."""
    engine: Engine = "auto"
    """What computes on this machine, as elsewhere; or `ray`, which serves several replicas behind one address on a Ray
    cluster, each taking what `auto` takes, for when one process is too few; needs seesay[ray]."""
    replicas: int = setting(2, low=1, high=1000)
    """How many replicas a Ray cluster runs, each with everything loaded and a queue of its own."""
    ray_address: str = ""
    """Address of a running cluster, or `auto`; without it Ray is started on this machine."""
