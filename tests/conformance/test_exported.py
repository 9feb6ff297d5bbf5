"""What every exported architecture keeps to, whichever is found: the answers of the original, without torch."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy
import pytest

from seesay.answering import answer
from seesay.errors import ModelError
from seesay.models import Family, load
from seesay.models.engines import all_exported
from seesay.models.exported.base import Exported
from seesay.models.exported.eye import all_eyes
from seesay.models.exported.one_picture import TOGETHER, OnePicture
from seesay.models.memory import Memory
from seesay.settings import AskSettings
from seesay.types import Example

CASES = {
    "vilt": ("vilt",),
    "blip": ("blip-vqa", "blip-caption"),
    "git": ("git",),
    "chat": tuple(sorted(all_eyes())),
}
QUESTIONS = [
    "what color is the sky",
    "a",
    "is there a dog on the grass",
    "[SEP] what is it",
    "how many are there " * 30,
]


def test_every_exported_architecture_has_a_case() -> None:
    assert set(CASES) == set(all_exported())


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache for the module: exports are made once."""
    folder = tmp_path_factory.mktemp("exports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEESAY_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module", params=[name for names in CASES.values() for name in names])
def checkpoint(
    request: pytest.FixtureRequest,
    generative_checkpoints: dict[str, Path],
    chat_checkpoints: dict[str, Path],
    vilt_checkpoint: Path,
) -> Path:
    return {**generative_checkpoints, **chat_checkpoints, "vilt": vilt_checkpoint}[request.param]


@pytest.fixture(scope="module")
def original(checkpoint: Path) -> Family:
    return load(AskSettings(model=str(checkpoint), engine="torch"))


@pytest.fixture(scope="module")
def export(checkpoint: Path) -> Exported:
    found = load(AskSettings(model=str(checkpoint), engine="onnx", dtype="float32"))
    assert isinstance(found, Exported)
    return found


@pytest.fixture(scope="module")
def examples(original: Family, vilt_pictures: list[Path]) -> list[Example]:
    """Pictures of unequal shape, questions of unequal length, one with a special token, one longer than any model reads."""
    questions = QUESTIONS if original.answers else ["", "a", "a dog on the grass", "[SEP]", ""]
    sources = [*vilt_pictures, numpy.asarray(numpy.eye(150) * 200, numpy.uint8)]
    return [Example((sources[index % 4],), text, id=str(index)) for index, text in enumerate(questions)]


@pytest.mark.parametrize("top_k", [1, 4])
def test_answers_and_scores_are_the_originals(
    original: Family, export: Exported, examples: list[Example], top_k: int
) -> None:
    pairs = zip(answer(original, examples, top_k=top_k), answer(export, examples, top_k=top_k), strict=True)
    for theirs, ours in pairs:
        assert [one.text for one in ours.alternatives] == [one.text for one in theirs.alternatives]
        wanted = [one.score for one in theirs.alternatives]
        assert [one.score for one in ours.alternatives] == pytest.approx(wanted, abs=1e-5)
        assert ours.provenance.inputs == theirs.provenance.inputs
        assert ours.provenance.engine.startswith("onnxruntime ")
        assert ours.provenance.dtype == "float32"


def test_pictures_and_tokens_are_the_originals(original: Family, export: Exported, examples: list[Example]) -> None:
    if export.converses:  # see test_exported_chat.py
        pytest.skip("its rows have unequal numbers of tiles")
    theirs, ours = original.prepare(examples).tensors, export.prepare(examples).tensors
    assert numpy.abs(theirs["pixel_values"].numpy() - ours["pixel_values"]).max() < 1e-6
    for row, ids in enumerate(ours["input_ids"]):
        wanted = theirs["input_ids"][row][theirs["attention_mask"][row] > 0].tolist()
        assert list(ids)[: len(wanted)] == wanted


def test_given_answers_and_choices_score_as_in_the_original(
    original: Family, export: Exported, examples: list[Example]
) -> None:
    choices = list(original.vocabulary[:3]) or ["a red dog", "two", "the sky is blue and the grass"]
    batches = original.prepare(examples), export.prepare(examples)
    for text in choices:
        wanted, found = (
            model.score(batch, [text] * len(examples)) for model, batch in zip((original, export), batches, strict=True)
        )
        assert found == pytest.approx(wanted, abs=1e-5)
    for theirs, ours in zip(original.choose(batches[0], choices), export.choose(batches[1], choices), strict=True):
        assert [one.text for one in ours] == [one.text for one in theirs]
        assert [one.score for one in ours] == pytest.approx([one.score for one in theirs], abs=1e-5)


def test_what_is_written_token_by_token_is_the_answer(export: Exported, examples: list[Example]) -> None:
    if not export.streams:
        pytest.skip("it does not write token by token")
    batch, heard = export.prepare(examples[:1]), list[str]()
    # Before the first token some tell of nothing, so that one may leave while they look.
    whole, _ = export.write(batch, 20, lambda text: not text or heard.append(text) or True)
    assert (whole,) == export.predict(batch, 1)[0]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(heard))
    if heard:
        stopped, _ = export.write(batch, 20, lambda text: not text)
        assert stopped.text == heard[0].strip()
        shorter, at_its_end = export.write(batch, 1, lambda text: True)
        assert shorter.text == heard[0].strip()
        assert not at_its_end


def test_in_8_bits_an_answer_does_not_depend_on_its_batch(checkpoint: Path, examples: list[Example]) -> None:
    export = load(AskSettings(model=str(checkpoint), engine="onnx"))
    assert export.placement.dtype in ("int8", "float32")
    alone = list(answer(export, examples, top_k=2, batch_size=1))
    if export.converses:  # what is kept lets it read a prompt in other pieces, which rounds otherwise
        export.recall = Memory()
    together = list(answer(export, examples, top_k=2, batch_size=8))
    assert [[way.text for way in one.alternatives] for one in alone] == [
        [way.text for way in one.alternatives] for one in together
    ]
    for one, other in zip(alone, together, strict=True):
        assert [way.score for way in one.alternatives] == [way.score for way in other.alternatives]


@pytest.mark.parametrize("numbers", ["float32", "auto"])
def test_questions_about_one_picture_are_written_side_by_side_as_one_by_one(
    checkpoint: Path, examples: list[Example], numbers: Literal["float32", "auto"]
) -> None:
    """More of them than are written at once, of unequal length, some of which end before others."""
    export = load(AskSettings(model=str(checkpoint), engine="onnx", dtype=numbers, max_new_tokens=6))
    if not isinstance(export, OnePicture):
        pytest.skip("it does not read a text about one picture")
    texts = [one.question for one in examples] if export.answers else ["a", "a dog", "", "the sky is blue and the"]
    asked = [Example(examples[0].images, texts[index % len(texts)]) for index in range(TOGETHER + 3)]
    passes, write = [0], export._parts["write"]

    def counted(**inputs: numpy.ndarray) -> list[numpy.ndarray]:
        passes[0] += 1
        return write(**inputs)

    export._parts = {**export._parts, "write": counted}
    alone = list(answer(export, asked, batch_size=1))
    one_by_one, passes[0] = passes[0], 0
    together = list(answer(export, asked, batch_size=len(asked)))
    # Sums of as many numbers in another order: their last bits, and in 8 bits now and then another rounding.
    near = 1e-5 if export.placement.dtype == "float32" else 5e-3
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.score for one in together] == pytest.approx([one.score for one in alone], abs=near)
    batch = export.prepare(asked[:2])
    if export._seen_by(batch, 0) == export._seen_by(batch, 1):
        assert passes[0] < one_by_one / 5


def test_a_second_question_about_a_picture_looks_at_nothing_again(export: Exported, examples: list[Example]) -> None:
    if "look" not in export.part_names:
        pytest.skip("pictures and words go through one network")
    first = list(answer(export, examples[:1]))
    export._parts = {name: part for name, part in export._parts.items() if name != "look"}
    assert [one.alternatives for one in answer(export, examples[:1])] == [one.alternatives for one in first]


def test_it_never_trains(export: Exported, examples: list[Example]) -> None:
    with pytest.raises(ModelError, match="cannot be trained"):
        _ = export.network
    with pytest.raises(ModelError, match="cannot be trained"):
        export.prepare(examples, normalize=str)


def test_a_cached_export_answers_without_torch(export: Exported, checkpoint: Path, vilt_pictures: list[Path]) -> None:
    if export.converses:
        pytest.skip("its processor is transformers'")
    text = "what color is the sky" if export.answers else "a"
    program = (
        "import sys, seesay\n"
        "model = seesay.load(sys.argv[1], engine='onnx', dtype='float32', device='cpu')\n"
        "answer = model.ask(sys.argv[2], sys.argv[3], risk=1.0)\n"
        "heavy = [name for name in ('torch', 'transformers', 'onnx') if name in sys.modules]\n"
        "print(answer.provenance.engine.split()[0], heavy)"
    )
    words = [sys.executable, "-c", program, str(checkpoint), str(vilt_pictures[0]), text]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.split(maxsplit=1) == ["onnxruntime", "[]\n"]


def test_saved_it_is_the_checkpoint_again(export: Exported, checkpoint: Path, tmp_path: Path) -> None:
    export.save(tmp_path / "saved")
    assert {file.name for file in (tmp_path / "saved").iterdir()} == {file.name for file in checkpoint.iterdir()}


def test_pictures_are_decoded_to_the_same_size(original: Family, export: Exported) -> None:
    """Who decodes ahead need not know which engine answers."""
    ours, theirs = export.fits, original.fits
    assert (ours is None) == (theirs is None)
    for width, height in ((4000, 3000), (3000, 4000), (640, 480), (5000, 300), (1, 1)):
        assert ours is None or theirs is None or ours(width, height) == theirs(width, height)
