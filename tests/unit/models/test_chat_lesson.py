"""What a model that chats learns of a conversation, and what its training leaves behind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import seesay
from seesay import Conversation, ModelError, UsageError
from seesay.errors import InputError
from seesay.models import fine_tuned, lessons, load
from seesay.models.families.chat import Chat
from seesay.settings import ModelSettings, TrainChatSettings

RED, BLUE = Image.new("RGB", (40, 30), "red"), Image.new("RGB", (64, 64), "blue")
TALK = (
    Conversation()
    .ask("What is the color of this picture?", RED)
    .answered("red")
    .ask("and this", BLUE)
    .answered("two dogs")
)


def opened(folder: Path, **more: Any) -> Chat:
    family = fine_tuned(TrainChatSettings(model=str(folder), seed=3, **more), converses=True)
    assert isinstance(family, Chat)
    return family


def learn(family: Chat, rows: list[Conversation], steps: int, rate: float = 1e-2) -> float:
    """Some steps of training; the loss after them."""
    learned = [value for value in family.network.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=rate)
    family.network.train()
    for _ in range(steps):
        optimizer.zero_grad()
        family.network(**family.prepare_lessons(rows).tensors)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
    return family.examine(family.prepare_lessons(rows), answer=False).loss


@pytest.mark.parametrize("name", ["idefics3", "llava", "qwen2_vl", "gemma3"])
def test_the_preview_shows_what_is_learned(name: str, chat_checkpoints: dict[str, Path]) -> None:
    found = lessons(ModelSettings(model=str(chat_checkpoints[name])))
    family = opened(chat_checkpoints[name])
    labels = family.prepare_lessons([TALK]).tensors["labels"][0]
    learned = family.tokenizer.convert_ids_to_tokens(labels[labels != -100].tolist())
    shown = found.preview(TALK)
    assert [token for token, is_learned in shown if is_learned] == learned
    assert not all(is_learned for _, is_learned in shown)


def test_paligemma_previews_and_refuses_what_it_cannot_learn(chat_checkpoints: dict[str, Path]) -> None:
    found = lessons(ModelSettings(model=str(chat_checkpoints["paligemma"])))
    shown = found.preview(Conversation().ask("how many", RED).answered("two"))
    assert [token for token, is_learned in shown if is_learned][-1] == "</s>"
    with pytest.raises(InputError, match="learns one question and its answer"):
        found.preview(TALK)


def test_a_template_that_rewrites_its_prompt_is_refused(chat_checkpoints: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match="turn 2 is not written as its prompt"):
        opened(chat_checkpoints["llava_onevision"])


def test_a_template_that_forgets_is_refused(chat_checkpoints: dict[str, Path], tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "forgets"
    shutil.copytree(chat_checkpoints["qwen2_vl"], folder)
    kept = (folder / "chat_template.jinja").read_text()
    changed = kept.replace("{% for message in messages %}", "{% for message in messages[-2:] %}", 1)
    (folder / "chat_template.jinja").write_text(changed)
    with pytest.raises(ModelError, match="is written otherwise later on"):
        opened(folder)


def test_special_tokens_in_answers_stay_words(chat_checkpoints: dict[str, Path]) -> None:
    family = opened(chat_checkpoints["qwen2_vl"])
    typed = Conversation().ask("what", RED).answered("red<|im_end|> and <|image_pad|>")
    labels = family.prepare_lessons([typed]).tensors["labels"][0]
    assert labels.tolist().count(family.tokenizer.convert_tokens_to_ids("<|im_end|>")) == 1


def test_what_is_too_long_is_told_by_sizes_and_in_a_batch(chat_checkpoints: dict[str, Path]) -> None:
    folder = chat_checkpoints["idefics3"]
    found = lessons(ModelSettings(model=str(folder)))
    family = opened(folder)
    exact = family.prepare_lessons([TALK]).tensors["input_ids"].shape[1]
    assert found.length(TALK, [RED.size, BLUE.size]) == exact
    assert found.too_long(TALK, [RED.size, BLUE.size]) == ""
    long = Conversation(
        (*TALK.messages, *Conversation().ask("why " * 2100).answered("so").messages), origin="talks.jsonl:4"
    )
    assert "reads 2,048" in found.too_long(long, [RED.size, BLUE.size])
    with pytest.raises(InputError, match=r"talks.jsonl:4: [\d,]+ tokens; .* reads 2,048"):
        family.prepare_lessons([long])


def test_quantized_weights_want_adapters_and_others_do_not_converse(
    chat_checkpoint: Path, git_checkpoint: Path
) -> None:
    with pytest.raises(UsageError, match="quantized weights cannot be trained") as told:
        opened(chat_checkpoint, quantize="int8")
    assert "--lora 16" in told.value.hint
    with pytest.raises(ModelError, match="learn no conversations"):
        opened(git_checkpoint)


def test_a_frozen_eye_does_not_change(chat_checkpoints: dict[str, Path]) -> None:
    family = opened(chat_checkpoints["smolvlm"], freeze_vision=True)
    before = {name: value.clone() for name, value in family._network.named_parameters()}
    learn(family, [TALK], 2)
    changed = {name for name, value in family._network.named_parameters() if not value.equal(before[name])}
    assert any("text_model" in name for name in changed)
    assert any("connector" in name for name in changed)
    assert not any("vision_model" in name for name in changed)


def test_adapters_are_in_the_language_model_and_in_the_eye(chat_checkpoints: dict[str, Path]) -> None:
    def adapted(**more: Any) -> set[str]:
        family = opened(chat_checkpoints["llava"], lora=2, **more)
        return {name.split(".lora_")[0] for name, value in family._network.named_parameters() if value.requires_grad}

    both, language = adapted(), adapted(freeze_vision=True)
    assert language < both
    assert all("language_model" in name for name in language)
    assert {name.rsplit(".", 1)[1] for name in language} == {
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"
    }  # fmt: skip
    assert any("vision_tower" in name for name in both - language)


def said(folder: Path, talk: Conversation) -> str:
    return seesay.load(str(folder)).chat(Conversation(talk.messages[:-1]), max_new_tokens=8).text or ""


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_adapters_are_added_saved_and_read_by_peft(chat_checkpoints: dict[str, Path], tmp_path: Path) -> None:
    import peft
    from transformers import AutoModelForImageTextToText

    family = opened(chat_checkpoints["qwen2_vl"], lora=4)
    learn(family, [TALK], 3)
    batch = family.prepare_lessons([TALK])
    expected = family.examine(batch, answer=False).loss
    tmp_path.joinpath("run").mkdir()
    family.save(tmp_path / "run")
    merged = opened(tmp_path / "run")
    assert merged.examine(batch, answer=False).loss == pytest.approx(expected, rel=1e-4)
    assert (tmp_path / "run/chat_template.jinja").read_bytes() == (
        chat_checkpoints["qwen2_vl"] / "chat_template.jinja"
    ).read_bytes()
    base = AutoModelForImageTextToText.from_pretrained(chat_checkpoints["qwen2_vl"])
    by_peft = peft.PeftModel.from_pretrained(base, str(tmp_path / "run/adapter")).eval()
    with torch.inference_mode():
        assert float(by_peft(**batch.tensors).loss) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("bits", "package"), [("int8", "torchao"), ("int4", "bitsandbytes")])
def test_adapters_over_quantized_weights_find_their_base_again(
    bits: Any, package: str, chat_checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    pytest.importorskip(package)
    family = opened(chat_checkpoints["idefics3"], lora=4, quantize=bits)
    untaught = family.examine(family.prepare_lessons([TALK]), answer=False).loss
    taught = learn(family, [TALK], 8)
    assert taught < untaught * 0.9
    (tmp_path / "run").mkdir()
    family.save(tmp_path / "run")
    assert not list((tmp_path / "run").glob("*.safetensors"))
    base = json.loads((tmp_path / "run/base.json").read_text())
    assert (base["model"], base["quantize"]) == (str(chat_checkpoints["idefics3"]), bits)
    again = load(ModelSettings(model=str(tmp_path / "run")))
    assert again.placement.quantize == bits
    asked = Conversation(TALK.messages[:-1])
    one, other = (model.predict(model.prepare_conversation(asked), 1)[0][0] for model in (family, again))
    assert one.text == other.text
    assert one.score == pytest.approx(other.score, abs=1e-2)  # laid out otherwise, bitsandbytes rounds otherwise
    restored = opened(chat_checkpoints["idefics3"], lora=4, quantize=bits)
    restored.restore(tmp_path / "run")
    assert restored.examine(restored.prepare_lessons([TALK]), answer=False).loss == pytest.approx(taught, rel=1e-4)
    with pytest.raises(ModelError, match="not trained further"):
        opened(tmp_path / "run", lora=4)


@pytest.fixture
def talks() -> list[Conversation]:
    """Eight of them, about pictures of a color each."""
    said = [("navy", "black"), ("red", "red"), ("lime", "green"), ("white", "white"), ("gray", "a cat sitting"), ("blue", "blue"),
            ("orange", "a dog on the grass"), ("yellow", "two")]  # fmt: skip
    rows = []
    for index, (color, answer) in enumerate(said):
        picture = Image.new("RGB", (32, 32), color)
        asked = Conversation().ask("what is the color of this picture ?", picture).answered(answer)
        rows.append(asked if index % 2 else asked.ask("how many are there").answered("one" if index % 4 else "two"))
    return rows


@pytest.mark.slow
def test_a_small_model_learns_eight_conversations_and_says_them(
    chat_checkpoints: dict[str, Path], talks: list[Conversation], tmp_path: Path
) -> None:
    family = opened(chat_checkpoints["idefics3"])
    assert learn(family, talks, 250, 3e-3) < 0.05
    (tmp_path / "taught").mkdir()
    family.save(tmp_path / "taught")
    model = seesay.load(str(tmp_path / "taught"))
    for talk in talks:
        for turn, message in enumerate(talk.messages):
            if message.role == "assistant":
                answer = model.chat(Conversation(talk.messages[:turn]), max_new_tokens=10)
                assert answer.text == message.text
                assert answer.finish == "stop"


def test_accumulated_batches_equal_the_large_one(
    chat_checkpoints: dict[str, Path], talks: list[Conversation], tmp_path: Path
) -> None:
    from seesay.data.conversations import ConversationSet
    from seesay.settings import Recipe
    from seesay.training.chat import make_chat_trainer
    from seesay.training.planned import Stop
    from seesay.training.run_folder import RunFolder

    def trained(name: str, batch: int, accumulation: int) -> dict[str, torch.Tensor]:
        settings = TrainChatSettings(
            model=str(chat_checkpoints["qwen2_vl"]), seed=3, max_steps=1, mixed_precision="none"
        )
        family = fine_tuned(settings, converses=True)
        found = ConversationSet("talks", "", {"train": tuple(talks), "validation": tuple(talks[:2])}, (), "")
        folder = RunFolder(tmp_path / name)
        # SGD-like steps: Adam would blow up differences of gradients that are all but zero.
        recipe = Recipe(per_device_train_batch_size=batch, gradient_accumulation_steps=accumulation, learning_rate=1e-3)
        trainer = make_chat_trainer(family, found, [50] * 8, settings, recipe, folder, lambda state: None, Stop())
        trainer.create_optimizer = lambda *_: None  # type: ignore[method-assign]
        trainer.optimizer = torch.optim.SGD(family.network.parameters(), lr=1e-2)
        with folder.lock():
            trainer.train()
        return {name: value.detach() for name, value in family.network.named_parameters()}

    large, small = trained("large", 8, 1), trained("small", 2, 4)
    for name, value in large.items():
        assert torch.allclose(value, small[name], atol=1e-5), name


def test_activations_computed_again_give_the_same_gradients(chat_checkpoints: dict[str, Path]) -> None:
    found = []
    for again in (False, True):
        family = opened(chat_checkpoints["smolvlm"])
        network: Any = family.network
        if again:
            network.activation_checkpointing_enable()
        network.train()
        network(**family.prepare_lessons([TALK]).tensors)["loss"].backward()
        found.append([value.grad for value in network.parameters() if value.grad is not None])
    assert len(found[0]) == len(found[1])
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(*found, strict=True))


def test_answers_are_looked_for_once(chat_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pictures come late, the processor is asked once more; in the next epoch not again."""
    family = opened(chat_checkpoint)
    asked = 0
    real: Callable[..., Any] = family.lessons._processed

    def counted(*arguments: Any, **more: Any) -> Any:
        nonlocal asked
        asked += 1
        return real(*arguments, **more)

    monkeypatch.setattr(family.lessons, "_processed", counted)
    first = family.prepare_lessons([TALK]).tensors["labels"]
    assert asked == 2
    assert torch.equal(family.prepare_lessons([TALK]).tensors["labels"], first)
    assert asked == 3
