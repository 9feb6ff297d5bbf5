"""What bodies have in common: those taken are strict, and every refusal has one shape."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Taken(BaseModel):
    """A body, or a part of one, that clients send; a field that is not known is refused, so that none is ignored in silence."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Given(BaseModel):
    """What is sent back."""


class Problem(Given):
    message: str
    type: str
    param: str | None = None
    code: str | None = None


class Refusal(Given):
    error: Problem
