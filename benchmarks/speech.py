"""The embedded voice: how fast it speaks on one thread, and how many of its words are understood.

Words are heard by Whisper base, in an environment of its own:

    python -m venv /tmp/whisper && /tmp/whisper/bin/pip install -r benchmarks/whisper/requirements.txt
    WHISPER_PYTHON=/tmp/whisper/bin/python python -m benchmarks speech

Without WHISPER_PYTHON only speed is measured. Reference and transcript go through Whisper's English normalizer (case,
punctuation, numerals); the rate is edits over words, all sentences together.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import seesay
from seesay.speech import load, speak

HERE = Path(__file__).parent
SENTENCES = (HERE / "sentences.txt").read_text(encoding="utf-8").splitlines()
ROUNDS = 3


def measure() -> dict[str, object]:
    return {"sentences": len(SENTENCES), **_speed(), **_understood()}


def _speed() -> dict[str, object]:
    started = time.perf_counter()
    engine = load()
    engine.synthesize("A first sentence.")
    first = time.perf_counter() - started
    cpu, wall, sound = [], [], 0.0
    for _ in range(ROUNDS):
        cpu_before, wall_before = time.process_time(), time.perf_counter()
        sound = sum(speak(sentence, engine).seconds for sentence in SENTENCES)
        cpu.append(time.process_time() - cpu_before)
        wall.append(time.perf_counter() - wall_before)
    return {
        "seconds_of_sound": round(sound, 1),
        "seconds_until_the_first_sentence": round(first, 2),
        "real_time_factor_cpu": round(statistics.median(cpu) / sound, 4),
        "real_time_factor_wall": round(statistics.median(wall) / sound, 4),
    }


def _understood() -> dict[str, object]:
    if "WHISPER_PYTHON" not in os.environ:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        for number, sentence in enumerate(SENTENCES):
            seesay.save_speech(seesay.speak(sentence), Path(folder) / f"{number:03}.wav")
        words = [os.environ["WHISPER_PYTHON"], str(HERE / "whisper" / "transcribe.py"), folder]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    heard: dict[str, str] = json.loads(done.stdout)
    return _score([heard[f"{number:03}.wav"] for number in range(len(SENTENCES))])


def _score(transcripts: list[str]) -> dict[str, object]:
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    normalize = EnglishTextNormalizer({})
    edits, words, misheard = 0, 0, []
    for sentence, transcript in zip(SENTENCES, transcripts, strict=True):
        said, heard = normalize(sentence).split(), normalize(transcript).split()
        distance = _edit_distance(said, heard)
        edits, words = edits + distance, words + len(said)
        if distance:
            misheard.append({"said": sentence, "heard": transcript, "edits": distance})
    return {"word_error_rate": round(edits / words, 4), "edits": edits, "words": words, "misheard": misheard}


def _edit_distance(one: list[str], other: list[str]) -> int:
    row = list(range(len(other) + 1))
    for index, word in enumerate(one, 1):
        left = index
        for column, candidate in enumerate(other, 1):
            best = min(left + 1, row[column] + 1, row[column - 1] + (word != candidate))
            row[column - 1], left = left, best
        row[-1] = left
    return row[-1]
