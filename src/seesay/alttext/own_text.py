"""What a picture's file says of itself, to those that show it: its alternative text, else its description."""

from __future__ import annotations

from ..registry import discover
from .document import Document, DocumentError
from .found import Mark, digest_of
from .picture_file import PictureFile
from .xmp import ALT, BY, DESCRIPTION, Packet


def own_text(data: bytes) -> tuple[str, str]:
    """Alternative text and description in the metadata of a picture; each empty where there is none, or where the
    alternative text is our own suggestion."""
    for kind in discover("seesay.alttext.kinds", Document).values():
        if issubclass(kind, PictureFile) and kind.recognizes(data):
            return _texts(kind, data)
    return "", ""


def _texts(kind: type[PictureFile], data: bytes) -> tuple[str, str]:
    try:
        packet = Packet(kind.packet(data, ""), "")
    except DocumentError:
        return "", ""
    alt = packet.text(ALT) or ""
    mark = Mark.parse(packet.text(BY))
    if mark is not None and mark.digest == digest_of(alt) and not mark.reviewed:
        alt = ""
    return alt, (packet.text(DESCRIPTION) or kind.description(data)).strip()
