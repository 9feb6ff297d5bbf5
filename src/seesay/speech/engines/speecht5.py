"""SpeechT5: letters to spectrograms by an encoder-decoder, in the voice of a speaker embedding, then a HiFi-GAN vocoder.

Ao et al., "SpeechT5: Unified-Modal Encoder-Decoder Pre-Training for Spoken Language Processing", ACL 2022; networks are
those of transformers. The tokenizer has letters and marks and no digits, so numbers are spelled first. Dropout in the
decoder's prenet stays on when it speaks (Tacotron 2, section 2.2), so the seed decides the sound.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...errors import MissingExtra, ModelError
from ...models.checkpoint import Checkpoint, Placement, load_weights
from ...settings import VoiceSettings
from ..checkpoint_voice import EXTRA, CheckpointVoice, load_vocoder, read_json, read_tokenizer, read_voice_config
from ..speakers import embedding
from ..spell import Speller

if TYPE_CHECKING:
    import torch

VOCODER = "microsoft/speecht5_hifigan"
LONGEST = 200
"""Characters said at once; the published checkpoint was trained on sentences of about that length."""


class SpeechT5(CheckpointVoice):
    """A SpeechT5 with its tokenizer, vocoder and speaker."""

    name: ClassVar[str] = "speecht5"
    model_types: ClassVar[tuple[str, ...]] = ("speecht5",)
    architectures: ClassVar[tuple[str, ...]] = ("SpeechT5ForTextToSpeech",)

    def __init__(
        self,
        network: Any,
        vocoder: Any,
        tokenizer: Any,
        checkpoint: Checkpoint,
        placement: Placement,
        settings: VoiceSettings,
    ) -> None:
        language = str(read_json(checkpoint.folder / "tokenizer_config.json", checkpoint.name).get("language", "en"))
        pieces = {tokenizer.convert_ids_to_tokens(index) for index in range(tokenizer.vocab_size)}
        alphabet = {piece for piece in pieces if len(piece) == 1} - {"▁"} | {" "}
        super().__init__(checkpoint, placement, settings, Speller(language, alphabet.__contains__))
        self.network, self.vocoder, self.tokenizer = network, vocoder, tokenizer
        self.speaks = "English" if self.speller.language == "en" else f"the language {language!r}"
        self.sample_rate = int(vocoder.config.sampling_rate)
        # One position is for the end of the text.
        self.max_characters = min(LONGEST, network.config.max_text_positions - 2)
        self._speaker_model = settings.speaker_model
        self.use_speaker(settings.speaker)

    @classmethod
    def open(cls, checkpoint: Checkpoint, placement: Placement, settings: VoiceSettings) -> Self:
        config_kind = _transformers().SpeechT5Config
        config = read_voice_config(config_kind, checkpoint, cls.architectures)
        if find_spec("sentencepiece") is None:
            raise MissingExtra("the tokenizer of SpeechT5", EXTRA)
        tokenizer = read_tokenizer(_transformers().SpeechT5Tokenizer, checkpoint)
        if config.vocab_size is None or config.vocab_size < tokenizer.vocab_size:
            message = f"config.json has {config.vocab_size} tokens, the tokenizer {tokenizer.vocab_size}"
            raise ModelError(message, where=checkpoint.name)
        vocoder = load_vocoder(
            _transformers().SpeechT5HifiGan, _transformers().SpeechT5HifiGanConfig, checkpoint, placement,
            settings.vocoder, VOCODER, config.num_mel_bins,
        )  # fmt: skip
        network = load_weights(
            _transformers().SpeechT5ForTextToSpeech, checkpoint, config, placement, attention="eager"
        ).eval()
        return cls(network, vocoder, tokenizer, checkpoint, placement, settings)

    def use_speaker(self, speaker: Any) -> None:
        import torch

        width = self.network.config.speaker_embedding_dim
        vector = embedding(speaker, width, self.checkpoint, self.placement, self._speaker_model)
        self.speaker = torch.from_numpy(vector)[None].to(self.placement.device)  # (1, width)

    def spectrogram(self, text: str) -> torch.Tensor:
        """(frames, mel bins), log, of a text in the voice's characters; what the vocoder gets."""
        ids = self.tokenizer(text, return_tensors="pt").input_ids.to(self.placement.device)
        frames: torch.Tensor = self.network.generate_speech(ids, self.speaker)
        return frames

    def _sound(self, text: str) -> torch.Tensor:
        sound: torch.Tensor = self.vocoder(self.spectrogram(text))
        return sound


def _transformers() -> Any:
    from ...models.checkpoint import import_torch

    import_torch()
    import transformers

    return transformers
