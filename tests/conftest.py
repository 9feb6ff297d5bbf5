"""Fixtures of all tests: pictures that are broken, odd, or plain."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import numpy
import pytest
from PIL import Image

from seesay.models.families.mini import EMBEDDED

# Two processes share the machine in CI; how long an example takes says nothing there.
# A checkout is judged by the same examples every time; new ones are looked for while developing.
hypothesis.settings.register_profile("seesay", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("seesay")

# A shell that runs the tests in the background has its children, and theirs, ignore Ctrl-C. What handles a signal is
# inherited as the default.
signal.signal(signal.SIGINT, signal.default_int_handler)

PhotoMaker = Callable[..., Path]


def _load(name: str) -> ModuleType:
    """A module that lies beside this file: the folder of the tests is not on the import path."""
    spec = importlib.util.spec_from_file_location(f"tests_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What seesay keeps is kept apart: an export of one of the models here, left by another run, would answer in its place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEESAY_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module", autouse=True)
def own_threads() -> Iterator[None]:
    """A run that trains in this process sets how many threads torch takes, and with others a sound differs in its last bit."""
    yield
    if "torch" in sys.modules:
        threads = int(os.environ.get("OMP_NUM_THREADS", 0)) or len(os.sched_getaffinity(0))
        sys.modules["torch"].set_num_threads(threads)


@pytest.fixture(scope="session")
def picture_makers() -> ModuleType:
    """The module `hostile.py`, for tests that make a picture of their own."""
    return _load("hostile")


@pytest.fixture(scope="session")
def hostile_pictures(picture_makers: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files that must be refused, by name: truncated, bombs, not pictures; also `missing`, `folder` and `pipe`."""
    made: dict[str, Path] = picture_makers.make_all(tmp_path_factory.mktemp("hostile"))
    return made


@pytest.fixture(scope="session")
def odd_pictures(picture_makers: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files that must be opened right, by name: orientations, transparency, 16 bits, CMYK, several frames."""
    made: dict[str, Path] = picture_makers.make_good(tmp_path_factory.mktemp("odd"))
    return made


@pytest.fixture(scope="session")
def photo() -> PhotoMaker:
    """Writes a picture of one colour and returns its path: `photo(tmp_path / "red.png", (64, 48), "red")`.

    The kind follows the name. PNG and BMP keep the colour exactly.
    """

    def make(path: Path, size: tuple[int, int] = (64, 48), colour: str | tuple[int, int, int] = "red") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, colour).save(path)
        return path

    return make


@pytest.fixture(scope="session")
def large_photo(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A JPEG as a camera makes it, far larger than what models look at: `large_photo(6)`, or `large_photo(1, (4000, 3000))`."""
    folder = tmp_path_factory.mktemp("large")

    @functools.cache
    def make(orientation: int = 1, size: tuple[int, int] = (2000, 1500)) -> Path:
        rng = numpy.random.default_rng(orientation)
        small = Image.fromarray(rng.integers(0, 255, (9, 12, 3), numpy.uint8)).resize(size, Image.Resampling.BICUBIC)
        grain = rng.normal(0, 6, (size[1], size[0], 1))
        values = numpy.clip(numpy.asarray(small) + grain, 0, 255).astype(numpy.uint8)
        path, exif = folder / f"{size[0]}x{size[1]}-{orientation}.jpg", Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(values).save(path, quality=85, exif=exif)
        return path

    return make


@pytest.fixture(scope="session")
def caption_sets() -> ModuleType:
    """The module `caption_sets.py`: one small captioned set in every format."""
    return _load("caption_sets")


@pytest.fixture(scope="session")
def alt_documents() -> ModuleType:
    """The module `alt_documents.py`: one small document of every kind that holds pictures."""
    return _load("alt_documents")


@pytest.fixture(scope="session")
def hub_of_data() -> ModuleType:
    """The module `hub_of_data.py`: a Hub that data sets are read from."""
    return _load("hub_of_data")


@pytest.fixture(scope="session")
def vilt_maker() -> ModuleType:
    """The module `vilt_by_formula.py`."""
    return _load("vilt_by_formula")


@pytest.fixture(scope="session")
def vilt_checkpoint(vilt_maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small ViLT with an answer head, saved as a Hub repository looks."""
    folder: Path = vilt_maker.build(tmp_path_factory.mktemp("vilt") / "finetuned-vqa")
    return folder


@pytest.fixture(scope="session")
def mini_checkpoint() -> Path:
    """The embedded model's folder."""
    return EMBEDDED


@pytest.fixture(scope="session")
def vilt_base(vilt_maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base model that fine-tuning starts from: a masked-language head and none for answers."""
    folder: Path = vilt_maker.build(tmp_path_factory.mktemp("vilt") / "mlm", answers=None)
    return folder


@pytest.fixture(scope="session")
def generative_maker() -> ModuleType:
    """The module `generative_by_formula.py`."""
    return _load("generative_by_formula")


@pytest.fixture(scope="session")
def generative_checkpoints(generative_maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small checkpoint of each architecture that writes, by the names in `MAKERS`."""
    made: dict[str, Path] = generative_maker.build(tmp_path_factory.mktemp("generative"))
    return made


@pytest.fixture(scope="session")
def git_checkpoint(generative_checkpoints: dict[str, Path]) -> Path:
    return generative_checkpoints["git"]


@pytest.fixture(scope="session")
def blip_checkpoint(generative_checkpoints: dict[str, Path]) -> Path:
    """One that answers."""
    return generative_checkpoints["blip-vqa"]


@pytest.fixture(scope="session")
def blip2_checkpoint(generative_checkpoints: dict[str, Path]) -> Path:
    return generative_checkpoints["blip2-opt"]


@pytest.fixture(scope="session")
def instructblip_checkpoint(generative_checkpoints: dict[str, Path]) -> Path:
    return generative_checkpoints["instructblip-opt"]


@pytest.fixture(scope="session")
def voice_maker() -> ModuleType:
    """The module `voices_by_formula.py`."""
    return _load("voices_by_formula")


@pytest.fixture(scope="session")
def voice_checkpoints(voice_maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small checkpoint for each voice that is one, by the voice's name."""
    made: dict[str, Path] = voice_maker.build(tmp_path_factory.mktemp("voices"))
    return made


@pytest.fixture(scope="session")
def chat_maker() -> ModuleType:
    """The module `chat_by_formula.py`."""
    return _load("chat_by_formula")


@pytest.fixture(scope="session")
def chat_checkpoints(chat_maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small checkpoint of each architecture that chats, by the names in `MAKERS`."""
    made: dict[str, Path] = chat_maker.build(tmp_path_factory.mktemp("chat"))
    return made


@pytest.fixture(scope="session")
def chat_checkpoint(chat_checkpoints: dict[str, Path]) -> Path:
    return chat_checkpoints["idefics3"]


@pytest.fixture(scope="session")
def xvector_checkpoint(voice_maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small WavLM that makes speaker embeddings of 12 numbers."""
    folder: Path = voice_maker.xvector(tmp_path_factory.mktemp("xvector") / "wavlm")
    return folder


@pytest.fixture(scope="session")
def whisper_checkpoint(voice_maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small English Whisper that writes nonsense."""
    folder: Path = voice_maker.whisper(tmp_path_factory.mktemp("whisper") / "tiny.en")
    return folder


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence spoken by the embedded voice, as a WAV file."""
    import seesay

    file = tmp_path_factory.mktemp("recording") / "spoken.wav"
    seesay.save_speech(seesay.speak("What color is the dog?"), file)
    return file


@pytest.fixture(scope="session")
def vilt_pictures(vilt_maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three pictures of different shapes."""
    made: list[Path] = vilt_maker.pictures(tmp_path_factory.mktemp("pictures"))
    return made


@pytest.fixture(scope="session")
def color_data(photo: PhotoMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 24 pictures of one color each, with train and validation rows in JSONL."""
    folder = tmp_path_factory.mktemp("colors")
    for split, count in (("train", 18), ("validation", 6)):
        rows = []
        for index in range(count):
            color = ("red", "green", "blue")[index % 3]
            path = photo(folder / "images" / f"{split}{index}.png", (48 + index, 64), color)
            asked = {"What color is it?": color, "Is it red?": "yes" if color == "red" else "no"}
            for question, answer in asked.items():
                row = {"image": str(path.relative_to(folder)), "question": question, "answers": [answer] * 10}
                rows.append(json.dumps(row))
        (folder / f"{split}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def spoken_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 recordings by two speakers of unequal lengths, with their texts: tones, six by `low`, eighteen by `high`."""
    import wave

    import numpy

    folder = tmp_path_factory.mktemp("spoken")
    rows = []
    for index in range(24):
        speaker, pitch = ("low", 110.0) if index % 4 == 0 else ("high", 220.0)
        text = " ".join(["dog", "cat", "red", "sun", "sea"][(index + word) % 5] for word in range(2 + index % 5))
        times = numpy.arange(round((0.4 + 0.06 * len(text)) * 16_000)) / 16_000
        tone = sum(0.2 / n * numpy.sin(2 * numpy.pi * n * (pitch + index) * times) for n in range(1, 4))
        with wave.open(str(folder / f"{index}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16_000)
            file.writeframes((tone * 32767).astype("<i2").tobytes())
        rows.append({"file_name": f"{index}.wav", "text": f"{text} {index}", "speaker_id": speaker})
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "metadata.jsonl").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def server_maker() -> ModuleType:
    """The module `serving.py`: `with server_maker.serving("--model", ...) as server`."""
    return _load("serving")


@pytest.fixture(scope="session")
def server(server_maker: ModuleType) -> Iterator[Any]:
    """A `seesay serve` with the embedded model, a process on a free port; `.address`, `.model`, `.log`."""
    with server_maker.serving() as running:
        yield running
