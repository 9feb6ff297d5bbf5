"""What a voice learns from, against transformers by hand: spectrograms, batches and loss are those of Hugging Face's guide."""

from pathlib import Path

import numpy
import pytest
import torch
from transformers import SpeechT5FeatureExtractor, SpeechT5ForTextToSpeech, SpeechT5Tokenizer

from seesay.evaluation.speech import log_mel
from seesay.models import Placement
from seesay.models.checkpoint import find
from seesay.speech.learner import Learner, Lesson

TEXTS = ["Hello world.", "A dog runs along the beach!"]


@pytest.fixture(scope="module")
def checkpoint(voice_checkpoints: dict[str, Path]) -> Path:
    return voice_checkpoints["speecht5"]


@pytest.fixture(scope="module")
def learner(checkpoint: Path) -> Learner:
    return Learner.open(find(str(checkpoint)), Placement("cpu", "float32"), "")


def sounds() -> list[numpy.ndarray]:
    chance = numpy.random.default_rng(0)
    return [chance.normal(0, 0.1, length).astype(numpy.float32) for length in (9_000, 14_200)]


def lessons(learner: Learner) -> list[Lesson]:
    speakers = numpy.random.default_rng(1).normal(size=(2, 12)).astype(numpy.float32)
    return [
        Lesson(learner.ids(text), learner.spectrogram(sound), speaker)
        for text, sound, speaker in zip(TEXTS, sounds(), speakers, strict=True)
    ]


def guide(checkpoint: Path, learner: Learner) -> dict[str, torch.Tensor]:
    """The guide's collator, written out: pad, mask with -100, cut to a multiple of the reduction factor."""
    tokenizer = SpeechT5Tokenizer.from_pretrained(checkpoint)
    extractor = SpeechT5FeatureExtractor(num_mel_bins=8)
    inputs = tokenizer(TEXTS, return_tensors="pt", padding=True)
    target = extractor(audio_target=sounds(), sampling_rate=16_000, padding=True, return_tensors="pt")
    labels = target.input_values.masked_fill(target.attention_mask.unsqueeze(-1).ne(1), -100)
    lengths = target.attention_mask.sum(1)
    longest = int(max(lengths - lengths % 2))
    return {
        "input_ids": inputs.input_ids, "attention_mask": inputs.attention_mask, "labels": labels[:, :longest],
        "speaker_embeddings": torch.from_numpy(numpy.stack([one.speaker for one in lessons(learner)])),
    }  # fmt: skip


def test_a_batch_is_the_guides(checkpoint: Path, learner: Learner) -> None:
    ours, theirs = learner.collate(lessons(learner)), guide(checkpoint, learner)
    assert ours.keys() == theirs.keys()
    for name in ("input_ids", "attention_mask", "speaker_embeddings"):
        assert torch.equal(ours[name], theirs[name]), name
    length = len(lessons(learner)[0].frames)
    assert length % 2 == 0
    # The guide cuts the batch alone; here each row is cut, so that no row depends on those beside it.
    theirs["labels"][0, length:] = -100
    torch.testing.assert_close(ours["labels"], theirs["labels"], rtol=0, atol=1e-6)


def test_the_loss_is_transformers(checkpoint: Path, learner: Learner) -> None:
    network = SpeechT5ForTextToSpeech.from_pretrained(checkpoint, attn_implementation="eager").eval()
    learner.network.eval()
    batch = learner.collate(lessons(learner))
    losses = []
    for one in (network, learner.network):
        torch.manual_seed(0)
        with torch.no_grad():
            losses.append(float(one(**batch).loss))
    assert losses[0] == losses[1]
    assert numpy.isfinite(losses[0])


def test_the_spectrogram_of_an_evaluation_is_the_feature_extractors() -> None:
    """But for the level, which is evened, and the floor."""
    extractor = SpeechT5FeatureExtractor()
    [sound] = sounds()[1:]
    level = float(numpy.sqrt(numpy.square(sound).mean()))
    theirs = extractor(audio_target=sound * (0.05 / level), sampling_rate=16_000).input_values[0]
    numpy.testing.assert_allclose(log_mel(sound), theirs, atol=2e-4)
