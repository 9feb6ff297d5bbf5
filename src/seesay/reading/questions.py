"""Which questions ask for the text in a picture, and what of a reading answers them. English, by rules.

It knows nothing about pictures or engines: a question is a string, and what was read is a `Reading`.
"""

from __future__ import annotations

import re

from ..types import Line, Reading

_OPENING = re.compile(
    r"^(?:(?:please|hey|hi|hello|ok|okay|so|and|well|um|sorry|excuse me|thanks|just|also)\b[\s,.!]*"
    r"|(?:can|could|will|would) you (?:please |kindly )?(?=read|tell|give|transcribe|spell|type|say|make out)"
    r"|(?:tell|give|show) me (?:please )?|(?:can|could|do) you (?:please )?(?:know|see|tell|say|make out) (?:me )?"
    r"|(?:say|make out) (?=what)|(?:i|we) (?:want|need|would like|have) to know |i'd like to know |any idea )+"
)
"""What people say before the question itself."""

_IS = r"(?:(?: is|'s| are|'re| was| were| does| do| did)\b)?"
_THE = r"(?: the| this| that| these| those| its| his| her| their| my| your| a| an| any| of| exact| full| first| last| big| small)*"
_LEADS_AWAY = (
    r"(?! (?:of (?!the (?:sign|label|shop|store|street|book|product|medicine|package|bottle|box|business|company|restaurant))"
    r"(?!this (?:book|product|medicine|shop|store|street|restaurant|company|business))|about|made|used|look|mean|colou?r|in what))"
)
"""What may not follow a word for text: "the number of dogs", "the text about", "the letter made of"."""

_TEXT = (
    r"(?:text|words?|wording|letters|letter|writing|handwriting|inscription|lettering|captions?|titles?|headlines?|slogan|motto"
    r"|message|phrase|sentence|quote|numbers?|digits?|characters?|initials|names?|logo text|warning|instructions|directions)"
)
_FIELD = (
    r"(?:(?:expir\w+|exp|use[- ]by|best[- ]before|sell[- ]by|due|issue|delivery|production|manufactur\w+|birth) date"
    r"|best before|expiration|expiry|date|e-?mail(?: address)?|web ?(?:site|page|address)(?: address)?|url|hashtag|street address"
    r"|(?:(?:tele|cell|mobile|contact|office) ?)?phone(?: number)?|(?:telephone|fax|contact|hotline|emergency) number"
    r"|prices?|cost|total(?: amount| price| cost)?|subtotal|amount due|balance"
    r"|(?:serial|model|part|order|invoice|tracking|account|batch|lot|reference|room|house|flight|gate|bus|platform|jersey|page"
    r"|street|registration|license|licence|card|version|route|train|track) (?:number|no|code)|zip ?code|post ?code|postal code"
    r"|(?:product |promo |discount |error |access )?code|pin(?: code)?|(?:wi-?fi |network )?password|licen[cs]e plate(?: number)?"
    r"|number ?plate|(?:opening|business|office|store|visiting) (?:hours|times)|hours|speed limit|dosage|ingredients|calories"
    r"|(?:brand|street|product|store|shop|road|station|company|author|book|file|user) ?name|author|publisher|address)"
)
_READABLE = (
    r"(?:sign|label|text|page|book|letter|note|receipt|menu|poster|screen|card|document|bottle|box|can|package|packaging|newspaper"
    r"|article|bill|invoice|ticket|tag|board|billboard|banner|plaque|envelope|paper|print|headline|title|caption|message"
    r"|inscription|writing|words?|display|sticker|shirt|t-shirt|cover|number|plate|mail|instructions|ingredients|picture|image|photo"
    r"|meter|thermometer|all|everything|it|this|that|these|them|out|aloud|what)"
)
_SPEAKER = (
    r"(?:man|men|woman|women|boy|girl|child|children|kid|baby|person|people|guy|lady|he|she|they|you|dog|cat|cow|duck|bird|sheep"
    r"|horse|animal|parrot|frog|pig)"
)

_ASKS = tuple(
    re.compile(pattern)
    for pattern in (
        # Orders: read this, transcribe the note.
        rf"^read(?: me| out| aloud| to me| off)*(?: the| this| that| these| my| all| of)*(?: \w+){{0,2}}? {_READABLE}\b",
        r"^(?:read|transcribe|ocr|type out|spell out|write out|copy out)$|^(?:transcribe|ocr|type out|spell out|write out|copy out)\b",
        r"^(?:can|could|are) you (?:able to )?read\b",
        # What does it say? What it says.
        rf"^wh(?:at|ich words?|ich text|ich number)\b.*\b(?:do|does|did|is|are)\b.*(?<!\b{_SPEAKER}) (?:say|saying|reads?|spell|state)\b",
        rf"^what\b.*(?<!\b{_SPEAKER}) (?:says|reads|spells|states)\b",
        # What is written on it?
        r"^(?:what|which)\b.*\b(?:written|printed|engraved|inscribed|spelled|spelt|typed|handwritten|scribbled|embossed|stamped)\b",
        r"^(?:what|which) (?:do|does|did)\b.*\bwritten\b",
        # What text is there? What is the number on the bus?
        rf"^(?:what|which){_IS}{_THE} {_TEXT}{_LEADS_AWAY}"
        r"(?: (?:is|are|do|does|can|appears?|shown|visible|displayed|there|on|in|at|above|below|under|under|beside|you|has|have|to)\b"
        r"|\s*$| of (?:the|this)\b)",
        # What's the expiry date? What phone number is on the sign?
        rf"^(?:what|which|when){_IS}{_THE}(?: [\w'-]+)?{_THE} {_FIELD}\b{_LEADS_AWAY}",
        rf"^{_FIELD}$",
        r"^when (?:does|do|did|will|is|has|are)\b.*\b(?:expired?|best before|go off|due|open|close)\b",
        r"^(?:what time|what hours|until when|how late) (?:does|do|is|are)\b.*\b(?:open|opened|close|closed)\b",
        r"^how much (?:does|do|is|are|did|was)\b.*\b(?:cost|the total|total|bill|price|ticket|tickets)\b",
        r"^how much (?:is|are) (?:it|this|that|these|they|the [\w' -]+)$",
        rf"^(?:what|which) (?:street|road|page|platform|gate|room|station|stop|aisle|exit|chapter) (?:is|are) (?:this|it|we|that)\b",
    )
)
_NEVER = re.compile(
    r"\b(?:colou?red|colou?rs?|fonts?|languages?|shapes?|sizes?|materials?)\b|^what (?:kind|type|sort|style|size)\b"
    r"|^what (?:is|'s|are) (?:the )?(?:person|man|woman|boy|girl|child|people|dog|cat)\b.*\b(?:reading|writing)\b"
)
"""Questions about text, or with such words in them, that ask for something else."""

_DATE = (
    r"\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b|\b(?:0?[1-9]|1[0-2]) ?[./-] ?(?:19|20)\d\d\b"
    r"|\b\d{1,2}(?:st|nd|rd|th)?[ .-]*MONTH(?:[ .,-]*(?:19|20)?\d\d)?\b|\bMONTH[ .-]*\d{1,2}(?:st|nd|rd|th)?(?:,? *(?:19|20)\d\d)?\b"
    r"|\bMONTH[ .-]*(?:19|20)\d\d\b"
).replace(
    "MONTH",
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?"
    r"|dec(?:ember)?)\.?",
)
_PRICE = r"[$€£¥₹] ?\d[\d.,]*|\b\d[\d.,]* ?(?:[$€£¥₹]|(?:usd|eur|gbp|chf|euros?|dollars?|cents?|kr|zł)\b)|\b\d{1,6}[.,]\d\d\b(?![./-]\d)"
_EXPIRY = r"\b(?:exp\w*|best|use|sell|bbe?|mhd)\b"

_FINDS = tuple(
    (re.compile(asked), re.compile(found, re.IGNORECASE))
    for asked, found in (
        (r"\b(?:expir\w+|exp|best before|use[- ]by|sell[- ]by|go off)\b", rf"{_EXPIRY}.*(?:{_DATE})"),
        (r"\bdates?\b|\b(?:expir\w+|exp|best before|use[- ]by|sell[- ]by|go off|due)\b|^when\b", _DATE),
        (r"\b(?:total|amount due)\b", rf"\b(?:total|amount due|balance)\b.*(?:{_PRICE})"),
        (r"\b(?:prices?|costs?|how much|total|subtotal|amount)\b", _PRICE),
        (r"\b(?:tele|cell|mobile )?phone\b|\b(?:fax|contact|hotline) number\b", r"(?<![\d.])\+?\(?\d(?:[ ()./-]{0,2}\d){6,14}(?!\d)"),
        (r"\be-?mail\b", r"[\w.+-]+ ?@ ?[\w-]+(?:\.[\w-]+)+"),
        (r"\bweb\b|\bweb ?(?:site|page|address)\b|\burl\b", r"https?:|\bwww\.|(?<![@\w.])[a-z0-9-]+\.(?:com|org|net|edu|gov|io|eu|de|fr|uk|info)\b"),
    )
)
"""What is asked for (searched in the question) and how it looks (searched in the lines), the narrower first."""


def asks_for_text(question: str) -> bool:
    """Whether an English question wants to know what stands written in the picture.

    "what does the sign say?" does; "what is the sign's color?" and "is there a sign?" do not.
    """
    plain = _plain(question)
    return not _NEVER.search(plain) and any(pattern.search(plain) for pattern in _ASKS)


def answer_from(question: str, reading: Reading) -> tuple[str, float, tuple[Line, ...]]:
    """The text that answers `question`, its confidence (that of the weakest line cited, 0 to 1) and the lines cited.

    Where a date, a price, a telephone number, an e-mail or a web address is asked for, these are the lines that have one;
    otherwise, and where no line has one, all of them. Without lines: an empty text, 0 and no line.
    """
    cited = _matching(_plain(question), reading.lines) or reading.lines
    return "\n".join(line.text for line in cited), min((line.confidence for line in cited), default=0.0), cited


def _matching(question: str, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    for asked, looks in _FINDS:
        if asked.search(question):
            found = tuple(line for line in lines if looks.search(line.text))
            if found:
                return found
    return ()


def _plain(question: str) -> str:
    """Lower case, straight quotes, single spaces, without the opening courtesies and the question mark."""
    plain = " ".join(question.lower().replace("’", "'").split()).rstrip(" ?!.")
    return _OPENING.sub("", plain)
