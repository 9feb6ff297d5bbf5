"""Work over many pictures: a folder or a manifest in, a row each out, and every row once whatever stops it. It knows nothing
about models; `api.batch` gives it one."""

from .pipeline import Compute, Done, computed
from .rows import Job, Row, Verb
from .run import Summary, interruptible, run
from .source import Group, Item, read_questions

__all__ = [
    "Compute",
    "Done",
    "Group",
    "Item",
    "Job",
    "Row",
    "Summary",
    "Verb",
    "computed",
    "interruptible",
    "read_questions",
    "run",
]
