"""A WordPiece vocabulary made from the training questions or captions, for models that start from random weights.

Every word of the texts is one token, the most frequent first; letters stand behind them, so that a word never seen
in training is spelled out instead of becoming [UNK]. A model trained from scratch knows nothing about such words: they
are readable to it, not understood.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS_KEPT = 30_000
"""About as many as BERT's own vocabulary has."""


def build_vocabulary(texts: Iterable[str]) -> dict[str, int]:
    """Token -> id: special tokens, words by frequency (ties alphabetical), letters, letters within a word."""
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    normalizer, splitter = BertNormalizer(lowercase=True), BertPreTokenizer()
    counts: Counter[str] = Counter()
    for text, times in Counter(texts).items():
        for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)):
            counts[word] += times
    words = sorted(counts, key=lambda word: (-counts[word], word))[:WORDS_KEPT]
    letters = sorted({letter for word in counts for letter in word} | set("abcdefghijklmnopqrstuvwxyz0123456789"))
    tokens = dict.fromkeys([*SPECIAL, *words, *letters, *(f"##{letter}" for letter in letters)])
    return {token: index for index, token in enumerate(tokens)}
