"""VITS, and the MMS voices in over a thousand languages: letters (or phonemes) to sound in one network.

Kim et al., "Conditional Variational Autoencoder with Adversarial Learning for End-to-End Text-to-Speech", ICML 2021;
Pratap et al., "Scaling Speech Technology to 1,000+ Languages", 2023; networks are those of transformers. Durations and
sound are drawn, so the seed decides them. Characters that the vocabulary lacks are taken out here: the tokenizer would
leave them out in silence, and the network fails on a text of which nothing is left.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...errors import MissingExtra
from ...models.checkpoint import Checkpoint, Placement, import_torch, load_weights
from ...settings import VoiceSettings
from ..checkpoint_voice import CheckpointVoice, read_tokenizer, read_voice_config, speaker_number
from ..spell import Speller

if TYPE_CHECKING:
    import torch

LONGEST = 250
"""Characters said at once; there is no limit in the network, and its memory grows with the square of them."""


class Vits(CheckpointVoice):
    """A VITS with its tokenizer."""

    name: ClassVar[str] = "vits"
    model_types: ClassVar[tuple[str, ...]] = ("vits",)
    architectures: ClassVar[tuple[str, ...]] = ("VitsModel",)
    has_speed: ClassVar[bool] = True
    max_characters = LONGEST

    def __init__(
        self, network: Any, tokenizer: Any, checkpoint: Checkpoint, placement: Placement, settings: VoiceSettings
    ) -> None:
        language = tokenizer.language or ("en" if tokenizer.phonemize else "")
        super().__init__(checkpoint, placement, settings, Speller(language, self._alphabet(tokenizer)))
        self.network, self.tokenizer = network, tokenizer
        self.speaks = "English" if self.speller.language == "en" else f"the language {language!r}"
        self.sample_rate = int(network.config.sampling_rate)
        self.use_speaker(settings.speaker)

    @classmethod
    def open(cls, checkpoint: Checkpoint, placement: Placement, settings: VoiceSettings) -> Self:
        import_torch()
        from transformers import VitsConfig, VitsModel, VitsTokenizer

        config = read_voice_config(VitsConfig, checkpoint, cls.architectures)
        tokenizer = read_tokenizer(VitsTokenizer, checkpoint)
        if tokenizer.is_uroman and find_spec("uroman") is None:
            raise MissingExtra(f"writing the language {tokenizer.language!r} in Latin letters", "uroman")
        if tokenizer.phonemize and find_spec("phonemizer") is None:
            raise MissingExtra("the phonemes of this voice (phonemizer and espeak-ng)", "phonemizer")
        network = load_weights(VitsModel, checkpoint, config, placement, attention="eager").eval()
        return cls(network, tokenizer, checkpoint, placement, settings)

    def use_speaker(self, speaker: Any) -> None:
        self.speaker = speaker_number(speaker, self.network.config.num_speakers, self.checkpoint.name)

    def _sound(self, text: str) -> torch.Tensor:
        import torch

        inputs = self.tokenizer(text, return_tensors="pt").to(self.placement.device)
        if inputs.input_ids.shape[1] < 2:
            # Of a text in another script uroman may leave nothing that it knows; the network fails on that.
            return torch.zeros(1)
        rate = self.network.speaking_rate * self.speed
        sound: torch.Tensor = self.network(**inputs, speaker_id=self.speaker, speaking_rate=rate).waveform[0]
        return sound

    @staticmethod
    def _alphabet(tokenizer: Any) -> Any:
        """Whether the voice has a character, before the tokenizer's own steps."""
        if tokenizer.phonemize:
            return str.isascii
        if tokenizer.is_uroman:
            # It writes the letters of all scripts in Latin ones.
            return lambda character: character.isalpha() or character == " "
        letters = {token for token in tokenizer.encoder if len(token) == 1}
        known = letters | {"ț"} if tokenizer.language == "ron" and "ţ" in letters else letters
        return (known | {" "}).__contains__
