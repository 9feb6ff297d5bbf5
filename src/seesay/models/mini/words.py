"""English forms: the plural of a name and the article before it. It knows nothing of models."""

from __future__ import annotations

IRREGULAR = {
    "mouse": "mice", "man": "men", "woman": "women", "child": "children", "foot": "feet", "tooth": "teeth", "goose": "geese",
    "sheep": "sheep", "deer": "deer", "fish": "fish", "moose": "moose", "bison": "bison", "ox": "oxen", "die": "dice",
    "person": "people", "leaf": "leaves", "loaf": "loaves", "knife": "knives", "wolf": "wolves", "scarf": "scarves",
    "squid": "squid", "shrimp": "shrimp", "cactus": "cacti", "calf": "calves", "thief": "thieves", "salmon": "salmon",
    "police": "police", "series": "series", "sushi": "sushi", "bread": "bread", "rice": "rice", "corn": "corn",
}  # fmt: skip
PLURAL_ALREADY = (
    "glasses", "scissors", "chopsticks", "socks", "gloves", "jeans", "shorts", "briefs", "goggles", "sunglasses", "grapes",
    "cherries", "beans", "peanuts", "skis", "maracas", "beads", "fries", "pancakes", "shoes", "bags", "prints", "footprints",
    "dolls", "masks", "fireworks", "scales", "swords", "houses", "notes", "bubbles", "blueberries", "flags", "clothes", "stairs",
)  # fmt: skip
HEADED = (" of ", " in ", " on ", " with ", " behind ")
"""What follows these words stays as it is: cups of coffee, suns behind a cloud."""


def plural(name: str) -> str:
    """`name` for several of it: dogs, cups of coffee, knives."""
    for separator in HEADED:
        head, found, rest = name.partition(separator)
        if found:
            return plural(head) + separator + rest
    before, _, last = name.rpartition(" ")
    return f"{before} {_plural_word(last)}".strip()


def a(name: str) -> str:
    """`name` with its article, where it takes one: a dog, an apple, glasses."""
    head = name
    for separator in HEADED:
        head = head.partition(separator)[0]
    if head.split(" ")[-1] in PLURAL_ALREADY or head.split(" ")[0] in ("two", "three", "four", "five", "six"):
        return name
    return f"{'an' if _vowel(name) else 'a'} {name}"


def _plural_word(word: str) -> str:
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word in PLURAL_ALREADY:
        return word
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and len(word) > 1 and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith("o") and word in ("potato", "tomato", "mango", "volcano", "torpedo"):
        return word + "es"
    return word + "s"


def _vowel(name: str) -> bool:
    if name.startswith(("uni", "use", "ufo", "euro", "one", "uku", "utens")):
        return False
    return name[:1] in "aeiou" or name.startswith("hour")
