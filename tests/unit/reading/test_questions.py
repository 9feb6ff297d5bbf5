"""Which questions ask for text, and which lines answer them."""

import pytest

from seesay.reading import answer_from, asks_for_text
from seesay.types import Line, Reading

ASK_FOR_TEXT = """
what does the sign say?
What does this sign say
What do the signs say?
what does it say?
What does the man's shirt say?
what does the note on the fridge say?
What is the sign saying?
what does the label read?
Can you tell me what this says?
Please tell me what the sign says.
tell me what it says
could you tell me what the label says?
What does the text say?
what did the poster say?
what does the top line say
What does the clock's display read?
read this
Read this.
Read the sign
Please read this label.
can you read this?
Could you read me the letter please?
read all the text
read the text on the box
Read out the headline
read it to me
Can you please read the menu?
transcribe this note
Transcribe the handwriting
what is written on the label?
What's written here?
what is written on the man's hat
What has been written on the wall?
What is printed on the t-shirt?
what words are written on the bus?
what is engraved on the ring?
What text is there?
what text is in the image?
What is the text on the cup?
what words are on the sign?
What word is on the shirt?
what are the words on the banner?
which word can you see?
what letters are on the plane?
what letter is on the hat?
What number is on the bus?
what is the number on the jersey?
What's the number on the door?
what is the title of the book?
What is the title of this book?
what is the headline?
what is the caption?
What is the name of the street?
what is the name of the store?
what is the name on the badge?
What is the brand name?
what's the expiry date?
What is the expiration date on this carton?
when does this milk expire?
What is the best before date?
what is the date on the newspaper?
what is the phone number?
What's the telephone number on the sign?
what phone number is on the truck?
what is the price?
what is the price of the apples?
How much does it cost?
how much is this?
how much is the total?
what is the total on the receipt?
what's the email address?
What is the e-mail address?
What is the web address?
what is the website?
what is the url on the van?
what is the license plate number?
What is the licence plate?
what is the serial number?
what is the model number of this printer?
what is the wifi password?
What are the ingredients?
What are the opening hours?
when does the shop open?
what time does the store close?
what is the speed limit?
What's the address on the envelope?
what is the flight number?
what street is this?
Hi, what does this bottle say please?
WHAT DOES THE SIGN SAY???
what’s the expiry date?
can you make out what it says?
"""

ASK_FOR_SOMETHING_ELSE = """
what is the sign's color?
what color is the sign?
What colour is the text?
what color are the letters?
what does the dog eat?
is there a sign?
Is there any text?
is there a sign on the wall?
how many signs are there?
how many words are on the sign?
What shape is the sign?
where is the sign?
where is the text?
what is the sign made of?
what is next to the sign?
what is behind the stop sign?
what animal is this?
What is this?
what is in the picture?
what is the man doing?
What is the man reading?
what is the woman writing?
is the man reading a book?
is she reading?
who is reading the newspaper?
can the boy read?
Where is the man reading?
what does the cow say?
what does the man say?
What language is the sign in?
what font is the title?
what kind of sign is this?
what type of letter is it?
what time is it?
what is the number of dogs?
how many numbers are on the clock?
what is the weather like?
What does the sign mean?
what does the man hold?
what does the woman wear?
what do the people do?
what does the traffic light show?
what color is the book?
How big is the label?
is the label red?
does the sign say stop?
Is the price over ten dollars?
are there any numbers?
is this a receipt?
what is on the table?
what's on the plate?
what is on the sign's left?
how many plates are there?
what food is on the plate?
which hand holds the phone?
what is the man's phone case made of?
is the store open?
what is the name of this animal?
What is the name of this fruit?
what sport is this?
what room is the sofa in?
what season is it?
What is the cat looking at?
what brand is the car?
how many people are there?
how old is the man?
Who is in the photo?
why is the sign bent?
what is the boy's mood?
when was this photo taken?
how much water is in the glass?
how much hair does he have?
What is the bird's body length?
what size is the letter?
describe the picture
"""


def rows(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("question", rows(ASK_FOR_TEXT))
def test_questions_that_ask_for_text(question: str) -> None:
    assert asks_for_text(question)


@pytest.mark.parametrize("question", [*rows(ASK_FOR_SOMETHING_ELSE), "", "?"])
def test_questions_that_ask_for_something_else(question: str) -> None:
    assert not asks_for_text(question)


def reading(*texts: str) -> Reading:
    """Lines with confidences 0.9, 0.8, ... from the top."""
    box = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
    lines = tuple(Line(text, round(0.9 - 0.1 * index, 1), box, "top") for index, text in enumerate(texts))
    return Reading(lines, "", "")


CARTON = reading(
    "Fresh milk",
    "packed 01.03.2027",
    "EXP 12/05/2027",
    "$1.99",
    "Call (555) 201-4478",
    "hello@milk.org",
    "www.milk.org",
)


@pytest.mark.parametrize(
    ("question", "answer", "confidence"),
    [
        ("What does the carton say?", CARTON.text, 0.3),
        ("Read this", CARTON.text, 0.3),
        ("What's the expiry date?", "EXP 12/05/2027", 0.7),
        ("When does it expire?", "EXP 12/05/2027", 0.7),
        ("What dates are on it?", "packed 01.03.2027\nEXP 12/05/2027", 0.7),
        ("What is the price?", "$1.99", 0.6),
        ("How much does it cost?", "$1.99", 0.6),
        ("What is the phone number?", "Call (555) 201-4478", 0.5),
        ("What's the e-mail address?", "hello@milk.org", 0.4),
        ("What is the website?", "www.milk.org", 0.3),
        ("What is the serial number?", CARTON.text, 0.3),
    ],
)
def test_the_lines_that_answer(question: str, answer: str, confidence: float) -> None:
    text, sure, cited = answer_from(question, CARTON)
    assert (text, sure) == (answer, confidence)
    assert "\n".join(line.text for line in cited) == text


def test_what_is_not_found_gives_all_lines() -> None:
    text, _, cited = answer_from("What's the expiry date?", reading("Fresh milk", "1 litre"))
    assert (text, len(cited)) == ("Fresh milk\n1 litre", 2)


def test_the_line_of_the_total_comes_before_other_prices() -> None:
    receipt = reading("Tea 2.50", "Cake 4.00", "TOTAL 6.50")
    assert answer_from("What is the total?", receipt)[0] == "TOTAL 6.50"
    assert answer_from("What are the prices?", receipt)[0] == receipt.text


@pytest.mark.parametrize(
    "date", ["2027-05-12", "12.05.27", "12 May 2027", "MAY 12, 2027", "05/2027", "JUN 2027", "June 3rd"]
)
def test_ways_to_write_a_date(date: str) -> None:
    assert answer_from("what is the date?", reading("Milk", f"on {date}", "1 litre"))[0] == f"on {date}"


def test_nothing_read_gives_nothing() -> None:
    assert answer_from("What does it say?", reading()) == ("", 0.0, ())
