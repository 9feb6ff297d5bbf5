"""Which questions ask for the text in a picture, and what of a reading answers them. English, by rules.

It knows nothing about pictures or engines: a question is a string, and what was read is a `Reading`. Patterns are compiled when
they are first searched for, since most processes never search for most of them.
"""

from __future__ import annotations

import re

from ..types import Line, Reading

_OPENING = (
    r"^(?:(?:please|hey|hi|hello|okay|ok|so|and|well|sorry|excuse me|also)\b[\s,.!]*"
    r"|(?:can|could|will|would|do) you (?:please |kindly )?(?:know |see |(?=read|tell|give|make|say|transcribe))"
    r"|(?:tell|give|show) me (?:please )?|(?:say|make out) (?=what)|(?:i want|i need|i would like|i'd like) to know )+"
)
"""What people say before the question itself."""

_ARTICLE = r"(?: (?:the|this|that|these|those|its|his|her|their|my|your|a|an|any|all|of|first|last|exact|full))*"
_TEXT = (
    r"(?:text|words?|wording|letters?|writing|handwriting|inscription|lettering|captions?|titles?|headlines?|slogan|message"
    r"|phrase|sentence|quote|numbers?|digits?|initials)"
)
_FIELD = (
    r"(?:(?:expir\w+|use[- ]by|best[- ]before|sell[- ]by|due|issue|delivery|production) date|best before|expiration|expiry|date"
    r"|e-?mail(?: address)?|web ?(?:site|page|address)|url|hashtag|address"
    r"|(?:telephone|phone|fax|contact|hotline|serial|model|part|order|invoice|tracking|account|batch|lot|reference|room|house"
    r"|flight|gate|bus|route|platform|train|track|jersey|page|registration|card|version) (?:number|no|code)"
    r"|(?:zip|postal|post|product|error|access|discount) ?code|pin code|password|(?:license|licence|number) ?plate"
    r"|prices?|cost|total|subtotal|amount due|balance|speed limit|dosage|ingredients|calories"
    r"|(?:opening|business|office|visiting) (?:hours|times)|(?:brand|street|product|store|shop|company|station|user) name)"
)
_NAMED = (
    r"(?:street|road|store|shop|restaurant|hotel|cafe|bar|pub|company|bank|station|school|airport|product|medicine|drug|book"
    r"|movie|song|album|newspaper|magazine|ship|boat|airline|author|brand|website|business)"
)
_SPEAKER = (
    r"(?:man|woman|boy|girl|child|children|kid|baby|person|people|guy|lady|he|she|they|dog|cat|cow|bird|horse|animal)"
)

_ASKS = "|".join(
    (
        # Read this. Transcribe the note. Can you read it?
        r"^(?:read|transcribe|spell out|write out)\b",
        # What does the sign say? What it says.
        r"^(?:what|which)\b.*\b(?:says?|saying|reads?|spells?)\b",
        # What is written on it?
        r"^(?:what|which)\b.*\b(?:written|printed|engraved|inscribed|spelled|stamped)\b",
        # What text is there? What is the number on the bus?
        rf"^(?:what|which)(?:'s| is| are| was| were)?{_ARTICLE}(?: \w+)? {_TEXT}\b",
        rf"^(?:what|which)(?:'s| is| are| was)?{_ARTICLE} name (?:on|at|of (?:the|this|that) (?:\w+ )?{_NAMED}\b)",
        # What's the expiry date?
        rf"^(?:what|which)(?:'s| is| are| was)?{_ARTICLE}(?: [\w'-]+){{0,2}}? {_FIELD}\b",
        r"^when (?:does|do|did|will|is|are)\b.*\b(?:expired?|best before|due|open|close)\b",
        r"^what time (?:does|do)\b.*\b(?:open|close)\b",
        r"^how much (?:does|do|did)\b.*\bcost\b|^how much (?:is|are) (?:it|this|that|these|they|the \w+)$",
        r"^(?:what's|what is) on (?:the|this|that|my) (?:label|receipt|note|menu|page|ticket|envelope|invoice|bill)$",
        r"^(?:what|which) (?:street|road|page|platform|gate|station|stop) (?:is|are) (?:this|it|we|that)\b",
    )
)
_NEVER = (
    rf"\b{_SPEAKER} (?:says?|saying|reads?|reading|writing)\b"
    r"|\b(?:colou?rs?|fonts?|languages?|shapes?|sizes?)\b|^(?:what|which) (?:kind|type|sort|style)\b"
    # "the number of dogs" is counted; "the number of the bus" is read.
    r"|\bnumbers? of (?!the|this|that)|\b(?:about|made of|meaning|look like)\b"
)
"""Questions with such words in them that ask for something else."""

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?"
    r"|dec(?:ember)?)\.?"
)
_DATE = (
    r"(?:\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b|\b(?:0?[1-9]|1[0-2]) ?[./-] ?(?:19|20)\d\d\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?[ .-]*{_MONTH}\b|\b{_MONTH}[ .-]*\d{{1,2}}(?:st|nd|rd|th)?\b|\b{_MONTH}[ .-]*(?:19|20)\d\d\b)"
)
_PRICE = (
    r"(?:[$€£¥₹] ?\d|\d ?(?:[$€£¥₹]|(?:usd|eur|gbp|chf|euros?|dollars?|cents?|kr|zł)\b)|\b\d{1,6}[.,]\d\d\b(?![./-]\d))"
)
_EXPIRY = r"\b(?:exp\w*|best|use|sell|bbe?|mhd)\b"

_FINDS = (
    (r"\b(?:expir\w+|exp|best before|use[- ]by|sell[- ]by|go off)\b", rf"{_EXPIRY}.*{_DATE}"),
    (r"\bdates?\b|\b(?:expir\w+|exp|best before|use[- ]by|sell[- ]by|go off|due)\b", _DATE),
    (r"\b(?:total|amount due)\b", rf"\b(?:total|amount due|balance)\b.*{_PRICE}"),
    (r"\b(?:prices?|costs?|how much|total|subtotal|amount)\b", _PRICE),
    (
        r"\b(?:tele|cell|mobile )?phone\b|\b(?:fax|contact|hotline) number\b",
        rf"(?<![\d./])(?!{_DATE})\+?\(?\d(?:[ ()./-]{{0,2}}\d){{6,14}}(?!\d)",
    ),
    (r"\be-?mail\b", r"[\w.+-]+ ?@ ?[\w-]+(?:\.[\w-]+)+"),
    (
        r"\bweb\b|\bweb ?(?:site|page|address)\b|\burl\b",
        r"https?:|\bwww\.|(?<![@\w.])[a-z0-9-]+\.(?:com|org|net|edu|gov|io|eu|de|fr|uk|info)\b",
    ),
)
"""What is asked for (searched in the question) and how it looks (searched in the lines), the narrower first."""


def asks_for_text(question: str) -> bool:
    """Whether an English question wants to know what stands written in the picture.

    "what does the sign say?" does; "what is the sign's color?" and "is there a sign?" do not.
    """
    plain = _plain(question)
    return bool(re.search(_ASKS, plain)) and not re.search(_NEVER, plain)


def answer_from(question: str, reading: Reading) -> tuple[str, float, tuple[Line, ...]]:
    """The text that answers `question`, its confidence (that of the weakest line cited, 0 to 1) and the lines cited.

    Where a date, a price, a telephone number, an e-mail or a web address is asked for, these are the lines that have one;
    otherwise, and where no line has one, all of them. Without lines: an empty text, 0 and no line.
    """
    cited = _matching(_plain(question), reading.lines) or reading.lines
    return "\n".join(line.text for line in cited), min((line.confidence for line in cited), default=0.0), cited


def _matching(question: str, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    for asked, looks in _FINDS:
        if re.search(asked, question):
            found = tuple(line for line in lines if re.search(looks, line.text, re.IGNORECASE))
            if found:
                return found
    return ()


def _plain(question: str) -> str:
    """Lower case, straight quotes, single spaces, without the opening courtesies and the question mark."""
    plain = " ".join(question.lower().replace("’", "'").split()).rstrip(" ?!.")
    return re.sub(_OPENING, "", plain)
