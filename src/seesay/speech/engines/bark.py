"""Bark: text to tokens of meaning, to tokens of sound, to finer ones, to sound (EnCodec). Many languages, laughter, music.

Suno AI, "Bark", 2023; networks are those of transformers. A preset (three arrays of tokens that were once spoken) decides
who speaks and in which language; without one Bark makes a speaker up, by the seed. Cues in brackets ([laughs], [clears
throat], ♪) reach it as they are written. Every network samples, so the seed decides the sound.

It says at most some 13 seconds at once and then stops in the middle of a word, so texts are cut well below.
"""

from __future__ import annotations

import difflib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...errors import UsageError
from ...models.checkpoint import Checkpoint, Placement, import_torch, load_weights
from ...settings import VoiceSettings
from ..checkpoint_voice import CheckpointVoice, read_json, read_tokenizer, read_voice_config
from ..speakers import read_array, read_arrays
from ..spell import Speller

if TYPE_CHECKING:
    import torch

PRESETS_FILE = "speaker_embeddings_path.json"
PROMPTS = {"semantic_prompt": 1, "coarse_prompt": 2, "fine_prompt": 2}
"""The arrays of a preset and how many dimensions each has: (tokens,), (2, tokens), (8, tokens)."""
GENERATION: dict[str, dict[str, Any]] = {
    "semantic_config": {"do_sample": True, "temperature": 0.7},
    "coarse_acoustics_config": {"do_sample": True, "temperature": 0.7},
    "fine_acoustics_config": {"temperature": 0.5},
}
"""How the published checkpoints sample; transformers' own defaults always take the likeliest token, which drones."""
CUES = "♪"
LONGEST = 150
"""Characters said at once: about ten seconds, of the 13 that Bark has."""


class Bark(CheckpointVoice):
    """A Bark with its tokenizer and its codec."""

    name: ClassVar[str] = "bark"
    model_types: ClassVar[tuple[str, ...]] = ("bark",)
    architectures: ClassVar[tuple[str, ...]] = ("BarkModel",)
    max_characters = LONGEST

    def __init__(
        self, network: Any, tokenizer: Any, checkpoint: Checkpoint, placement: Placement, settings: VoiceSettings
    ) -> None:
        # Presets are named v2/en_speaker_6; without one the text alone decides the language, and most are English.
        language = PurePosixPath(settings.speaker or "en_").name.partition("_")[0]
        super().__init__(checkpoint, placement, settings, Speller(language, _alphabet(tokenizer), keep=CUES))
        self.network, self.tokenizer = network, tokenizer
        self.speaks = "the languages of its presets"
        self.sample_rate = int(network.generation_config.sample_rate)
        self._longest = int(network.generation_config.semantic_config["max_input_semantic_length"])
        self.use_speaker(settings.speaker)

    @classmethod
    def open(cls, checkpoint: Checkpoint, placement: Placement, settings: VoiceSettings) -> Self:
        import_torch()
        from transformers import BarkConfig, BarkModel, BertTokenizer

        config = read_voice_config(BarkConfig, checkpoint, cls.architectures)
        tokenizer = read_tokenizer(BertTokenizer, checkpoint)
        generation_config = complete_generation_config(checkpoint)
        network: Any = load_weights(BarkModel, checkpoint, config, placement, attention="eager").eval()
        network.generation_config = generation_config
        return cls(network, tokenizer, checkpoint, placement, settings)

    def can_say(self, character: str) -> bool:
        return character in CUES or super().can_say(character)

    def use_speaker(self, speaker: Any) -> None:
        import torch

        self.preset = None
        if speaker not in ("", None):
            arrays = speaker if isinstance(speaker, dict) else self._find_preset(str(speaker))
            device = self.placement.device
            checked = _check_preset(arrays, str(speaker) if isinstance(speaker, str) else "speaker")
            self.preset = {name: torch.from_numpy(array).to(device) for name, array in checked.items()}

    def _sound(self, text: str) -> torch.Tensor:
        inputs = self.tokenizer(
            text, padding="max_length", max_length=self._longest, truncation=True, add_special_tokens=False,
            return_attention_mask=True, return_token_type_ids=False, return_tensors="pt", split_special_tokens=True,
        ).to(self.placement.device)  # fmt: skip
        sound: torch.Tensor = self.network.generate(**inputs, history_prompt=self.preset)
        return sound.reshape(-1)

    def _find_preset(self, name: str) -> dict[str, Any]:
        """The arrays of the preset of that name, or of a file."""
        path = Path(name).expanduser()
        if path.suffix.lower() in (".npz", ".safetensors"):
            return read_arrays(path)
        if path.suffix.lower() in (".npy", ".pkl", ".pt"):
            hint = "a preset is one .npz or .safetensors file with " + ", ".join(PROMPTS)
            raise UsageError(f"{path.suffix} files are no presets", where=name, hint=hint)
        presets = read_json(self.checkpoint.folder / PRESETS_FILE, self.checkpoint.name)
        presets.pop("repo_or_path", None)
        if not isinstance(presets.get(name), dict):
            near = difflib.get_close_matches(name, presets, n=1) or list(presets)[:5]
            hint = f"known: {', '.join(near)} and others" if presets else "this checkpoint has none; give an .npz file"
            raise UsageError(f"no preset {name!r}", where="--speaker", hint=hint)
        files = {prompt: str(presets[name].get(prompt, "")) for prompt in PROMPTS}
        for file in files.values():
            if not file.endswith(".npy") or ".." in PurePosixPath(file).parts or PurePosixPath(file).is_absolute():
                raise UsageError(f"the preset {name!r} names the file {file!r}", where=PRESETS_FILE)
        return {prompt: read_array(self.checkpoint.file(file)) for prompt, file in files.items()}


def complete_generation_config(checkpoint: Checkpoint) -> Any:
    """The checkpoint's generation_config.json, with the published values where it has none: the network reads its settings
    from there and fails without them."""
    from transformers import GenerationConfig
    from transformers.models.bark.generation_configuration_bark import BarkGenerationConfig

    found = read_json(checkpoint.folder / "generation_config.json", checkpoint.name)
    usual, config = BarkGenerationConfig(), GenerationConfig()
    for part, sampling in GENERATION.items():
        given = found.get(part)
        known = set(vars(getattr(usual, part))) | set(sampling)
        # Only what Bark itself reads: a checkpoint may not bring in other settings of transformers' generation.
        values = {key: value for key, value in (given if isinstance(given, dict) else sampling).items() if key in known}
        setattr(config, part, values)
    for name in ("sample_rate", "codebook_size"):
        setattr(config, name, int(found.get(name, getattr(usual, name))))
    defaults = usual.semantic_config
    config.semantic_config.setdefault("max_input_semantic_length", defaults.max_input_semantic_length)
    return config


def _check_preset(arrays: dict[str, Any], where: str) -> dict[str, Any]:
    import numpy

    checked = {}
    for name, dimensions in PROMPTS.items():
        array = numpy.asarray(arrays[name]) if name in arrays else None
        if array is None or array.ndim != dimensions or array.dtype.kind not in "iu" or array.size == 0:
            found = "missing" if array is None else f"{array.dtype} {array.shape}"
            hint = "a preset has semantic_prompt (tokens,), coarse_prompt (2, tokens), fine_prompt (8, tokens), whole numbers"
            raise UsageError(f"not a preset: {name} is {found}", where=where, hint=hint)
        checked[name] = array.astype(numpy.int64)
    return checked


def _alphabet(tokenizer: Any) -> Any:
    """Whether the tokenizer has a character; its unknown token is heard as a stumble."""

    def has(character: str) -> bool:
        if character.isspace():
            return character == " "
        return tokenizer.unk_token not in tokenizer.tokenize(character)

    return has
