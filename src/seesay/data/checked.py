"""What every check's report has: the problems that were found, and whether they stop training. Knows no kind of rows."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence

from ..errors import PROBLEMS_LISTED, DataError, Problem

Table = tuple[str, list[str], list[list[str]]]
"""Title, header, rows."""


class Checked(ABC):
    """A report of a data set that was read as training would."""

    __slots__ = ()

    name: str
    problems: tuple[Problem, ...]

    @property
    def fatal(self) -> tuple[Problem, ...]:
        """The problems that stop training."""
        return tuple(problem for problem in self.problems if problem.fatal)

    def raise_for_problems(self) -> None:
        """Raise DataError with all fatal problems, if there are any."""
        if self.fatal:
            count = len(self.fatal)
            message = f"{count:,} problem{'s' if count > 1 else ''} to mend"
            raise DataError(message, where=self.name, problems=self.fatal)

    def sentences(self) -> list[str]:
        """The problems in words, at most twenty of them, then how many more there are."""
        listed = listed_problems(self.problems)
        hidden = len(self.problems) - len(listed)
        return [*listed, *([f"... and {hidden:,} more"] if hidden else []), *([] if self.problems else ["no problems"])]


def listed_problems(problems: Sequence[Problem]) -> list[str]:
    """The first twenty in words."""
    return [f"{'error' if one.fatal else 'warning'}: {one}" for one in problems[:PROBLEMS_LISTED]]
