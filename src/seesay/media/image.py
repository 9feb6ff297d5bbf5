"""Open a picture, whatever it comes as: a path, a `data:` URL, encoded bytes, a PIL image or an array.

    picture = open_image("cat.jpg")
    picture.pixels   # PIL image, RGB, upright
    picture.sha256   # names what went in
    picture.name     # for messages

This is the only place in seesay that turns what a caller hands in into pixels, for the command line, batches, training
and the server alike. Limits are checked before anything is decoded, and everything that can be wrong with a picture is
an `ImageError` that names it. `docs/pictures.md` says the same for users.

The work is done next door: `source` (bytes), `decode` (Pillow, guarded), `rgb` (colours and orientation).
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import ImageUnreadable
from ..types import ImageSource, Picture
from .decode import check_size, opened, translated
from .rgb import check_shape, orientation, rgb_of_array, scale_colour_key, upright_rgb
from .source import DEFAULT_LIMITS, ImageLimits, image_name, is_array, is_pil_image, read_encoded

if TYPE_CHECKING:
    import numpy
    import PIL.Image
    import PIL.ImageFile

Scaling: TypeAlias = Callable[[int, int], tuple[int, int]]
"""To what (width, height) an upright picture of (width, height) will be scaled."""
MARGIN = 1.5
"""What a reduced picture is larger by than what it will be scaled to, at least, so that scaling still has what it weighs."""
_ENCODED = (str, PathLike, bytes, bytearray, memoryview)


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What the header of a picture says."""

    format: str
    """Pillow's name of the kind (JPEG, MPO, PNG, WEBP, GIF, BMP, TIFF, AVIF); empty where the picture came decoded."""
    width: int
    """In pixels, upright."""
    height: int
    mode: str
    """Pillow's name of the pixels in the file, such as RGB, RGBA, P or I;16; the number type of an array."""
    bytes: int
    """Encoded size; 0 where the picture came decoded."""


def open_image(source: ImageSource, *, limits: ImageLimits = DEFAULT_LIMITS, fits: Scaling | None = None) -> Picture:
    """Open a picture: within the limits, decoded, upright and in RGB.

    A PIL image is taken at the frame it stands at, and is not changed (Pillow reads its file, where it has not yet). A
    picture that was opened before is given as it is, its pixels copied.

    Args:
        fits: to what (width, height) the caller will scale an upright picture of (width, height). A JPEG that is far larger is
            then decoded at a half, a quarter or an eighth of its size, but not below 1.5 times that: a photo of 12
            megapixels takes a fifth of the time, and after scaling its values differ by 0.1 to 0.4 of 255 on average.

    Raises:
        ImageNotFound: no such file.
        ImageTooLarge: over one of the limits.
        ImageUnreadable: anything else that keeps it from being a picture.
    """
    if isinstance(source, Picture):
        return replace(source, pixels=source.pixels.copy())
    name = image_name(source)
    if isinstance(source, _ENCODED):
        data = read_encoded(source, name, limits)
        with opened(data, name, limits) as image:
            scale_colour_key(image)
            if fits is not None:
                _reduce(image, fits)
            image.load()
            return Picture(upright_rgb(image, name), _sha256(data), name)
    pixels = _from_array(source, name, limits) if is_array(source) else _from_pil(source, name, limits)
    return Picture(pixels, _sha256(f"{pixels.width}x{pixels.height} RGB\0".encode(), pixels.tobytes()), name)


def _reduce(image: PIL.ImageFile.ImageFile, fits: Scaling) -> None:
    """Have a JPEG decoded no larger than needed; other kinds take no notice."""
    width, height = image.size
    turned = orientation(image) >= 5
    wanted = fits(height, width) if turned else fits(width, height)
    if min(wanted) > 0:
        across, down = reversed(wanted) if turned else wanted
        image.draft(None, (math.ceil(MARGIN * across), math.ceil(MARGIN * down)))


def digest_image(source: ImageSource, *, limits: ImageLimits = DEFAULT_LIMITS) -> str:
    """The `sha256` that `open_image` would give, without decoding: who has this picture prepared need not open it.

    Raises the errors of `open_image` as far as they can be told without decoding.
    """
    if isinstance(source, Picture):
        return source.sha256
    if isinstance(source, _ENCODED):
        return _sha256(read_encoded(source, image_name(source), limits))
    return open_image(source, limits=limits).sha256


def data_url(source: ImageSource, *, limits: ImageLimits = DEFAULT_LIMITS) -> str:
    """The picture as a `data:` URL (RFC 2397): its bytes as they came, or as PNG where it came decoded.

    Raises the errors of `probe_image`.
    """
    name = image_name(source)
    if isinstance(source, _ENCODED):
        data = read_encoded(source, name, limits)
        with opened(data, name, limits) as image:
            kind = image.get_format_mimetype()
    else:
        buffer = io.BytesIO()
        open_image(source, limits=limits).pixels.save(buffer, "PNG")
        data, kind = buffer.getvalue(), "image/png"
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def probe_image(source: ImageSource, *, limits: ImageLimits = DEFAULT_LIMITS, fits: Scaling | None = None) -> ImageInfo:
    """What the header says, without decoding: about ten times faster than `open_image` on a photo of 640 x 480.

    Args:
        fits: as of `open_image`; width and height are then those that it would give.

    Raises the errors of `open_image` as far as a header can tell: a picture that is cut short behind its header passes.
    """
    if isinstance(source, Picture):
        return ImageInfo("", source.pixels.width, source.pixels.height, source.pixels.mode, 0)
    name = image_name(source)
    if isinstance(source, _ENCODED):
        data = read_encoded(source, name, limits)
        with opened(data, name, limits) as image:
            if fits is not None:
                _reduce(image, fits)
            return _info(image, image.format or "", len(data))
    if is_array(source):
        width, height = check_shape(source, name)
        check_size((width, height), name, limits)
        return ImageInfo("", width, height, str(source.dtype), 0)
    with _unbroken_pil(source, name, limits) as image:
        return _info(image, "", 0)


def _info(image: PIL.Image.Image, kind: str, size: int) -> ImageInfo:
    width, height = image.size
    # 5 to 8 lie on their side. Pillow already gives the upright size of a TIFF.
    if image.format != "TIFF" and orientation(image) >= 5:
        width, height = height, width
    return ImageInfo(kind, width, height, image.mode, size)


def _from_pil(source: object, name: str, limits: ImageLimits) -> PIL.Image.Image:
    with _unbroken_pil(source, name, limits) as image:
        image.load()
        return upright_rgb(image, name)


@contextmanager
def _unbroken_pil(source: object, name: str, limits: ImageLimits) -> Iterator[PIL.Image.Image]:
    if not is_pil_image(source):
        raise ImageUnreadable(
            "not a picture", where=name, hint="give a path, a data: URL, bytes, a PIL image or a numpy array"
        )
    check_size(source.size, name, limits)
    with translated("its pixels cannot be read: closed, broken or cut short", name, limits):
        yield source


def _from_array(array: numpy.ndarray[Any, Any], name: str, limits: ImageLimits) -> PIL.Image.Image:
    check_size(check_shape(array, name), name, limits)
    return rgb_of_array(array, name)


def _sha256(*parts: bytes) -> str:
    import hashlib

    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
