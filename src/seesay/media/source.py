"""Where a picture comes from: what to call it in a message, and its encoded bytes, read within the limits.

Three sources are encoded: a path, a `data:` URL and bytes. Each is measured before it is read or decoded, and what
cannot be read (a folder, a pipe, a web address) is refused here. This module knows nothing about pictures: to it they
are bytes. It imports neither Pillow nor numpy; a source that is one of their values can exist only where its caller has
imported them, so asking `sys.modules` is enough.
"""

from __future__ import annotations

import base64
import difflib
import itertools
import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from ..errors import ImageNotFound, ImageTooLarge, ImageUnreadable
from ..types import Picture

if TYPE_CHECKING:
    import numpy
    import PIL.Image

NAME_SHOWN = 200
"""How many characters of a path a message shows; longer text is rarely a path."""
FOLDER_READ = 2000
"""How many names of a folder are looked at for one that may have been meant."""
FOLDER_COMPARED = 100
"""Up to this many names are compared by spelling. In larger folders a near name is only another picture."""
LIKENESS = 0.75
"""From this likeness (0 to 1, `difflib`) a name may have been meant: `kat.jpg` for `cat.jpg`, and not `dog.jpg`."""

WEB_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://|https?:/", re.IGNORECASE)
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a picture may cost. Every limit is checked before anything is decoded."""

    bytes: int = 20_000_000
    """Encoded size. Does not apply to PIL images and arrays, which are already decoded."""
    pixels: int = 50_000_000
    """Width times height."""
    side: int = 30_000
    """Pixels along the longer side."""


DEFAULT_LIMITS = ImageLimits()


def image_name(source: object) -> str:
    """What to call a picture in a message: its path as given, or what it is and how large.

    Never a memory address, never more than a line, and nothing that a terminal would take for a command.
    """
    if isinstance(source, Picture):
        return source.name
    if isinstance(source, str):
        return "data URL" if is_data_url(source) else printable(source)
    if isinstance(source, os.PathLike):
        return printable(os.fsdecode(source))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return f"image of {memoryview(source).nbytes:,} bytes"
    if is_pil_image(source):
        return f"{source.mode} image of {source.width} x {source.height} pixels"
    if is_array(source):
        return f"array {source.shape}"
    return f"value of type {type(source).__name__}"


def is_pil_image(source: object) -> TypeGuard[PIL.Image.Image]:
    """Whether this is a Pillow image, found without importing Pillow."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(source, module.Image)


def is_array(source: object) -> TypeGuard[numpy.ndarray[Any, Any]]:
    """Whether this is a numpy array, found without importing numpy."""
    module = sys.modules.get("numpy")
    return module is not None and isinstance(source, module.ndarray)


def is_data_url(text: str) -> bool:
    """Whether a text is a `data:` URL; case does not matter in the scheme of a URL (RFC 3986)."""
    return text[:5].lower() == "data:"


def read_encoded(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview, name: str, limits: ImageLimits
) -> bytes:
    """The encoded bytes of a picture: at least one, at most `limits.bytes`.

    Raises:
        ImageNotFound: no such file; the hint names one that may have been meant.
        ImageTooLarge: more bytes than allowed, found before they are read or decoded.
        ImageUnreadable: empty, a web address, a folder, a pipe or device, a data URL that is not base64, or a file
            that the system does not let us read.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        _check_bytes(memoryview(source).nbytes, name, limits)
        return bytes(source)
    text = os.fsdecode(source)
    if is_data_url(text):
        return _from_data_url(text, name, limits)
    if WEB_ADDRESS.match(text):
        raise ImageUnreadable(
            "web addresses are not opened", where=name, hint="download the picture first and give its path"
        )
    return _from_file(text, name, limits)


def _from_file(text: str, name: str, limits: ImageLimits) -> bytes:
    if not text:
        raise ImageNotFound("the path is empty", where="picture", hint="give the path of a picture")
    path = expanded(text)
    try:
        # The size and the kind of file come from the system, before it is opened: opening a pipe would wait for ever.
        state = path.stat()
        _check_regular(state.st_mode, name)
        _check_bytes(state.st_size, name, limits)
        with path.open("rb") as file:
            data = file.read(limits.bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise ImageNotFound("no such file", where=name, hint=nearest_name(path)) from None
    except PermissionError:
        raise ImageUnreadable(
            "no permission to read it", where=name, hint="change its permissions, or those of its folder"
        ) from None
    except (OSError, ValueError) as error:
        # The system's own words, such as "File name too long"; a ValueError is a path with a NUL character in it.
        reason = (isinstance(error, OSError) and error.strerror) or "not a possible path"
        raise ImageUnreadable(
            f"cannot be read: {reason}",
            where=name,
            hint="a picture is given as a path, a data: URL, bytes, a PIL image or an array",
        ) from None
    # Again: the file may have grown since.
    _check_bytes(len(data), name, limits)
    return data


def _check_regular(mode: int, name: str) -> None:
    if stat.S_ISDIR(mode):
        raise ImageUnreadable("a folder, not a picture", where=name, hint="name one picture in it")
    if not stat.S_ISREG(mode):
        raise ImageUnreadable(
            "not a regular file (a pipe, a socket or a device)",
            where=name,
            hint="write the picture to a file first, or read its bytes and give those",
        )


def _check_bytes(size: int, name: str, limits: ImageLimits) -> None:
    if size == 0:
        raise ImageUnreadable("empty, 0 bytes", where=name, hint="copy or download the picture again")
    if size > limits.bytes:
        raise ImageTooLarge(
            f"{size:,} bytes; the limit is {limits.bytes:,} bytes",
            where=name,
            hint="save it smaller or with more compression; from Python, pass ImageLimits(bytes=...)",
        )


def _from_data_url(text: str, name: str, limits: ImageLimits) -> bytes:
    """Bytes of `data:[media type];base64,<base64>` (RFC 2397). What is in it decides the kind, not the media type."""
    head, comma, payload = text.partition(",")
    if not comma or head[-7:].lower() != ";base64":
        raise ImageUnreadable(
            f"starts with {text[:40]!r}, which is not base64 text with a head",
            where=name,
            hint="write it as data:image/png;base64,<base64 text>",
        )
    # Four characters hold three bytes, so the size is known, to three bytes, before anything is decoded.
    _check_bytes(len(payload) // 4 * 3 - payload[-2:].count("="), name, limits)
    try:
        return base64.b64decode(payload, validate=True)
    except ValueError:
        stray = _NOT_BASE64.search(payload)
        raise _not_base64(stray, name) from None


def _not_base64(stray: re.Match[str] | None, name: str) -> ImageUnreadable:
    if stray is None:
        return ImageUnreadable(
            "its base64 text is cut short or wrongly padded", where=name, hint="encode the picture again"
        )
    return ImageUnreadable(
        f"character {stray.start() + 1:,} of its text is {stray.group()!r}, which is not base64",
        where=name,
        hint="use the standard alphabet (A-Z a-z 0-9 + / =) without spaces, line breaks or %-escapes",
    )


def expanded(text: str) -> Path:
    """The path that a text means, `~` being the user's home."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        # `~somebody` of an unknown user: then it is the name of a file like any other.
        return Path(text)


def nearest_name(missing: Path) -> str:
    """A hint: the file of that folder that was probably meant, by letter case, by its stem or by its spelling."""
    try:
        with os.scandir(missing.parent) as entries:
            names = [entry.name for entry in itertools.islice(entries, FOLDER_READ)]
    except OSError:
        return f"there is no folder {printable(str(missing.parent))}"
    wanted = missing.name.lower()
    near = [name for name in names if name.lower() == wanted]
    near += [name for name in names if name.lower().rpartition(".")[0] == missing.stem.lower()]
    if len(names) <= FOLDER_COMPARED:
        near += difflib.get_close_matches(missing.name, names, n=1, cutoff=LIKENESS)
    return f"did you mean {printable(near[0])}?" if near else "no file in that folder has a similar name"


def printable(text: str) -> str:
    """A text on one line: control characters and lone surrogates are written as escapes, and the middle is left out."""
    if len(text) > NAME_SHOWN:
        half = NAME_SHOWN // 2
        text = f"{text[:half]}...{text[-half:]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
