"""Any picture that Pillow or numpy holds, as upright RGB of eight bits a channel.

What plain `convert("RGB")` does wrong is done right here: transparency lies on white instead of showing hidden colours,
16 bits are scaled instead of clipped, and the orientation that a camera noted is applied. Embedded ICC profiles are not
applied: models are trained on pixels as they stand, and a profile is a program for another decoder. CMYK is therefore
converted by the plain formula R = (255 - C)(255 - K) / 255; Pillow has by then undone the inversion of Adobe's JPEGs.

This module knows nothing about files and limits. No function changes the picture it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ImageUnreadable

if TYPE_CHECKING:
    import numpy
    import PIL.Image
    import PIL.ImageFile

ORIENTATION = 0x0112
"""The EXIF tag that says how the camera was held: 1 is upright, 2 to 8 are turned or mirrored."""
WHITE_IS_ZERO = 0
PHOTOMETRIC, BITS_PER_SAMPLE = 262, 258
KEY_SCALES = {"L;2": 85, "L;4": 17}
"""What a gray of 2 or 4 bits is multiplied by to have 8."""


def upright_rgb(image: PIL.Image.Image, name: str) -> PIL.Image.Image:
    """A new RGB picture, upright, without any metadata, from a loaded picture of any mode.

    Raises:
        ImageUnreadable: floating-point pixels that are not all finite.
    """
    pixels = _rgb(image, name)
    # Turning comes last: TIFF pictures are turned by Pillow while they load, which takes the tag away.
    pixels = _turned(pixels, orientation(image))
    # An orientation that stayed would be applied again if these pixels came back in.
    pixels.info = {}
    return pixels


def orientation(image: PIL.Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or its EXIF is broken, which never fails a picture."""
    from PIL import Image

    try:
        # The base class's method: that of PNG pictures decodes the picture to look for EXIF behind it.
        value = Image.Image.getexif(image).get(ORIENTATION, 1)
    except Exception:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def scale_colour_key(image: PIL.ImageFile.ImageFile) -> None:
    """Bring the transparent colour of a PNG to eight bits, as Pillow does with its pixels but not with the colour.

    To be called between opening and loading, while the depth in the file is still known. Of 16-bit colours Pillow keeps
    the high byte, so the key is compared by its high byte too.
    """
    key = image.info.get("transparency")
    raw = image.tile[0][3] if image.format == "PNG" and image.tile else None
    if isinstance(key, int) and isinstance(raw, str) and raw in KEY_SCALES:
        image.info["transparency"] = key * KEY_SCALES[raw]
    if isinstance(key, tuple) and raw == "RGB;16B":
        image.info["transparency"] = tuple(value >> 8 for value in key)


def rgb_of_array(array: numpy.ndarray[Any, Any], name: str) -> PIL.Image.Image:
    """RGB from an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), the fourth channel being alpha, laid on white.

    uint8 is taken as it is; bool is black and white; uint16 is scaled from 0..65535; floats are scaled from 0..1.

    Raises:
        ImageUnreadable: another type of number, or floats outside 0..1 or not finite.
    """
    from PIL import Image

    values = _bytes_of_array(array, name)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    return _rgb(Image.fromarray(values), name)


def check_shape(array: numpy.ndarray[Any, Any], name: str) -> tuple[int, int]:
    """(width, height) of a picture in an array, or ImageUnreadable where its shape is not that of a picture."""
    shape = array.shape
    if array.ndim == 2 or (array.ndim == 3 and shape[2] in (1, 3, 4)):
        return shape[1], shape[0]
    hint = "an array is (height, width) or (height, width, 1, 3 or 4)"
    if array.ndim == 3 and shape[0] in (1, 3, 4):
        hint += "; if its channels come first, give array.transpose(1, 2, 0)"
    if array.ndim == 4:
        hint += "; give the pictures of a batch one by one"
    raise ImageUnreadable(f"shape {shape} is not that of one picture", where=name, hint=hint)


def _rgb(image: PIL.Image.Image, name: str) -> PIL.Image.Image:
    """RGB as a new picture, not turned."""
    if image.mode.startswith("I;16"):
        return _from_gray16(image)
    if image.mode in ("I", "F"):
        return _from_wide_gray(image, name)
    if image.has_transparency_data:
        return _on_white(image)
    # 1, L, P, RGB, RGBX, CMYK, YCbCr, HSV; LAB goes through Pillow's colour management (CIELAB, D50, to sRGB).
    return image.convert("RGB")


def _on_white(image: PIL.Image.Image) -> PIL.Image.Image:
    from PIL import Image

    if image.mode == "La":
        image = image.convert("LA")
    whole = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(whole, mask=whole.getchannel("A"))
    return white


def _from_gray16(image: PIL.Image.Image) -> PIL.Image.Image:
    import numpy
    from PIL import Image

    values = numpy.asarray(image)
    tags = getattr(image, "tag_v2", {})
    top = 4095 if tags.get(BITS_PER_SAMPLE) == (12,) else 65535
    gray = _scaled(values, top)
    if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        # Pillow inverts such pictures of up to eight bits, and not these.
        gray = 255 - gray
    key = image.info.get("transparency")
    if isinstance(key, int):
        gray = numpy.where(values == key, numpy.uint8(255), gray)
    return Image.fromarray(gray).convert("RGB")


def _from_wide_gray(image: PIL.Image.Image, name: str) -> PIL.Image.Image:
    """Gray of 32 bits, which says nothing about its range.

    Integers (mode I) within 0..255 are taken as they are and within 0..65535 as 16 bits. All others, and all floats
    (mode F), are stretched from the lowest value (black) to the highest (white); one value throughout becomes black.
    """
    import numpy
    from PIL import Image

    values = numpy.asarray(image)
    low, high = float(values.min()), float(values.max())
    if not numpy.isfinite(low + high):
        raise ImageUnreadable(
            "its floating-point pixels are not all finite", where=name, hint="replace NaN and infinity first"
        )
    if image.mode == "I" and low >= 0 and high <= 65535:
        gray = values.astype(numpy.uint8) if high <= 255 else _scaled(values, 65535)
    else:
        span = (high - low) or 1.0
        gray = numpy.rint((values.astype(numpy.float64) - low) * (255.0 / span)).astype(numpy.uint8)
    return Image.fromarray(gray).convert("RGB")


def _bytes_of_array(array: numpy.ndarray[Any, Any], name: str) -> numpy.ndarray[Any, Any]:
    import numpy

    if array.dtype == numpy.bool_:
        return array.astype(numpy.uint8) * numpy.uint8(255)
    if array.dtype == numpy.uint8:
        return numpy.ascontiguousarray(array)
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        return _scaled(array, 65535)
    if array.dtype.kind != "f":
        raise ImageUnreadable(
            f"values of type {array.dtype}", where=name, hint="give uint8, bool, uint16, or floats from 0 to 1"
        )
    low, high = float(array.min()), float(array.max())
    if not numpy.isfinite(low + high):
        raise ImageUnreadable("values that are not finite", where=name, hint="replace NaN and infinity first")
    if low < 0 or high > 1:
        raise ImageUnreadable(
            f"floats from {low:g} to {high:g}",
            where=name,
            hint="floats go from 0 (black) to 1; scale them, or give uint8",
        )
    return numpy.rint(array * 255.0).astype(numpy.uint8)


def _scaled(values: numpy.ndarray[Any, Any], top: int) -> numpy.ndarray[Any, Any]:
    """Integers from 0..top to 0..255, rounded: 32768 of 65535 is 128. Values above `top` become 255."""
    import numpy

    table = (numpy.arange(top + 1) * 255 + top // 2) // top
    return table.astype(numpy.uint8).take(values, mode="clip")


def _turned(image: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    """Undo an EXIF orientation (EXIF 2.32, tag 0x0112)."""
    from PIL.Image import Transpose

    undo = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(undo[orientation]) if orientation in undo else image
