"""Hugging Face's image captioning guide, on seesay: fine-tune a captioner, measure what it writes, describe a picture.

    pip install -c constraints.txt "seesay[models]"
    python examples/image_captioning.py --data hf:lambdalabs/pokemon-blip-captions --model microsoft/git-base

Without --model it is seesay-mini that learns, which takes a minute for some hundred pictures and needs no connection.
"""

import argparse
from pathlib import Path

import seesay

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", default="examples/clipart")
parser.add_argument("--model", default="")
parser.add_argument("--output", type=Path, default=Path("runs/captions"))
parser.add_argument("--max-steps", type=int)
arguments = parser.parse_args()

# 1. Look at the data first: captions a picture, words, what training never says, what is broken.
report = seesay.check(seesay.CheckSettings(data=arguments.data, test_fraction=0.2))
report.raise_for_problems()

# 2. Train. Padding carries no loss; of several captions each visit learns another; the best checkpoint is that of least loss.
run = seesay.train_caption(
    seesay.TrainCaptionSettings(
        data=arguments.data,
        model=arguments.model,
        test_fraction=0.2,
        output=arguments.output,
        max_steps=arguments.max_steps,
    ),
    progress=lambda now: print(f"step {now.step} of {now.steps}", now.values) if now.values else None,
)

# 3. Measure what it writes about pictures that training never saw: word error rate as in the guide, CIDEr-D, BLEU, ROUGE-L.
measured = seesay.evaluate_caption(
    seesay.EvaluateCaptionSettings(
        data=arguments.data, model=str(run.folder), test_fraction=0.2, output=arguments.output / "test"
    )
)
print(*measured.sentences(), sep="\n")

# 4. Describe a picture, one or many.
model = seesay.load(str(run.folder))
example = seesay.load_data(seesay.DataSettings(data=arguments.data, test_fraction=0.2)).evaluation[0]
print("people wrote:", example.answers[0])
print("the model writes:", model.caption(example.images[0]).text)
