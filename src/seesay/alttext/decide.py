"""The decision tree: what a picture is for, and which text follows from that.

After the W3C's "An alt Decision Tree" (https://www.w3.org/WAI/tutorials/images/decision-tree/) and its images tutorial: text in
the picture, then links and buttons, then what it contributes, then decoration. Where the tree asks what a person must
judge, the suggestion says so in its `doubts`, and is not written unseen.

`without_looking` needs the document alone; `after_looking` the pixels too; `described` a model's sentence. This module opens
nothing and asks no model.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from ..answering import in_words
from ..types import Answer, Note
from .found import Context, Found, Link, Suggestion
from .look import Look
from .wording import covers, name_in_words, name_words, says, tidy, words_of

SPACER = 3
"""Pixels: what is no wider or no higher keeps things apart, or counts visitors."""
RULE = 8
"""Pixels: what is no higher, and twelve times as wide, is a line across the page."""
ICON = 64
"""Pixels: up to this size a picture beside words is an icon."""
DRAWN = 0.6
"""From this share of the picture in its commonest colors on it is taken for a drawing."""
SCATTERED = 6
"""Lines of text from which on a drawing is taken for a chart or a diagram."""
LEGIBLE = 0.9
"""Confidence of the reader from which on a text is quoted beside a description."""
COVERED = 0.12
"""Share of a picture from which on its text is what it is there for."""

DECORATION = frozenset(
    "spacer blank pixel transparent clear bullet dot divider separator rule hr line border corner shadow ornament".split()
)
CHARTS = {
    **dict.fromkeys(
        "chart barchart piechart linechart histogram plot scatterplot boxplot heatmap graph".split(), "chart"
    ),
    **dict.fromkeys(
        "diagram flowchart schema schematic architecture uml workflow topology blueprint".split(), "diagram"
    ),
    **dict.fromkeys(("map", "floorplan", "streetmap"), "map"),
    **dict.fromkeys(("table", "spreadsheet"), "table"),
    **dict.fromkeys("infographic timeline gantt organigram orgchart".split(), "infographic"),
    "screenshot": "screenshot",
}
"""Words in file names, captions and titles that speak of a complex picture, and what it then is."""
TELLING_ICONS = {
    "pdf": "PDF",
    "download": "Download",
    "external": "External link",
    "extern": "External link",
    "newwindow": "Opens in a new window",
    "video": "Video",
    "audio": "Audio",
    "lock": "Locked",
    "new": "New",
    "warning": "Warning",
    "zip": "ZIP archive",
}
"""Words in the file names of icons that tell more than the words of their link."""
HOME = frozenset(("", "/", "./", "index.html", "/index.html", "index.htm", "index.php"))
AUTHOR = Note("named by the page's author", "author")
LEADS = Note("where the link leads", "leads")
PICTURE_LINK = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg|tiff?|bmp)$", re.IGNORECASE)


def without_looking(found: Found, limit: int) -> Suggestion | None:
    """What the document alone tells: hidden things, spacers, links and buttons, what its author called it."""
    context = found.context
    if context.hidden:
        return _decoration(Note("hidden from screen readers ({how})", "hidden", how=context.hidden))
    if any(side is not None and side <= SPACER for side in context.size):
        return _decoration(
            Note("{pixels} pixels or fewer along a side: a spacer or a counter", "spacer", pixels=str(SPACER))
        )
    if context.link is not None:
        return _functional(found, context.link, limit)
    if context.name and not _is_file_name(context.name, found.src):
        return Suggestion(tidy(context.name, limit), "informative", AUTHOR, by="author")
    if found.svg:
        return Suggestion(
            tidy(found.svg, limit), "informative", Note("the title of the drawing", "drawing_title"), by="author"
        )
    return None


def after_looking(found: Found, seen: Look, limit: int) -> Suggestion | None:
    """What size, colors and text of the picture tell besides; None where a description is needed."""
    small = min(seen.width, seen.height)
    if small <= SPACER:
        return _decoration(
            Note("{pixels} pixels or fewer along a side: a spacer or a counter", "spacer", pixels=str(SPACER))
        )
    if seen.height <= RULE and seen.width >= 12 * seen.height:
        return _decoration(Note("a thin line across the page", "thin_line"))
    if seen.even:
        doubt = (
            ()
            if small <= ICON
            else (Note("all of one color: is it decoration, or a sample of that color?", "color_sample"),)
        )
        return _decoration(Note("all of one color", "one_color"), *doubt)
    if seen.width <= ICON and seen.height <= ICON and name_words(found.src) & DECORATION:
        return _decoration(Note("small, and called so in its file name", "called_so"))
    complex_kind = _complex(found, seen)
    if seen.lines and _stands_beside(seen, found.context):
        return _by_reader(_decoration(Note("its text stands beside it as text", "stands_beside")), seen)
    if complex_kind:
        return _of_complex(complex_kind, found, seen, limit)
    if seen.lines and _is_text(seen):
        return _of_text(seen, limit)
    return None


def described(found: Found, seen: Look, answer: Answer, limit: int) -> Suggestion:
    """What a model's sentence makes of a picture that is there to be seen."""
    text = tidy(answer.text or "", limit)
    known = answer.certainty != ""
    doubts: list[Note] = []
    name, caption = name_in_words(found.src), found.context.caption
    reason = Note("described by the model", "described")
    if known and answer.score < 0.5 and name:
        # A guess about the pixels is worth less than what somebody called the file.
        reason, others = Note("its file name; the model could only guess", "only_guessed"), (text,)
        return Suggestion(
            tidy(name, limit),
            "informative",
            reason,
            "file name",
            None,
            "",
            (Note("a file name is no description", "no_description"),),
            others=others,
        )
    if caption and covers(caption, text):
        doubts.append(Note("the caption says so already: say what it does not, or leave it empty", "caption_says_so"))
    legible = seen.confidence >= LEGIBLE and sum(character.isalpha() for character in seen.text) >= 3
    quoted = f'{text}, with the text "{tidy(seen.text, limit)}"'
    if legible and len(quoted) <= limit:
        text = quoted
    score = (min(answer.score, seen.confidence) if text == quoted else answer.score) if known else None
    return Suggestion(
        text,
        "informative",
        reason,
        by=answer.provenance.model,
        score=score,
        certainty=in_words(score) if score is not None else "",
        doubts=tuple(doubts),
        others=(name,) if name and not says(text, name) else (),
    )


def of_file(text: str, limit: int, *, alt: bool) -> Suggestion:
    """What the picture's file says of itself: its alternative text (IPTC), or its description."""
    if alt:
        reason = Note("the picture's own alternative text", "own_text")
        return Suggestion(tidy(text, limit), "informative", reason, by="picture")
    reason = Note("the picture's own description", "own_description")
    doubt = Note("a description says what happened, an alternative text what is seen", "what_happened")
    return Suggestion(tidy(text, limit), "informative", reason, "picture", doubts=(doubt,))


def _decoration(reason: Note, *doubts: Note) -> Suggestion:
    return Suggestion("", "decorative", reason, doubts=doubts)


def _by_reader(suggestion: Suggestion, seen: Look) -> Suggestion:
    return replace(suggestion, by="reader", score=seen.confidence, certainty=in_words(seen.confidence))


def _functional(found: Found, link: Link, limit: int) -> Suggestion:
    """Pictures in links and buttons: what happens there, not what is seen."""
    what = "button" if link.button else "link"
    if link.label:
        return _decoration(Note("the {what} has a name of its own", "link_named", what=what))
    if link.text:
        telling = [TELLING_ICONS[word] for word in sorted(name_words(found.src)) if word in TELLING_ICONS]
        if telling and not covers(link.text, telling[0]):
            doubt = Note("does the icon tell something that the words beside it do not?", "icon_tells")
            reason = Note("an icon in a {what} with words", "icon_in_link", what=what)
            return Suggestion(telling[0], "functional", reason, doubts=(doubt,))
        size = [side for side in found.context.size if side is not None]
        doubt = Note("does it show something that the words do not say?", "shows_more")
        sure = (size and max(size) <= ICON) or bool({"icon", "ico", "bullet", "arrow"} & name_words(found.src))
        return _decoration(
            Note("the {what} says the same in words", "link_says_so", what=what), *(() if sure else (doubt,))
        )
    purpose, origin = _purpose(found, link)
    doubts: tuple[Note, ...] = (Note("check that this is what the {what} does", "check_link", what=what),)
    if link.pictures > 1:
        words = "the {what} holds {pictures} pictures: one text is enough, the others can be empty"
        doubts += (Note(words, "several_in_link", what=what, pictures=str(link.pictures)),)
    if not purpose:
        purpose = "Button" if link.button else "Link"
        origin = Note("nothing around it says what it does", "nothing_says")
        doubts = (Note("say what the {what} does", "say_link", what=what),)
    return Suggestion(tidy(purpose, limit), "functional", origin, doubts=doubts)


def _purpose(found: Found, link: Link) -> tuple[str, Note]:
    """What a link or button does, and where that was taken from."""
    if link.title:
        return link.title, Note("the title of what it stands in", "link_title")
    if found.context.name and not _is_file_name(found.context.name, found.src):
        return found.context.name, AUTHOR
    if link.button:
        return name_in_words(found.src), Note("its file name", "file_name")
    return _destination(found, link)


def _destination(found: Found, link: Link) -> tuple[str, Note]:
    target, plain = link.target, link.target.partition("#")[0].partition("?")[0]
    scheme, _, rest = target.partition(":")
    if target in ("#", "#top"):
        return "Back to top", LEADS
    if target.startswith("#"):
        named = link.target_title or name_in_words(f"{target[1:]}.html")
        return named, Note("the heading that the link leads to", "leads_to_heading")
    if scheme.lower() in ("mailto", "tel", "sms"):
        verb = {"mailto": "E-mail", "tel": "Call", "sms": "Message"}[scheme.lower()]
        return f"{verb} {unquote(rest.partition('?')[0])}", LEADS
    if PICTURE_LINK.search(plain):
        name = name_in_words(found.src) or name_in_words(plain)
        words = f"Enlarge: {name}" if name else "Enlarge the picture"
        return words, Note("the link leads to the picture itself", "leads_to_picture")
    if plain in HOME or plain.rstrip("/").rpartition("/")[2] in ("home", "index.html"):
        return "Home", Note("the link leads to the start page", "leads_home")
    if link.target_title:
        return link.target_title, Note("the title of the page that the link leads to", "leads_to_page")
    return _address_in_words(target), Note("the address that the link leads to", "leads_to_address")


def _address_in_words(target: str) -> str:
    try:
        parts = urlsplit(target)
    except ValueError:
        return ""
    path = parts.path.rstrip("/")
    ending = path.rpartition(".")[2].lower() if "." in path.rpartition("/")[2] else ""
    name = name_in_words(path) if path else ""
    kind = (
        f" ({ending.upper()})" if ending in ("pdf", "zip", "docx", "xlsx", "pptx", "csv", "epub", "mp3", "mp4") else ""
    )
    host = parts.netloc.rpartition("@")[2].partition(":")[0].removeprefix("www.")
    if name and host:
        return f"{name}{kind}, {host}"
    return f"{name}{kind}" if name else host


def _complex(found: Found, seen: Look) -> str:
    """What kind of complex picture this is, as far as can be told; empty for a simple one."""
    said = name_words(found.src) | set(words_of(found.context.caption)) | set(words_of(found.context.name))
    hinted = sorted({CHARTS[word] for word in said if word in CHARTS})
    if found.context.map:
        return "image map"
    if hinted and (seen.flat >= DRAWN or len(seen.lines) >= 3):
        return hinted[0]
    short = [line for line in seen.lines if len(line.text.split()) <= 4]
    drawn = seen.flat >= DRAWN and len(seen.lines) >= SCATTERED and len(short) >= 0.75 * len(seen.lines)
    return "chart or diagram" if drawn and seen.covered < 0.3 else ""


def _is_text(seen: Look) -> bool:
    letters = sum(character.isalnum() for character in seen.text)
    return letters >= 3 and (seen.covered >= COVERED or (seen.flat >= DRAWN and seen.covered >= COVERED / 4))


def _stands_beside(seen: Look, context: Context) -> bool:
    """Whether the words in the picture are the words next to it. One short word may be there by chance."""
    words = words_of(seen.text)
    if sum(map(len, words)) < 4:
        return False
    reach = len(words) + 3
    near = (" ".join(words_of(context.before)[-reach:]), " ".join(words_of(context.after)[:reach]))
    return any(says(text, seen.text) for text in (*near, context.caption))


def _of_text(seen: Look, limit: int) -> Suggestion:
    whole = " ".join(seen.text.split())
    text = tidy(whole, limit)
    long_one = len(whole) > limit
    much = Note("more text than an alternative text can hold: write it beside the picture", "much_text")
    doubts = (much,) if long_one else ()
    suggestion = Suggestion(
        text, "text", Note("the text in the picture", "text_in_it"), doubts=doubts, needs_long=long_one
    )
    return _by_reader(replace(suggestion, long=whole if long_one else ""), seen)


def _of_complex(kind: str, found: Found, seen: Look, limit: int) -> Suggestion:
    """A short text that says what it is; what it shows belongs beside it."""
    name = "" if found.context.caption else name_in_words(found.src)
    title = found.context.name or _title(seen) or name
    spelled = kind[:1].upper() + kind[1:]
    text = f"{spelled}: {title}" if title and not says(kind, title) else spelled
    if found.context.caption and covers(found.context.caption, text):
        text = spelled
    beside = "a chart, diagram or map also needs a description beside it that says what it shows"
    doubts = [Note(beside, "describe_beside")]
    if not title:
        doubts.append(Note("say what it is about", "say_about"))
    suggestion = Suggestion(
        tidy(text, limit),
        "complex",
        Note("looks like a {kind}", "looks_like", kind=kind),
        doubts=tuple(doubts),
        needs_long=True,
        long=seen.text,
    )
    return _by_reader(suggestion, seen) if seen.lines else suggestion


def _title(seen: Look) -> str:
    """The line that stands highest, where it is words and among the largest."""
    if not seen.lines:
        return ""
    top = min(seen.lines, key=lambda line: min(point[1] for point in line.box))
    high = min(point[1] for point in top.box) < 0.25 * seen.height
    worded = sum(character.isalpha() for character in top.text) >= 4
    return top.text if high and worded and top.confidence >= 0.8 else ""


def _is_file_name(text: str, src: str) -> bool:
    return text.strip().casefold() in (src.casefold(), src.rpartition("/")[2].casefold())
