"""Words of `seesay-mini`: whole names are one token, so that the first word of an answer decides among all names at once.

"hot air balloon" is one token, "dogs" is two: the name and PLURAL. What is in no list is spelled letter by letter, so any
text can be an answer after fine-tuning. It knows nothing of models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from .words import a, plural

PAD, ASK, CAPTION, ANSWER, END, PLURAL, SPELL = (
    "[pad]",
    "[ask]",
    "[caption]",
    "[answer]",
    "[end]",
    "[plural]",
    "[spell]",
)
SPECIAL = (PAD, ASK, CAPTION, ANSWER, END, PLURAL, SPELL)
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789'-"
_LETTER_TOKENS = frozenset(f"[{letter}]" for letter in LETTERS)
UNKNOWN_ANSWER = "unknown"
LONGEST_NAME = 6
"""Words of the longest name."""
READ_AS = {
    "image": "picture", "photo": "picture", "photograph": "picture", "pic": "picture", "drawing": "picture", "scene": "picture",
    "grey": "gray", "items": "objects", "item": "object", "center": "middle", "centre": "middle", "beneath": "under",
    "underneath": "under", "creature": "animal", "creatures": "animals", "violet": "purple", "located": "", "placed": "",
    "nobody": "no", "zero": "0", "colored": "color", "coloured": "color", "colors": "color", "colours": "color",
}  # fmt: skip
"""Words that the model was not taught, and what it was taught instead."""
PASSED_OVER = frozenset(
    """please tell me could would should shall will may might must that these those his her its my your our their at by for from
    about into as be been being am were had has did just also very really so then now some other another something anything
    someone somebody i we us he she they them him not if but because than too only own same such exactly actually currently
    main maybe perhaps hello hi hey thanks thank give say says said look looking looks appear appears seem seems find seen
    visible shows showing displayed depicted pictured let know want ok okay well with""".split()
)
"""Words that may stand in a question without changing it; any other unknown word means that the question is not understood."""


class Tokenizer:
    """Text to ids and back.

    Args:
        names: things that have a name, each one token whatever its number of words.
        words: all other words.
        synonyms: words that are read as a name: puppy -> dog. They are never written.
        answers: whole answers that fine-tuning added; their ids come last, so that all others stay.
    """

    def __init__(
        self, names: Sequence[str], words: Sequence[str], synonyms: Mapping[str, str], answers: Sequence[str] = ()
    ) -> None:
        self.names, self.words, self.synonyms = tuple(names), tuple(words), dict(synonyms)
        self.answers = tuple(answers)
        self.names_set = frozenset((*names, *answers))
        letters = [f"[{letter}]" for letter in LETTERS]
        self.tokens = (*SPECIAL, *letters, *dict.fromkeys((*self.names, *self.words, *self.answers)))
        self.ids = {token: index for index, token in enumerate(self.tokens)}
        self._forms: dict[tuple[str, ...], tuple[int, ...]] = {}
        for name in self.names:
            self._forms.setdefault(tuple(_split(plural(name))), (self.ids[name], self.ids[PLURAL]))
        for word, name in self.synonyms.items():
            self._forms.setdefault(tuple(_split(plural(word))), (self.ids[name], self.ids[PLURAL]))
            self._forms.setdefault(tuple(_split(word)), (self.ids[name],))
        for name in (*self.names, *self.answers):
            self._forms[tuple(_split(name))] = (self.ids[name],)

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """The ids of `text`: the longest names first, then words, then letters. Articles lose their n."""
        return [index for _, ids in self._pieces(text) for index in ids]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`, without special tokens; "a" becomes "an" before a vowel."""
        pieces: list[str] = []
        spelling = False
        for index in ids:
            token = self.tokens[index]
            if token == PLURAL and pieces:
                pieces[-1] = plural(pieces[-1])
            elif token == SPELL:
                spelling = True
                pieces.append("")
            elif token in _LETTER_TOKENS:
                if spelling:
                    pieces[-1] += token[1]
            elif token not in SPECIAL:
                spelling = False
                pieces.append(token)
        return " ".join(_with_article([piece for piece in pieces if piece])).replace(" ,", ",").strip()

    def unknown_words(self, text: str) -> list[str]:
        """The words of `text` that would be spelled."""
        spelled = self.ids[SPELL]
        return [piece for piece, ids in self._pieces(text) if spelled in ids and piece not in PASSED_OVER]

    def encode_question(self, text: str) -> list[int]:
        """As `encode`, without the words that change nothing."""
        spelled = self.ids[SPELL]
        return [index for _, ids in self._pieces(text) if spelled not in ids for index in ids]

    def with_answers(self, texts: Iterable[str]) -> Tokenizer:
        """One that can write those of `texts` as they stand: those that would be put together, spelled, or read as another word
        become tokens. Plurals of names stay two, and sentences are left to words."""
        added = [text for text in dict.fromkeys(texts) if 0 < len(_split(text)) <= LONGEST_NAME and self._lacks(text)]
        return Tokenizer(self.names, self.words, self.synonyms, [*self.answers, *sorted(added)])

    def _lacks(self, text: str) -> bool:
        if text in self.ids or text == "an":  # which "a" becomes by itself
            return False
        ids = self.encode(text)
        is_plural = len(ids) == 2 and ids[1] == self.ids[PLURAL]
        return self.decode(ids) != text or (len(ids) > 1 and not is_plural)

    def _pieces(self, text: str) -> Iterator[tuple[str, Sequence[int]]]:
        """The names and words of `text` with their ids."""
        words = _split(text)
        start = 0
        while start < len(words):
            for stop in range(min(len(words), start + LONGEST_NAME), start, -1):
                form = self._forms.get(tuple(words[start:stop]))
                if form is not None:
                    break
            else:
                stop, form = start + 1, tuple(self._word(words[start]))
            yield " ".join(words[start:stop]), form
            start = stop

    def _word(self, word: str) -> list[int]:
        if word in READ_AS:
            return self._word(READ_AS[word]) if READ_AS[word] else []
        if word in self.ids:
            return [self.ids[word]]
        if word == "an":
            return [self.ids["a"]]
        return [self.ids[SPELL], *(self.ids[f"[{letter}]"] for letter in word if f"[{letter}]" in self.ids)]

    def save(self, path: Path) -> None:
        content = {"names": self.names, "words": self.words, "synonyms": self.synonyms, "answers": self.answers}
        path.write_text(json.dumps(content, ensure_ascii=False, indent=0), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(content["names"], content["words"], content["synonyms"], content.get("answers", ()))

    @classmethod
    def build(cls, names: Sequence[str], texts: Iterable[str], synonyms: Mapping[str, str]) -> Tokenizer:
        """A tokenizer with the names and every other word of `texts` that is no part of a name there."""
        known = cls(names, ("a",), synonyms)
        words: set[str] = set()
        for text in texts:
            parts = _split(text)
            start = 0
            while start < len(parts):
                stop = next(
                    (
                        stop
                        for stop in range(min(len(parts), start + LONGEST_NAME), start, -1)
                        if tuple(parts[start:stop]) in known._forms
                    ),
                    0,
                )
                if not stop:
                    words.add(parts[start])
                start = stop or start + 1
        return cls(names, sorted(words - {"an"} | {"a"}), synonyms)


def _split(text: str) -> list[str]:
    """Words in small letters; "what's" is "what is", and "the cat's" is "the cat"."""
    if text.isascii() and text.replace(" ", "").isalpha():  # nearly all names: there is nothing to take apart
        return text.lower().split()
    text = text.lower().replace("’", "'").replace("‘", "'")
    text = re.sub(r"\b(what|where|who|which|how|it|that|there)'s\b", r"\1 is", text)
    words = re.findall(r"[\w'-]+|,", re.sub(r"(?<=\w)'s\b", "", text))
    # What is left at the ends of a word are quotes, dashes and the apostrophe of "the dogs' color".
    return [word for word in (word.strip("'-") for word in words) if word]


def _with_article(pieces: list[str]) -> list[str]:
    return [
        "an" if piece == "a" and index + 1 < len(pieces) and a(pieces[index + 1]).startswith("an ") else piece
        for index, piece in enumerate(pieces)
    ]
