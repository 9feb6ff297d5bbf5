"""Settings of training models that chat, and the page of a run."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from seesay import Conversation, TrainChatSettings, UsageError
from seesay.evaluation.chat_page import Said, chat_training_page
from seesay.training.chat import fill_chat


def test_adapters_learn_faster_than_weights_unless_told_otherwise() -> None:
    whole, _ = fill_chat(TrainChatSettings(data="x", model="owner/name"))
    assert (whole.learning_rate, whole.lr_scheduler_type, whole.gradient_accumulation_steps) == (2e-5, "cosine", 16)
    adapted, recipe = fill_chat(TrainChatSettings(data="x", model="owner/name", lora=8))
    assert adapted.learning_rate == recipe.learning_rate == 2e-4
    assert (
        fill_chat(TrainChatSettings(data="x", model="owner/name", lora=8, learning_rate=1e-3))[0].learning_rate == 1e-3
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "owner/name"}, "no data set named"),
        ({"data": "x"}, "no model named"),
        ({"data": "x", "model": "owner/name", "quantize": "int8"}, "quantized weights cannot be trained"),
        (
            {"data": "x", "model": "/tmp", "quantize": "int4", "lora": 8, "push_to_hub": True},
            "a folder of this machine",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fill_chat(TrainChatSettings(**given))


def test_the_page_shows_answers_beside_the_conversation(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    Image.new("RGB", (30, 20), "red").save(picture)
    asked = Conversation().ask("first", str(picture)).answered("yes").ask("<b>second</b>")
    history = [{"step": 1, "loss": 2.0}, {"step": 2, "eval_loss": 1.5}, {"step": 4, "eval_loss": 1.25}]
    said = [Said(asked, "what stands there", "what it says"), Said(asked, "other", "")]
    chat_training_page(history, said, ["a & b"], "[train.chat]", 4, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "1.250" in page
    assert "&lt;b&gt;second&lt;/b&gt;" in page and "<b>second" not in page
    for text in (
        "what stands there",
        "what it says",
        "<em>nothing</em>",
        "a &amp; b",
        "earlier answers: 1",
        "image/jpeg",
    ):
        assert text in page
    assert (tmp_path / "loss.png").is_file()
