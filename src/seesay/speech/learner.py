"""A SpeechT5 that learns: its characters, its spectrograms, its batches, its loss, and how it is saved.

Text goes through the same `Speller` and recordings through the same feature extractor as when it speaks, so training and
speaking cannot prepare differently. It knows nothing of data sets, of optimizers or of runs.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import MissingExtra, ModelError, UsageError
from ..models.checkpoint import Checkpoint, Placement, import_torch, load_weights
from ..settings import SpeechRecipe
from .checkpoint_voice import EXTRA, VOCODER_FOLDER, read_json, read_tokenizer, read_voice_config
from .engines.speecht5 import SpeechT5, alphabet, read_extractor
from .speakers import SPEAKERS_FILE
from .spell import Speller

if TYPE_CHECKING:
    import numpy
    import torch

    Samples = numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]
    Frames = numpy.ndarray[tuple[int, int], numpy.dtype[numpy.float32]]

MASKED = -100.0
"""Where a label holds this, the loss looks away."""
LANGUAGE_FILE = "tokenizer_config.json"


class Lesson(NamedTuple):
    """One row as the network takes it."""

    ids: Sequence[int]
    """Tokens of the text, the end included."""
    frames: Frames
    """(frames, mel bins), log10; a multiple of the reduction factor."""
    speaker: numpy.ndarray[Any, Any]
    """(width,)."""


@dataclass(frozen=True)
class Scratch:
    """A configuration that training can start from without a checkpoint."""

    summary: str
    sizes: Mapping[str, Any]
    recipe: SpeechRecipe


SCRATCH = {
    "speecht5-small": Scratch(
        "2 million parameters: for a look at the whole way on a processor",
        {
            "hidden_size": 128, "encoder_layers": 3, "encoder_attention_heads": 4, "encoder_ffn_dim": 512,
            "decoder_layers": 3, "decoder_attention_heads": 4, "decoder_ffn_dim": 512, "encoder_layerdrop": 0.0,
            "decoder_layerdrop": 0.0, "speech_decoder_prenet_units": 128, "speech_decoder_postnet_units": 128,
            "conv_dim": [8], "conv_stride": [5], "conv_kernel": [10],
        },
        SpeechRecipe(
            num_train_epochs=60.0, max_steps=None, per_device_train_batch_size=16, gradient_accumulation_steps=1,
            learning_rate=1e-3, lr_scheduler_type="warmup_stable_decay", warmup_ratio=0.05, eval_steps=200,
            logging_steps=20,
        ),
    ),
    "speecht5": Scratch(
        "the published geometry, 144 million parameters, with random weights",
        {},
        SpeechRecipe(
            num_train_epochs=100.0, max_steps=None, learning_rate=1e-4, lr_scheduler_type="warmup_stable_decay",
            warmup_ratio=0.05,
        ),
    ),
}  # fmt: skip


def scratch(name: str) -> Scratch:
    """The configuration of that name.

    Raises:
        UsageError: there is none; the hint lists them.
    """
    if name not in SCRATCH:
        hint = "; ".join(f"{key}: {value.summary}" for key, value in SCRATCH.items())
        raise UsageError(f"no configuration named {name!r}", where="--from-scratch", hint=hint)
    return SCRATCH[name]


class Learner:
    """A SpeechT5 with its tokenizer and feature extractor, ready to learn."""

    def __init__(
        self, network: Any, tokenizer: Any, extractor: Any, language: str, placement: Placement, base: Checkpoint | None
    ) -> None:
        self.network, self.tokenizer, self.extractor = network, tokenizer, extractor
        self.language, self.placement, self.base = language, placement, base
        self.speller = Speller(language, alphabet(tokenizer).__contains__)

    @classmethod
    def open(cls, checkpoint: Checkpoint, placement: Placement, language: str) -> Learner:
        """A checkpoint that can speak.

        Args:
            language: what it is to speak; empty keeps the checkpoint's own.

        Raises:
            ModelError: it is no SpeechT5 that speaks, or its weights do not fit its configuration.
        """
        _require_sentencepiece()
        import transformers

        config = read_voice_config(transformers.SpeechT5Config, checkpoint, SpeechT5.architectures)
        tokenizer = read_tokenizer(transformers.SpeechT5Tokenizer, checkpoint)
        if config.vocab_size is None or config.vocab_size < tokenizer.vocab_size:
            message = f"config.json has {config.vocab_size} tokens, the tokenizer {tokenizer.vocab_size}"
            raise ModelError(message, where=checkpoint.name)
        # The guided attention loss looks at the attention itself, which no other implementation gives.
        network = load_weights(transformers.SpeechT5ForTextToSpeech, checkpoint, config, placement, attention="eager")
        extractor = read_extractor(checkpoint, config.num_mel_bins)
        own = str(read_json(checkpoint.folder / LANGUAGE_FILE, checkpoint.name).get("language", "en"))
        return cls(network, tokenizer, extractor, language or own, placement, checkpoint)

    @classmethod
    def create(cls, name: str, placement: Placement, language: str, texts: Iterable[str], seed: int) -> Learner:
        """A new network of the configuration `name`, with a tokenizer of the characters of `texts`.

        Raises:
            UsageError: there is no such configuration.
        """
        sizes = scratch(name).sizes
        _require_sentencepiece()
        import torch
        import transformers

        tokenizer = _character_tokenizer(texts)
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            config = transformers.SpeechT5Config(vocab_size=len(tokenizer), **sizes)
            config._attn_implementation = "eager"
            network = transformers.SpeechT5ForTextToSpeech(config).to(placement.device)
        return cls(network, tokenizer, read_extractor(None, config.num_mel_bins), language, placement, None)

    @property
    def sample_rate(self) -> int:
        return int(self.extractor.sampling_rate)

    @property
    def reduction(self) -> int:
        """Frames that one step of the decoder makes."""
        return int(self.network.config.reduction_factor)

    @property
    def speaker_width(self) -> int:
        return int(self.network.config.speaker_embedding_dim)

    def ids(self, text: str) -> list[int]:
        """The tokens of a text that was spelled, the end included."""
        found: list[int] = self.tokenizer(text).input_ids
        return found

    def spectrogram(self, samples: Samples) -> Frames:
        """(frames, mel bins) of a recording at `sample_rate`: as `SpeechT5FeatureExtractor(audio_target=...)` gives them, cut
        to a multiple of the reduction factor."""
        frames: Frames = self.extractor(audio_target=samples, sampling_rate=self.sample_rate).input_values[0]
        return frames[: len(frames) // self.reduction * self.reduction]

    def collate(self, lessons: Sequence[Lesson]) -> dict[str, torch.Tensor]:
        """A batch: `input_ids` and `attention_mask` (B, tokens), `labels` (B, frames, mel bins) with -100 where a row has
        ended, `speaker_embeddings` (B, width)."""
        import numpy
        import torch

        tokens, length = max(len(one.ids) for one in lessons), max(len(one.frames) for one in lessons)
        ids = torch.full((len(lessons), tokens), int(self.tokenizer.pad_token_id))
        mask = torch.zeros(len(lessons), tokens, dtype=torch.long)
        labels = torch.full((len(lessons), length, self.network.config.num_mel_bins), MASKED)
        for index, one in enumerate(lessons):
            ids[index, : len(one.ids)] = torch.tensor(one.ids)
            mask[index, : len(one.ids)] = 1
            labels[index, : len(one.frames)] = torch.from_numpy(numpy.array(one.frames))
        speakers = torch.from_numpy(numpy.stack([one.speaker for one in lessons]).astype(numpy.float32))
        return {"input_ids": ids, "attention_mask": mask, "labels": labels, "speaker_embeddings": speakers}

    def speak(self, ids: Sequence[int], speaker: numpy.ndarray[Any, Any], seed: int) -> torch.Tensor:
        """(frames, mel bins) of a text as the network says it now, on the processor; the seed decides the chance in it."""
        import torch

        from .checkpoint_voice import seeded

        device = self.placement.device
        was_training = self.network.training
        self.network.eval()
        with torch.inference_mode(), seeded(seed, device):
            frames: torch.Tensor = self.network.generate_speech(
                torch.tensor([list(ids)], device=device), torch.from_numpy(speaker)[None].float().to(device)
            )
        self.network.train(was_training)
        return frames.float().cpu()

    def restore(self, folder: Path) -> None:
        """The weights that `save` wrote into a folder."""
        from safetensors.torch import load_file

        self.network.load_state_dict(load_file(folder / "model.safetensors"), strict=False)

    def save(self, folder: Path, speakers: Mapping[str, Any]) -> None:
        """Everything that `seesay speak` needs: weights, tokenizer with its language, feature extractor, the speakers by
        name, and the vocoder that the base model brought."""
        from safetensors.numpy import save_file

        self.network.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        self.extractor.save_pretrained(folder)
        stated = json.loads((folder / LANGUAGE_FILE).read_text(encoding="utf-8"))
        text = json.dumps({**stated, "language": self.language}, indent=2, ensure_ascii=False)
        (folder / LANGUAGE_FILE).write_text(text + "\n", encoding="utf-8")
        if speakers:
            save_file(dict(speakers), folder / SPEAKERS_FILE)
        if self.base is not None and (self.base.folder / VOCODER_FOLDER).is_dir():
            shutil.copytree(self.base.folder / VOCODER_FOLDER, folder / VOCODER_FOLDER)


def _character_tokenizer(texts: Iterable[str]) -> Any:
    """A SentencePiece model of single characters, as the published SpeechT5 has."""
    import tempfile

    import sentencepiece
    import transformers

    made = io.BytesIO()
    letters = {character for text in texts for character in text}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(sorted(letters - {" "}))] * 3), model_writer=made, model_type="char",
        vocab_size=len(letters) + 5, character_coverage=1.0, bos_id=0, pad_id=1, eos_id=2, unk_id=3,
        hard_vocab_limit=False, minloglevel=2, normalization_rule_name="identity",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "spm_char.model").write_bytes(made.getvalue())
        return transformers.SpeechT5Tokenizer(str(Path(folder) / "spm_char.model"))


def _require_sentencepiece() -> None:
    import_torch()
    if find_spec("sentencepiece") is None:
        raise MissingExtra("the tokenizer of SpeechT5", EXTRA)
