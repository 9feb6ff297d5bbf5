"""WordNet 3.0: which thing is a kind of which, and what else it is called. Also gives ImageNet's classes plain names.

Reads the database files of Debian's `wordnet-base` (format: wndb(5WN)). Fellbaum (ed.), "WordNet: An Electronic Lexical
Database", MIT Press 1998.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .concepts import Concept
from .sources import WORDNET

CATEGORY_SYNSETS = {
    "animal": {"00015388"}, "food": {"07555863", "00021265"}, "drink": {"07881800"}, "plant": {"00017222"}, "person": {"00007846"},
    "vehicle": {"04524313"}, "building": {"02913152"}, "clothing": {"03051540", "03380867", "03513627", "02778669"}, "musical instrument": {"03800933"},
    "tool": {"04451818"}, "sports equipment": {"04285146"},
}  # fmt: skip
THINGS = {"00015388", "07555863", "00021265", "00017222", "00021939", "07881800"}
"""Animals, food, plants, artifacts, drinks."""
SENSES = {
    "cup of coffee": "coffee", "cup of tea": "tea", "ufo": "unidentified_flying_object", "phone": "telephone", "cap": "cap",
    "glass of wine": "wine", "mug of beer": "beer", "jar of honey": "honey", "glass of milk": "milk", "bowl of rice": "rice",
    "bowl of soup": "soup", "bowl of ice cream": "ice_cream", "ice cream cone": "ice_cream_cone", "padlock": "padlock",
    "slice of cake": "cake", "piano keyboard": "piano", "drop of water": "", "fire truck": "fire_engine", "bat": "bat",
}  # fmt: skip
"""The WordNet entry of names that have none of their own."""
NO_KINDS = {"film", "label", "seat", "leaf", "bug", "station", "bank", "chain", "wood", "painting", "diamond", "timer"}
"""Names that mean something else in WordNet than in a picture; nothing is a kind of them here."""
NOT_A_KIND = {
    ("peacock", "butterfly"), ("scooter", "boat"), ("telephone receiver", "headphone"), ("magnifying glass", "microscope"),
    ("globe", "planet"), ("dolphin", "fish"), ("bus", "car"), ("castle", "house"), ("card index", "file cabinet"),
    ("folder", "book"), ("ambulance", "car"), ("popcorn", "corn"), ("shamrock", "herb"), ("urn", "jar"), ("sun", "star"),
    ("detective", "police officer"), ("french fries", "potato"), ("christmas tree", "tree"),
}  # fmt: skip
"""What WordNet says, or seems to say where a word has several meanings, and a person would not."""


CLASS_NAMES = {
    "projectile": "rocket", "missile": "rocket", "space shuttle": "rocket", "jean": "jeans", "sunglass": "sunglasses", "sock": "socks",
    "mitten": "gloves", "maraca": "maracas", "ski": "skis", "cup": "cup of coffee", "coffee mug": "cup of coffee",
    "toilet tissue": "toilet paper", "paper towel": "toilet paper", "granny smith": "green apple", "american alligator": "crocodile",
    "hare": "rabbit", "motor scooter": "scooter", "streetcar": "tram", "trolleybus": "bus", "school bus": "bus",
    "bullet train": "train", "rugby ball": "rugby football", "mousetrap": "mouse trap", "warplane": "airplane",
    "jack-o'-lantern": "halloween pumpkin", "racket": "tennis racket", "scale": "scales", "tusker": "elephant",
    "snow leopard": "leopard", "beer bottle": "mug of beer", "beer glass": "mug of beer", "soup bowl": "bowl of soup",
    "agaric": "mushroom", "bolete": "mushroom", "gyromitra": "mushroom", "dingo": "dog", "african hunting dog": "dog",
    "walking stick": "bug", "french horn": "french horn", "carbonara": "spaghetti", "comic book": "book", "book jacket": "book",
    "recreational vehicle": "car", "boathouse": "house", "monastery": "temple", "palace": "castle", "mobile home": "house",
    "slide rule": "ruler", "web site": "computer", "rock beauty": "tropical fish",
    "anemone fish": "tropical fish", "pickelhaube": "military helmet", "bow tie": "necktie", "studio couch": "couch",
}  # fmt: skip
"""Classes that WordNet puts under no concept, or under one that nobody would say."""
EVERYDAY = {
    "puppy": "dog", "doggy": "dog", "kitten": "cat", "kitty": "cat", "bike": "bicycle", "cellphone": "phone", "mobile phone": "phone",
    "smartphone": "phone", "telephone": "phone", "plane": "airplane", "aeroplane": "airplane", "tv": "television", "lorry": "truck",
    "coffee": "cup of coffee", "coffee cup": "cup of coffee", "tea": "cup of tea", "wine": "glass of wine", "beer": "mug of beer",
    "milk": "glass of milk", "icecream": "bowl of ice cream", "ice cream": "ice cream cone", "donut": "doughnut", "burger": "hamburger",
    "soccer": "soccer ball", "football": "soccer ball", "present": "gift", "bunny": "rabbit", "hare": "rabbit", "ladybird": "ladybug",
    "jack-o'-lantern": "halloween pumpkin", "pumpkin": "halloween pumpkin", "spectacles": "glasses", "bathtub": "bathtub",
    "sneakers": "sneaker", "trainers": "sneaker", "shoes": "shoe", "trousers": "jeans", "pants": "jeans", "tee shirt": "t-shirt",
    "shirt": "t-shirt", "sofa": "couch", "rubbish bin": "trash can", "wastebasket": "trash can", "chips": "french fries",
    "fries": "french fries", "sailing boat": "sailboat", "penguins": "penguin", "bulb": "light bulb", "lamp": "light bulb",
    "hot air balloon": "balloon", "apple": "red apple", "rose flower": "rose", "money": "banknote", "cash": "banknote",
    "lady": "woman", "gentleman": "man", "kid": "child", "infant": "baby", "policeman": "police officer", "fireman": "firefighter",
    "physician": "doctor", "nurse": "doctor", "chef": "cook", "cab": "taxi", "motorbike": "motorcycle", "maize": "corn",
    "bowl of noodles": "bowl of noodles", "noodles": "bowl of noodles", "rice": "bowl of rice", "soup": "bowl of soup",
}  # fmt: skip
"""What people say and WordNet has in another meaning, or not at all."""


@dataclass(frozen=True)
class Synset:
    """One meaning: its words and the meanings that it is a kind of."""

    words: tuple[str, ...]
    parents: tuple[str, ...]


@dataclass(frozen=True)
class ImageNetClass:
    """What the encoder's class is called here. `name` is the concept it is a kind of, or its own first name."""

    name: str
    own_name: str
    category: str
    kinds: list[str]
    """More general concepts: a penguin is a bird."""


def read(cache_folder: Path) -> tuple[dict[str, Synset], dict[str, list[str]], dict[str, int]]:
    """Synsets of nouns by offset; offsets by word, the most frequent meaning first; how many meanings are in use."""
    folder = cache_folder / WORDNET / "usr/share/wordnet"
    synsets = {}
    for line in (folder / "data.noun").read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        parts = line.split(" | ")[0].split()
        count = int(parts[3], 16)
        words = tuple(parts[4 + 2 * index].lower() for index in range(count))
        pointers = parts[5 + 2 * count :]
        parents = tuple(pointers[i + 1] for i, mark in enumerate(pointers) if mark in ("@", "@i"))
        synsets[parts[0]] = Synset(words, parents)
    index, used = {}, {}
    for line in (folder / "index.noun").read_text(encoding="utf-8").splitlines():
        if not line.startswith(" "):
            parts = line.split()
            index[parts[0]] = parts[-int(parts[2]) :]
            used[parts[0]] = int(parts[-int(parts[2]) - 1])
    return synsets, index, used


class Hierarchy:
    """Concepts in WordNet."""

    def __init__(self, cache_folder: Path, concepts: dict[str, Concept]) -> None:
        self.synsets, self.index, self.used = read(cache_folder)
        self.concepts = concepts
        self.synset_of = {name: found for name in concepts if (found := self._synset(name))}
        self.name_of = {offset: name for name, offset in self.synset_of.items() if name not in NO_KINDS}
        self._cache_folder = cache_folder

    def kinds(self, name: str) -> list[str]:
        """The names of more general concepts that `name` is a kind of, nearest first: eagle -> bird."""
        own = self.synset_of.get(name)
        above = [self.name_of[offset] for offset in self._above(own) if offset in self.name_of] if own else []
        return [kind for kind in above if kind != name and (name, kind) not in NOT_A_KIND]

    def kinds_of_word(self, word: str) -> set[str]:
        """The concepts that a word means or is a kind of, in its meanings that are things: crow -> bird."""
        found = set()
        for offset in self.index.get(word.replace(" ", "_"), []):
            above = {offset, *self._above(offset)}
            if above & THINGS:
                found |= {name for name, own in self.synset_of.items() if own in above and name not in NO_KINDS}
        return found

    def synonyms(self) -> dict[str, str]:
        """Other words for a concept: automobile -> car. Only words that WordNet's own texts use, in their first meaning.

        Words for kinds of it (convertible) are left out: a model that reads them as "car" would see one in every car.
        """
        found = dict(EVERYDAY)
        for name, offset in self.synset_of.items():
            for word in self._words(offset):
                entry = word.replace(" ", "_")
                if self.used.get(entry) and word not in self.concepts and self.index[entry][0] == offset:
                    found.setdefault(word, name)
        return {word: name for word, name in sorted(found.items()) if name in self.concepts}

    def classes(self) -> list[ImageNetClass]:
        """The encoder's 1,000 classes, in its order."""
        info = self._cache_folder / "timm/timm/data/_info"
        offsets = [
            line.strip()[1:] for line in (info / "imagenet_synsets.txt").read_text().splitlines() if line.strip()
        ]
        made = []
        for offset in offsets:
            above = [offset, *self._above(offset)]
            own = self.synsets[offset].words[0].replace("_", " ")
            name = CLASS_NAMES.get(own) or next((self.name_of[o] for o in above if o in self.name_of), own)
            made.append(ImageNetClass(name, own, self._category(above), self.kinds(name)))
        return made

    def _words(self, offset: str) -> list[str]:
        return [word.replace("_", " ") for word in self.synsets[offset].words]

    def _category(self, above: list[str]) -> str:
        return next((name for name, roots in CATEGORY_SYNSETS.items() if roots & set(above)), "")

    def _synset(self, name: str) -> str:
        word = SENSES.get(name, name).replace(" ", "_")
        senses = self.index.get(word) or self.index.get(word.replace("-", "_")) or []
        wanted = CATEGORY_SYNSETS.get(self.concepts[name].category)
        if wanted:
            return next((offset for offset in senses if wanted & set(self._above(offset))), "")
        artifact = {
            "00021939",
            "00019128",
            "00017222",
            "09287968",
            "11524451",
        }  # artifact, natural object, plant, formation, phenomenon
        return next((offset for offset in senses if artifact & set(self._above(offset))), "")

    def _above(self, offset: str) -> list[str]:
        return list(self._walk(offset))

    def _walk(self, offset: str) -> Iterator[str]:
        level, seen = [offset], {offset}
        while level:
            level = [parent for child in level for parent in self.synsets[child].parents if parent not in seen]
            seen.update(level)
            yield from level


@cache
def hierarchy(cache_folder: Path) -> Hierarchy:
    from . import concepts

    return Hierarchy(cache_folder, concepts.load(cache_folder))


def facts(cache_folder: Path) -> dict[str, dict[str, object]]:
    """What is known of each concept by its name: category, kinds, whether it is concrete and whether no weight sees it."""
    from . import concepts

    tree = hierarchy(cache_folder)
    return {
        name: {"category": c.category, "concrete": c.concrete, "held_out": c.held_out, "kinds": tree.kinds(name)}
        for name, c in concepts.load(cache_folder).items()
    }
