"""The one guarded door: whatever opens a picture or a recording in seesay opens it here, and whatever takes a question
cleans it here.

Importing this package imports neither Pillow nor numpy, so that a mistyped path fails before either is paid for.
"""

from __future__ import annotations

from ..types import Picture
from .audio import AudioInfo, AudioLimits, Sound, audio_name, digest_audio, open_audio, probe_audio
from .image import ImageInfo, Scaling, data_url, digest_image, open_image, probe_image
from .silence import sounding, trimmed
from .source import ImageLimits, image_name
from .text import ALLOWED_CONTROLS, clean_text

__all__ = [
    "ALLOWED_CONTROLS",
    "AudioInfo",
    "AudioLimits",
    "ImageInfo",
    "ImageLimits",
    "Picture",
    "Scaling",
    "Sound",
    "audio_name",
    "clean_text",
    "data_url",
    "digest_audio",
    "digest_image",
    "image_name",
    "open_audio",
    "open_image",
    "probe_audio",
    "probe_image",
    "sounding",
    "trimmed",
]
