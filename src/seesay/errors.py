"""Everything seesay raises on purpose, and the exit code and HTTP status that each error becomes.

    SeesayError                       1 / 500   anything below; catch this one to catch all
    ├── UsageError                    2 / 400   the call itself cannot be meant: a flag, a setting, an argument
    ├── InputError                    3 / 422   what was handed in cannot be used
    │   ├── ImageError                          a picture
    │   │   ├── ImageNotFound             404   no such file
    │   │   ├── ImageUnreadable                 not a picture, an unknown kind, or broken
    │   │   └── ImageTooLarge             413   over a limit, found before decoding
    │   ├── AudioError                          a recording
    │   │   ├── AudioNotFound             404   no such file
    │   │   ├── AudioUnreadable                 not a recording, an unknown kind, or broken
    │   │   └── AudioTooLarge             413   over a limit
    │   ├── TextError                           a question or an answer
    │   └── SpeechError                         a text that cannot be spoken
    ├── DataError                     3 / 422   a data set; carries every `Problem` found in it
    ├── ModelError                    3 / 422   a checkpoint that cannot do what was asked
    │   └── ModelNotFound                 404   no checkpoint of that name
    ├── RunError                      3 / 409   a training run that cannot go on as it stands
    ├── ResourceError                 4 / 503   disk, memory, network or time ran out
    │   ├── MissingExtra                        an optional package is not installed
    │   └── Busy                          429   a server has more to do than it takes on
    └── Interrupted                 130 / 503   stopped by the user; what was done so far is kept

An error says where, what was found, what is known and what to do:

    my.jsonl:17: no 'image' field
    hint: fields here: img, q, a

This module imports nothing of ours. It knows nothing about how an error is shown: `cli.render` and the server do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PROBLEMS_LISTED = 20
"""How many problems of a data set a message lists before it only counts the rest."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a data set, kept so that all of them can be told at once.

    `where` is `file:line`, or the file alone. `fatal` problems stop training; the others are warnings.
    """

    where: str
    message: str
    hint: str = ""
    fatal: bool = True

    def __str__(self) -> str:
        return _compose(self.message, self.where, self.hint)


class SeesayError(Exception):
    """The root of the tree: a message for people, where it applies, and what to do about it."""

    exit_code = 1
    http_status = 500

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        self.message = message
        self.where = where
        self.hint = hint
        super().__init__(_compose(message, where, hint))


class UsageError(SeesayError):
    """The call itself cannot be meant: an unknown flag, setting or argument, or a value out of range."""

    exit_code = 2
    http_status = 400


class InputError(SeesayError):
    """Something handed in for an answer (a picture, a text) cannot be used."""

    exit_code = 3
    http_status = 422


class ImageError(InputError):
    """A picture cannot be used."""


class ImageNotFound(ImageError):
    """There is no such picture."""

    http_status = 404


class ImageUnreadable(ImageError):
    """Not a picture, a kind of picture that is not accepted, or a broken one."""


class ImageTooLarge(ImageError):
    """A picture over one of the limits; found from its header, before anything is decoded."""

    http_status = 413


class AudioError(InputError):
    """A recording cannot be used."""


class AudioNotFound(AudioError):
    """There is no such recording."""

    http_status = 404


class AudioUnreadable(AudioError):
    """Not a recording, a kind of recording that is not accepted, or a broken one."""


class AudioTooLarge(AudioError):
    """A recording over one of the limits; found from its header or while it is decoded, block by block."""

    http_status = 413


class TextError(InputError):
    """A question or an answer cannot be used."""


class SpeechError(InputError):
    """A text cannot be spoken: nothing in it can be said, or the voice failed on a sentence."""


class DataError(SeesayError):
    """A data set cannot be trained or evaluated on. `problems` holds everything found, not only what is listed."""

    exit_code = 3
    http_status = 422

    def __init__(self, message: str, *, where: str = "", hint: str = "", problems: Sequence[Problem] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__(message, where=where, hint=hint)

    def __str__(self) -> str:
        listed = [str(problem) for problem in self.problems[:PROBLEMS_LISTED]]
        hidden = len(self.problems) - len(listed)
        if hidden:
            listed.append(f"... and {hidden:,} more")
        return "\n".join([super().__str__(), *listed])


class ModelError(SeesayError):
    """A checkpoint cannot do what was asked of it."""

    exit_code = 3
    http_status = 422


class ModelNotFound(ModelError):
    """There is no checkpoint of that name."""

    http_status = 404


class RunError(SeesayError):
    """A training run cannot go on as it stands (other settings, other data, no checkpoint that verifies)."""

    exit_code = 3
    http_status = 409


class ResourceError(SeesayError):
    """Disk, memory, network or time ran out."""

    exit_code = 4
    http_status = 503


class MissingExtra(ResourceError):
    """An optional package is needed and not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs packages that are not installed", hint=f'pip install "{extra}"')


class Busy(ResourceError):
    """A server has more to do than it takes on; `retry_after` is in how many seconds to ask again."""

    http_status = 429

    def __init__(self, message: str, *, where: str = "", hint: str = "", retry_after: int = 1) -> None:
        self.retry_after = retry_after
        super().__init__(message, where=where, hint=hint)


class Interrupted(SeesayError):
    """Stopped by the user. What was finished is kept, and the hint says how to go on."""

    exit_code = 130
    http_status = 503


def _compose(message: str, where: str, hint: str) -> str:
    first = f"{where}: {message}" if where else message
    return f"{first}\nhint: {hint}" if hint else first
