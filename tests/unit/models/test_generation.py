"""What families that write share: nothing a user types or a checkpoint hides changes how they write, and what they refuse."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import seesay
from seesay import Example
from seesay.errors import InputError, ModelError
from seesay.models import load
from seesay.settings import AskSettings, GenerationSettings, ModelSettings

EVERY = ["git", "blip-vqa", "blip-caption", "blip2-opt", "blip2-t5", "instructblip-opt", "instructblip-t5"]
ASKABLE = [name for name in EVERY if name != "blip-caption"]
CAPTIONERS = [name for name in EVERY if name != "blip-vqa"]


@pytest.fixture(scope="module")
def models(generative_checkpoints: dict[str, Path]) -> dict[str, seesay.Model]:
    return {name: seesay.load(str(folder)) for name, folder in generative_checkpoints.items()}


@pytest.fixture
def copy(generative_checkpoints: dict[str, Path], tmp_path: Path) -> Any:
    """A copy of a checkpoint with some entries of one of its files changed; None takes an entry away."""

    def make(name: str, file: str, **entries: object) -> Path:
        folder = tmp_path / name
        shutil.copytree(generative_checkpoints[name], folder)
        path = folder / file
        settings = json.loads(path.read_text()) if path.is_file() else {}
        settings = {key: value for key, value in {**settings, **entries}.items() if value is not None}
        path.write_text(json.dumps(settings))
        return folder

    return make


@pytest.mark.parametrize("name", ASKABLE)
def test_special_tokens_that_a_user_types_stay_text(
    name: str, models: dict[str, Any], vilt_pictures: list[Path]
) -> None:
    family = models[name].family
    typed = "is <image> [SEP] </s> <pad> [CLS] [PAD] there"
    plain = family.prepare([Example((vilt_pictures[0],), "is this there")]).tensors
    found = family.prepare([Example((vilt_pictures[0],), typed)]).tensors
    for key in [key for key in plain if key.endswith("input_ids")]:
        tokenizer = family.reader if key.startswith("qformer") else family.tokenizer
        special = {*tokenizer.all_special_ids, *tokenizer.convert_tokens_to_ids(["<image>", "[SEP]", "<pad>"])}
        special.discard(tokenizer.unk_token_id)  # a word that a small vocabulary lacks
        counts = [sum(row[key][0].tolist().count(token) for token in special) for row in (plain, found)]
        assert counts[0] == counts[1], key


@pytest.mark.parametrize("name", ASKABLE)
@pytest.mark.parametrize("question", ["what " * 300, "?" * 2000])
def test_a_question_beyond_the_models_limit_is_cut_and_answered(
    name: str, question: str, models: dict[str, Any], vilt_pictures: list[Path]
) -> None:
    model = models[name]
    short = model.ask(vilt_pictures[0], "What color?")
    given, again = model.ask([vilt_pictures[0]] * 2, [question, "What color?"])
    assert 0 <= given.score <= 1
    assert again.text == short.text


def test_blip2_cuts_the_question_and_not_its_prompt(models: dict[str, Any], vilt_pictures: list[Path]) -> None:
    family = models["blip2-opt"].family
    ids = family.prepare([Example((vilt_pictures[0],), "what " * 300)]).tensors["input_ids"][0]
    assert len(ids) <= 64 - 20
    text = family.tokenizer.decode(ids)
    assert text.count("<image>") == 4
    assert "Question: what what" in text
    assert text.endswith("what Answer:")


@pytest.mark.parametrize("name", CAPTIONERS)
def test_captions_of_a_list_are_those_of_single_pictures(
    name: str, models: dict[str, Any], vilt_pictures: list[Path]
) -> None:
    model = models[name]
    alone = [model.caption(picture) for picture in vilt_pictures]
    together = model.caption(list(vilt_pictures), batch_size=2)
    assert [one.text for one in together] == [one.text for one in alone]
    assert len({one.provenance.inputs for one in alone}) == len(vilt_pictures)


@pytest.mark.parametrize("size", [(3000, 20), (20, 3000), (1, 1), (1, 400), (5000, 1)])
@pytest.mark.parametrize("name", ["git", "blip-caption", "blip2-opt"])
def test_pictures_of_any_shape_are_described(name: str, size: tuple[int, int], models: dict[str, Any]) -> None:
    family = models[name].family
    picture = Image.new("RGB", size, "red")
    assert family.prepare([Example((picture,))]).tensors["pixel_values"].shape == (1, 3, 32, 32)
    assert models[name].caption(picture).score > 0


def test_the_middle_of_a_long_picture_is_what_git_sees(models: dict[str, Any]) -> None:
    long = Image.new("RGB", (400, 40), "red")
    long.paste("blue", (180, 0, 220, 40))
    blue = Image.new("RGB", (40, 40), "blue")
    pixels = [models["git"].family.prepare([Example((image,))]).tensors["pixel_values"] for image in (long, blue)]
    assert (pixels[0] - pixels[1])[..., 4:-4].abs().max() < 0.1


@pytest.mark.parametrize("name", EVERY)
def test_generation_settings_are_kept(
    name: str, generative_checkpoints: dict[str, Path], vilt_pictures: list[Path]
) -> None:
    folder = str(generative_checkpoints[name])
    family: Any = load(AskSettings(model=folder, max_new_tokens=2, num_beams=4))
    question = "" if family.captions else "what is this"
    batch = family.prepare([Example((vilt_pictures[0],), question)])
    (candidate,) = family.predict(batch, 1)[0]
    assert len(family._reply_ids(candidate.text)) <= 2
    assert family.score(batch, [candidate.text]) == pytest.approx([candidate.score], abs=1e-5)
    # Of beams the likeliest is given, so it is at least as likely as what greedy search finds.
    family.generation = GenerationSettings(max_new_tokens=2)
    assert candidate.score >= family.predict(batch, 1)[0][0].score - 1e-6


@pytest.mark.parametrize("name", ["git", "blip2-opt"])
def test_what_a_checkpoint_asks_of_generate_is_not_done(
    name: str, copy: Any, models: dict[str, Any], vilt_pictures: list[Path]
) -> None:
    habits = {"do_sample": True, "temperature": 9.0, "repetition_penalty": 5.0, "num_beams": 5, "max_length": 3}
    changed = seesay.load(str(copy(name, "generation_config.json", **habits)))
    expected = models[name].caption(vilt_pictures[0])
    assert changed.caption(vilt_pictures[0]).alternatives == expected.alternatives


@pytest.mark.parametrize("name", EVERY)
def test_bfloat16_writes_too(name: str, generative_checkpoints: dict[str, Path], vilt_pictures: list[Path]) -> None:
    family = load(ModelSettings(model=str(generative_checkpoints[name]), dtype="bfloat16"))
    batch = family.prepare(
        [Example((path,), "what color is it"[: 0 if family.captions else None]) for path in vilt_pictures]
    )
    for top_k in (1, 3):
        for row in family.predict(batch, top_k):
            assert all(0 < candidate.score <= 1 for candidate in row)
    assert all(0 < score <= 1 for score in family.score(batch, ["red"] * len(vilt_pictures)))


def test_alternatives_are_as_many_as_asked_for_and_all_different(
    models: dict[str, Any], vilt_pictures: list[Path]
) -> None:
    for name in ASKABLE:
        texts = [one.text for one in models[name].ask(vilt_pictures[1], "What is this?", top_k=5).alternatives]
        assert len(set(texts)) == len(texts)
        assert 3 <= len(texts) <= 5


def test_evidence_is_found_for_what_was_written(models: dict[str, Any], vilt_pictures: list[Path]) -> None:
    given = models["git"].ask(vilt_pictures[0], "What color?")
    assert models["git"].evidence(vilt_pictures[0], "What color?", given.text)


def test_text_in_pictures_is_for_the_reader_unless_the_model_reads(
    models: dict[str, Any], vilt_pictures: list[Path]
) -> None:
    question = "What does the sign say?"
    families = {name: models[name].ask(vilt_pictures[2], question).provenance.family for name in ("git", "blip2-opt")}
    assert families == {"git": "reader", "blip2-opt": "blip2"}


def test_a_captioner_is_not_asked_and_an_answerer_does_not_describe(
    models: dict[str, Any], vilt_pictures: list[Path]
) -> None:
    with pytest.raises(ModelError, match="describes pictures and answers no questions"):
        models["blip-caption"].ask(vilt_pictures[0], "What color is it?")
    assert models["blip-caption"].ask(vilt_pictures[0], "a photo of").score > 0
    with pytest.raises(ModelError, match="cannot describe pictures"):
        models["blip-vqa"].caption(vilt_pictures[0])
    with pytest.raises(ModelError, match="cannot describe pictures"):
        list(models["blip-vqa"].answer([Example((vilt_pictures[0],))]))


def test_one_picture_a_question(models: dict[str, Any], vilt_pictures: list[Path]) -> None:
    with pytest.raises(InputError, match="git takes one picture a question, not 2"):
        models["git"].family.prepare([Example(tuple(vilt_pictures[:2]), "Which?")])


@pytest.mark.parametrize(
    ("name", "file", "entries", "message"),
    [
        ("blip-vqa", "config.json", {"architectures": ["BlipForImageTextRetrieval"]}, "cannot write answers"),
        ("blip-vqa", "config.json", {"architectures": None}, "no architecture named"),
        ("blip-caption", "config.json", {"architectures": ["BlipForQuestionAnswering"]}, "weights are missing"),
        ("git", "config.json", {"architectures": ["GitModel"]}, "cannot write answers"),
        ("git", "config.json", {"num_image_with_embedding": 6}, "describes videos"),
        ("blip2-opt", "config.json", {"architectures": ["Blip2ForImageTextRetrieval"]}, "cannot write answers"),
        ("blip2-opt", "config.json", {"image_token_index": None}, "image_token_index"),
    ],
)
def test_another_head_is_refused(name: str, file: str, entries: dict[str, object], message: str, copy: Any) -> None:
    with pytest.raises(ModelError, match=message):
        load(ModelSettings(model=str(copy(name, file, **entries))))


@pytest.mark.parametrize("name", ["git", "blip-vqa", "instructblip-opt"])
def test_a_missing_tokenizer_or_image_processor_is_named(name: str, copy: Any) -> None:
    folder = copy(name, "note.json")
    (folder / "preprocessor_config.json").rename(folder / "was.json")
    (folder / "processor_config.json").unlink(missing_ok=True)
    with pytest.raises(ModelError, match="no usable processor"):
        load(ModelSettings(model=str(folder)))
    (folder / "was.json").rename(folder / "preprocessor_config.json")
    shutil.rmtree(folder / "qformer_tokenizer", ignore_errors=True)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="no tokenizer"):
        load(ModelSettings(model=str(folder)))
