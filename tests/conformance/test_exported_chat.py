"""Exports of models that chat: what the original says, with what was seen and read kept as under torch."""

from __future__ import annotations

import itertools
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

import seesay
from seesay import Conversation
from seesay.errors import ModelError
from seesay.models import explain, kept_exports, load
from seesay.models.exported.chat import ExportedChat
from seesay.models.exported.eye import all_eyes
from seesay.models.families.chat import Chat
from seesay.models.memory import Memory
from seesay.settings import AskSettings, ModelSettings


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("exports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEESAY_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module", params=sorted(all_eyes()))
def checkpoint(request: pytest.FixtureRequest, chat_checkpoints: dict[str, Path]) -> Path:
    return chat_checkpoints[request.param]


@pytest.fixture(scope="module")
def original(checkpoint: Path) -> Chat:
    family = load(AskSettings(model=str(checkpoint), engine="torch", max_new_tokens=8))
    assert isinstance(family, Chat)
    return family


@pytest.fixture(scope="module")
def opened(checkpoint: Path) -> ExportedChat:
    family = load(AskSettings(model=str(checkpoint), engine="onnx", dtype="float32", max_new_tokens=8))
    assert isinstance(family, ExportedChat)
    return family


@pytest.fixture
def export(opened: ExportedChat) -> ExportedChat:
    """With nothing kept."""
    opened.recall = Memory()
    opened.images.forget()
    return opened


@pytest.fixture(scope="module")
def conversations(original: Chat, pictures: list[Image.Image]) -> list[Conversation]:
    """Those that the original takes: PaliGemma answers nothing without a picture."""
    return [one for one in turns(pictures) if one.images or not original.asking.one_turn]


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    random = numpy.random.default_rng(0)
    sizes = [(40, 60), (64, 48), (50, 90)]
    return [Image.fromarray(random.integers(0, 255, (height, width, 3), dtype=numpy.uint8)) for width, height in sizes]


def turns(pictures: list[Image.Image]) -> list[Conversation]:
    """Two conversations, a turn of each after the other; some turns show another picture, one shows none."""
    one = Conversation().ask("is there a red dog", pictures[0])
    two = Conversation().ask("what is the color of the second image ?", pictures[0], pictures[1])
    later, after = one.answered("no").ask("how many are there"), two.answered("blue").ask("and of the first ?")
    return [
        one, two, later, after, after.answered("red").ask("and this one ?", pictures[2]),
        later.answered("two").ask("and here ?", pictures[1]), one, Conversation().ask("is there a red cat", pictures[0]),
        Conversation().ask("how many are there ?", pictures[1], pictures[0]), Conversation().ask("is there a dog ?"),
    ]  # fmt: skip


class Counted:
    """A part of an export that notes how many tokens, or tiles, it was given at a time."""

    def __init__(self, part: Any) -> None:
        self.part, self.read = part, list[int]()

    def __call__(self, **given: Any) -> Any:
        self.read.append(given["input_ids"].shape[1] if "input_ids" in given else 1)
        return self.part(**given)


def watch(export: ExportedChat, monkeypatch: pytest.MonkeyPatch) -> dict[str, Counted]:
    counted = {name: Counted(part) for name, part in export._parts.items()}
    monkeypatch.setattr(export, "_parts", counted)
    return counted


def test_tokens_and_tiles_are_the_originals(
    original: Chat, export: ExportedChat, conversations: list[Conversation]
) -> None:
    for conversation in [*conversations, *conversations]:  # the second time from what is kept
        theirs, ours = original.prepare_conversation(conversation), export.prepare_conversation(conversation)
        assert ours.digests == theirs.digests
        assert ours.tensors["input_ids"] == theirs.tensors["input_ids"].tolist()
        of_text = theirs.tensors["input_ids"].shape
        pictures = {name: value for name, value in theirs.tensors.items() if value.shape != of_text}
        assert ours.tensors["made"][0].keys() == pictures.keys()
        assert all(numpy.array_equal(ours.tensors["made"][0][name], value) for name, value in pictures.items())


def test_interleaved_conversations_are_answered_as_by_transformers_that_keeps_nothing(
    original: Chat, export: ExportedChat, conversations: list[Conversation]
) -> None:
    network, padding = original.bare_network, original.tokenizer.pad_token_id
    for conversation in conversations:
        inputs = original.prepare_conversation(conversation).tensors
        with torch.inference_mode():
            ids = network.generate(
                **inputs, max_new_tokens=8, do_sample=False, eos_token_id=original.ends, pad_token_id=padding
            )[0, inputs["input_ids"].shape[1] :]
        batch = export.prepare_conversation(conversation)
        written, _, _ = export._greedy(batch, 0, 8, lambda _: True)
        assert written == [token for token in ids.tolist() if token not in original.ends]
        given = [export._text(written).strip() or "red dog"]
        assert numpy.abs(export.found(batch, given) - original.reply_logits(
            original.prepare_conversation(conversation), given
        ).numpy()).max() < 1e-4  # fmt: skip


def test_a_second_question_reads_and_looks_at_what_is_new_alone(
    export: ExportedChat, pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, parts = seesay.Model(export), watch(export, monkeypatch)
    first = Conversation().ask("what is it ?", *pictures[:2])
    said = model.chat(first, max_new_tokens=4).text
    assert parts["look"].read
    image = export.facts["image"]
    for again in (first.answered(said or "no").ask("how many ?"), Conversation().ask("where ?", *pictures[:2])):
        parts["look"].read.clear()
        parts["write"].read.clear()
        ids = export.prepare_conversation(again).tensors["input_ids"][0]
        model.chat(again, max_new_tokens=4)
        assert parts["look"].read == []
        behind = len(ids) - max(place for place, token in enumerate(ids) if token == image)
        # Where a whole prompt sees itself, nothing that was read of it is good for another one.
        assert export.eye.both_ways or max(parts["write"].read) < behind
    parts["look"].read.clear()
    model.ask(pictures[2], "where ?")
    looked = len(parts["look"].read)
    model.ask(pictures[2], "how many ?")
    assert len(parts["look"].read) == looked


def test_answers_are_those_of_an_export_that_keeps_nothing_or_little(
    export: ExportedChat, conversations: list[Conversation]
) -> None:
    kept = [export.predict(export.prepare_conversation(one), 3) for one in conversations]
    whole = export.recall.bytes
    assert whole > 0
    for limit in (0, whole // 3):
        export.recall = Memory(limit)
        for conversation, expected in zip(conversations, kept, strict=True):
            (found,) = export.predict(export.prepare_conversation(conversation), 3)
            assert [one.text for one in found] == [one.text for one in expected[0]]
            assert [one.score for one in found] == pytest.approx([one.score for one in expected[0]], abs=1e-5)
            assert export.recall.bytes <= limit


def test_a_prompt_is_read_in_pieces_that_change_nothing(
    export: ExportedChat, pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = export.prepare_conversation(turns(pictures)[3])
    whole = export.found(batch, ["red dog"])
    export.recall = Memory()
    monkeypatch.setattr("seesay.models.exported.chat.PIECE", 7)
    parts = watch(export, monkeypatch)
    assert numpy.abs(export.found(batch, ["red dog"]) - whole).max() < 1e-4
    assert export.eye.both_ways or parts["write"].read.count(7) >= 3


def test_streams_are_the_answer_and_stop_where_told(export: ExportedChat, pictures: list[Image.Image]) -> None:
    model = seesay.Model(export)
    conversation = Conversation().ask("what is the color of this picture ?", pictures[0])
    with model.stream(conversation, max_new_tokens=8) as stream:
        pieces = list(stream)
        whole = stream.answer()
    assert "".join(pieces) == whole.text == model.chat(conversation, max_new_tokens=8).text
    assert whole.provenance.engine.startswith("onnxruntime ")
    words = (whole.text or "").split()
    assert len(words) > 1
    stopped = model.chat(conversation, max_new_tokens=8, stop=[words[1]])
    assert stopped.text == (whole.text or "").split(words[1])[0].strip()
    assert model.chat(conversation, max_new_tokens=1).finish == "length"


def test_a_reader_who_leaves_stops_it_while_it_looks_reads_or_writes(
    export: ExportedChat, pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, parts = export.prepare_conversation(turns(pictures)[1]), watch(export, monkeypatch)
    for most in (0, 1, 2):
        export.recall = Memory()
        heard = itertools.count()
        parts["look"].read.clear()
        parts["write"].read.clear()
        found, ended = export.write(batch, 8, lambda _, heard=heard, most=most: next(heard) < most)  # type: ignore[misc]
        assert not ended
        assert not found.text
        assert len(parts["look"].read) + len(parts["write"].read) == most
    found, _ = export.write(batch, 8, lambda _: True)
    assert found.text == export.predict(batch, 1)[0][0].text


def test_one_answer_at_a_time_and_who_waits_may_leave(export: ExportedChat, pictures: list[Image.Image]) -> None:
    batch = export.prepare_conversation(turns(pictures)[0])
    with export._alone:
        assert export.write(batch, 8, lambda _: False)[0].text == ""
    answers = list[str]()
    threads = [
        threading.Thread(target=lambda: answers.append(export.write(batch, 8, lambda _: True)[0].text))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert len(answers) == 3


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("llava", {"model_type": "vipllava"}, "architecture vipllava"),
        ("llava", {"text_config": {"model_type": "phi"}}, "language model phi"),
        ("llava_onevision", {"vision_aspect_ratio": "square"}, "cut by 'square'"),
        ("gemma3", {"vision_config": {"model_type": "dinov2"}}, "vision tower dinov2"),
        (
            "gemma3",
            {
                "text_config": {
                    "model_type": "gemma3_text",
                    "rope_parameters": {
                        "sliding_attention": {"rope_type": "default"},
                        "full_attention": {"rope_type": "dynamic"},
                    },
                }
            },
            "positions of the kind 'dynamic'",
        ),
        ("llava", {"vision_feature_layer": [-2, -1]}, "several vision layers"),
        ("llava", {"vision_config": {"model_type": "dinov2"}}, "vision tower dinov2"),
        ("smolvlm", {"text_config": {"rope_scaling": {"rope_type": "dynamic"}}}, "positions of the kind 'dynamic'"),
        ("idefics3", {"quantization_config": {"bits": 4}}, "quantized"),
    ],
)
def test_what_is_not_restated_is_refused_with_the_reason(
    name: str, values: dict[str, Any], why: str, chat_checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / name
    shutil.copytree(chat_checkpoints[name], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **values}))
    with pytest.raises(ModelError, match=why):
        load(AskSettings(model=str(folder), engine="onnx"))
    found = explain(ModelSettings(model=str(folder), device="cpu"))
    assert found.engine == "torch"
    assert why in found.reason


@pytest.mark.parametrize("name", sorted(all_eyes()))
def test_in_8_bits_every_product_with_weights_is_narrowed(name: str, chat_checkpoints: dict[str, Path]) -> None:
    import onnx

    settings = AskSettings(model=str(chat_checkpoints[name]), engine="onnx", quantize="int8")
    if name == "gemma3":  # whose drawn weights make of a rounding another answer
        with pytest.raises(ModelError, match=r"int8: an answer comes first whose score is 0\.\d+ below the best"):
            load(settings)
        return
    assert load(settings).placement.dtype == "int8"
    wanted = (str(chat_checkpoints[name]), "int8")
    entry = next(one for one in kept_exports() if (one.manifest["model"], one.manifest["numbers"]) == wanted)
    for part, narrow in (("look", "MatMulInteger"), ("write", "MatMulNBits")):
        graph = onnx.load(str(entry.folder / f"{part}.onnx"), load_external_data=False).graph
        weights = {weight.name for weight in graph.initializer}
        assert not [node for node in graph.node if node.op_type in ("MatMul", "Gemm") and node.input[1] in weights]
        assert sum(node.op_type == narrow for node in graph.node) >= 8


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {**old, **{key: merged(old[key], value) if isinstance(value, dict) else value for key, value in new.items()}}


def flat(config: dict[str, Any]) -> dict[str, Any]:
    """As Qwen's first repositories have it: the language model's settings beside all others."""
    text = {key: value for key, value in config.pop("text_config").items() if key != "model_type"}
    ropes = text.pop("rope_parameters")
    turning = {"type": "mrope", "mrope_section": ropes["mrope_section"]}
    return {**text, **config, "rope_theta": ropes["rope_theta"], "rope_scaling": turning}


WINDOWS = ["sliding_attention", "full_attention"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("idefics2", {"text_config": {"sliding_window": 12}}),
        ("gemma3", {"text_config": {"sliding_window": 12, "layer_types": WINDOWS, "rope_parameters": {
            "full_attention": {"rope_type": "linear", "factor": 8.0},
        }}}),
        ("llava_onevision", {"text_config": {"use_sliding_window": True, "sliding_window": 12, "layer_types": WINDOWS}}),
        ("llava_onevision", {"vision_aspect_ratio": "anyres_max_1"}),
        ("qwen2_vl", flat),
        ("qwen2_5_vl", flat),
        ("qwen2_5_vl", {"vision_config": {"window_size": 24}}),
    ],
)  # fmt: skip
def test_settings_of_architectures_are_kept_to(
    name: str, change: Any, chat_checkpoints: dict[str, Path], tmp_path: Path, pictures: list[Image.Image]
) -> None:
    """Windows that are shorter than a prompt, rotations by kind of layer, pictures that are scaled down; and Qwen's older files."""
    folder = tmp_path / name
    shutil.copytree(chat_checkpoints[name], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(change(config) if callable(change) else merged(config, change)))
    if "vision_aspect_ratio" in str(change):
        settings = json.loads((folder / "processor_config.json").read_text())
        (folder / "processor_config.json").write_text(json.dumps({**settings, **change}))
    original, export = (load(AskSettings(model=str(folder), engine=one, dtype="float32")) for one in ("torch", "onnx"))
    plain = load(AskSettings(model=str(chat_checkpoints[name]), engine="torch", dtype="float32"))
    differ = False
    for conversation in turns(pictures)[:4]:
        theirs, ours = (one.prepare_conversation(conversation) for one in (original, export))
        wanted = original.reply_logits(theirs, ["red dog"]).numpy()
        assert numpy.abs(export.found(ours, ["red dog"]) - wanted).max() < 1e-4
        other = plain.reply_logits(plain.prepare_conversation(conversation), ["red dog"]).numpy()
        differ = differ or numpy.abs(other - wanted).max() > 1e-3
    assert differ or callable(change)


def test_paligemma_2_has_windows_and_limits_of_weights_and_logits(
    chat_maker: ModuleType, tmp_path: Path, pictures: list[Image.Image]
) -> None:
    words = {
        "query_pre_attn_scalar": 16,
        "sliding_window": 12,
        "attn_logit_softcapping": 2.0,
        "final_logit_softcapping": 3.0,
    }
    folder = str(chat_maker.paligemma(tmp_path, "gemma2", **words))
    original, export = (load(AskSettings(model=folder, engine=one, dtype="float32")) for one in ("torch", "onnx"))
    for conversation in turns(pictures)[:4]:
        theirs, ours = (one.prepare_conversation(conversation) for one in (original, export))
        wanted = original.reply_logits(theirs, ["red dog"]).numpy()
        assert numpy.abs(wanted).max() <= 3
        assert numpy.abs(export.found(ours, ["red dog"]) - wanted).max() < 1e-4


def test_a_large_picture_is_looked_at_in_turns_that_change_nothing(
    chat_checkpoints: dict[str, Path], tmp_path: Path, pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEESAY_CACHE", str(tmp_path))
    monkeypatch.setattr("seesay.models.exported.eyes.qwen.MOST", 300)
    settings = {"model": str(chat_checkpoints["qwen2_5_vl"]), "dtype": "float32"}
    original, export = (load(AskSettings(engine=one, **settings)) for one in ("torch", "onnx"))
    conversation = turns(pictures)[1]
    wanted = original.reply_logits(original.prepare_conversation(conversation), ["red dog"]).numpy()
    assert numpy.abs(export.found(export.prepare_conversation(conversation), ["red dog"]) - wanted).max() < 1e-4


def test_what_is_lost_is_judged_by_the_tokens_that_were_written(
    chat_checkpoints: dict[str, Path], pictures: list[Image.Image]
) -> None:
    """What they say may be spelled otherwise, and an answer may end with the second of several ends."""
    settings = {"model": str(chat_checkpoints["gemma3"]), "dtype": "float32"}
    original, export = (load(AskSettings(engine=one, max_new_tokens=8, **settings)) for one in ("torch", "onnx"))
    assert isinstance(export, ExportedChat)
    export.facts["ends"] = [0, *export.facts["ends"]]
    for conversation in turns(pictures)[:3]:
        theirs, ours = (one.prepare_conversation(conversation) for one in (original, export))
        given = [export.predict(ours, 1)[0][0].text]
        assert export.lost(original, theirs, ours, given, given) < 1e-5


@pytest.mark.parametrize("name", ["smolvlm", "qwen2_5_vl", "gemma3"])
def test_openvino_says_what_the_original_says(
    name: str, chat_checkpoints: dict[str, Path], pictures: list[Image.Image]
) -> None:
    pytest.importorskip("openvino")
    folder = str(chat_checkpoints[name])
    original = load(AskSettings(model=folder, engine="torch", max_new_tokens=8))
    export = load(AskSettings(model=folder, engine="openvino", dtype="float32", max_new_tokens=8))
    for conversation in turns(pictures)[:4]:
        theirs, ours = (one.predict(one.prepare_conversation(conversation), 1)[0][0] for one in (original, export))
        assert ours.text == theirs.text
        assert ours.score == pytest.approx(theirs.score, abs=1e-5)
