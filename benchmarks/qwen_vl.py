"""A chat model of Qwen2.5-VL's architecture: its eye at the published size, a language model of half a billion weights (Qwen2.5's
smallest), a picture of 512 pixels. Five questions about it, the first token, and 16 tokens.

The eye is that of every published size (3B to 72B) and most of the work. What is compared and how is in `chat_answers`.
"""

from .chat_answers import compare
from .sides import photo
from .sizes import WORK


def measure() -> dict[str, object]:
    return compare("qwen2.5-vl-0.5b", photo(WORK, 512, 512), long=16, rounds=2)
