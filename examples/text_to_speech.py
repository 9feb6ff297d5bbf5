"""Hugging Face's text-to-speech guide, on seesay: fine-tune SpeechT5 on a new language, measure it, have it speak.

    pip install -c constraints.txt "seesay[voices]"
    python examples/text_to_speech.py --data hf:facebook/voxpopuli/nl --language nl

Without a connection: examples/fillets_dutch.py makes a set of spoken Dutch from a Debian package, and
`--scratch speecht5-small --speaker-model none --vocoder griffin-lim` shows the whole way, without speech that is understood.
"""

import argparse
from pathlib import Path

import seesay

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True)
parser.add_argument("--language", default="")
parser.add_argument("--model", default="")
parser.add_argument("--scratch", default="")
parser.add_argument("--speaker-model", default="microsoft/wavlm-base-plus-sv")
parser.add_argument("--vocoder", default="")
parser.add_argument("--output", type=Path, default=Path("runs/speech"))
parser.add_argument("--max-steps", type=int)
arguments = parser.parse_args()

# 1. Look at the data first: hours, speakers, clipping, silence, texts that do not fit their length.
seesay.check(seesay.CheckSettings(data=arguments.data)).raise_for_problems()

# 2. Train. Run it again to resume. report.html has what it says after each evaluation, beside the recording.
run = seesay.train_speech(
    seesay.TrainSpeechSettings(
        data=arguments.data, model=arguments.model, from_scratch=arguments.scratch, language=arguments.language,
        speaker_model=arguments.speaker_model, vocoder=arguments.vocoder, output=arguments.output,
        max_steps=arguments.max_steps,
    ),
    progress=lambda now: print(f"step {now.step} of {now.steps}", now.values) if now.values else None,
)  # fmt: skip
print(*run.statements, sep="\n")

# 3. Measure it on sentences that training never saw, beside the recordings.
measured = seesay.evaluate_speech(
    seesay.EvaluateSpeechSettings(
        data=arguments.data,
        model=str(run.folder),
        vocoder=arguments.vocoder,
        limit=20,
        output=arguments.output / "test",
    )
)
for title, header, rows in measured.tables():
    print(title, header, *rows, sep="\n")

# 4. Speak, with the same call as Bark or VITS (`seesay.load_voice("suno/bark-small")`).
voice = seesay.load_voice(str(run.folder), vocoder=arguments.vocoder)
seesay.save_speech(voice.speak(seesay.load_recordings(seesay.DataSettings(data=arguments.data)).evaluation[0].text),
                   arguments.output / "spoken.wav")  # fmt: skip
