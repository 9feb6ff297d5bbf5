"""Writes coco_captions.json: made captions, and what the published COCO caption evaluation says about them.

    python -m venv /tmp/coco && /tmp/coco/bin/pip install numpy && /tmp/coco/bin/pip install --no-deps pycocoevalcap==1.2
    /tmp/coco/bin/python tests/parity/record_coco_captions.py

Needs Java, for the tokenizer; the tests need neither.
"""

import json
import random
from importlib.metadata import version
from pathlib import Path

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

SIZES = (1, 2, 7, 30, 60, 100)
"""Pictures of each set."""
WHO = (
    "A man;The woman;Two dogs;a small child;A black-and-white cat;Three people;An elderly couple;the girl's horse;"
    "A group of surfers;Mr. Smith;He;Someone who isn't looking;두 마리의 강아지;한 남자가;一 只 棕 色 的 狗;Une fille française"
).split(";")
DOES = (
    'is riding a wave;sitting on a red/white bench;runs, jumps and plays;are standing in front of a "STOP" sign;'
    "holds an umbrella;can't reach the top shelf;is eating 3.5 slices of pizza;looking at the camera -- smiling;"
    "해변을 달린다;공원에서 놀고 있다;在 海 滩 上 奔 跑;est assise;wearing a 1990's t-shirt;(nearly) asleep;has won $1,000"
).split(";")
WHERE = (
    "on the beach;in St. Louis;at 10:30 p.m.;next to the U.S. flag;near a fire hydrant;with the other people's bikes;"
    "under a big, blue sky;behind the counter of No. 5;in the snow;on a low-angle street;;;와 나무;在 公 园"
).split(";")
ENDS = (".", "", "!", " .", "...", ", too.", "?!", " :")
ODD = (
    "",
    ".",
    "dog",
    "a dog",
    "The the the the the the the",
    "강아지",
    "狗",
    "a " * 40,
    "?!",
    "The dog isn't the dog's.",
)
TOKENIZED = (
    "The dog's bowl isn't empty, it's full! Don't they'll we've I'm he'd dogs' cannot gonna",
    "A t-shirt -- red/white (small) and \"quoted\" 'single' text...",
    "The U.S. flag at 3:30 p.m. near Mr. Smith's St. Louis shop. He is in the U.S.",
    "A colour photo of the grey theatre; 50% off $5.00 €3 £4 & more 3,000 1/2 ½",
    "한국어 문장은 이렇게 생겼다. 강아지가 해변을 달린다!",
    "Café naïve — dash – en dash “smart quotes” ‘single’ it’s don’t …",
    "[brackets] {braces} (round) * star ~ tilde ^ under_score = + 7-Up 20th 1990's '90s",
    "etc. and vs. Dr. Who No. 5 a.m. e.g. i.e., no. no.",
    "two-and-a-half ice-cream x-ray -5 +5 3.5 .5 5.",
    "and/or w/ w/o 24/7 10/12/2019 10-12 12:30 1st 10am 10:30am",
    "hello,world hello.world one,two 1,2 a.b A.B. a.b.c end.The",
    "what?! wow!!! ... a - b a -b a- b what? no!",
    "a man's,woman's; can't won't shan't wanna gotta lemme gimme",
    "J. Smith in the U.K. and A. Jones. e.g. a dog.",
    "©, ®, ™ 20°C 5' 6'' 6\" 5'6 #1 @user #hash",
    "hindi हिन्दी भाषा thai ภาษาไทย hebrew עברית",
)


def caption(chance: random.Random) -> str:
    words = " ".join((chance.choice(WHO), chance.choice(DOES), chance.choice(WHERE)))
    return " ".join(words.split()) + chance.choice(ENDS)


def changed(text: str, chance: random.Random) -> str:
    """Words left out, doubled or moved, as a captioner that is nearly right would write."""
    words = text.split()
    for _ in range(chance.randint(0, 4)):
        index = chance.randrange(len(words)) if words else 0
        words[index : index + 1] = chance.choice(([], words[index : index + 1] * 2, ["the"], words[:1]))
    return " ".join(words)


def made(pictures: int, chance: random.Random) -> tuple[list[str], list[list[str]]]:
    references = [[caption(chance) for _ in range(chance.randint(1, 5))] for _ in range(pictures)]
    candidates = [
        chance.choice((changed(chance.choice(known), chance), chance.choice(known), caption(chance)))
        for known in references
    ]
    for index in range(0, pictures, 9):
        candidates[index] = chance.choice(ODD)
        references[index - 1][0] = chance.choice(ODD)
    return candidates, references


def tokenized(captions: list[list[str]]) -> dict[int, list[str]]:
    result = PTBTokenizer().tokenize({i: [{"caption": text} for text in known] for i, known in enumerate(captions)})
    assert [len(result[index]) for index in range(len(captions))] == list(map(len, captions))
    return result


def scored(candidates: list[str], references: list[list[str]]) -> dict[str, dict[str, object]]:
    known, found = tokenized(references), tokenized([[text] for text in candidates])
    bleus, bleu_each = Bleu(4).compute_score(known, found, verbose=0)
    rows = {f"bleu-{n + 1}": (bleus[n], bleu_each[n]) for n in range(4)}
    rows["rouge-l"] = Rouge().compute_score(known, found)
    rows["cider-d"] = Cider().compute_score(known, found)
    return {name: {"corpus": float(total), "captions": list(map(float, each))} for name, (total, each) in rows.items()}


def main() -> None:
    chance = random.Random(0)
    sets = []
    for pictures in SIZES:
        candidates, references = made(pictures, chance)
        sets.append({"candidates": candidates, "references": references, "scores": scored(candidates, references)})
    tokens = {
        raw: words.split()
        for raw, (words,) in zip(TOKENIZED, tokenized([[raw] for raw in TOKENIZED]).values(), strict=True)
    }
    recorded = {"package": f"pycocoevalcap {version('pycocoevalcap')}", "sets": sets, "tokens": tokens}
    path = Path(__file__).with_name("coco_captions.json")
    path.write_text(json.dumps(recorded, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


main()
