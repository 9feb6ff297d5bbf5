"""The two heads of BLIP, and what each of them refuses. Knows nothing of networks."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ModelError

DESCRIBES, ANSWERS = "BlipForConditionalGeneration", "BlipForQuestionAnswering"


def refuse_the_other_task(questions: Sequence[str], *, captions: bool, name: str) -> None:
    """Raises a ModelError where a captioner is asked something, or a model that answers is to describe."""
    if captions and any(question.endswith("?") for question in questions):
        hint = "take one that answers, such as Salesforce/blip-vqa-base; a text without ? is how the caption begins"
        raise ModelError("this BLIP describes pictures and answers no questions", where=name, hint=hint)
    if not captions and not all(questions):
        hint = "take one that describes, such as Salesforce/blip-image-captioning-base"
        raise ModelError("this BLIP answers questions and cannot describe pictures", where=name, hint=hint)
