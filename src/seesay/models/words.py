"""Text to tokens and back by a `tokenizer.json`, without transformers. Special tokens that a user types stay letters.

Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import MissingExtra


class Words:
    """A tokenizer of the `tokenizers` library.

    Raises:
        MissingExtra: the library is not installed.
    """

    def __init__(self, file: Path) -> None:
        if find_spec("tokenizers") is None:
            raise MissingExtra("a model in the form of ONNX", "seesay[exported]")
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_file(str(file))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._tokenizer.encode_special_tokens = True

    def whole(self, texts: Sequence[str], longest: int) -> list[list[int]]:
        """Tokens of each text behind the one that begins a text and before the one that ends it, of a longer text the first."""
        found = [encoded.ids for encoded in self._tokenizer.encode_batch(list(texts))]
        return [ids if len(ids) <= longest else [*ids[: longest - 1], ids[-1]] for ids in found]

    def bare(self, text: str) -> list[int]:
        """Tokens of a text alone."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def text(self, ids: Sequence[int]) -> str:
        """What tokens say; special ones say nothing."""
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=True)
        return text
