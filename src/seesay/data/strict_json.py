"""JSON as the standard has it, from files that strangers wrote: no NaN, no key twice, no endless nesting.

Python's own reader takes NaN for a number and keeps the last of two equal keys without a word.
"""

from __future__ import annotations

import json
from collections.abc import Sequence


class NotJson(ValueError):
    """What is wrong with a text, in words; `line` counts from 1, 0 where it is not known."""

    def __init__(self, message: str, line: int = 0) -> None:
        self.message, self.line = message, line
        super().__init__(message)


def decode(text: str | bytes) -> object:
    """The value of a JSON text (bytes: UTF-8, with or without a byte order mark).

    Raises:
        NotJson: it is not UTF-8, or not JSON.
    """
    try:
        return _DECODER.decode(text.decode("utf-8-sig") if isinstance(text, bytes) else text)
    except UnicodeDecodeError as error:
        raise NotJson(f"byte {error.start + 1:,} is not UTF-8", _line_of(error)) from None
    except json.JSONDecodeError as error:
        raise NotJson(f"not JSON: {error.msg} at character {error.colno:,}", error.lineno) from None
    except RecursionError:
        raise NotJson("not JSON: nested too deeply") from None
    except NotJson:
        raise
    except ValueError:
        # Python refuses to read whole numbers of thousands of digits.
        raise NotJson("not JSON: a number of too many digits") from None


def _line_of(error: UnicodeDecodeError) -> int:
    return error.object[: error.start].count(b"\n") + 1


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise NotJson(f"the key {twice[:80]!r} stands there twice")
    return found


def _constant(name: str) -> object:
    raise NotJson(f"not JSON: {name} is no JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
