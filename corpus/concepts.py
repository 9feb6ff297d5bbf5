"""Concepts: what can be named, under which name, of which category, drawn by which art.

The names are emojibase's English labels, made into what a person would say ("hot beverage" is a cup of coffee), and merged
where two labels have one name ("dog face" and "dog"). It knows nothing of rendering.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from .sources import STYLES, WORDS

NAMES = {
    "hot beverage": "cup of coffee", "glass of milk": "glass of milk", "teacup without handle": "cup of tea",
    "cooked rice": "bowl of rice", "steaming bowl": "bowl of noodles", "curry rice": "curry with rice",
    "lady beetle": "ladybug", "honeybee": "bee", "spouting whale": "whale", "sauropod": "dinosaur", "T-Rex": "dinosaur",
    "front-facing baby chick": "chick", "baby chick": "chick", "hatching chick": "chick in an egg", "two-hump camel": "camel",
    "ewe": "sheep", "guide dog": "dog", "service dog": "dog", "black cat": "cat", "black bird": "blackbird",
    "blowfish": "pufferfish", "spiral shell": "seashell", "paw prints": "paw prints", "lotus": "lotus flower",
    "deciduous tree": "tree", "evergreen tree": "pine tree", "leafless tree": "bare tree", "sheaf of rice": "sheaf of rice",
    "fallen leaf": "autumn leaf", "leaf fluttering in wind": "leaf", "white flower": "flower stamp", "blossom": "flower",
    "ear of corn": "corn", "hot pepper": "chili pepper", "cheese wedge": "cheese", "cut of meat": "steak",
    "meat on bone": "meat on a bone", "poultry leg": "chicken leg", "baguette bread": "baguette", "cooking": "fried egg",
    "shallow pan of food": "pan of food", "bowl with spoon": "bowl of soup", "green salad": "salad", "kiwi fruit": "kiwi",
    "brown mushroom": "mushroom", "soft ice cream": "ice cream cone", "ice cream": "bowl of ice cream",
    "shortcake": "slice of cake", "custard": "pudding", "honey pot": "jar of honey", "bottle with popping cork": "bottle of champagne",
    "wine glass": "glass of wine", "cocktail glass": "cocktail", "beer mug": "mug of beer", "clinking beer mugs": "two mugs of beer",
    "clinking glasses": "two glasses of champagne", "tumbler glass": "glass of whisky", "beverage box": "juice box",
    "fork and knife with plate": "plate with fork and knife", "kitchen knife": "knife", "snow-capped mountain": "snowy mountain",
    "globe showing Europe-Africa": "globe", "globe showing Americas": "globe", "globe showing Asia-Australia": "globe",
    "classical building": "temple", "office building": "office building", "Japanese post office": "post office",
    "Japanese castle": "japanese castle", "love hotel": "hotel", "house with garden": "house", "derelict house": "old house",
    "foggy": "foggy city", "sunrise over mountains": "sunrise", "cityscape at dusk": "cityscape", "bridge at night": "bridge",
    "hot springs": "hot spring", "carousel horse": "carousel", "playground slide": "slide", "circus tent": "circus tent",
    "high-speed train": "train", "bullet train": "train", "light rail": "train", "metro": "train", "train": "train",
    "tram car": "tram", "oncoming bus": "bus", "trolleybus": "bus", "oncoming police car": "police car",
    "oncoming taxi": "taxi", "automobile": "car", "oncoming automobile": "car", "sport utility vehicle": "car",
    "articulated lorry": "truck", "delivery truck": "truck", "fire engine": "fire truck", "motor scooter": "scooter",
    "manual wheelchair": "wheelchair", "motorized wheelchair": "wheelchair", "auto rickshaw": "rickshaw",
    "horizontal traffic light": "traffic light", "vertical traffic light": "traffic light", "police car light": "siren",
    "ring buoy": "life buoy", "passenger ship": "ship", "motor boat": "boat", "small airplane": "airplane",
    "airplane departure": "airplane", "airplane arrival": "airplane", "flying saucer": "ufo", "aerial tramway": "cable car",
    "mountain cableway": "cable car", "suspension railway": "suspension railway", "bellhop bell": "bell on a desk",
    "luggage": "suitcase", "hourglass done": "hourglass", "hourglass not done": "hourglass", "mantelpiece clock": "clock",
    "timer clock": "timer", "crescent moon": "crescent moon", "full moon face": "moon with a face", "sun with face": "sun with a face",
    "new moon face": "moon with a face", "first quarter moon face": "moon with a face", "last quarter moon face": "moon with a face",
    "waxing crescent moon": "moon", "first quarter moon": "moon", "waxing gibbous moon": "moon", "full moon": "moon",
    "waning gibbous moon": "moon", "last quarter moon": "moon", "waning crescent moon": "moon", "new moon": "moon",
    "ringed planet": "planet", "glowing star": "star", "sun behind cloud": "sun behind a cloud",
    "sun behind small cloud": "sun behind a cloud", "sun behind large cloud": "sun behind a cloud",
    "sun behind rain cloud": "rain cloud", "cloud with rain": "rain cloud", "cloud with snow": "snow cloud",
    "cloud with lightning": "thundercloud", "cloud with lightning and rain": "thundercloud", "closed umbrella": "umbrella",
    "umbrella with rain drops": "umbrella", "umbrella on ground": "beach umbrella", "high voltage": "lightning",
    "snowman without snow": "snowman", "droplet": "drop of water", "water wave": "wave", "wrapped gift": "gift",
    "jack-o-lantern": "halloween pumpkin", "Christmas tree": "christmas tree", "carp streamer": "fish flags",
    "moon viewing ceremony": "moon viewing", "1st place medal": "medal", "2nd place medal": "medal", "3rd place medal": "medal",
    "sports medal": "medal", "military medal": "medal", "american football": "american football", "flying disc": "frisbee",
    "cricket game": "cricket bat", "bowling": "bowling ball", "tennis": "tennis racket", "ping pong": "ping pong paddle",
    "badminton": "badminton racket", "field hockey": "hockey stick", "ice hockey": "ice hockey stick", "lacrosse": "lacrosse stick",
    "martial arts uniform": "martial arts uniform", "goal net": "goal", "flag in hole": "golf flag", "fishing pole": "fishing rod",
    "running shirt": "running shirt", "bullseye": "target", "pool 8 ball": "billiard ball", "video game": "game controller",
    "game die": "die", "mirror ball": "disco ball", "performing arts": "theater masks", "artist palette": "paint palette",
    "framed picture": "painting", "yarn": "ball of yarn", "thread": "spool of thread", "one-piece swimsuit": "swimsuit",
    "woman’s clothes": "blouse", "folding hand fan": "fan", "thong sandal": "flip-flop", "man’s shoe": "shoe",
    "running shoe": "sneaker", "flat shoe": "shoe", "high-heeled shoe": "high heel", "woman’s sandal": "sandal",
    "woman’s boot": "boot", "hiking boot": "hiking boot", "woman’s hat": "hat", "billed cap": "cap",
    "rescue worker’s helmet": "safety helmet", "military helmet": "military helmet", "gem stone": "diamond", "hair pick": "comb",
    "clutch bag": "purse", "speaker low volume": "speaker", "speaker medium volume": "speaker", "speaker high volume": "speaker",
    "muted speaker": "muted speaker", "bell with slash": "muted bell", "studio microphone": "microphone",
    "musical note": "musical note", "musical notes": "musical notes", "musical keyboard": "piano keyboard",
    "long drum": "drum", "mobile phone": "phone", "mobile phone with arrow": "phone", "telephone receiver": "telephone receiver",
    "desktop computer": "computer", "computer disk": "disk", "optical disk": "disk", "dvd": "disk",
    "camera with flash": "camera", "film frames": "film", "magnifying glass tilted left": "magnifying glass",
    "magnifying glass tilted right": "magnifying glass", "red paper lantern": "paper lantern", "diya lamp": "oil lamp",
    "notebook with decorative cover": "notebook", "closed book": "book", "green book": "book", "blue book": "book",
    "orange book": "book", "books": "stack of books", "page with curl": "sheet of paper", "page facing up": "sheet of paper",
    "rolled-up newspaper": "newspaper", "yen banknote": "banknote", "dollar banknote": "banknote", "euro banknote": "banknote",
    "pound banknote": "banknote", "money with wings": "flying money", "e-mail": "e-mail", "incoming envelope": "envelope",
    "envelope with arrow": "envelope", "closed mailbox with raised flag": "mailbox", "closed mailbox with lowered flag": "mailbox",
    "open mailbox with raised flag": "mailbox", "open mailbox with lowered flag": "mailbox", "postbox": "postbox",
    "ballot box with ballot": "ballot box", "black nib": "pen nib", "open file folder": "folder", "file folder": "folder",
    "tear-off calendar": "calendar", "spiral calendar": "calendar", "round pushpin": "pushpin", "linked paperclips": "paperclip",
    "straight ruler": "ruler", "triangular ruler": "triangle ruler", "wastebasket": "trash can", "locked": "padlock",
    "unlocked": "open padlock", "locked with pen": "padlock with a pen", "locked with key": "padlock with a key",
    "old key": "key", "pick": "pickaxe", "carpentry saw": "saw", "balance scale": "scales", "link": "chain link", "chains": "chain",
    "drop of blood": "drop of blood", "adhesive bandage": "bandage", "couch and lamp": "couch", "roll of paper": "toilet paper",
    "headstone": "gravestone", "funeral urn": "urn", "placard": "sign on a stick", "identification card": "identity card",
    "satellite antenna": "satellite dish", "lotion bottle": "bottle of lotion", "red apple": "red apple", "moai": "moai statue",
    "page": "sheet of paper", "chart increasing with yen": "chart", "chart increasing": "chart", "chart decreasing": "chart",
    "bar chart": "bar chart", "woman": "woman", "man": "man", "house": "house", "houses": "houses", "construction": "road barrier",
}  # fmt: skip
NOT_THINGS = {
    "landslide", "mount fuji", "building construction", "night with stars", "first quarter moon", "cyclone", "reminder ribbon",
    "level slider", "control knobs", "fog", "wind face", "milky way", "Tokyo tower", "kaaba", "map of Japan", "ice", "wing",
    "pouring liquid", "pig nose", "moon viewing ceremony", "wilted flower", "rosette", "national park", "love letter",
    "incoming envelope", "envelope with arrow", "outbox tray", "inbox tray", "low battery", "spade suit", "heart suit",
    "diamond suit", "club suit", "mahjong red dragon", "flower playing cards", "joker", "knot", "nazar amulet", "hamsa",
    "broken chain", "sparkles", "wedding", "white flower",
}  # fmt: skip
"""Labels that no single thing in a picture answers to; their art is not used."""
CATEGORIES = {
    "animal": ("animal-mammal", "animal-bird", "animal-amphibian", "animal-reptile", "animal-marine", "animal-bug"),
    "plant": ("plant-flower", "plant-other"),
    "food": ("food-fruit", "food-vegetable", "food-prepared", "food-asian", "food-sweet"),
    "drink": ("drink",),
    "vehicle": ("transport-ground", "transport-water", "transport-air"),
    "building": ("place-building", "place-religious"),
    "clothing": ("clothing",),
    "musical instrument": ("musical-instrument",),
    "tool": ("tool",),
    "sports equipment": ("sport",),
}
OTHER_SUBGROUPS = (
    "dishware", "place-map", "place-geographic", "place-other", "hotel", "time", "sky-weather", "event", "award-medal", "game",
    "arts-crafts", "sound", "music", "phone", "computer", "light-video", "book-paper", "money", "mail", "writing", "office",
    "lock", "science", "medical", "household", "other-object",
)  # fmt: skip
MISFILED = {
    "feather", "paw prints", "nest", "empty nest", "nest with eggs", "spider web", "wing", "seashell", "coral", "bus stop",
    "motorway", "railway track", "oil drum", "fuel pump", "wheel", "siren", "traffic light", "stop sign", "road barrier",
    "anchor", "life buoy", "parachute", "seat", "satellite", "brick", "rock", "wood", "baby bottle", "ice", "diving mask",
    "station", "microbe", "phoenix", "unicorn", "dragon", "bomb", "shield", "chain", "chain link", "white cane", "salt", "butter",
    "crown", "lipstick", "ring", "diamond", "prayer beads", "comb", "fan", "purse", "handbag", "shopping bags", "backpack",
    "suitcase", "running shirt", "martial arts uniform", "bullseye", "teapot", "statue of liberty", "goal", "takeout box",
    "canned food", "skateboard", "roller skate",
}  # fmt: skip
"""Things whose subgroup says a category that they are not plainly in: no question about their category is asked."""
PEOPLE = {
    "baby": "baby", "child": "child", "boy": "boy", "girl": "girl", "man": "man", "woman": "woman", "old man": "old man",
    "old woman": "old woman", "older person": "old person", "Santa Claus": "santa claus", "mermaid": "mermaid",
    "police officer": "police officer", "firefighter": "firefighter", "astronaut": "astronaut", "cook": "cook",
    "farmer": "farmer", "student": "student", "teacher": "teacher", "scientist": "scientist", "pilot": "pilot",
    "singer": "singer", "judge": "judge", "mechanic": "mechanic", "health worker": "doctor", "construction worker": "construction worker",
    "princess": "princess", "prince": "prince", "superhero": "superhero", "mage": "wizard", "fairy": "fairy", "vampire": "vampire",
    "zombie": "zombie", "baby angel": "angel", "guard": "guard", "detective": "detective", "ninja": "ninja",
    "person running": "person running", "person walking": "person walking", "woman dancing": "dancer", "person surfing": "surfer",
    "person biking": "cyclist", "skier": "skier", "snowboarder": "snowboarder", "person swimming": "swimmer",
    "skull": "skull", "clown face": "clown", "ghost": "ghost", "alien": "alien", "robot": "robot", "red heart": "heart",
    "brain": "brain", "tooth": "tooth", "bone": "bone", "eye": "eye", "ear": "ear", "nose": "nose", "foot": "foot", "mouth": "mouth",
    "thumbs up": "thumbs up", "waving hand": "hand", "raised hand": "hand", "footprints": "footprints",
    "speech balloon": "speech bubble", "collision": "explosion",
}  # fmt: skip
"""People, faces and parts of the body that have a plain name. They are trained and described, but not counted as concrete
things in the measurement of names."""
SMILEYS = {
    "face-smiling": "smiling face",
    "face-affection": "smiling face",
    "face-concerned": "sad face",
    "cat-face": "cat",
}


@dataclass
class Concept:
    """One thing with a name."""

    name: str
    category: str
    """One of CATEGORIES, "person", or "" where none is asked about."""
    concrete: bool
    held_out: bool = False
    """No picture of it is in the training split, in any style."""
    art: dict[str, list[str]] = field(default_factory=dict)
    """Names of the icons, by style."""


def load(cache_folder: Path, held_out: float = 0.1) -> dict[str, Concept]:
    """The concepts with art in the test style and in two training styles at least, by name, sorted."""
    emoji = json.loads((cache_folder / WORDS.folder / "package/en/data.json").read_text(encoding="utf-8"))
    groups = json.loads((cache_folder / WORDS.folder / "package/meta/groups.json").read_text(encoding="utf-8"))
    found: dict[str, Concept] = {}
    for row in emoji:
        subgroup = groups["subgroups"].get(str(row.get("subgroup")), "")
        name, concrete = _name(row["label"], subgroup)
        if not name:
            continue
        concept = found.setdefault(name, Concept(name, _category(name, subgroup, concrete), concrete))
        for style in STYLES:
            icon = _icons(cache_folder, style).get(row["hexcode"].lower().replace("-fe0f", ""))
            if icon and icon not in concept.art.setdefault(style, []):
                concept.art[style].append(icon)
    kept = {name: found[name] for name in sorted(found) if _drawn(found[name])}
    _hold_out(kept, held_out)
    return kept


def _name(label: str, subgroup: str) -> tuple[str, bool]:
    known = {part for parts in CATEGORIES.values() for part in parts} | set(OTHER_SUBGROUPS)
    if label in PEOPLE:
        return PEOPLE[label], False
    if subgroup in SMILEYS:
        return SMILEYS[subgroup], False
    if subgroup not in known or label in NOT_THINGS or re.search(r"o’clock|-thirty", label):
        return "", False
    name = NAMES.get(label, label).lower()
    return (name.removesuffix(" face") if subgroup == "animal-mammal" or name == "dragon face" else name), True


def _category(name: str, subgroup: str, concrete: bool) -> str:
    if name in MISFILED:
        return ""
    if not concrete and name not in {
        "skull",
        "heart",
        "brain",
        "tooth",
        "bone",
        "eye",
        "ear",
        "nose",
        "foot",
        "mouth",
        "hand",
    }:
        return "animal" if name == "cat" else "person" if subgroup.startswith("person") else ""
    return next((category for category, parts in CATEGORIES.items() if subgroup in parts), "")


def _drawn(concept: Concept) -> bool:
    styles = [style for style, icons in concept.art.items() if icons]
    return "twemoji" in styles and len([style for style in styles if style not in ("twemoji", "fluent-flat")]) >= 2


def _hold_out(concepts: dict[str, Concept], share: float) -> None:
    """A share of the concrete concepts by the hash of their names, so that a new concept moves no other."""
    import hashlib

    for concept in concepts.values():
        number = int.from_bytes(hashlib.sha256(concept.name.encode()).digest()[:4], "big") / 2**32
        concept.held_out = concept.concrete and number < share


@cache
def _icons(cache_folder: Path, style: str) -> dict[str, str]:
    """Icon names of a style by code points, variation selectors left out.

    Some styles come without a table of characters; their icons have the names of the others, with or without hyphens.
    """
    listed = _characters(cache_folder, style)
    if listed:
        return listed
    folder = cache_folder / STYLES[style].folder / "package"
    icons = {_squeeze(icon): icon for icon in json.loads((folder / "icons.json").read_text(encoding="utf-8"))["icons"]}
    found: dict[str, str] = {}
    for other in ("noto", "twemoji", "fluent-flat"):
        for code, name in _characters(cache_folder, other).items():
            if _squeeze(name) in icons:
                found.setdefault(code, icons[_squeeze(name)])
    return found


@cache
def _characters(cache_folder: Path, style: str) -> dict[str, str]:
    folder = cache_folder / STYLES[style].folder / "package"
    table = json.loads((folder / "chars.json").read_text(encoding="utf-8"))
    return {code.lower().replace("-fe0f", ""): icon for code, icon in table.items()}


def _squeeze(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
