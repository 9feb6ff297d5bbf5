"""Model cards: metadata that the Hub's own classes accept, and the figures in words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from hypothesis import given, settings
from hypothesis import strategies as st

from seesay.training.card import model_card

FACTS: dict[str, Any] = {
    "task": "vqa",
    "title": "jane/museum-vqa",
    "base_model": "dandelin/vilt-b32-mlm",
    "data_name": "hf:Graphcore/vqa",
    "data_rows": 214_354,
    "metrics": [
        ("VQA accuracy (official)", "63.4 % (61.2 to 65.5)"),
        ("by the question alone", "44.1 % (43.0 to 45.2)"),
        ("majority answer", "21.9 % (20.9 to 22.9)"),
    ],
    "settings_text": '[train.vqa]\ndata = "hf:Graphcore/vqa"\nlearning_rate = 5e-05\n',
    "command": "seesay train vqa --data hf:Graphcore/vqa --model dandelin/vilt-b32-mlm",
    "limits": ["It knows 3,129 answers and no others.", "It was measured on English questions only."],
}


def test_the_metadata_is_what_the_hub_reads() -> None:
    data = ModelCard(model_card(**FACTS)).data

    assert data.pipeline_tag == "visual-question-answering"
    assert data.to_dict()["library_name"] == "transformers"
    assert data.tags == ["seesay"]
    assert data.base_model == "dandelin/vilt-b32-mlm"
    assert data.datasets == ["Graphcore/vqa"]
    assert data.license is None
    assert data.model_name == "jane/museum-vqa"
    (result,) = data.eval_results
    assert result.task_type == "visual-question-answering"
    assert (result.dataset_type, result.dataset_name) == ("Graphcore/vqa", "Graphcore/vqa")
    assert (result.metric_type, result.metric_name) == ("accuracy", "VQA accuracy (official)")
    assert result.metric_value == 63.4


def test_the_figures_the_baselines_and_the_limits_are_shown() -> None:
    text = ModelCard(model_card(**FACTS)).text

    assert re.findall(r"^#+ .*", text, re.M) == [
        "# jane/museum-vqa",
        "## Data",
        "## Measured",
        "## How to use it",
        "## How it was trained",
        "## Limits",
    ]
    assert "| VQA accuracy (official) | 63.4 % (61.2 to 65.5) |" in text
    assert "| by the question alone | 44.1 % (43.0 to 45.2) |" in text
    assert "fine-tuned from `dandelin/vilt-b32-mlm`" in text
    assert "214,354 questions of `hf:Graphcore/vqa`" in text
    assert 'seesay ask photo.jpg "What is this?" --model jane/museum-vqa' in text
    assert "seesay.load('jane/museum-vqa')" in text
    assert FACTS["command"] in text and "learning_rate = 5e-05" in text
    assert "- It knows 3,129 answers and no others.\n- It was measured" in text


def test_the_card_of_a_captioner_says_how_to_have_pictures_described() -> None:
    metrics = [("CIDEr-D, validation split", "1.234 (1.100 to 1.370)"), ("rouge-l", "0.400 (0.380 to 0.420)")]
    card = ModelCard(model_card(**{**FACTS, "task": "caption", "metrics": metrics}))

    assert card.data.pipeline_tag == "image-to-text"
    (result,) = card.data.eval_results
    assert (result.task_type, result.metric_type, result.metric_value) == ("image-to-text", "cider", 1.234)
    assert "seesay caption photo.jpg --model jane/museum-vqa" in card.text
    assert 'model.caption("photo.jpg").text' in card.text
    assert "214,354 rows with captions of" in card.text
    assert "question" not in card.text.split("## How it was trained")[0]


def test_a_model_from_random_weights_and_local_data_names_no_repository(tmp_path: Path) -> None:
    card = model_card(**{**FACTS, "base_model": "", "data_name": str(tmp_path / "train.jsonl"), "command": ""})
    data = ModelCard(card).data

    assert data.base_model is None and data.datasets is None
    assert data.eval_results[0].dataset_name == "train.jsonl"
    assert "trained from random weights" in card
    assert str(tmp_path) not in card, "folders of the machine it was trained on are nobody's business"


def test_a_local_checkpoint_is_not_taken_for_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs/vqa").mkdir(parents=True)

    for folder in ("runs/vqa", str(tmp_path / "runs" / "vqa")):
        card = model_card(**{**FACTS, "base_model": folder})
        assert ModelCard(card).data.base_model is None
        assert "fine-tuned from `vqa`" in card


def test_a_slice_of_a_data_set_names_the_data_set() -> None:
    card = model_card(**{**FACTS, "data_name": "hf:Graphcore/vqa[:200]"})

    assert ModelCard(card).data.datasets == ["Graphcore/vqa"]


def test_a_figure_without_a_number_is_kept_in_words() -> None:
    card = model_card(**{**FACTS, "metrics": [("accuracy", "not measured")]})

    assert ModelCard(card).data.eval_results[0].metric_value == "not measured"


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)


@settings(deadline=None)
@given(title=NAMES, name=NAMES, value=NAMES, body=st.text(st.sampled_from("`~-#\n x")), limit=NAMES)
def test_no_words_break_the_metadata_or_the_layout(title: str, name: str, value: str, body: str, limit: str) -> None:
    facts = {**FACTS, "title": title, "metrics": [(name, value)], "settings_text": body, "limits": [limit]}
    card = ModelCard(model_card(**facts))

    assert card.data.model_name == " ".join(title.split())
    assert card.data.eval_results[0].metric_name == " ".join(name.split())
    assert len(re.findall(r"^\| .* \| .* \|$", card.text, re.M)) == 3
    fence = re.search(r"^(`{3,})toml\n", card.text, re.M)
    assert fence is not None
    assert fence[1] not in body
    assert card.text.rstrip("\n").splitlines()[-1].startswith("- ")
