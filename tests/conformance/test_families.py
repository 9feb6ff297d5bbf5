"""What every family must do, run over all that `discover()` finds. A new family needs one entry in `CHECKPOINTS`."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy
import pytest

from seesay import Conversation, Example
from seesay.answering import answer
from seesay.media import open_image
from seesay.models import Family, all_families, load
from seesay.settings import ModelSettings, TrainVqaSettings

PhotoMaker = Callable[..., Path]
CHECKPOINTS = {
    "blip": "blip_checkpoint",
    "blip2": "blip2_checkpoint",
    "chat": "chat_checkpoint",
    "git": "git_checkpoint",
    "instructblip": "instructblip_checkpoint",
    "mini": "mini_checkpoint",
    "vilt": "vilt_checkpoint",
}
"""For each family the fixture that holds a small random checkpoint of the real architecture, or the embedded one."""


@pytest.fixture(params=sorted(all_families()))
def checkpoint(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(CHECKPOINTS[request.param])
    return folder


@pytest.fixture
def family(checkpoint: Path) -> Family:
    return load(ModelSettings(model=str(checkpoint)))


@pytest.fixture
def examples(vilt_pictures: list[Path]) -> list[Example]:
    questions = ["How many?", "What is the color of this picture?", "Is there a red one?", "a", "What?"]
    rows = [
        Example((path,), question, id=f"{path.name}/{question}") for path in vilt_pictures for question in questions
    ]
    random.Random(3).shuffle(rows)
    return rows


def test_batches_of_any_size_give_what_single_questions_give(family: Family, examples: list[Example]) -> None:
    alone = list(answer(family, examples, top_k=3, batch_size=1))
    for size in (2, 8, 100):
        together = list(answer(family, examples, top_k=3, batch_size=size))
        for one, other in zip(alone, together, strict=True):
            assert one.text == other.text
            for a, b in zip(one.alternatives, other.alternatives, strict=True):
                assert a.score == pytest.approx(b.score, abs=1e-5)


def test_answers_keep_the_order_and_the_ids_of_the_examples(family: Family, examples: list[Example]) -> None:
    answers = list(answer(family, examples, batch_size=4))
    assert [one.id for one in answers] == [example.id for example in examples]


def test_asking_again_gives_the_same_bits(family: Family, examples: list[Example]) -> None:
    first, second = (list(answer(family, examples, top_k=2, batch_size=4)) for _ in range(2))
    assert [one.alternatives for one in first] == [one.alternatives for one in second]


def test_a_picture_opened_before_is_answered_as_its_file_is_and_left_as_it_is(
    checkpoint: Path, family: Family, examples: list[Example]
) -> None:
    opened = {example.images[0]: open_image(example.images[0]) for example in examples}
    before = {path: picture.pixels.tobytes() for path, picture in opened.items()}
    again = load(ModelSettings(model=str(checkpoint)))
    given = answer(again, [replace(example, images=(opened[example.images[0]],)) for example in examples], top_k=2)
    for one, other in zip(answer(family, examples, top_k=2), given, strict=True):
        assert (one.alternatives, one.provenance.inputs) == (other.alternatives, other.provenance.inputs)
    assert before == {path: picture.pixels.tobytes() for path, picture in opened.items()}


def test_asking_leaves_the_callers_random_state_alone(family: Family, examples: list[Example]) -> None:
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    list(answer(family, examples))
    assert torch.equal(torch.rand(3), expected)


def test_alternatives_are_the_best_and_come_best_first(family: Family, examples: list[Example]) -> None:
    for one in answer(family, examples, top_k=10**6):
        scores = [candidate.score for candidate in one.alternatives]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        assert (one.text, one.score) == (one.alternatives[0].text, one.alternatives[0].score)
        texts = {candidate.text for candidate in one.alternatives}
        assert len(texts) == len(one.alternatives)
        assert len(texts) == len(family.vocabulary) or not family.vocabulary


def test_a_saved_model_is_the_same_model(family: Family, examples: list[Example], tmp_path: Path) -> None:
    family.save(tmp_path / "saved")
    again = load(ModelSettings(model=str(tmp_path / "saved")))
    assert again.vocabulary == family.vocabulary
    before, after = (list(answer(model, examples, top_k=3)) for model in (family, again))
    assert [one.alternatives for one in before] == [one.alternatives for one in after]


def test_provenance_names_model_engine_and_pictures(family: Family, checkpoint: Path, examples: list[Example]) -> None:
    for one, example in zip(answer(family, examples), examples, strict=True):
        assert one.provenance.model == str(checkpoint)
        assert one.provenance.family == family.name
        assert one.provenance.engine.split()[0] in ("torch", "onnxruntime")
        assert len(one.provenance.inputs) == len(example.images)
        assert all(len(digest) == 64 for digest in one.provenance.inputs)
        assert one.provenance.seconds > 0


def test_the_score_of_a_given_answer_is_the_one_it_is_given_with(family: Family, examples: list[Example]) -> None:
    example = examples[0]
    batch = family.prepare([example])
    best = family.predict(batch, 1)[0][0]
    (score,) = family.score(batch, [best.text])
    assert 0 <= score <= 1
    if not family.calibrated:
        assert score == pytest.approx(best.score, abs=1e-5)


def test_choices_are_all_given_and_share_the_certainty(family: Family, examples: list[Example]) -> None:
    choices = list(family.vocabulary[:3]) or ["yes", "no", "a dog"]
    alone = list(answer(family, examples[:6], choices=choices, batch_size=1))
    for one, other in zip(alone, answer(family, examples[:6], choices=choices, batch_size=4), strict=True):
        assert {candidate.text for candidate in one.alternatives} == set(choices)
        scores = [candidate.score for candidate in one.alternatives]
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) == pytest.approx(1)
        assert (one.text, one.score) == (one.alternatives[0].text, scores[0])
        assert one.text == other.text
        assert scores == pytest.approx([candidate.score for candidate in other.alternatives], abs=1e-5)


def test_a_conversation_is_answered_by_every_family(family: Family, examples: list[Example]) -> None:
    first, second = examples[0].images[0], examples[1].images[0]
    conversation = Conversation().ask("How many?", first).answered("2").ask("What is the color?", second)
    batch = family.prepare_conversation(conversation)
    (best,) = family.predict(batch, 1)[0]
    assert isinstance(best.text, str)
    if not family.converses:
        assert family.predict(family.prepare([Example((second,), "What is the color?")]), 1)[0] == (best,)


@pytest.mark.parametrize("name", [name for family in all_families().values() for name in family.scratch])
def test_every_configuration_from_scratch_is_built_the_same_twice(name: str, vilt_pictures: list[Path]) -> None:
    import torch

    from seesay.models import for_training

    examples = [Example((path,), "what color is it?") for path in vilt_pictures]
    first_seed, other_seed = (TrainVqaSettings(from_scratch=name, seed=seed) for seed in (3, 4))
    built = [for_training(first_seed, ("no", "yes"), ["what color is it?"]) for _ in range(2)]
    first, second = (list(answer(family, examples, top_k=2)) for family in built)
    assert [one.alternatives for one in first] == [one.alternatives for one in second]
    other = for_training(other_seed, ("no", "yes"), ["what color is it?"])
    assert not all(
        torch.equal(a, b) for a, b in zip(other.network.parameters(), built[0].network.parameters(), strict=True)
    )


@pytest.fixture
def learner(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Family:
    """A family opened to be trained on colors; without dropout, so that losses can be compared."""
    import torch

    from seesay.models import for_training

    monkeypatch.setenv("SEESAY_CACHE", str(tmp_path / "cache"))
    family = for_training(TrainVqaSettings(model=str(checkpoint), seed=5), ("blue", "green", "red"), ["what color?"])
    for module in family.network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "dropout", None), float):
            module.dropout = 0.0
    return family


@pytest.fixture
def lessons(photo: PhotoMaker, tmp_path: Path) -> list[Example]:
    """Five rows; answers and questions of unequal length."""
    asked = [("red", "what color?"), ("blue", "what is the color of this picture?"), ("green", "what?")]
    asked += [("blue", "is it?"), ("red", "a")]
    return [
        Example((photo(tmp_path / f"{index}.png", (40 + 9 * index, 48), color),), question, (color,))
        for index, (color, question) in enumerate(asked)
    ]


def test_the_loss_of_a_batch_is_the_mean_over_all_that_its_rows_learn(learner: Family, lessons: list[Example]) -> None:
    together = learner.examine(learner.prepare(lessons, normalize=str), answer=True)
    alone = [learner.examine(learner.prepare([example], normalize=str), answer=False) for example in lessons]
    assert together.count == sum(one.count for one in alone)
    mean = sum(one.loss * one.count for one in alone) / together.count
    assert together.loss == pytest.approx(mean, rel=1e-4)
    assert len(together.answers) == len(lessons)
    assert alone[0].answers == []


def test_a_few_steps_teach_and_what_was_taught_is_saved_and_restored(
    learner: Family, lessons: list[Example], checkpoint: Path, tmp_path: Path
) -> None:
    import torch

    from seesay.models import for_training

    def loss(model: Family) -> float:
        return model.examine(model.prepare(lessons, normalize=str), answer=False).loss

    untaught = loss(learner)
    learned = [value for value in learner.network.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=1e-3)
    for _ in range(30):
        learner.network.train()
        found = learner.network(**learner.prepare(lessons, normalize=str).tensors)["loss"]
        optimizer.zero_grad()
        found.backward()
        optimizer.step()
    assert loss(learner) < untaught * 0.98
    (tmp_path / "saved").mkdir()
    learner.save(tmp_path / "saved")
    again = for_training(TrainVqaSettings(model=str(checkpoint), seed=6), ("blue", "green", "red"), ["what color?"])
    again.restore(tmp_path / "saved")
    for (name, one), (_, other) in zip(
        learner.network.state_dict().items(), again.network.state_dict().items(), strict=True
    ):
        assert one.equal(other), name
    opened = load(ModelSettings(model=str(tmp_path / "saved")))
    before, after = (list(answer(model, lessons, top_k=3)) for model in (learner, opened))
    for one, two in zip(before, after, strict=True):
        assert one.text == two.text
        assert one.score == pytest.approx(two.score, abs=1e-4)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_picture_decoded_to_what_the_model_scales_it_to_is_the_picture(
    family: Family, large_photo: Callable[[int], Path], orientation: int
) -> None:
    """Whoever decodes ahead, and a family that opens the file itself, prepare the same numbers."""
    path = large_photo(orientation)
    opened = open_image(path, fits=family.fits)
    whole = open_image(path).pixels.size
    assert (opened.pixels.size == whole) == (family.fits is None)
    asked = "What is it?" if family.answers else ""
    ours, theirs = (family.prepare([Example((source,), asked)]) for source in (path, opened))
    assert ours.digests == theirs.digests
    assert ours.tensors.keys() == theirs.tensors.keys()
    for name, value in ours.tensors.items():
        assert numpy.array_equal(numpy.asarray(value), numpy.asarray(theirs.tensors[name])), name
