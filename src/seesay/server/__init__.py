"""The server: standard routes and a page for one model, one voice and, where loaded, one that listens.

Needs the extra `seesay[server]`. Only the command `serve` and `scale` import this package, inside functions.
"""

from __future__ import annotations

from .app import build
from .run import serve

__all__ = ["build", "serve"]
