"""Questions whose answers are known, from the truth about a picture. Wordings vary as people's do.

An answer of `UNKNOWN` means that the picture does not show it. It knows nothing of pixels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy

from seesay.models.mini.words import a, plural

from .scenes import SIDE, Stock, Thing, Truth
from .sprites import COLORS

UNKNOWN = "unknown"
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")
COUNT_WORDS = ("0", "1", "2", "3", "4", "5", "6")
Random = numpy.random.Generator
Row = tuple[str, str, str]
"""Question type, question, answer."""

NAME = ("what is this?", "what is in the picture?", "what is it?", "what do you see?", "what does the picture show?",
        "what is shown?", "what object is this?", "what is this a picture of?", "name the object.", "what can you see here?")  # fmt: skip
NAME_IN_CATEGORY = ("what {category} is this?", "which {category} is this?", "what kind of {category} is this?",
                    "what {category} is in the picture?", "what {category} do you see?")  # fmt: skip
PRESENCE = ("is there {a_name}?", "is there {a_name} in the picture?", "do you see {a_name}?", "can you see {a_name}?",
            "does the picture show {a_name}?", "is {a_name} visible?", "are there any {names}?", "are there {names} in the picture?",
            "are there {names}?", "do you see any {names}?")  # fmt: skip
IS_THIS = ("is this {a_name}?", "is it {a_name}?")
COUNT = ("how many {names} are there?", "how many {names} do you see?", "how many {names} are in the picture?",
         "count the {names}.", "what is the number of {names}?", "how many {names}?", "how many {names} can you see?")  # fmt: skip
COUNT_ALL = ("how many things are there?", "how many objects are in the picture?", "how many things do you see?",
             "how many objects are there?")  # fmt: skip
COLOR = ("what color is the {name}?", "what is the color of the {name}?", "which color is the {name}?",
         "what color does the {name} have?", "what colour is the {name}?")  # fmt: skip
COLOR_IT = ("what color is it?", "what color is this?", "which color is it?", "what colour is this?")
IS_COLOR = ("is the {name} {color}?", "is the color of the {name} {color}?")
BACKGROUND = ("what color is the background?", "what is the background color?", "which color is the background?")
WHERE = ("where is the {name}?", "where in the picture is the {name}?", "in which part of the picture is the {name}?",
         "where do you see the {name}?")  # fmt: skip
RELATION = {
    "left": ("is the {name} to the left of the {other}?", "is the {name} left of the {other}?"),
    "right": ("is the {name} to the right of the {other}?", "is the {name} right of the {other}?"),
    "above": ("is the {name} above the {other}?", "is the {name} over the {other}?"),
    "below": ("is the {name} below the {other}?", "is the {name} under the {other}?"),
}
WHAT_IS = {
    "left": ("what is to the left of the {other}?", "what is left of the {other}?"),
    "right": ("what is to the right of the {other}?", "what is right of the {other}?"),
    "above": ("what is above the {other}?",),
    "below": ("what is below the {other}?", "what is under the {other}?"),
}
HOW_STANDS = ("where is the {name} compared to the {other}?", "is the {name} left, right, above or below the {other}?",
              "how does the {name} stand to the {other}?")  # fmt: skip
BETWEEN = ("what is between the {name} and the {other}?",)
CATEGORY = ("is it {a_category}?", "is this {a_category}?", "is there {a_category}?", "is there {a_category} in the picture?",
            "do you see {a_category}?", "are there any {categories}?")  # fmt: skip
KIND = (
    "what kind of thing is this?",
    "what kind of object is this?",
    "what category is it?",
    "what type of thing is it?",
)
BEYOND = (
    "what is the {name} called?", "how old is the {name}?", "who made this?", "what time is it?", "what is the price?",
    "how much does the {name} cost?", "why is the {name} here?", "what is the name of the {name}?", "who owns the {name}?",
    "what day is it?", "what brand is the {name}?", "how heavy is the {name}?", "how tall is the {name}?", "what is the man's name?",
    "where was this picture taken?", "when was this taken?", "who is the president?", "what happens next?", "is the {name} expensive?",
    "what does the {name} smell like?", "how does the {name} taste?", "what is the weather like?", "is the {name} happy?",
    "what city is this?", "what is the temperature?", "who is this?", "is the {name} old?", "what is the capital of france?",
    "what is two plus two?", "does the {name} belong to a man?", "how fast is the {name}?", "what sound does it make?",
    "is the milk still good?", "when does this expire?", "what flavor is it?", "what is inside the {name}?",
)  # fmt: skip


def ask(truth: Truth, stock: Stock, random: Random, count: int) -> list[Row]:
    """Up to `count` questions of different types about a picture, each with its true answer."""
    makers = _VIEW if len(truth.things) == 1 else _SCENE
    weights = numpy.array([weight for _, weight in makers], float)
    order = random.choice(len(makers), min(len(makers), count + 4), replace=False, p=weights / weights.sum())
    rows: list[Row] = []
    for index in order:
        row = makers[index][0](truth, stock, random)
        if row is not None and len(rows) < count:
            rows.append(row)
    return rows


def caption(truth: Truth, random: Random) -> str:
    """One sentence about the picture; the order of things is from left to right, equal things counted."""
    things = sorted(truth.things, key=lambda thing: thing.center[0])
    counts = Counter(thing.name for thing in things)
    background = f" on {a(truth.background)} background" if truth.background else ""
    if len(things) == 2 and len(counts) == 2:
        first, second = things
        relation = _relation(first, second)
        if relation in _SAID:
            return f"{_said(first)} {_SAID[relation]} {_said(second)}{background}"
        above, below = sorted(things, key=lambda thing: thing.center[1])
        if _relation(above, below) == "above":
            return f"{_said(above)} above {_said(below)}{background}"
    parts = []
    for name in dict.fromkeys(thing.name for thing in things):
        group = [thing for thing in things if thing.name == name]
        colors = {thing.color for thing in group}
        color = colors.pop() if len(colors) == 1 else ""
        words = " ".join(filter(None, (color if _worth_saying(color, name) else "", name)))
        parts.append(a(words) if len(group) == 1 else f"{NUMBERS[len(group)]} {plural(words)}")
    sentence = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    return sentence + background


_SAID = {"left": "to the left of"}


def _said(thing: Thing) -> str:
    return a(f"{thing.color} {thing.name}" if _worth_saying(thing.color, thing.name) else thing.name)


def _worth_saying(color: str, name: str) -> bool:
    return bool(color) and color not in name.split()


def _one(random: Random, items: Sequence[str]) -> str:
    return str(items[int(random.integers(len(items)))])


def _thing(truth: Truth, random: Random) -> Thing:
    return truth.things[int(random.integers(len(truth.things)))]


def _single(truth: Truth, random: Random) -> Thing | None:
    """A thing of which there is only one, so that "the dog" means it."""
    counts = Counter(thing.name for thing in truth.things)
    singles = [thing for thing in truth.things if counts[thing.name] == 1]
    return singles[int(random.integers(len(singles)))] if singles else None


def _absent(truth: Truth, stock: Stock, random: Random, near: Thing) -> str:
    """The name of something that is not there; half of the time of the same category as something that is."""
    present = {thing.name for thing in truth.things}
    related = {kind for name in present for kind in stock.kinds.get(name, [])}
    pool = stock.by_category[near.category] if random.random() < 0.5 and near.category else stock.names
    for _ in range(20):
        name = _one(random, pool)
        if name in related or present & set(stock.kinds.get(name, [])):
            continue  # neither "no bird" where there is an owl, nor a question whether the bird is an owl
        if not any(name in other or other in name for other in present):
            return name
    return _one(random, [name for name in stock.names if name not in present])


def _wording(template: str, name: str = "", other: str = "", **more: str) -> str:
    return template.format(name=name, a_name=a(name), names=plural(name) if name else "", other=other, **more)


def _name(truth: Truth, stock: Stock, random: Random) -> Row | None:
    thing = truth.things[0]
    if thing.category and thing.category != "person" and random.random() < 0.3:
        return "name", _wording(_one(random, NAME_IN_CATEGORY), category=thing.category), thing.name
    return "name", _one(random, NAME), thing.name


def _presence(truth: Truth, stock: Stock, random: Random) -> Row | None:
    thing = _thing(truth, random)
    present = random.random() < 0.5
    name = thing.name if present else _absent(truth, stock, random, thing)
    kinds = stock.kinds.get(name, [])
    if kinds and random.random() < 0.4:
        # An owl is a bird; but no bird is asked for where another bird would make the answer yes.
        others = {kind for other in truth.things for kind in (other.name, *stock.kinds.get(other.name, []))}
        name = kinds[0] if present or kinds[0] not in others else name
    wordings = IS_THIS if len(truth.things) == 1 and random.random() < 0.4 else PRESENCE
    return "presence", _wording(_one(random, wordings), name), "yes" if present else "no"


def _count(truth: Truth, stock: Stock, random: Random) -> Row | None:
    counts = Counter(thing.name for thing in truth.things)
    if random.random() < 0.07:
        return "count", _wording(_one(random, COUNT), _absent(truth, stock, random, truth.things[0])), COUNT_WORDS[0]
    if random.random() < 0.15:
        return "count", _one(random, COUNT_ALL), COUNT_WORDS[len(truth.things)]
    # Rare numbers first: most kinds stand there once, and a model would learn to say "1".
    name = max(counts, key=lambda name: counts[name] + random.random() * 1.5)
    return "count", _wording(_one(random, COUNT), name), COUNT_WORDS[counts[name]]


def _color(truth: Truth, stock: Stock, random: Random) -> Row | None:
    if truth.background and random.random() < 0.2:
        return "color", _one(random, BACKGROUND), truth.background
    thing = _single(truth, random)
    if thing is None or not thing.color:
        return None
    if len(truth.things) == 1 and random.random() < 0.5:
        return "color", _one(random, COLOR_IT), thing.color
    if random.random() < 0.15:
        color = thing.color if random.random() < 0.5 else _one(random, [c for c in COLORS if c != thing.color])
        answer = "yes" if color == thing.color else "no"
        return "color", _wording(_one(random, IS_COLOR), thing.name, color=color), answer
    return "color", _wording(_one(random, COLOR), thing.name), thing.color


def _where(truth: Truth, stock: Stock, random: Random) -> Row | None:
    thing = _single(truth, random)
    if thing is None:
        return None
    x, y = (value / SIDE for value in thing.center)
    # Only what nobody would dispute: well inside a side, and not in a corner.
    spots = [
        name
        for name, here in (("left", x < 0.33), ("right", x > 0.67), ("top", y < 0.33), ("bottom", y > 0.67))
        if here
    ]
    if not spots and abs(x - 0.5) < 0.12 and abs(y - 0.5) < 0.12:
        spots = ["middle"]
    if not spots or (len(spots) == 1 and spots[0] != "middle" and min(abs(x - 0.33), abs(x - 0.67)) < 0.03):
        return None
    vertical = next((spot for spot in spots if spot in ("top", "bottom")), "")
    horizontal = next((spot for spot in spots if spot in ("left", "right", "middle")), "")
    answer = " ".join(filter(None, (vertical, horizontal)))
    return "position", _wording(_one(random, WHERE), thing.name), answer


def _relation(first: Thing, second: Thing) -> str:
    """How the first stands to the second, where that is plain."""
    dx, dy = (a - b for a, b in zip(first.center, second.center, strict=True))
    if abs(dx) > 1.5 * abs(dy) and abs(dx) > 0.12 * SIDE:
        return "left" if dx < 0 else "right"
    if abs(dy) > 1.5 * abs(dx) and abs(dy) > 0.12 * SIDE:
        return "above" if dy < 0 else "below"
    return ""


def _pair(truth: Truth, random: Random) -> tuple[Thing, Thing, str] | None:
    counts = Counter(thing.name for thing in truth.things)
    singles = [thing for thing in truth.things if counts[thing.name] == 1]
    if len(singles) < 2:
        return None
    first, second = (singles[index] for index in random.choice(len(singles), 2, replace=False))
    relation = _relation(first, second)
    return (first, second, relation) if relation else None


def _is_related(truth: Truth, stock: Stock, random: Random) -> Row | None:
    pair = _pair(truth, random)
    if pair is None:
        return None
    first, second, relation = pair
    opposite = {"left": "right", "right": "left", "above": "below", "below": "above"}[relation]
    true = random.random() < 0.5
    wording = _one(random, RELATION[relation if true else opposite])
    return "position", _wording(wording, first.name, second.name), "yes" if true else "no"


def _how_related(truth: Truth, stock: Stock, random: Random) -> Row | None:
    pair = _pair(truth, random)
    if pair is None:
        return None
    first, second, relation = pair
    return "position", _wording(_one(random, HOW_STANDS), first.name, second.name), relation


def _what_is_there(truth: Truth, stock: Stock, random: Random) -> Row | None:
    pair = _pair(truth, random)
    if pair is None:
        return None
    first, second, relation = pair
    rivals = [t for t in truth.things if t not in (first, second) and _relation(t, second) in (relation, "")]
    if rivals:
        return None
    return "position name", _wording(_one(random, WHAT_IS[relation]), other=second.name), first.name


def _between(truth: Truth, stock: Stock, random: Random) -> Row | None:
    if len(truth.things) != 3 or len({thing.name for thing in truth.things}) != 3:
        return None
    for axis in (0, 1):
        first, middle, last = sorted(truth.things, key=lambda thing: thing.center[axis])
        near = all(abs(t.center[1 - axis] - middle.center[1 - axis]) < 0.3 * SIDE for t in (first, last))
        apart = min(middle.center[axis] - first.center[axis], last.center[axis] - middle.center[axis]) > 0.15 * SIDE
        if near and apart:
            return "position name", _wording(_one(random, BETWEEN), first.name, last.name), middle.name
    return None


def _category(truth: Truth, stock: Stock, random: Random) -> Row | None:
    if any(not thing.category for thing in truth.things):
        return None
    present = sorted({thing.category for thing in truth.things})
    absent = [category for category in sorted(stock.by_category) if category and category not in present]
    true = random.random() < 0.5
    category = _one(random, present if true else absent)
    wordings = CATEGORY if len(truth.things) == 1 else CATEGORY[2:]
    words = _wording(_one(random, wordings), a_category=_a_category(category), categories=_categories(category))
    return "category", words, "yes" if true else "no"


def _a_category(category: str) -> str:
    return category if category in ("food", "clothing", "sports equipment") else a(category)


def _categories(category: str) -> str:
    return category if category in ("food", "clothing", "sports equipment") else plural(category)


def _kind(truth: Truth, stock: Stock, random: Random) -> Row | None:
    category = truth.things[0].category
    return ("category", _one(random, KIND), category) if category else None


def _unknown(truth: Truth, stock: Stock, random: Random) -> Row | None:
    if random.random() < 0.4:
        return "unknown", _wording(_one(random, BEYOND), _thing(truth, random).name), UNKNOWN
    missing = _absent(truth, stock, random, _thing(truth, random))
    wordings = (COLOR, WHERE, WHERE, [words for group in WHAT_IS.values() for words in group])[int(random.integers(4))]
    return "unknown", _wording(_one(random, wordings), missing, other=missing), UNKNOWN


Maker = Callable[[Truth, Stock, Random], Row | None]
_VIEW: list[tuple[Maker, float]] = [
    (_name, 4), (_presence, 2), (_color, 1.5), (_category, 1.2), (_kind, 0.5), (_where, 0.5), (_unknown, 0.8), (_count, 0.3),
]  # fmt: skip
_SCENE: list[tuple[Maker, float]] = [
    (_presence, 2), (_count, 2.5), (_color, 2), (_where, 1.2), (_is_related, 1.5), (_how_related, 1), (_what_is_there, 1),
    (_between, 1), (_category, 0.8), (_unknown, 1),
]  # fmt: skip
