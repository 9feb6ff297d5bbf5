"""The embedded model as a family: what holds whatever it was trained to."""

import json
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image, ImageDraw

import seesay
from seesay import Example, InputError
from seesay.answering import answer
from seesay.models import load
from seesay.models.families.mini import EMBEDDED, Mini
from seesay.models.mini.calibration import Calibration
from seesay.models.mini.encoder import Features
from seesay.models.mini.network import MiniConfig, MiniNetwork
from seesay.models.mini.onnx_export import export
from seesay.models.mini.runtime import FEATURES
from seesay.models.mini.seen import REMEMBERED
from seesay.models.mini.tokenizer import UNKNOWN_ANSWER
from seesay.settings import ModelSettings
from seesay.types import Candidate

QUESTIONS = ("What color is it?", "How many are there?", "Is there a dog in the picture?", "What is this?")


def opened(name: object = "seesay-mini") -> Mini:
    family = load(ModelSettings(model=str(name)))
    assert isinstance(family, Mini)
    return family


@pytest.fixture
def mini() -> Mini:
    return opened()


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the real shape with a decoder of random weights: its answers do not end by themselves."""
    folder = tmp_path_factory.mktemp("untrained")
    for name in ("encoder.onnx", "tokenizer.json", "classes.json"):
        (folder / name).symlink_to(EMBEDDED / name)
    config = json.loads((EMBEDDED / "config.json").read_text(encoding="utf-8"))
    config |= {"dim": 32, "heads": 2, "vision_layers": 1, "text_layers": 1}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    config.pop("model_type")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        export(MiniNetwork(MiniConfig(**config)).eval(), folder)
    return folder


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    """Three that differ much: one color, a drawing, noise."""
    drawing = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(drawing).ellipse((40, 40, 160, 160), fill="green")
    noise = numpy.random.default_rng(0).integers(0, 256, (150, 100, 3), numpy.uint8)
    return [Image.new("RGB", (64, 48), "red"), drawing, Image.fromarray(noise)]


def ask(family: Mini, examples: Sequence[Example], top_k: int = 3) -> list[tuple[Candidate, ...]]:
    return family.predict(family.prepare(examples), top_k)


def same(one: Sequence[Candidate], other: Sequence[Candidate]) -> None:
    assert [candidate.text for candidate in one] == [candidate.text for candidate in other]
    assert [candidate.score for candidate in one] == pytest.approx([each.score for each in other], abs=1e-5)


class CountedEncoder:
    """The encoder, and how many pictures it looked at."""

    def __init__(self, family: Mini) -> None:
        self.inner, self.looked = family.seen.encoder, 0
        self.identity = family.seen.encoder.identity

    def __call__(self, pixels: numpy.ndarray[Any, Any]) -> Features:
        self.looked += len(pixels)
        return self.inner(pixels)


def counted(family: Mini) -> CountedEncoder:
    encoder = CountedEncoder(family)
    family.seen.encoder = encoder  # type: ignore[assignment]
    return encoder


def test_answering_imports_no_torch() -> None:
    code = (
        "import sys, seesay\nfrom PIL import Image\nmodel = seesay.load()\npicture = Image.new('RGB', (50, 50), 'red')\n"
        "assert model.caption(picture).text\nmodel.ask(picture, 'What color is it?')\n"
        "found = {'torch', 'transformers', 'safetensors', 'onnx'} & set(sys.modules)\nassert not found, found"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_photograph_of_a_cat_is_a_cat(mini: Mini) -> None:
    """The one fact in this file."""
    photograph = str(Path(__file__).parents[3] / "examples/pictures/cat.jpg")
    (named, *_), (sure, *_) = ask(mini, [Example((photograph,), "What animal is this?"), Example((photograph,))])
    assert named.text == "cat"
    assert "cat" in sure.text


@pytest.mark.parametrize("question", ["", *QUESTIONS])
def test_a_batch_gives_what_single_pictures_give(mini: Mini, pictures: list[Image.Image], question: str) -> None:
    examples = [Example((picture,), question) for picture in pictures]
    for one, example in zip(ask(mini, examples), examples, strict=True):
        same(one, ask(mini, [example])[0])


def test_questions_about_several_pictures_mixed_give_what_each_alone_gives(
    mini: Mini, pictures: list[Image.Image]
) -> None:
    examples = [Example((picture,), question) for question in ("", *QUESTIONS) for picture in pictures]
    for one, example in zip(ask(mini, examples), examples, strict=True):
        same(one, ask(mini, [example])[0])


def test_what_is_seen_in_a_picture_does_not_depend_on_the_batch(mini: Mini, pictures: list[Image.Image]) -> None:
    """Below the answers: the memory itself, which answers could hide."""
    together = mini.prepare([Example((picture,)) for picture in pictures]).tensors
    memory = mini.runtime.look(*(together[name] for name in FEATURES))
    for row in range(len(pictures)):
        alone = mini.runtime.look(*(together[name][row : row + 1] for name in FEATURES))
        assert numpy.abs(memory[row] - alone[0]).max() < 1e-3


def test_what_is_decoded_does_not_depend_on_the_rows_beside_it(mini: Mini, pictures: list[Image.Image]) -> None:
    tensors = mini.prepare([Example((picture,), QUESTIONS[0]) for picture in pictures]).tensors
    memory = mini.runtime.look(*(tensors[name] for name in FEATURES))
    ids = numpy.array(tensors["prompts"], numpy.int64)
    together = mini.runtime.decode(ids, memory)
    for row in range(len(pictures)):
        alone = mini.runtime.decode(ids[row : row + 1], memory[row : row + 1])
        assert numpy.abs(together[row] - alone[0]).max() < 1e-3


def test_several_questions_about_one_picture_look_at_it_once(mini: Mini, pictures: list[Image.Image]) -> None:
    encoder = counted(mini)
    batch = mini.prepare([Example((pictures[index],), question) for question in QUESTIONS for index in (1, 0)])
    assert encoder.looked == 2
    assert batch.tensors["picture"].tolist() == [0, 1] * len(QUESTIONS)
    assert len(batch.tensors["fine"]) == 2
    mini.prepare([Example((pictures[0],)), Example((pictures[1],))])
    assert encoder.looked == 2


def test_the_same_picture_under_another_name_is_looked_at_once(mini: Mini, tmp_path: Path) -> None:
    encoder = counted(mini)
    Image.new("RGB", (30, 30), "blue").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    mini.prepare([Example((tmp_path / "a.png",)), Example((str(tmp_path / "b.png"),))])
    assert encoder.looked == 1


def test_no_more_pictures_are_remembered_than_promised(mini: Mini) -> None:
    """More than that in one batch are answered all the same."""
    encoder = counted(mini)
    many = [Example((Image.new("RGB", (8, 8), (index, 0, 0)),)) for index in range(REMEMBERED + 3)]
    assert len(mini.prepare(many).tensors["fine"]) == REMEMBERED + 3
    assert len(mini.seen) <= REMEMBERED
    mini.prepare(many[-2:])
    assert encoder.looked == REMEMBERED + 3
    mini.prepare(many[:1])
    assert encoder.looked == REMEMBERED + 4


def test_a_word_that_the_model_does_not_know_makes_the_answer_unknown(mini: Mini, pictures: list[Image.Image]) -> None:
    asked = [Example((pictures[0],), "Is there a flurbl in it?"), Example((pictures[0],), "What color is it?")]
    assert ask(mini, asked)[0] == (Candidate(UNKNOWN_ANSWER, 1.0),)
    given = next(answer(mini, asked, risk=None))
    assert given.text is None
    assert "'flurbl'" in given.reason
    assert given.alternatives[0].text == UNKNOWN_ANSWER
    assert next(answer(mini, asked, risk=1.0)).text == UNKNOWN_ANSWER


@pytest.mark.parametrize("question", ["", "Describe the picture.", "describe", "Caption this"])
def test_a_question_that_asks_for_a_description_gets_a_caption(
    mini: Mini, pictures: list[Image.Image], question: str
) -> None:
    asked = [Example((picture,), question) for picture in pictures]
    plain = [Example((picture,)) for picture in pictures]
    assert ask(mini, asked) == ask(mini, plain)


@pytest.mark.parametrize(
    "question", ["dog " * 500, "what is the color of " * 95, "Is there a zxcvbnm " * 100, "?" * 2000]
)
@pytest.mark.parametrize("checkpoint", ["seesay-mini", "untrained"])
def test_a_question_of_two_thousand_characters_is_answered(
    request: pytest.FixtureRequest, pictures: list[Image.Image], checkpoint: str, question: str
) -> None:
    family = opened(request.getfixturevalue(checkpoint) if checkpoint == "untrained" else checkpoint)
    ((given, *_),) = ask(family, [Example((pictures[1],), question[:2000])])
    assert given.text
    assert 0 <= given.score <= 1


def test_a_long_given_answer_is_scored(mini: Mini, pictures: list[Image.Image]) -> None:
    """Longer than any answer the model gives; evidence may be asked of it."""
    batch = mini.prepare([Example((pictures[1],), "What color is the dog? " * 20)])
    (score,) = mini.score(batch, ["a red dog and a cat " * 20])
    assert 0 <= score <= 1


def test_an_unknown_words_unknown_can_be_scored_and_explained(mini: Mini, pictures: list[Image.Image]) -> None:
    """`--evidence` scores whatever was answered."""
    batch = mini.prepare([Example((pictures[0],), "Is there a flurbl?")])
    (score,) = mini.score(batch, [UNKNOWN_ANSWER])
    assert 0 <= score <= 1


@pytest.mark.parametrize("count", [0, 2])
def test_only_one_picture_is_taken(mini: Mini, pictures: list[Image.Image], count: int) -> None:
    with pytest.raises(InputError, match="one picture"):
        mini.prepare([Example(tuple(pictures[:count]), "What is this?", origin="rows.jsonl:3")])


@pytest.mark.parametrize("question", ["", *QUESTIONS])
def test_a_given_answer_scores_what_predicting_gives_it(mini: Mini, pictures: list[Image.Image], question: str) -> None:
    mini.calibration = Calibration({}, [])
    batch = mini.prepare([Example((picture,), question) for picture in pictures])
    best = [candidates[0] for candidates in mini.predict(batch, 1)]
    scores = mini.score(batch, [candidate.text for candidate in best])
    assert scores == pytest.approx([candidate.score for candidate in best], abs=1e-4)


def test_an_answer_that_is_less_likely_scores_less(mini: Mini, pictures: list[Image.Image]) -> None:
    mini.calibration = Calibration({}, [])
    batch = mini.prepare([Example((pictures[0],), "What color is it?")])
    ((best, *_),) = mini.predict(batch, 1)
    (score,) = mini.score(batch, ["hot air balloon"])
    assert score < best.score


def test_scores_fall_and_texts_differ(mini: Mini, pictures: list[Image.Image]) -> None:
    for candidates in ask(mini, [Example((picture,), question) for picture in pictures for question in QUESTIONS], 8):
        scores = [candidate.score for candidate in candidates]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        assert len({candidate.text for candidate in candidates}) == len(candidates) <= 8
        assert sum(scores) <= 1 + 1e-6 or mini.calibrated


def test_a_risk_of_nought_answers_nothing_and_a_risk_of_one_everything(mini: Mini, pictures: list[Image.Image]) -> None:
    mini.calibration = Calibration({}, [(0.3, 0.2), (0.1, 0.6), (0.05, 0.9)])
    asked = [Example((picture,), question) for picture in pictures for question in QUESTIONS]
    for given in answer(mini, asked, risk=0.0):
        assert given.text is None
        assert given.reason
        assert given.alternatives
    assert all(given.text for given in answer(mini, asked, risk=1.0))
    for given in answer(mini, asked, risk=0.1):
        assert (given.text is not None) == (given.score >= 0.6 and given.alternatives[0].text != UNKNOWN_ANSWER)
        assert bool(given.reason) == (given.text is None)
        assert given.certainty


def test_captions_are_given_at_any_risk(mini: Mini, pictures: list[Image.Image]) -> None:
    mini.calibration = Calibration({}, [(0.1, 1.0)])
    assert all(given.text for given in answer(mini, [Example((picture,)) for picture in pictures], risk=0.0))


def test_a_calibrated_score_is_the_share_that_was_measured(mini: Mini, pictures: list[Image.Image]) -> None:
    mini.calibration = Calibration({}, [])
    example = Example((pictures[0],), "What color is it?")
    ((plain, *_),) = ask(mini, [example])
    curve = [(0.0, 0.1), (1.0, 0.5)]
    mini.calibration = Calibration(dict.fromkeys(("color", "name", "number", "unknown", "yes or no"), curve), [])
    ((measured, *_),) = ask(mini, [example])
    assert measured.text == plain.text
    assert measured.score == pytest.approx(0.1 + 0.4 * plain.score)


def test_a_model_without_a_calibration_promises_no_risk(untrained: Path, pictures: list[Image.Image]) -> None:
    family = opened(untrained)
    assert (family.calibrated, family.threshold(None), family.threshold(1.0)) == (False, 0.0, 0.0)
    with pytest.raises(seesay.ModelError, match="not calibrated"):
        family.threshold(0.1)


@pytest.mark.parametrize("missing", ["encoder.onnx", "look.onnx", "decode.onnx", "tokenizer.json", "classes.json"])
def test_a_folder_without_one_of_its_files_is_refused_by_the_files_name(
    untrained: Path, tmp_path: Path, missing: str
) -> None:
    for path in untrained.iterdir():
        if path.name != missing:
            (tmp_path / path.name).symlink_to(path.resolve())
    with pytest.raises(seesay.ModelError, match=f"no {missing}"):
        opened(tmp_path)


def test_a_decoder_that_was_exported_by_an_earlier_version_answers_the_same(
    untrained: Path, tmp_path: Path, pictures: list[Image.Image]
) -> None:
    """It computed what is behind every token, a row of ids for every row of memory."""

    class Earlier(torch.nn.Module):
        def __init__(self, network: MiniNetwork) -> None:
            super().__init__()
            self.network = network

        def forward(self, ids: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
            return self.network.logits(self.network.decode(ids, memory))

    for path in untrained.iterdir():
        if path.name != "decode.onnx":
            (tmp_path / path.name).symlink_to(path.resolve())
    config = json.loads((untrained / "config.json").read_text(encoding="utf-8"))
    config.pop("model_type")
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        torch.onnx.export(
            Earlier(MiniNetwork(MiniConfig(**config)).eval()),
            (torch.zeros(2, 9, dtype=torch.int64), torch.zeros(2, 58, 32)),
            str(tmp_path / "decode.onnx"),
            input_names=["ids", "memory"],
            output_names=["logits"],
            dynamic_axes={"ids": {0: "rows", 1: "tokens"}, "memory": {0: "rows"}, "logits": {0: "rows", 1: "tokens"}},
            dynamo=False,
        )
    earlier, now = opened(tmp_path), opened(untrained)
    examples = [Example((picture,), question) for picture in pictures for question in QUESTIONS]
    for top_k in (1, 3):
        for one, other in zip(
            earlier.predict(earlier.prepare(examples), top_k), now.predict(now.prepare(examples), top_k), strict=True
        ):
            assert [c.text for c in one] == [c.text for c in other]
            assert [c.score for c in one] == pytest.approx([c.score for c in other], abs=1e-5)
    odds = [model.log_odds(model.prepare(examples[2::4]), "yes", "no") for model in (earlier, now)]
    assert odds[0] == pytest.approx(odds[1], abs=1e-4)


def test_training_it_from_random_weights_is_refused(mini: Mini) -> None:
    with pytest.raises(seesay.UsageError, match="fine-tuned"):
        Mini.create("tiny", mini.placement, (), (), 0)
