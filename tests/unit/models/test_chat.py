"""Models that chat: which checkpoints are opened, what their templates show, and what people's words become."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import seesay
from seesay import Conversation, ImagePart, Message, TextPart
from seesay.errors import InputError, ModelError
from seesay.models import Family, all_families, load
from seesay.models.chat_template import ChatTemplate
from seesay.models.families.chat import Chat
from seesay.settings import AskSettings, ModelSettings

SQUARE = Image.new("RGB", (32, 32), "red")


@pytest.fixture
def altered(chat_checkpoints: dict[str, Path], tmp_path: Path) -> Callable[..., Path]:
    """A copy of a checkpoint with other JSON values in one file, or without it."""

    def alter(name: str, file: str, values: dict[str, object] | None) -> Path:
        folder = tmp_path / name
        shutil.copytree(chat_checkpoints[name], folder)
        if values is None:
            (folder / file).unlink()
        else:
            old = json.loads((folder / file).read_text())
            (folder / file).write_text(json.dumps({**old, **values}))
        return folder

    return alter


def open_chat(folder: Path) -> Chat:
    family = load(AskSettings(model=str(folder)))
    assert isinstance(family, Chat)
    return family


def test_every_kind_that_transformers_maps_has_exactly_one_family() -> None:
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    named = {kind for family in all_families().values() for kind in family.model_types}
    assert {"git", "blip", "blip-2", "instructblip"} <= named
    for kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        adopting = [family.name for family in all_families().values() if family.adopts(kind)]
        assert kind in named or adopting == ["chat"]
    assert not Chat.adopts("vilt")
    assert not Chat.adopts("bert")


def test_two_families_that_adopt_one_kind_are_an_error(monkeypatch: pytest.MonkeyPatch, chat_checkpoint: Path) -> None:
    class Other(Chat):
        name = "other"

    both: dict[str, type[Family]] = {**all_families(), "other": Other}
    monkeypatch.setattr("seesay.models.all_families", lambda: both)
    with pytest.raises(ValueError, match="adopted by chat and other"):
        load(ModelSettings(model=str(chat_checkpoint)))


def test_a_checkpoint_with_another_head_is_refused(altered: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match=r"cannot write answers \(Qwen2VLModel\)"):
        open_chat(altered("qwen2_vl", "config.json", {"architectures": ["Qwen2VLModel"]}))


def test_a_checkpoint_without_template_is_refused(altered: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match="no chat template"):
        open_chat(altered("llava", "chat_template.jinja", None))


@pytest.mark.parametrize("name", ["llava", "smolvlm"])
def test_a_checkpoint_without_image_processor_is_refused(name: str, altered: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match="no usable processor"):
        open_chat(altered(name, "preprocessor_config.json", None))


def test_a_processor_that_would_open_other_weights_is_refused(altered: Callable[..., Path]) -> None:
    elsewhere = {"audio_tokenizer": {"audio_tokenizer_class": "DacModel", "audio_tokenizer_name_or_path": "a/b"}}
    with pytest.raises(ModelError, match="audio tokenizer"):
        open_chat(altered("idefics3", "processor_config.json", elsewhere))


def test_pickled_weights_are_refused(altered: Callable[..., Path]) -> None:
    folder = altered("llava", "preprocessor_config.json", {})
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"no \*\.safetensors"):
        open_chat(folder)


def test_a_classifier_given_to_the_pipeline_and_a_captioner_asked_are_refused(
    vilt_checkpoint: Path, generative_checkpoints: dict[str, Path]
) -> None:
    with pytest.raises(ModelError, match="writes no text"):
        seesay.pipeline("image-text-to-text", model=str(vilt_checkpoint))
    captioner = seesay.load(str(generative_checkpoints["blip-caption"]))
    with pytest.raises(ModelError, match="answers no questions"):
        captioner.chat(Conversation().ask("Is it red?", SQUARE))


def test_attention_is_chosen_and_said(chat_checkpoint: Path) -> None:
    answer = seesay.load(str(chat_checkpoint)).ask(SQUARE, "what is it?")
    assert answer.provenance.engine.endswith("sdpa attention")


def test_it_asks_and_describes_like_any_other_model(chat_checkpoint: Path) -> None:
    model = seesay.load(str(chat_checkpoint))
    assert model.caption(SQUARE).text
    answers = model.ask([SQUARE, SQUARE], "what is it?", top_k=3)
    assert answers[0].alternatives == answers[1].alternatives
    two = next(model.answer([seesay.Example((SQUARE, Image.new("RGB", (32, 32), "blue")), "what differs?")]))
    assert len(two.provenance.inputs) == 2


def test_a_question_alone_is_asked_with_the_prompt_for_short_answers(chat_checkpoints: dict[str, Path]) -> None:
    family = open_chat(chat_checkpoints["idefics3"])
    for question, prompt in {
        "What is it?": "What is it?\nAnswer the question using a single word or phrase.",
        "": "Provide a one-sentence caption for the provided image.",
    }.items():
        ids = family.prepare([seesay.Example((SQUARE,), question)]).tensors["input_ids"][0]
        assert prompt in family.tokenizer.decode(ids)


@pytest.mark.parametrize(
    ("asked", "prompt"),
    [
        ("what is it?", "answer en what is it?"),
        ("caption es", "caption es"),
        ("detect dog ; cat", "detect dog ; cat"),
    ],
)
def test_paligemma_gets_the_prompts_it_was_tuned_on(chat_checkpoints: dict[str, Path], asked: str, prompt: str) -> None:
    family = open_chat(chat_checkpoints["paligemma"])
    conversation = Conversation().ask("where?", SQUARE).answered("there").ask(asked, SQUARE)
    assert family.asking.template.prompt(conversation) == f"<image><image>{prompt}"
    ids = family.prepare([seesay.Example((SQUARE,), "")]).tensors["input_ids"][0]
    assert family.tokenizer.decode(ids, skip_special_tokens=True) == "caption en\n"


def test_pictures_that_a_template_does_not_show_name_the_turn(chat_checkpoints: dict[str, Path]) -> None:
    family = open_chat(chat_checkpoints["gemma3"])
    shown = Conversation().ask("what?", SQUARE).answered("red")
    hidden = Conversation((Message("system", (TextPart("look"), ImagePart(SQUARE))), *shown.ask("sure?").messages))
    with pytest.raises(InputError, match=r"turn 1 \(system\): 1 pictures up to here, 0 of them in the prompt"):
        family.prepare_conversation(hidden)
    family = open_chat(chat_checkpoints["llava_next"])
    said = Message("assistant", (TextPart("this"), ImagePart(SQUARE)))
    with pytest.raises(InputError, match=r"turn 2 \(assistant\): 2 pictures up to here, 1 of them in the prompt"):
        family.prepare_conversation(Conversation((shown.messages[0], said)).ask("sure?"))


def test_what_a_template_refuses_is_said_in_its_words(chat_checkpoints: dict[str, Path]) -> None:
    family = open_chat(chat_checkpoints["gemma3"])
    with pytest.raises(InputError, match="roles must alternate"):
        family.prepare_conversation(Conversation().ask("a", SQUARE).ask("b"))


def test_a_token_cannot_be_spelled_across_two_parts(chat_checkpoints: dict[str, Path]) -> None:
    family = open_chat(chat_checkpoints["qwen2_vl"])
    parts = (TextPart("a <|im_"), TextPart("end|> b"), ImagePart(SQUARE), TextPart("<|image_pad|>"))
    ids = family.prepare_conversation(Conversation((Message("user", parts),))).tensors["input_ids"][0].tolist()
    ends = [index for index in ids if index == family.tokenizer.convert_tokens_to_ids("<|im_end|>")]
    assert len(ends) == 2  # of the system's and of the user's turn


class Words:
    """As much of a tokenizer as a template needs."""

    all_special_tokens = ("<s>", "</s>", "<image>", "<<>>", "< image>")
    added_tokens_decoder: dict[int, object] = {}  # noqa: RUF012

    def apply_chat_template(self, rows: list[dict[str, object]], **_: object) -> str:
        return str(rows)


@given(st.lists(st.sampled_from(["<", "s", ">", "/", "image", " ", "a", "<image>", "</s>", "<<>>"]), max_size=12))
def test_no_escaped_text_spells_a_token(pieces: list[str]) -> None:
    text = "".join(pieces)
    escaped = ChatTemplate("", Words(), "<image>", (), "words").escape(text)
    assert not any(token in escaped for token in Words.all_special_tokens)
    assert escaped.replace(" ", "") == text.replace(" ", "")
    if not any(token in text for token in Words.all_special_tokens):
        assert escaped == text


def test_a_checkpoint_saved_again_keeps_its_template(chat_checkpoints: dict[str, Path], tmp_path: Path) -> None:
    family = open_chat(chat_checkpoints["smolvlm"])
    family.save(tmp_path / "again")
    again = open_chat(tmp_path / "again")
    conversation = Conversation().ask("what?", SQUARE)
    assert again.asking.template.prompt(conversation) == family.asking.template.prompt(conversation)
    assert (tmp_path / "again" / "chat_template.jinja").is_file()


@pytest.mark.parametrize("name", ["qwen2_vl", "llava"])
@pytest.mark.parametrize("file", ["chat_template.json", "tokenizer_config.json", "processor_config.json"])
def test_templates_are_found_where_older_repositories_have_them(
    name: str, file: str, chat_checkpoints: dict[str, Path], altered: Callable[..., Path]
) -> None:
    conversation = Conversation().ask("what?", SQUARE).answered("red").ask("sure?")
    prompt = open_chat(chat_checkpoints[name]).asking.template.prompt(conversation)
    folder = altered(name, "tokenizer_config.json", {})
    template = (folder / "chat_template.jinja").read_text()
    (folder / "chat_template.jinja").unlink()
    old = json.loads((folder / file).read_text()) if (folder / file).is_file() else {}
    (folder / file).write_text(json.dumps({**old, "chat_template": template}))
    assert open_chat(folder).asking.template.prompt(conversation) == prompt
