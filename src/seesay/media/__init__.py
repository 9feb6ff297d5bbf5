"""The one guarded door: whatever opens a picture or a recording in seesay opens it here, and whatever takes a question
cleans it here.

Importing this package imports neither Pillow nor numpy, so that a mistyped path fails before either is paid for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazily

if TYPE_CHECKING:
    from ..types import Picture as Picture
    from .audio import AudioInfo as AudioInfo
    from .audio import AudioLimits as AudioLimits
    from .audio import Sound as Sound
    from .audio import audio_name as audio_name
    from .audio import digest_audio as digest_audio
    from .audio import open_audio as open_audio
    from .audio import probe_audio as probe_audio
    from .image import ImageInfo as ImageInfo
    from .image import Scaling as Scaling
    from .image import data_url as data_url
    from .image import digest_image as digest_image
    from .image import open_image as open_image
    from .image import probe_image as probe_image
    from .silence import sounding as sounding
    from .silence import trimmed as trimmed
    from .source import ImageLimits as ImageLimits
    from .source import image_name as image_name
    from .text import ALLOWED_CONTROLS as ALLOWED_CONTROLS
    from .text import clean_text as clean_text

__getattr__, __dir__ = lazily(__name__, __file__)
