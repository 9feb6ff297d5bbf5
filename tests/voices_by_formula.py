"""Small SpeechT5, Bark, VITS, FastSpeech2Conformer, x-vector and Whisper checkpoints, saved as Hub repositories look.

Their weights are drawn from a seed, so they make noise; how long it is follows from the text, as with real ones.
"""

import json
from pathlib import Path
from typing import Any

LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOCODER = {
    "model_in_dim": 8, "sampling_rate": 16_000, "upsample_initial_channel": 16, "upsample_rates": [8, 8],
    "upsample_kernel_sizes": [16, 16], "resblock_kernel_sizes": [3], "resblock_dilation_sizes": [[1, 3]],
}  # fmt: skip


def loud(network: Any, seed: int, scale: float) -> None:
    """Weights wide enough that what comes out is heard."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, parameter in sorted(network.named_parameters()):
            if parameter.ndim > 1:
                parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))


def vocoder(folder: Path, kind: str = "SpeechT5HifiGan", **more: Any) -> Path:
    import torch
    import transformers

    torch.manual_seed(7)
    network = getattr(transformers, kind)(getattr(transformers, f"{kind}Config")(**VOCODER | more))
    loud(network, 7, 0.1)
    network.save_pretrained(folder)
    return folder


def spm_char(folder: Path, letters: str) -> None:
    """A SentencePiece model of single characters, as SpeechT5 has."""
    import io

    import sentencepiece

    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(letters)] * 3), model_writer=made, model_type="char", vocab_size=len(letters) + 5,
        character_coverage=1.0, bos_id=0, pad_id=1, eos_id=2, unk_id=3, hard_vocab_limit=False, minloglevel=2,
        normalization_rule_name="identity",
    )  # fmt: skip
    (folder / "spm_char.model").write_bytes(made.getvalue())


def speecht5(folder: Path, *, with_vocoder: bool = True, stop: float = -2.6) -> Path:
    import torch
    from transformers import SpeechT5Config, SpeechT5ForTextToSpeech, SpeechT5Tokenizer

    folder.mkdir(parents=True, exist_ok=True)
    spm_char(folder, LETTERS + LETTERS.upper() + "é.,!?'-;:")
    tokenizer = SpeechT5Tokenizer(str(folder / "spm_char.model"))
    tokenizer.save_pretrained(folder)
    config = SpeechT5Config(
        vocab_size=len(tokenizer), hidden_size=16, encoder_layers=2, encoder_attention_heads=2, encoder_ffn_dim=32,
        decoder_layers=2, decoder_attention_heads=2, decoder_ffn_dim=32, num_mel_bins=8, speech_decoder_prenet_units=16,
        speech_decoder_postnet_units=16, speech_decoder_postnet_layers=2, speaker_embedding_dim=12, max_text_positions=80,
        max_speech_positions=4000, conv_dim=[8], conv_stride=[5], conv_kernel=[10], num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2, reduction_factor=2,
    )  # fmt: skip
    torch.manual_seed(0)
    network = SpeechT5ForTextToSpeech(config)
    loud(network, 11, 0.3)
    with torch.no_grad():
        # A step ends the sentence where two chances add up to a half.
        network.speech_decoder_postnet.prob_out.weight.mul_(2)
        network.speech_decoder_postnet.prob_out.bias.fill_(stop)
    network.save_pretrained(folder)
    if with_vocoder:
        vocoder(folder / "vocoder")
    return folder


def vits(folder: Path, *, language: str = "eng", letters: str = LETTERS, speakers: int = 1) -> Path:
    import torch
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<pad>", " ", *letters, "-", "'", "<unk>"]
    (folder / "vocab.json").write_text(
        json.dumps({token: index for index, token in enumerate(tokens)}), encoding="utf-8"
    )
    VitsTokenizer(folder / "vocab.json", language=language, phonemize=False).save_pretrained(folder)
    config = VitsConfig(
        vocab_size=len(tokens), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, ffn_dim=32, flow_size=16,
        spectrogram_bins=17, upsample_initial_channel=16, upsample_rates=[8, 8], upsample_kernel_sizes=[16, 16],
        resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]], prior_encoder_num_flows=2,
        posterior_encoder_num_wavenet_layers=2, prior_encoder_num_wavenet_layers=2, num_speakers=speakers,
        speaker_embedding_size=4 if speakers > 1 else 0, noise_scale_duration=0.1,
    )  # fmt: skip
    torch.manual_seed(0)
    network = VitsModel(config)
    with torch.no_grad():
        # Random durations are about 240 frames a letter; exp(3.6) is 36.
        network.duration_predictor.flows[0].translate += 3.6
        if speakers > 1:
            network.embed_speaker.weight.mul_(3)
    network.save_pretrained(folder)
    return folder


def fastspeech2(folder: Path, *, with_vocoder: bool = True, speakers: int = 1) -> Path:
    import torch
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    vowels = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split()
    phones = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split()
    tokens = [
        "<blank>",
        "<unk>",
        *(f"{vowel}{stress}" for vowel in vowels for stress in "012"),
        *phones,
        *".,!?'",
        "<sos/eos>",
    ]
    (folder / "vocab.json").write_text(
        json.dumps({token: index for index, token in enumerate(tokens)}), encoding="utf-8"
    )
    settings = {"tokenizer_class": "FastSpeech2ConformerTokenizer", "should_strip_spaces": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    config = transformers.FastSpeech2ConformerConfig(
        vocab_size=len(tokens), hidden_size=16, num_mel_bins=8, encoder_layers=1, decoder_layers=1, encoder_linear_units=16,
        decoder_linear_units=16, speech_decoder_postnet_layers=2, speech_decoder_postnet_units=8,
        duration_predictor_channels=8, energy_predictor_channels=8, pitch_predictor_channels=8, pitch_predictor_layers=1,
        decoder_kernel_size=7, num_speakers=speakers if speakers > 1 else None,
    )  # fmt: skip
    torch.manual_seed(0)
    if with_vocoder:
        network: Any = transformers.FastSpeech2ConformerWithHifiGan(
            transformers.FastSpeech2ConformerWithHifiGanConfig(
                model_config=config.to_dict(), vocoder_config=transformers.FastSpeech2ConformerHifiGanConfig(**VOCODER).to_dict()
            )
        )  # fmt: skip
        loud(network.vocoder, 7, 0.1)
        voice = network.model
    else:
        network = voice = transformers.FastSpeech2ConformerModel(config)
    with torch.no_grad():
        # A sound of a few frames for each phoneme: exp(1.9) - 1 is about 6.
        voice.duration_predictor.linear.bias.fill_(1.9)
        voice.duration_predictor.linear.weight.mul_(0.1)
    network.save_pretrained(folder)
    return folder


PRESET = "v2/en_speaker_6"
BARK_GENERATION: dict[str, Any] = {
    "semantic_config": {
        "do_sample": True, "temperature": 0.7, "eos_token_id": 20, "max_new_tokens": 4, "text_encoding_offset": 24,
        "text_pad_token": 200, "semantic_infer_token": 201, "semantic_vocab_size": 20, "max_input_semantic_length": 160,
        "semantic_rate_hz": 49.9,
    },
    "coarse_acoustics_config": {
        "do_sample": True, "temperature": 0.7, "coarse_semantic_pad_token": 60, "coarse_infer_token": 61,
        "coarse_rate_hz": 75, "n_coarse_codebooks": 2, "max_coarse_input_length": 16, "max_coarse_history": 30,
        "sliding_window_len": 12,
    },
    "fine_acoustics_config": {
        "temperature": 0.5, "max_fine_history_length": 16, "max_fine_input_length": 32, "n_fine_codebooks": 4,
    },
    "sample_rate": 24_000, "codebook_size": 16,
}  # fmt: skip


def bark(folder: Path) -> Path:
    import numpy
    import torch
    from transformers import BarkConfig, BarkModel, BertTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    digits = "0123456789"
    marks = ".,!?'-[]:;"
    letters = [*LETTERS, *LETTERS.upper(), *digits]
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *letters,
        *(f"##{letter}" for letter in letters),
        *marks,
        "♪",
    ]
    BertTokenizer(vocab={word: index for index, word in enumerate(words)}, do_lower_case=False).save_pretrained(folder)
    size = {"hidden_size": 16, "num_layers": 2, "num_heads": 2}
    config = BarkConfig(
        semantic_config={**size, "input_vocab_size": 210, "output_vocab_size": 24, "block_size": 256},
        coarse_acoustics_config={**size, "input_vocab_size": 64, "output_vocab_size": 64, "block_size": 64},
        fine_acoustics_config={
            **size, "input_vocab_size": 18, "output_vocab_size": 18, "block_size": 64, "n_codes_total": 4, "n_codes_given": 1,
        },
        codec_config={
            "model_type": "encodec", "sampling_rate": 24_000, "num_filters": 4, "upsampling_ratios": [8, 5, 4, 2],
            "codebook_size": 16, "codebook_dim": 8, "hidden_size": 8, "num_lstm_layers": 1, "target_bandwidths": [3.0],
        },
    )  # fmt: skip
    torch.manual_seed(0)
    network = BarkModel(config)
    loud(network, 3, 0.3)
    network.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps(BARK_GENERATION), encoding="utf-8")
    generator = numpy.random.default_rng(5)
    arrays = {
        "semantic_prompt": generator.integers(0, 20, 30),
        "coarse_prompt": generator.integers(0, 16, (2, 45)),
        "fine_prompt": generator.integers(0, 16, (4, 45)),
    }
    paths = {name: f"speaker_embeddings/{PRESET}_{name}.npy" for name in arrays}
    for name, array in arrays.items():
        (folder / paths[name]).parent.mkdir(parents=True, exist_ok=True)
        numpy.save(folder / paths[name], array)
    index = {"repo_or_path": "suno/bark-small", PRESET: paths}
    (folder / "speaker_embeddings_path.json").write_text(json.dumps(index), encoding="utf-8")
    return folder


def xvector(folder: Path, width: int = 12) -> Path:
    import torch
    from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMForXVector

    config = WavLMConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, conv_dim=[8, 8], conv_stride=[10, 16],
        conv_kernel=[10, 16], num_feat_extract_layers=2, num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2,
        tdnn_dim=[8, 8, 12], tdnn_kernel=[5, 3, 1], tdnn_dilation=[1, 2, 1], xvector_output_dim=width,
    )  # fmt: skip
    torch.manual_seed(0)
    WavLMForXVector(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(folder)
    return folder


def whisper(folder: Path, *, languages: tuple[str, ...] = ()) -> Path:
    """English only or in several languages, with a vocabulary of bytes; it writes at least one token."""
    import torch
    from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration
    from transformers.models.whisper.tokenization_whisper import WhisperTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    from tokenizers import pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    codes = [f"<|{language}|>" for language in languages]
    special = ["<|endoftext|>", "<|startoftranscript|>", *codes, "<|translate|>", "<|transcribe|>", "<|notimestamps|>"]
    vocabulary = {token: index for index, token in enumerate([*alphabet, *special])}
    tokenizer = WhisperTokenizer(vocab=vocabulary, merges=[])
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=8).save_pretrained(folder)
    end, start = vocabulary["<|endoftext|>"], vocabulary["<|startoftranscript|>"]
    config = WhisperConfig(
        vocab_size=len(vocabulary), num_mel_bins=8, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_target_positions=32,
        decoder_start_token_id=start, eos_token_id=end, bos_token_id=end, pad_token_id=end, begin_suppress_tokens=[end],
        suppress_tokens=[],
    )  # fmt: skip
    torch.manual_seed(0)
    network = WhisperForConditionalGeneration(config)
    loud(network, 2, 0.3)
    several: dict[str, Any] = {}
    if languages:
        several["lang_to_id"] = {code: vocabulary[code] for code in codes}
        several["task_to_id"] = {task: vocabulary[f"<|{task}|>"] for task in ("translate", "transcribe")}
    network.generation_config = GenerationConfig(
        decoder_start_token_id=start, eos_token_id=end, bos_token_id=end, pad_token_id=end, max_length=32,
        is_multilingual=bool(languages), no_timestamps_token_id=vocabulary["<|notimestamps|>"],
        begin_suppress_tokens=[end], **several,
    )  # fmt: skip
    network.save_pretrained(folder)
    return folder


MAKERS: dict[str, Any] = {"bark": bark, "fastspeech2_conformer": fastspeech2, "speecht5": speecht5, "vits": vits}


def build(folder: Path) -> dict[str, Path]:
    """A checkpoint for each voice that is one, by the voice's name."""
    return {name: make(folder / name) for name, make in MAKERS.items()}
