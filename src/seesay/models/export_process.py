"""An export made ahead, by a process of its own, where many answers are wanted of a model.

One question does not wait for it. Hundreds win it back: those of a batch, and those that come to a server. The process that makes
it holds torch, the original and its graphs, several times the weights; all of that is gone when it ends, and the one that
answers never had it. Where it is killed for want of memory, the other one says so and answers by torch. Processes that want
the same export wait for the one that makes it (`export_cache.keep`).
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict

from ..errors import SeesayError
from ..settings import ModelSettings
from . import export_cache

MANY = 500
"""Answers from which on it is worth its time. At ViLT-B/32's size making took 42 s of a processor, and an answer then takes 0.17 s
less (docs/performance.md), so that 250 win it back; larger models take longer at both. Twice that, because making is mostly
one thread's work, while torch answers on all cores."""


def make(settings: ModelSettings, name: str, tell: Callable[[str], None]) -> str:
    """Make the export of a model in 8 bits and verify it; Ctrl-C ends that and leaves nothing behind.

    Args:
        name: of the model, for what is told.
        tell: told in a line what is done, and how long it took.

    Returns:
        Why there is none; empty where it is there.
    """
    tell(f"making an export of {name} in 8 bits, once; it takes a minute or more (--engine torch goes without)")
    started = time.monotonic()
    wanted = ModelSettings(
        model=settings.model, revision=settings.revision, device="cpu", engine="onnx", quantize="int8"
    )
    words = [sys.executable, "-c", "from seesay.models.export_process import main; main()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            told, errors = process.communicate(json.dumps(asdict(wanted)))
        finally:
            process.kill()
            process.wait()
            export_cache.forget_partial(process.pid)
    if process.returncode == 0:
        tell(f"the export was made and verified in {time.monotonic() - started:.0f} s")
        return ""
    if process.returncode < 0:
        return f"what made its export was killed (signal {-process.returncode}), mostly a sign of too little memory"
    last = ((told or errors).strip().splitlines() or ["no word"])[-1]
    return f"its export could not be made: {last[:300]}"


def main() -> None:
    """In the process that makes it. Settings come on standard input; what is wrong goes, in a line, to standard output."""
    from . import load

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of a terminal; whoever waits for us ends us
    settings = ModelSettings(**json.load(sys.stdin))
    try:
        load(settings)
    except SeesayError as error:
        sys.stdout.write(error.message)
        sys.exit(error.exit_code)
