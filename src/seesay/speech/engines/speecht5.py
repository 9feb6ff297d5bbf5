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
from ..griffin_lim import NAME as GRIFFIN_LIM
from ..griffin_lim import GriffinLim
from ..speakers import embedding, known_speakers
from ..spell import Speller

if TYPE_CHECKING:
    import numpy
    import torch

    from ..speakers import Vector

    Samples = numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]

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
        speaker: Vector,
    ) -> None:
        language = str(read_json(checkpoint.folder / "tokenizer_config.json", checkpoint.name).get("language", "en"))
        super().__init__(checkpoint, placement, settings, Speller(language, alphabet(tokenizer).__contains__))
        self.network, self.vocoder, self.tokenizer = network, vocoder, tokenizer
        self.speaks = "English" if self.speller.language == "en" else f"the language {language!r}"
        self.sample_rate = vocoder.sample_rate if isinstance(vocoder, GriffinLim) else vocoder.config.sampling_rate
        # One position is for the end of the text.
        self.max_characters = min(LONGEST, network.config.max_text_positions - 2)
        self._speaker_model = settings.speaker_model
        self._take(speaker)

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
        # Before the weights, so that a mistyped recording costs little.
        width = config.speaker_embedding_dim
        speaker = embedding(settings.speaker, width, checkpoint, placement, settings.speaker_model)
        vocoder = open_vocoder(settings.vocoder, checkpoint, placement, config.num_mel_bins)
        network = load_weights(
            _transformers().SpeechT5ForTextToSpeech, checkpoint, config, placement, attention="eager"
        ).eval()
        return cls(network, vocoder, tokenizer, checkpoint, placement, settings, speaker)

    def use_speaker(self, speaker: Any) -> None:
        width = self.network.config.speaker_embedding_dim
        self._take(embedding(speaker, width, self.checkpoint, self.placement, self._speaker_model))

    def _take(self, speaker: Vector) -> None:
        import torch

        self.speaker = torch.from_numpy(speaker)[None].to(self.placement.device)  # (1, width)

    @property
    def speakers(self) -> frozenset[str]:
        """The speakers that the checkpoint brings by name."""
        return frozenset(known_speakers(self.checkpoint))

    def revoice(self, samples: Samples) -> Samples:
        """A recording at 16,000 samples a second as the vocoder gives it back from its spectrogram: what the voice cannot pass,
        however well it learns."""
        import torch

        extractor = read_extractor(self.checkpoint, self.network.config.num_mel_bins)
        frames = extractor(audio_target=samples, sampling_rate=extractor.sampling_rate).input_values[0]
        with torch.inference_mode():
            sound: Samples = self.vocoder(torch.from_numpy(frames).to(self.placement.device)).float().cpu().numpy()
        return sound

    def spectrogram(self, text: str) -> torch.Tensor:
        """(frames, mel bins), log, of a text in the voice's characters; what the vocoder gets."""
        ids = self.tokenizer(text, return_tensors="pt").input_ids.to(self.placement.device)
        frames: torch.Tensor = self.network.generate_speech(ids, self.speaker)
        return frames

    def _sound(self, text: str) -> torch.Tensor:
        sound: torch.Tensor = self.vocoder(self.spectrogram(text))
        return sound


def alphabet(tokenizer: Any) -> frozenset[str]:
    """The characters that a tokenizer of SpeechT5 has, the space included."""
    pieces = {tokenizer.convert_ids_to_tokens(index) for index in range(tokenizer.vocab_size)}
    return frozenset(piece for piece in pieces if len(piece) == 1) - {"▁"} | {" "}


def read_extractor(checkpoint: Checkpoint | None, bins: int) -> Any:
    """What makes spectrograms: as the checkpoint's preprocessor_config.json says, else the published one's with `bins`.

    Raises:
        ModelError: it makes spectrograms of another number of bins than the network takes.
    """
    kind = _transformers().SpeechT5FeatureExtractor
    if checkpoint is None or not (checkpoint.folder / "preprocessor_config.json").is_file():
        return kind(num_mel_bins=bins)
    extractor = kind.from_pretrained(checkpoint.folder)
    if extractor.num_mel_bins != bins:
        message = f"preprocessor_config.json makes {extractor.num_mel_bins} mel bins, the network takes {bins}"
        raise ModelError(message, where=checkpoint.name)
    return extractor


def open_vocoder(named: str, checkpoint: Checkpoint, placement: Placement, bins: int) -> Any:
    """What turns (frames, bins) into (samples,): a HiFi-GAN, found as `load_vocoder` says, or Griffin-Lim if that is named.

    Raises:
        ModelNotFound, ModelError: there is none of that name, or it takes other spectrograms.
    """
    if named == GRIFFIN_LIM:
        return GriffinLim(read_extractor(checkpoint, bins))
    transformers = _transformers()
    kind, config_kind = transformers.SpeechT5HifiGan, transformers.SpeechT5HifiGanConfig
    return load_vocoder(kind, config_kind, checkpoint, placement, named, VOCODER, bins)


def _transformers() -> Any:
    from ...models.checkpoint import import_torch

    import_torch()
    import transformers

    return transformers
