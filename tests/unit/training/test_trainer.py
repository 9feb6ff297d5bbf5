"""The trainer: accumulation equals the large batch, evaluation equals answering, a diverging loss is told."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seesay import DataError, Example, RunError, TrainCaptionSettings, TrainVqaSettings, data
from seesay.answering import answer
from seesay.evaluation import by_content
from seesay.metrics import caption_metrics, normalizer
from seesay.metrics.vqa import score
from seesay.models import Family, for_training
from seesay.settings import Recipe, settle
from seesay.training.plan import Plan, Visit
from seesay.training.run_folder import RunFolder
from seesay.training.trainer import Progress, Stop, make_trainer, one_caption, validate

RECIPE = Recipe(per_device_train_batch_size=8, learning_rate=1e-3, eval_steps=1, logging_steps=1)


def settings_for(color_data: Path, output: Path, **changes: object) -> TrainVqaSettings:
    values = {"data": str(color_data), "output": output, "mixed_precision": "none", **changes}
    return settle(TrainVqaSettings(**values), RECIPE)[0]  # type: ignore[arg-type]


def fresh(checkpoint: Path) -> Family:
    """Without dropout, which is drawn by the step and not by the row."""
    settings = TrainVqaSettings(model=str(checkpoint), seed=1)
    family = for_training(settings, ("yes", "no", "red", "green", "blue"), [])
    for module in family.network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return family


def train(
    checkpoint: Path, settings: TrainVqaSettings, batch: int, accumulation: int, steps: int = 2, recipe: Recipe = RECIPE
) -> tuple[Family, list[Progress]]:
    dataset = data.load(settings)
    rows = dataset.splits["train"]
    family, told = fresh(checkpoint), list[Progress]()
    plan = Plan([()] * len(rows), [], 0.0, batch, accumulation, steps, seed=1)
    folder = RunFolder(settings.output)
    make_trainer(
        family, rows, dataset.splits["validation"], plan, settings, recipe, folder, told.append, Stop()
    ).train()
    return family, told


@pytest.mark.parametrize("kind", ["vilt_base", "git_checkpoint", "blip_checkpoint", "mini_checkpoint"])
def test_accumulated_gradients_equal_the_large_batch(
    kind: str, request: pytest.FixtureRequest, color_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compared by loss and gradient norm: AdamW turns the last bits of a tiny gradient into a whole step."""
    monkeypatch.setenv("SEESAY_CACHE", str(tmp_path / "cache"))
    noted = []
    for batch, accumulation in ((8, 1), (2, 4)):
        settings = settings_for(color_data, tmp_path / str(batch))
        _, told = train(request.getfixturevalue(kind), settings, batch, accumulation, steps=1)
        noted.append(next(state.values for state in told if "grad_norm" in state.values))
    assert noted[0]["grad_norm"] == pytest.approx(noted[1]["grad_norm"], rel=1e-5)
    assert noted[0]["loss"] == pytest.approx(noted[1]["loss"], rel=1e-5)


def test_the_loss_noted_does_not_grow_with_accumulation(vilt_base: Path, color_data: Path, tmp_path: Path) -> None:
    losses = []
    for accumulation in (1, 4):
        settings = settings_for(color_data, tmp_path / str(accumulation))
        _, told = train(vilt_base, settings, 8 // accumulation, accumulation, steps=1)
        losses.append(next(state.values["loss"] for state in told if "loss" in state.values))
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_the_accuracy_in_training_is_the_accuracy_of_the_answers(
    vilt_base: Path, color_data: Path, tmp_path: Path
) -> None:
    settings = settings_for(color_data, tmp_path / "run")
    family = fresh(vilt_base)
    rows = data.load(settings).splits["validation"]
    normalize = normalizer("english")
    scores = [
        score(example, given.text, normalize=normalize)
        for example, given in zip(rows, answer(family, rows), strict=True)
    ]
    found = validate(family, rows, settings, {})
    assert found["vqa_accuracy"] == pytest.approx(sum(scores) / len(scores))
    assert found["loss"] > 0
    assert family.network.training


@pytest.mark.parametrize("size", [1, 4, 64])
def test_the_loss_of_an_evaluation_is_that_of_the_first_captions_whatever_the_batch(
    size: int, git_checkpoint: Path, vilt_pictures: list[Path], tmp_path: Path
) -> None:
    family = fresh(git_checkpoint)
    written = [("a red photo", "x"), ("two dog with a small white cat on the street",), ("sky",), ("table", "man")]
    rows = [Example((vilt_pictures[index % 3],), "", captions) for index, captions in enumerate(written)]
    settings = TrainCaptionSettings(data="x", output=tmp_path, per_device_eval_batch_size=size)
    described = by_content(rows)
    found = validate(family, rows, settings, described)
    said = [next(answer(family, [Example(row.images)])).text or "" for row in described.values()]
    metric = caption_metrics()["cider-d"]()
    scores = metric.score(said, [list(row.answers) for row in described.values()]).captions
    assert found["cider_d"] == pytest.approx(sum(scores) / 3)
    assert found["merit"] == pytest.approx(found["cider_d"], abs=1e-4)
    first = [Example(row.images, "", row.answers[:1]) for row in rows]
    together = family.examine(family.prepare(first, normalize=str), answer=False)
    assert found["loss"] == pytest.approx(together.loss, rel=1e-5)


def test_each_visit_learns_one_caption_and_all_of_them_in_turn() -> None:
    row = Example((), "", ("a", "b", "c", "d"))
    drawn = [one_caption(row, Visit(7, epoch), seed=3).answers for epoch in range(12)]
    assert all(len(captions) == 1 for captions in drawn)
    for turn in range(3):
        assert {caption for (caption,) in drawn[4 * turn : 4 * turn + 4]} == {"a", "b", "c", "d"}
    assert drawn == [one_caption(row, Visit(7, epoch), seed=3).answers for epoch in range(12)]
    others = [[one_caption(row, Visit(place, 0), seed).answers for place in range(30)] for seed in (3, 4)]
    assert others[0] != others[1]
    assert {caption for (caption,) in others[0]} == {"a", "b", "c", "d"}
    asked = Example((), "which?", ("a", "b"))
    assert one_caption(asked, Visit(0, 0), seed=3) is asked


def test_a_picture_that_breaks_on_the_way_is_told_with_its_row(
    git_checkpoint: Path, color_data: Path, tmp_path: Path
) -> None:
    import shutil

    copy = tmp_path / "data"
    shutil.copytree(color_data, copy)
    settings = settings_for(copy, tmp_path / "run")
    data.load(settings)
    (copy / "images/train4.png").write_bytes(b"cut short")
    with pytest.raises(DataError, match=r"train.jsonl:(9|10): train4.png: [\s\S]*"):
        train(git_checkpoint, settings, 18, 1, steps=2)


def test_every_row_is_noted_with_step_epoch_and_estimate(vilt_base: Path, color_data: Path, tmp_path: Path) -> None:
    _, told = train(vilt_base, settings_for(color_data, tmp_path / "run"), 9, 1, steps=4)
    assert [state.step for state in told if not state.values] == [1, 2, 3, 4]
    assert told[-1].epoch == pytest.approx(4 * 9 / 36)
    assert {"loss", "eval_loss", "eval_vqa_accuracy"} <= {name for state in told for name in state.values}
    assert all(state.seconds_left >= 0 for state in told)


def test_a_loss_that_is_no_number_stops_the_run_and_says_so(vilt_base: Path, color_data: Path, tmp_path: Path) -> None:
    settings = settings_for(color_data, tmp_path / "run", max_grad_norm=0.0)
    with pytest.raises(RunError, match=r"the loss became (nan|inf)[\s\S]*lower learning_rate"):
        train(vilt_base, settings, 8, 1, steps=30, recipe=replace(RECIPE, learning_rate=1e30))


def test_training_does_not_depend_on_the_global_random_state(vilt_base: Path, color_data: Path, tmp_path: Path) -> None:
    networks = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        networks.append(train(vilt_base, settings_for(color_data, tmp_path / str(seed)), 4, 1)[0].network)
    for one, other in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        assert torch.equal(one, other)
