"""A voice that learns: accumulation equals the large batch, batches do not change a loss, rows are left out and counted."""

import json
from pathlib import Path
from types import ModuleType

import numpy
import pytest
import torch

from seesay import DataError, UsageError, data
from seesay.models import Placement
from seesay.models.checkpoint import find
from seesay.settings import TrainSpeechSettings
from seesay.speech.learner import Learner
from seesay.training.planned import Progress, Stop, _share
from seesay.training.prepared import PreparedSet, drawn, prepare, statements
from seesay.training.run_folder import RunFolder
from seesay.training.speech import fill_speech, make_speech_trainer, validation_loss

RATE = 16_000


@pytest.fixture(scope="module")
def base(voice_checkpoints: dict[str, Path]) -> Path:
    return voice_checkpoints["speecht5"]


@pytest.fixture(scope="module")
def plain(voice_maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without drop-out, layer drop or guided attention, so that nothing but the rows decides a loss. Its prenet
    drops out even so, and its postnet normalises by batch: both are switched off where it is opened."""
    folder: Path = voice_maker.speecht5(tmp_path_factory.mktemp("plain") / "speecht5")
    config = json.loads((folder / "config.json").read_text())
    config |= {name: 0.0 for name in config if name.endswith("dropout") or name.endswith("layerdrop")}
    config |= {"use_guided_attention_loss": False, "speech_decoder_prenet_dropout": 0.0}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def learner_of(folder: Path) -> Learner:
    return Learner.open(find(str(folder)), Placement("cpu", "float32"), "")


def settings_for(source: Path, output: Path, base: Path, **more: object) -> TrainSpeechSettings:
    given = {
        "data": str(source), "model": str(base), "output": output, "mixed_precision": "none", "speaker_model": "none",
        "learning_rate": 1e-3, "eval_steps": 1, "logging_steps": 1, "max_steps": 1, "warmup_ratio": 0.0,
        "per_device_train_batch_size": 4, "gradient_accumulation_steps": 1, "samples": 0, "validation_fraction": 0.3,
    }  # fmt: skip
    return fill_speech(TrainSpeechSettings(**(given | more)))  # type: ignore[arg-type]


def prepared_in(settings: TrainSpeechSettings, learner: Learner) -> PreparedSet:
    found = data.load_recordings(settings, training=True)
    return prepare(found, learner, settings, RunFolder(settings.output))


def test_accumulated_gradients_equal_the_large_batch(plain: Path, spoken_data: Path, tmp_path: Path) -> None:
    """Rows of unequal length. The postnet's convolutions see the padding after a row, so the last digits differ."""
    noted = []
    for batch, accumulation in ((4, 1), (1, 4)):
        learner = learner_of(plain)
        for module in learner.network.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                module.train = lambda mode=True, module=module: module  # type: ignore[method-assign, assignment]
                module.training = False
        settings = settings_for(
            spoken_data, tmp_path / str(batch), plain, per_device_train_batch_size=batch,
            gradient_accumulation_steps=accumulation,
        )  # fmt: skip
        prepared, told = prepared_in(settings, learner), list[Progress]()
        make_speech_trainer(
            learner, prepared, settings, RunFolder(settings.output), told.append, Stop(), lambda *_: None
        ).train()
        noted.append(next(state.values for state in told if "grad_norm" in state.values))
    assert noted[0]["loss"] == pytest.approx(noted[1]["loss"], rel=1e-3)
    assert noted[0]["grad_norm"] == pytest.approx(noted[1]["grad_norm"], rel=2e-2)


def test_batches_of_a_step_count_by_their_labels() -> None:
    batches = [{"labels": torch.tensor([1.0] * count + [-100.0] * 5)} for count in (10, 30)]
    _share(batches, True)
    assert [float(batch["share"]) for batch in batches] == [0.5, 1.5]
    _share(batches, False)
    assert [batch["share"] for batch in batches] == [1, 1]


def test_the_validation_loss_is_that_of_every_frame_whatever_the_batch(
    plain: Path, spoken_data: Path, tmp_path: Path
) -> None:
    learner = learner_of(plain)
    prepared = prepared_in(settings_for(spoken_data, tmp_path / "run", plain), learner)
    one_by_one = validation_loss(learner, prepared, 1)
    assert one_by_one == pytest.approx(validation_loss(learner, prepared, 8), rel=1e-3)
    assert one_by_one == validation_loss(learner, prepared, 1)
    before = torch.get_rng_state()
    validation_loss(learner, prepared, 8)
    assert torch.equal(before, torch.get_rng_state())


def test_checkpointed_activations_change_no_loss(base: Path, spoken_data: Path, tmp_path: Path) -> None:
    noted = []
    for checkpointing in (False, True):
        learner = learner_of(base)
        settings = settings_for(
            spoken_data, tmp_path / str(checkpointing), base, gradient_checkpointing=checkpointing, max_steps=2
        )
        prepared, told = prepared_in(settings, learner), list[Progress]()
        make_speech_trainer(
            learner, prepared, settings, RunFolder(settings.output), told.append, Stop(), lambda *_: None
        ).train()
        noted.append([state.values["loss"] for state in told if "grad_norm" in state.values])
    assert noted[0] == pytest.approx(noted[1], rel=1e-5)


def test_rows_are_left_out_and_counted(base: Path, spoken_data: Path, tmp_path: Path) -> None:
    learner = learner_of(base)
    settings = settings_for(spoken_data, tmp_path / "run", base, max_tokens=30, max_seconds=1.5)
    prepared = prepared_in(settings, learner)
    assert sum(len(rows) for rows in prepared.splits.values()) + sum(prepared.left_out.values()) == 24
    assert "its text has more than 30 tokens" in prepared.left_out
    assert "it is longer than 1.5 seconds" in prepared.left_out
    assert all(len(row.ids) <= 30 and row.frames % 2 == 0 for rows in prepared.splits.values() for row in rows)
    said = list(statements(prepared, settings))
    assert any("are left out, because" in sentence for sentence in said)
    assert any("drawn by their names" in sentence for sentence in said)


def test_speakers_are_kept_by_their_rows(base: Path, spoken_data: Path, tmp_path: Path) -> None:
    learner = learner_of(base)
    prepared = prepared_in(settings_for(spoken_data, tmp_path / "run", base, max_speaker_rows=6), learner)
    assert {row.speaker for row in prepared.splits["train"]} == {"low"}
    with pytest.raises(DataError, match="no train rows are left"):
        prepared_in(settings_for(spoken_data, tmp_path / "none", base, min_speaker_rows=100), learner)


def test_speakers_are_heard_once_and_read_again(
    base: Path, xvector_checkpoint: Path, spoken_data: Path, tmp_path: Path
) -> None:
    learner = learner_of(base)
    settings = settings_for(spoken_data, tmp_path / "run", base, speaker_model=str(xvector_checkpoint))
    first = prepared_in(settings, learner)
    written = (tmp_path / "run/prepared/speakers.npy").stat().st_mtime_ns
    again = prepared_in(settings, learner)
    assert (tmp_path / "run/prepared/speakers.npy").stat().st_mtime_ns == written
    numpy.testing.assert_array_equal(first.embeddings, again.embeddings)
    numpy.testing.assert_allclose(numpy.linalg.norm(first.embeddings, axis=1), 1, rtol=1e-5)
    assert first.speakers().keys() == {"high", "low"}


def test_speakers_may_come_from_a_file_and_one_that_is_not_there_is_told(
    base: Path, spoken_data: Path, tmp_path: Path
) -> None:
    from safetensors.numpy import save_file

    learner = learner_of(base)
    file = tmp_path / "speakers.safetensors"
    vector = numpy.arange(12, dtype=numpy.float32)
    save_file({"high": vector, "low": vector + 1}, file)
    prepared = prepared_in(settings_for(spoken_data, tmp_path / "run", base, speaker_embeddings=file), learner)
    numpy.testing.assert_allclose(prepared.speakers()["low"], vector + 1, rtol=1e-6)
    save_file({"high": vector}, file)
    with pytest.raises(UsageError, match="no embedding of the speaker 'low'"):
        prepared_in(settings_for(spoken_data, tmp_path / "other", base, speaker_embeddings=file), learner)


def test_a_drawn_vector_belongs_to_its_name() -> None:
    assert numpy.array_equal(drawn("Anna", 512), drawn("Anna", 512))
    assert abs(float(drawn("Anna", 512) @ drawn("Ben", 512))) < 0.3


def test_damaged_preparations_are_made_again(base: Path, spoken_data: Path, tmp_path: Path) -> None:
    learner = learner_of(base)
    settings = settings_for(spoken_data, tmp_path / "run", base)
    first = numpy.array(prepared_in(settings, learner).spectrograms)
    file = tmp_path / "run/prepared/spectrograms.f32"
    file.write_bytes(b"\xff" + file.read_bytes()[1:])
    numpy.testing.assert_array_equal(prepared_in(settings, learner).spectrograms, first)
