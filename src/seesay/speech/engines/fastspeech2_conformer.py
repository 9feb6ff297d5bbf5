"""FastSpeech2Conformer: phonemes to spectrograms in one pass, then a HiFi-GAN vocoder; English.

Ren et al., "FastSpeech 2: Fast and High-Quality End-to-End Text to Speech", ICLR 2021, with Conformers (Guo et al.,
"Recent Developments on ESPnet Toolkit Boosted by Conformer", ICASSP 2021); networks are those of transformers. Its own
tokenizer needs `g2p_en`, which downloads dictionaries when it is imported. Here the phonemes are those of the embedded
voice, written in ARPAbet as the checkpoints expect: American English from a dictionary, then a network for unknown words.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...errors import ModelError
from ...models.checkpoint import Checkpoint, Placement, import_torch, load_weights
from ...settings import VoiceSettings
from ..checkpoint_voice import CheckpointVoice, load_vocoder, read_json, read_voice_config, speaker_number
from ..speakers import embedding
from ..spell import Speller

if TYPE_CHECKING:
    import torch

VOCODER = "espnet/fastspeech2_conformer_hifigan"
_VOWELS = {
    **{"əɹ": "ER", "ɜɹ": "ER", "ɜ": "ER", "A": "EY", "I": "AY", "O": "OW", "W": "AW", "Y": "OY", "i": "IY", "u": "UW"},
    **{"ɑ": "AA", "ɔ": "AO", "ɛ": "EH", "ɪ": "IH", "ʊ": "UH", "ʌ": "AH", "æ": "AE", "ə": "AH", "ᵊ": "AH", "ᵻ": "IH"},
    **{"a": "AA", "ɒ": "AA", "Q": "OW"},
}
_CONSONANTS = {
    **{"b": "B", "d": "D", "f": "F", "h": "HH", "j": "Y", "k": "K", "l": "L", "m": "M", "n": "N", "p": "P", "s": "S"},
    **{"t": "T", "v": "V", "w": "W", "z": "Z", "ð": "DH", "ŋ": "NG", "ɡ": "G", "ɹ": "R", "T": "T", "ɾ": "T", "ʔ": "T"},
    **{"ʃ": "SH", "ʒ": "ZH", "ʤ": "JH", "ʧ": "CH", "θ": "TH", "x": "K"},
}
_STRESSES = {"ˈ": "1", "ˌ": "2", "": "0"}
_PHONEME = re.compile(rf"([ˈˌ]?)({'|'.join(_VOWELS)})|(.)", re.DOTALL)


class FastSpeech2Conformer(CheckpointVoice):
    """A FastSpeech2Conformer with its vocoder."""

    name: ClassVar[str] = "fastspeech2_conformer"
    model_types: ClassVar[tuple[str, ...]] = ("fastspeech2_conformer", "fastspeech2_conformer_with_hifigan")
    architectures: ClassVar[tuple[str, ...]] = ("FastSpeech2ConformerModel", "FastSpeech2ConformerWithHifiGan")
    has_speed: ClassVar[bool] = True
    max_characters = 200

    def __init__(
        self, network: Any, vocoder: Any, vocabulary: dict[str, int], checkpoint: Checkpoint, placement: Placement,
        settings: VoiceSettings,
    ) -> None:  # fmt: skip
        super().__init__(checkpoint, placement, settings, Speller("en", str.isascii))
        self.network, self.vocoder, self.vocabulary = network, vocoder, vocabulary
        tokenizer = read_json(checkpoint.folder / "tokenizer_config.json", checkpoint.name)
        self._spaces = not tokenizer.get("should_strip_spaces", False)
        self._end = vocabulary[str(tokenizer.get("eos_token", "<sos/eos>"))]
        self._unknown = vocabulary[str(tokenizer.get("unk_token", "<unk>"))]
        self.sample_rate = int(vocoder.config.sampling_rate)
        # Here a larger number means longer sounds, whatever its name says.
        network.config.speaking_speed /= self.speed
        self._speaker_model = settings.speaker_model
        self.use_speaker(settings.speaker)

    @classmethod
    def open(cls, checkpoint: Checkpoint, placement: Placement, settings: VoiceSettings) -> Self:
        import_torch()
        from transformers import (
            FastSpeech2ConformerConfig,
            FastSpeech2ConformerHifiGan,
            FastSpeech2ConformerHifiGanConfig,
            FastSpeech2ConformerModel,
            FastSpeech2ConformerWithHifiGan,
            FastSpeech2ConformerWithHifiGanConfig,
        )

        vocabulary = _vocabulary(checkpoint)
        if checkpoint.model_type.endswith("with_hifigan"):
            config = read_voice_config(FastSpeech2ConformerWithHifiGanConfig, checkpoint, cls.architectures[1:])
            kind: Any = FastSpeech2ConformerWithHifiGan
            both: Any = load_weights(kind, checkpoint, config, placement, attention="eager").eval()
            return cls(both.model, both.vocoder, vocabulary, checkpoint, placement, settings)
        config = read_voice_config(FastSpeech2ConformerConfig, checkpoint, cls.architectures[:1])
        vocoder = load_vocoder(
            FastSpeech2ConformerHifiGan, FastSpeech2ConformerHifiGanConfig, checkpoint, placement, settings.vocoder,
            VOCODER, config.num_mel_bins,
        )  # fmt: skip
        network = load_weights(FastSpeech2ConformerModel, checkpoint, config, placement, attention="eager").eval()
        return cls(network, vocoder, vocabulary, checkpoint, placement, settings)

    def use_speaker(self, speaker: Any) -> None:
        import torch

        config, device = self.network.config, self.placement.device
        self.inputs: dict[str, Any] = {}
        if config.speaker_embed_dim:
            vector = embedding(speaker, config.speaker_embed_dim, self.checkpoint, self.placement, self._speaker_model)
            self.inputs["speaker_embedding"] = torch.from_numpy(vector)[None].to(device)
            return
        number = speaker_number(speaker, config.num_speakers or 1, self.checkpoint.name)
        if number is not None:
            self.inputs["speaker_ids"] = torch.tensor([[number]], device=device)

    def ids(self, text: str) -> list[int]:
        """Tokens of an English text, the end with them."""
        tokens = [token for token in arpabet(_phonemes(text)) if token != " " or self._spaces]
        return [*(self._id(token) for token in tokens), self._end]

    def _id(self, token: str) -> int:
        return self.vocabulary.get(token, self._unknown)

    def _sound(self, text: str) -> torch.Tensor:
        import torch

        ids = torch.tensor([self.ids(text)], device=self.placement.device)
        spectrogram = self.network(ids, return_dict=True, **self.inputs).spectrogram  # (1, frames, mel bins)
        sound: torch.Tensor = self.vocoder(spectrogram)[0]
        return sound


def arpabet(phonemes: str) -> list[str]:
    """Phonemes of the embedded voice (misaki's alphabet) in ARPAbet with stress, as in the CMU dictionary; marks and
    spaces stay, what has no counterpart is left out."""
    tokens = []
    for stress, vowel, other in _PHONEME.findall(phonemes):
        if vowel:
            tokens.append(_VOWELS[vowel] + _STRESSES[stress])
        elif other in _CONSONANTS:
            tokens.append(_CONSONANTS[other])
        elif other in " .,!?;:":
            # The checkpoints know these two as commas.
            tokens.append("," if other in ";:" else other)
    return tokens


def _vocabulary(checkpoint: Checkpoint) -> dict[str, int]:
    vocabulary = read_json(checkpoint.folder / "vocab.json", checkpoint.name)
    needed = ("<unk>", "<sos/eos>", "AH0")
    missing = [token for token in needed if not isinstance(vocabulary.get(token), int)]
    if missing:
        hint = "vocab.json has the phonemes of ARPAbet and these"
        raise ModelError(f"no token {missing[0]!r} in vocab.json", where=checkpoint.name, hint=hint)
    return vocabulary


def _phonemes(text: str) -> str:
    phonemes: str = _g2p()(text)
    return phonemes


@cache
def _g2p() -> Any:
    from hibari.g2p import G2P

    return G2P()
