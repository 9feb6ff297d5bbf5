"""seesay in a minute: pictures described, asked about, read, explained and spoken, on one page that needs nothing else.

    python examples/demo.py --output runs/demo/index.html

It needs the core install only: no torch, no network, no GPU.
Next: `seesay ask photo.jpg "What animal is this?"` with pictures of your own.
"""

import argparse
import io
import statistics
import tempfile
import time
from base64 import b64encode
from html import escape
from pathlib import Path
from string import Template

from PIL import Image

import seesay
from seesay.answering.draw import draw_evidence

HERE = Path(__file__).parent
UNLIKELY = 0.05
"""Below this score other answers are left out."""
ASKED = {
    "cat.jpg": ("What animal is this?", "Is there a cat?", "Is there a dog?", "How many cats are there?", "How old is the cat?"),
    "dogs.jpg": ("What animal is this?", "How many dogs are there?", "Is there a soccer ball?", "Where is the soccer ball?",
                 "What color is the background?", "Is there a unicycle?"),
    "apple-and-cup.jpg": ("What color is the apple?", "Is the apple to the left of the cup?", "What is to the left of the cup?",
                          "Where is the cup?", "How many apples are there?", "How much does the apple cost?"),
    "sign.jpg": ("What does the sign say?", "How much is the bread?", "What is this?", "Is there a dog?",
                 "What does the bread smell like?"),
    "coffee.jpg": ("What do you see?", "Is there a cup?", "Is there a spoon?", "How many cups are there?", "What color is the cup?",
                   "What brand is the coffee?"),
    "rocket.jpg": ("What is this?", "Is there a rocket?", "Is there a bird?", "Where is the rocket?", "How fast is the rocket?"),
}  # fmt: skip
"""What is asked about each picture. The first answer that the model gives is explained."""


def title_of(name: str) -> str:
    return Path(name).stem.replace("-", " ").capitalize()


def data_url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"


def as_jpeg(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=85)
    return data_url("image/jpeg", buffer.getvalue())


def answer_html(question: str, answer: seesay.Answer) -> str:
    """One entry of the list: the question, the answer, how sure it is, and what else it could be."""
    if answer.text is None:
        given = f'<dd class="answer withheld">I cannot tell</dd><dd class="more">{escape(answer.reason)}</dd>'
    else:
        likely = [one for one in answer.alternatives[1:] if one.score >= UNLIKELY]
        notes = ["read in the picture" if answer.lines else answer.certainty, f"score {answer.score:.0%}"]
        notes += ["or " + ", ".join(f"{one.text} ({one.score:.0%})" for one in likely)] if likely else []
        given = (
            f'<dd class="answer">{escape(answer.text)}</dd><dd class="more"><span class="bar" aria-hidden="true" '
            f'style="--score: {answer.score:.0%}"><span></span></span>{escape(" · ".join(filter(None, notes)))}</dd>'
        )
    return f"<div><dt>{escape(question)}</dt>{given}</div>"


def evidence_html(model: seesay.Model, picture: Path, question: str, answer: str) -> str:
    """What the answer hangs on, as a figure."""
    found = model.evidence(picture, question, answer)
    drawn: Image.Image = Image.open(io.BytesIO(draw_evidence(picture, question, found, words=False)))
    trust = "" if found.trusted else " Do not trust it: other parts matter as much."
    return (
        f'<figure><img src="{as_jpeg(drawn)}" width="{drawn.width}" height="{drawn.height}" alt="The same picture in gray, '
        f'orange where the answer hangs."><figcaption><strong>{escape(question)} {escape(answer)}</strong>Orange: where the '
        f"answer is lost when hidden. Hidden first, these parts leave {found.deletion:.0%} of the score; hidden in random order, "
        f"{found.chance:.0%}.{trust}</figcaption></figure>"
    )


def article(model: seesay.Model, picture: Path, questions: tuple[str, ...]) -> tuple[str, str, list[seesay.Answer]]:
    """The picture's part of the page, its caption and its answers."""
    caption = model.caption(picture).text or "I cannot describe it"
    answers = model.ask(picture, list(questions), top_k=3)
    seen = [(q, a.text) for q, a in zip(questions, answers, strict=True) if a.text and not a.lines]
    evidence = evidence_html(model, picture, *seen[0]) if seen else ""
    read = "".join(f" It says: {a.text}." for a in answers[:1] if a.lines)
    spoken = f"I see {caption}.{read}".replace("\n", ", ")
    with tempfile.TemporaryDirectory() as folder:
        seesay.save_speech(seesay.speak(spoken), Path(folder, "spoken.wav"))
        sound = data_url("audio/wav", Path(folder, "spoken.wav").read_bytes())
    with Image.open(picture) as opened:
        shown = f'<img src="{as_jpeg(opened)}" width="{opened.width}" height="{opened.height}" alt="{escape(caption)}">'
    title = title_of(picture.name)
    html = (
        f'<article id="{escape(picture.stem)}" aria-label="{title}"><h2>{title}</h2>\n<div class="pair"><figure>{shown}'
        f"<figcaption><strong>{escape(caption)}</strong>The model’s own caption.</figcaption></figure>\n{evidence}</div>\n"
        f"<dl>{''.join(answer_html(q, a) for q, a in zip(questions, answers, strict=True))}</dl>\n"
        f'<div class="spoken"><audio controls preload="metadata" src="{sound}" aria-label="Spoken: {title}"></audio>'
        f"<p>“{escape(spoken)}”</p></div></article>"
    )
    return html, caption, answers


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--output", type=Path, default=Path("runs/demo/index.html"))
arguments = parser.parse_args()

started = time.perf_counter()
model = seesay.load()
print(f"model loaded in {time.perf_counter() - started:.1f} s")
articles, given = [], list[seesay.Answer]()
for name, questions in ASKED.items():
    before = time.perf_counter()
    html, caption, answers = article(model, HERE / "pictures" / name, questions)
    articles.append(html)
    given += answers
    told = sum(answer.text is not None for answer in answers)
    print(f"{name:18} {time.perf_counter() - before:4.1f} s  {told} of {len(answers)} answered  {caption}")
seconds = time.perf_counter() - started
each = statistics.median(answer.provenance.seconds for answer in given)
engines = ", ".join(dict.fromkeys(part for answer in given for part in answer.provenance.engine.split(", ")))
page = Template((HERE / "demo.html").read_text("utf-8")).substitute(
    pictures=len(ASKED), questions=len(given), seconds=f"{seconds:.0f}", each=f"{each:.2f}", engines=escape(engines),
    links="".join(f'<li><a href="#{Path(name).stem}">{title_of(name)}</a></li>' for name in ASKED),
    articles="\n".join(articles), model=escape(given[0].provenance.model), version=seesay.__version__,
    names=f"{round(model.family.checkpoint.config['names'], -2):,}",
)  # fmt: skip
arguments.output.parent.mkdir(parents=True, exist_ok=True)
arguments.output.write_text(page, "utf-8")
print(f"{len(given)} answers, {each:.2f} s each; {seconds:.1f} s in all with {engines}")
print(f"look at {arguments.output.resolve()}")
