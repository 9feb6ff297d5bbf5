"""The server: standard routes and a page for one model, one voice and, where loaded, one that listens.

Needs the extra `seesay[server]`. Only the command `serve` and `scale` import this package, inside functions.
"""

from __future__ import annotations

from .app import build, require_key
from .run import address_of, listen, serve

__all__ = ["address_of", "build", "listen", "require_key", "serve"]
