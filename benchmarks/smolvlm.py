"""A chat model of SmolVLM-256M's size: five questions about one picture, its first token, and 32 tokens.

A picture is one tile of 512 pixels. What is compared and how is in `chat_answers`.
"""

from .chat_answers import compare
from .sides import photo
from .sizes import WORK


def measure() -> dict[str, object]:
    return compare("smolvlm-256m", photo(WORK, 640, 427))
