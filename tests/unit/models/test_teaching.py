"""Models that write, being taught: what carries loss, what is frozen, and that both end in a plain checkpoint."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from seesay import Example, ModelError, UsageError
from seesay.errors import RunError
from seesay.models import Family, for_training, load, preview
from seesay.models.family import IGNORED
from seesay.settings import ModelSettings, TrainCaptionSettings

SMALL = ["git", "blip-vqa", "blip-caption", "blip2-opt"]
EVERY = ["git", "blip-vqa", "blip-caption", "blip2-opt", "blip2-t5", "instructblip-opt", "instructblip-t5"]
CAPTIONS = ["a red photo", "the green table with a dog", "blue sky", "two cat on grass", "man standing"]

Maker = Callable[..., Family]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEESAY_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def open_for_training(generative_checkpoints: dict[str, Path]) -> Maker:
    def make(name: str, **settings: Any) -> Family:
        return for_training(TrainCaptionSettings(model=str(generative_checkpoints[name]), **settings), [], [])

    return make


def rows(name: str, pictures: list[Path]) -> list[Example]:
    question = "what color is it?" if name == "blip-vqa" else ""
    return [Example((pictures[index % 3],), question, (text,)) for index, text in enumerate(CAPTIONS)]


def learn(family: Family, examples: list[Example], steps: int, rate: float = 3e-3) -> list[float]:
    """The loss of each step of AdamW on one batch."""
    torch.manual_seed(0)
    network = family.network.train()
    optimizer = torch.optim.AdamW([value for value in network.parameters() if value.requires_grad], lr=rate)
    losses = []
    for _ in range(steps):
        loss = network(**family.prepare(examples, normalize=str).tensors)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def loss_of(family: Family, examples: list[Example]) -> float:
    return family.examine(family.prepare(examples, normalize=str), answer=False).loss


@pytest.mark.parametrize("name", EVERY)
def test_labels_are_the_reply_and_its_end_and_nothing_else(
    name: str, open_for_training: Maker, vilt_pictures: list[Path]
) -> None:
    family: Any = open_for_training(name)
    labels = family.prepare(rows(name, vilt_pictures), normalize=str).tensors["labels"]
    for row, caption in zip(labels.tolist(), CAPTIONS, strict=True):
        learned = [token for token in row if token != IGNORED]
        assert row == learned + [IGNORED] * (len(row) - len(learned))
        assert learned[-1] == family.ends[0]
        assert family.tokenizer.decode(learned[:-1]).strip() == caption


def test_git_learns_what_transformers_would_with_every_other_label_masked(
    open_for_training: Maker, vilt_pictures: list[Path]
) -> None:
    """By hand: logits behind the picture's positions, one place to the left of the tokens they are compared with."""
    family: Any = open_for_training("git")
    batch = family.prepare(rows("git", vilt_pictures), normalize=str)
    network = family._network.eval()
    total, count = 0.0, 0
    for index, caption in enumerate(CAPTIONS):
        ids = family.tokenizer(caption, return_tensors="pt").input_ids  # [CLS] caption [SEP]
        pixels = batch.tensors["pixel_values"][index : index + 1]
        with torch.no_grad():
            outputs = network(input_ids=ids, pixel_values=pixels, labels=ids)
        places = outputs.logits.shape[1] - ids.shape[1]
        assert places == (32 // 8) ** 2 + 1
        chances = outputs.logits[0, places:-1].log_softmax(-1)
        told = -chances[range(ids.shape[1] - 1), ids[0, 1:]]
        assert float(outputs.loss) == pytest.approx(float(told.mean()), rel=1e-5)
        total, count = total + float(told.sum()), count + len(told)
    found = family.examine(batch, answer=False)
    assert found.count == count
    assert found.loss == pytest.approx(total / count, rel=1e-5)


@pytest.mark.parametrize("name", EVERY)
def test_a_reply_longer_than_the_model_reads_is_cut_and_its_end_not_learned(
    name: str, open_for_training: Maker, vilt_pictures: list[Path]
) -> None:
    family: Any = open_for_training(name)
    (example, *_) = rows(name, vilt_pictures)
    long = Example(example.images, example.question, ("a small white dog " * 1000,))
    labels = family.prepare([long], normalize=str).tensors["labels"]
    assert labels.shape[1] == family.longest // 2
    assert family.ends[0] not in labels[0].tolist()
    assert loss_of(family, [long]) > 0


@pytest.mark.parametrize("name", ["git", "blip-vqa", "blip-caption"])
def test_five_rows_are_learned_by_heart_and_written_by_what_was_saved(
    name: str, open_for_training: Maker, vilt_pictures: list[Path], tmp_path: Path
) -> None:
    family = open_for_training(name)
    examples = rows(name, vilt_pictures)[:3]
    losses = learn(family, examples, 80)
    assert losses[-1] < 0.2 * losses[0]
    family.save(tmp_path / "saved")
    again = load(ModelSettings(model=str(tmp_path / "saved")))
    assert [found[0].text for found in again.predict(again.prepare(examples), 1)] == CAPTIONS[:3]


@pytest.mark.parametrize("name", ["blip2-opt", "instructblip-opt"])
def test_between_a_frozen_tower_and_a_frozen_language_model_the_loss_falls(
    name: str, open_for_training: Maker, vilt_pictures: list[Path]
) -> None:
    family = open_for_training(name)
    before = {key: value.clone() for key, value in family.network.state_dict().items()}
    examples = rows(name, vilt_pictures)
    untaught = loss_of(family, examples)
    learn(family, examples, 20, rate=1e-3)
    assert loss_of(family, examples) < untaught - 0.05
    changed = {key.split(".")[1] for key, value in family.network.state_dict().items() if not value.equal(before[key])}
    assert changed == {"qformer", "language_projection", "query_tokens"}


@pytest.mark.parametrize("name", [*SMALL, "blip2-t5"])
def test_adapters_start_at_the_base_models_outputs_and_merge_to_the_same_model(
    name: str, open_for_training: Maker, vilt_pictures: list[Path], tmp_path: Path
) -> None:
    examples = rows(name, vilt_pictures)
    base, family = open_for_training(name), open_for_training(name, lora=2)
    assert loss_of(family, examples) == loss_of(base, examples)
    losses = learn(family, examples, 12, rate=1e-2)
    assert losses[-1] < losses[0]
    learned = {key for key, value in family.network.named_parameters() if value.requires_grad}
    assert learned
    assert all(".lora_" in key for key in learned)
    assert any("language_model" in key or "decoder" in key or "git.encoder" in key for key in learned)
    family.save(tmp_path / "saved")
    merged = load(ModelSettings(model=str(tmp_path / "saved")))
    scores = [model.score(model.prepare(examples), CAPTIONS) for model in (family, merged)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)
    assert not any("lora" in key or "base_layer" in key for key in merged.network.state_dict())


@pytest.mark.parametrize("name", ["git", "blip-caption", "blip2-opt"])
def test_an_adapter_is_taken_up_again_to_the_bit_and_peft_reads_it(
    name: str,
    open_for_training: Maker,
    vilt_pictures: list[Path],
    generative_checkpoints: dict[str, Path],
    tmp_path: Path,
) -> None:
    import warnings

    from peft import PeftModel

    examples = rows(name, vilt_pictures)
    family: Any = open_for_training(name, lora=2)
    learn(family, examples, 5, rate=1e-2)
    family.save(tmp_path / "saved")
    again = open_for_training(name, lora=2)
    again.restore(tmp_path / "saved")
    for (key, one), (_, other) in zip(
        family.network.state_dict().items(), again.network.state_dict().items(), strict=True
    ):
        assert one.equal(other), key
    base: Any = load(ModelSettings(model=str(generative_checkpoints[name])))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        PeftModel.from_pretrained(base.network, tmp_path / "saved/adapter")
    scores = [model.score(model.prepare(examples), CAPTIONS) for model in (family, base)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)
    with pytest.raises(RunError, match="adapters"):
        open_for_training(name, lora=3).restore(tmp_path / "saved")


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("lora", [0, 2])
def test_what_a_frozen_tower_saw_is_kept_and_teaches_the_same(
    name: str, lora: int, open_for_training: Maker, vilt_pictures: list[Path]
) -> None:
    examples = rows(name, vilt_pictures)
    plain: Any = open_for_training(name, freeze_vision=True, lora=lora)
    plain._seen = None  # frozen, and nothing kept
    kept: Any = open_for_training(name, freeze_vision=True, lora=lora)
    losses = [learn(family, examples, 6) for family in (plain, kept)]
    # Kept as float16; later steps go apart from there.
    assert losses[0][0] == pytest.approx(losses[1][0], rel=1e-3)
    assert losses[0] == pytest.approx(losses[1], rel=2e-2)
    later: Any = open_for_training(name, freeze_vision=True, lora=lora)
    looked: list[int] = []
    later._tower.register_forward_hook(lambda *_: looked.append(1))
    patches = later.prepare(examples, normalize=str).tensors["pixel_values"]
    assert looked == []
    assert patches.shape[:2] == (len(examples), 1)
    before = {key: value.clone() for key, value in later._tower.state_dict().items()}
    learn(later, examples, 2)
    assert not later._tower.training
    assert all(value.equal(before[key]) for key, value in later._tower.state_dict().items())


def test_another_tower_or_another_preparation_keeps_its_own_features(
    open_for_training: Maker, vilt_pictures: list[Path]
) -> None:
    from seesay.models.teaching import identity

    family: Any = open_for_training("git")
    first = identity(family._tower, family.image_processor)
    assert first == identity(family._tower, family.image_processor)
    family.image_processor.image_mean = [0.5, 0.5, 0.5]
    second = identity(family._tower, family.image_processor)
    with torch.no_grad():
        next(family._tower.parameters()).view(-1)[0] += 1
    assert len({first, second, identity(family._tower, family.image_processor)}) == 3


def test_git_small_is_small_and_knows_the_words_of_its_captions(vilt_pictures: list[Path]) -> None:
    settings = TrainCaptionSettings(from_scratch="git-small", seed=3)
    family: Any = for_training(settings, [], ["A zebra, two flurbls."])
    assert 3e6 < sum(value.numel() for value in family.network.parameters()) < 4.5e6
    example = Example((vilt_pictures[0],), "", ("a flurbls, zebra!",))
    tokens = [word for word, learned in family.preview(example, str) if learned]
    assert tokens == ["a", "flurbls", ",", "zebra", "[UNK]", "[SEP]"] or tokens[:4] == ["a", "flurbls", ",", "zebra"]


def test_the_preview_shows_prompt_and_reply(generative_checkpoints: dict[str, Path], vilt_checkpoint: Path) -> None:
    asked = Example((), "what color?", ("red", "blue", "red"))
    told = Example((), "", ("a red photo",))

    def shown(name: str, example: Example) -> list[tuple[str, bool]]:
        (tokens,) = preview(ModelSettings(model=str(generative_checkpoints[name])), [example], str)
        return list(tokens)

    expected = [("[CLS]", False), ("what", False), ("color", False), ("?", False), ("red", True), ("[SEP]", True)]
    assert shown("git", asked) == expected
    assert shown("git", told) == [("[CLS]", False), *((word, True) for word in ("a", "red", "photo", "[SEP]"))]
    assert [token for token in shown("blip2-opt", asked) if token[1]] == [("Ġred", True), ("</s>", True)]
    assert [word for word, learned in shown("blip2-opt", told) if not learned] == ["<image>"] * 4 + ["</s>"]
    assert preview(ModelSettings(model=str(vilt_checkpoint)), [asked], str) == []


def test_random_weights_are_neither_frozen_nor_adapted() -> None:
    for wish in ({"lora": 2}, {"freeze_vision": True}):
        with pytest.raises(UsageError, match="random weights must be trained"):
            for_training(TrainCaptionSettings(from_scratch="git-small", **wish), [], ["a"])  # type: ignore[arg-type]


def test_parts_that_a_model_does_not_have_are_named(vilt_checkpoint: Path) -> None:
    with pytest.raises(ModelError, match="no vision tower"):
        for_training(TrainCaptionSettings(model=str(vilt_checkpoint), freeze_vision=True), ["yes", "no"], [])
    with pytest.raises(ModelError, match="takes no adapters"):
        for_training(TrainCaptionSettings(model="seesay-mini", lora=4), [], [])


def test_adapters_of_vilt_leave_all_but_the_head_as_it_was(
    vilt_base: Path, vilt_pictures: list[Path], tmp_path: Path
) -> None:
    answers = ("no", "yes")
    settings = TrainCaptionSettings(model=str(vilt_base), lora=2)
    examples = [Example((path,), "is it red?", ("yes",)) for path in vilt_pictures]
    base = for_training(TrainCaptionSettings(model=str(vilt_base)), answers, [])
    family = for_training(settings, answers, [])
    assert loss_of(family, examples) == pytest.approx(loss_of(base, examples), rel=1e-6)
    learn(family, examples, 5, rate=1e-2)
    family.save(tmp_path / "saved")
    merged, again = load(ModelSettings(model=str(tmp_path / "saved"))), for_training(settings, answers, [])
    again.restore(tmp_path / "saved")
    for (key, one), (_, other) in zip(
        family.network.state_dict().items(), again.network.state_dict().items(), strict=True
    ):
        assert one.equal(other), key
    scores = [model.score(model.prepare(examples), ["yes"] * 3) for model in (family, merged)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)


def test_weights_of_another_model_are_not_taken(
    open_for_training: Maker, generative_checkpoints: dict[str, Path]
) -> None:
    with pytest.raises(RunError, match="not this model's"):
        open_for_training("git").restore(generative_checkpoints["blip-caption"])
