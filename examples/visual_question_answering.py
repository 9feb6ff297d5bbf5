"""Hugging Face's visual question answering guide, on seesay: fine-tune a classifier, measure it, ask it.

    pip install -c constraints.txt "seesay[models]" easy-vqa
    python examples/visual_question_answering.py

It trains a small ViLT from random weights on easy-VQA (about five minutes on two cores). With a connection to the Hub,
give `model="dandelin/vilt-b32-mlm"` instead of `from_scratch`, and your own questions as `data`.
"""

import argparse
from pathlib import Path

import seesay

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", default="easy-vqa")
parser.add_argument("--output", type=Path, default=Path("runs/easy"))
parser.add_argument("--max-steps", type=int)
arguments = parser.parse_args()

# 1. Look at the data first: rows, answers, what the vocabulary covers, what is broken.
report = seesay.check(seesay.CheckSettings(data=arguments.data))
report.raise_for_problems()

# 2. Train. Soft targets, vocabulary from training rows only, best checkpoint by VQA accuracy. Run it again to resume.
run = seesay.train_vqa(
    seesay.TrainVqaSettings(
        data=arguments.data, from_scratch="vilt-small", output=arguments.output, max_steps=arguments.max_steps
    ),
    progress=lambda now: print(f"step {now.step} of {now.steps}", now.values) if now.values else None,
)

# 3. Measure on rows that training never saw, beside what the questions alone give away.
measured = seesay.evaluate_vqa(
    seesay.EvaluateVqaSettings(data=arguments.data, model=str(run.folder), output=arguments.output / "test")
)
print(*measured.sentences(), sep="\n")

# 4. Ask, one question or many.
model = seesay.load(str(run.folder))
example = seesay.load_data(seesay.DataSettings(data=arguments.data)).evaluation[0]
answer = model.ask(example.images[0], example.question, top_k=3)
print(example.question, "->", [(other.text, round(other.score, 3)) for other in answer.alternatives])

# 5. Old code keeps working.
oracle = seesay.pipeline("visual-question-answering", model=model)
print(oracle(image=str(example.images[0]), question=example.question, top_k=1))
