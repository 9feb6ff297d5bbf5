"""Every case of the W3C's images tutorial and its decision tree (https://www.w3.org/WAI/tutorials/images/), on real pages
with the embedded model."""

from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from seesay import api
from seesay.alttext.propose import Finding
from seesay.settings import AltSettings


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, alt_documents: ModuleType) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for name in ("cat.jpg", "sign.jpg", "rocket.jpg"):
        (folder / name).write_bytes((alt_documents.EXAMPLES / name).read_bytes())
    alt_documents.chart(folder / "figure.png")
    Image.new("RGB", (40, 40), "navy").save(folder / "dot.png")
    Image.new("RGB", (300, 300), "navy").save(folder / "swatch.png")
    Image.linear_gradient("L").resize((400, 4)).save(folder / "line.png")
    (folder / "drawn.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><title>A blue circle</title></svg>')
    (folder / "untitled.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>')
    (folder / "contact.html").write_text("<!doctype html><title>Write to us</title>")
    return folder


def one(pictures: Path, body: str, *, lang: str = "en", **given: object) -> Finding:
    page = pictures / "page.html"
    page.write_text(f'<!doctype html><html lang="{lang}"><body>{body}</body></html>', encoding="utf-8")
    return api.alt(AltSettings(**given), [str(page)]).findings[0]  # type: ignore[arg-type]


DECORATIVE = [
    '<img src="cat.jpg" role="presentation">',
    '<div aria-hidden="true"><img src="cat.jpg"></div>',
    '<img src="http://example.org/count.gif" width="1" height="1">',
    '<img src="cat.jpg" style="height: 2px">',
    '<img src="dot.png">',
    '<img src="line.png">',
    '<a href="x.html"><img src="cat.jpg" width="16" height="16"> Our cat</a>',
    '<a href="x.html" aria-label="Our cat"><img src="cat.jpg"></a>',
    "<p>The Old Bakery: fresh bread $3.50, open daily 8 am to 6 pm</p><img src=sign.jpg>",
]


@pytest.mark.parametrize("body", DECORATIVE)
def test_decoration_is_given_an_empty_text(pictures: Path, body: str) -> None:
    finding = one(pictures, body, min_certainty=0.85)
    assert finding.suggestion is not None
    assert (finding.action, finding.suggestion.alt, finding.suggestion.role) == ("write", "", "decorative")


def test_a_large_picture_of_one_color_may_be_a_sample_of_it(pictures: Path) -> None:
    finding = one(pictures, "<img src=swatch.png>")
    assert (finding.action, finding.suggestion and finding.suggestion.alt) == ("review", "")


@pytest.mark.parametrize(
    ("body", "alt"),
    [
        ('<a href="/"><img src="cat.jpg"></a>', "Home"),
        ('<a href="contact.html"><img src="cat.jpg"></a>', "Write to us"),
        ('<a href="mailto:a@b.org?subject=x"><img src="cat.jpg"></a>', "E-mail a@b.org"),
        ('<a href="cat.jpg"><img src="cat.jpg"></a>', "Enlarge: Cat"),
        (
            '<a href="https://www.example.org/annual-report.pdf"><img src="cat.jpg"></a>',
            "Annual report (PDF), example.org",
        ),
        ('<h2 id="how">How to come here</h2><a href="#how"><img src="cat.jpg"></a>', "How to come here"),
        ('<a href="x.html" title="Our shop"><img src="cat.jpg"></a>', "Our shop"),
        ('<button><img src="search.png"></button>', "Search"),
        ('<input type="image" src="cat.jpg" value="Send">', "Send"),
        ('<a href="x.pdf">Report <img src="pdf-icon.png"></a>', "PDF"),
        ('<img src="cat.jpg" alt="Plan" usemap="#m"><map name=m><area href="contact.html"></map>', "Write to us"),
    ],
)
def test_a_link_or_a_button_is_called_after_what_it_does_and_left_for_review(
    pictures: Path, body: str, alt: str
) -> None:
    page = pictures / "page.html"
    page.write_text(f"<!doctype html><html lang=en><body>{body}</body></html>", encoding="utf-8")
    finding = api.alt(AltSettings(), [str(page)]).findings[-1]
    assert finding.suggestion is not None
    assert (finding.action, finding.suggestion.alt, finding.suggestion.role) == ("review", alt, "functional")


def test_a_chart_gets_a_short_text_and_a_note_that_it_needs_a_long_one(pictures: Path) -> None:
    for body in ("<img src=figure.png>", "<figure><img src=figure.png><figcaption>Chart 3</figcaption></figure>"):
        finding = one(pictures, body)
        told = finding.suggestion
        assert told is not None
        assert (finding.action, told.role, told.needs_long) == ("review", "complex", True)
        assert told.alt.endswith("hart or diagram: Visitors by month") or told.alt == "Chart: Visitors by month"
        assert "Jan" in told.long


def test_a_picture_of_text_has_that_text(pictures: Path) -> None:
    told = one(pictures, "<img src=sign.jpg>").suggestion
    assert told is not None
    assert (told.role, told.alt) == ("text", "THE OLD BAKERY Fresh bread $3.50 Open daily 8 am to 6 pm")
    short = one(pictures, "<img src=sign.jpg>", limit=30)
    assert short.action == "review"
    assert short.suggestion is not None and short.suggestion.needs_long
    assert len(short.suggestion.alt) <= 30 and short.suggestion.long == told.alt


def test_a_photograph_is_described_and_a_guess_is_never_written(pictures: Path) -> None:
    sure = one(pictures, "<img src=cat.jpg>")
    assert (sure.action, sure.suggestion and sure.suggestion.alt) == ("write", "A cat")
    guessed = one(pictures, "<img src=rocket.jpg>")
    assert (guessed.action, guessed.suggestion and guessed.suggestion.alt) == ("review", "Rocket")
    assert guessed.suggestion is not None and guessed.suggestion.by == "file name"
    doubtful = one(pictures, "<img src=cat.jpg>", min_certainty=0.99)
    assert doubtful.action == "review" and "almost certain" in doubtful.why


def test_a_caption_is_not_repeated(pictures: Path) -> None:
    finding = one(pictures, "<figure><img src=cat.jpg><figcaption>Our cat Minka</figcaption></figure>")
    assert finding.action == "review" and "caption" in finding.why


def test_english_words_in_a_page_of_another_language_are_for_review(pictures: Path) -> None:
    finding = one(pictures, "<p lang=nl><img src=cat.jpg></p>", lang="de")
    assert finding.action == "review" and "'nl'" in finding.why
    assert one(pictures, "<p lang=en-GB><img src=cat.jpg></p>", lang="de").action == "write"
    # What the picture says, it says in any language; letters that the reader lacks are another matter.
    assert one(pictures, "<img src=sign.jpg>", lang="de").action == "write"
    assert "letters" in one(pictures, "<img src=sign.jpg>", lang="ru").why


@pytest.mark.parametrize(
    ("body", "alt"),
    [
        ('<img src="cat.jpg" title="Minka, our cat">', "Minka, our cat"),
        ('<img src="cat.jpg" aria-label="Minka">', "Minka"),
        ('<span id="n">Minka asleep</span><img src="cat.jpg" aria-labelledby="n">', "Minka asleep"),
        ('<img src="drawn.svg">', "A blue circle"),
        ("<img src=\"data:image/svg+xml,%3Csvg xmlns='x'%3E%3Ctitle%3ESun%3C/title%3E%3C/svg%3E\">", "Sun"),
    ],
)
def test_what_an_author_called_it_is_taken_over(pictures: Path, body: str, alt: str) -> None:
    finding = one(pictures, body)
    assert (finding.action, finding.suggestion and finding.suggestion.alt) == ("write", alt)


@pytest.mark.parametrize(
    ("body", "action", "why"),
    [
        ('<img src="https://example.org/a.png">', "skip", "not fetched"),
        ('<img src="//example.org/a.png">', "skip", "not fetched"),
        ('<img src="untitled.svg">', "skip", "without a title"),
        ("<svg><path/></svg>", "skip", "title"),
        ('<img src="none.png">', "fail", "no such file"),
        ('<img src="../../../etc/passwd">', "fail", "--root"),
        ('<img src="/cat.jpg">', "fail", "--root"),
        ('<img src="file:///etc/passwd">', "fail", "not opened"),
        ('<img src="page.html">', "fail", "web page"),
        ("<img>", "fail", "no picture"),
        ('<img src="cat.jpg" alt="">', "keep", "empty"),
        ('<img src="cat.jpg" alt="Minka">', "keep", "person"),
    ],
)
def test_what_is_not_done_is_told(pictures: Path, body: str, action: str, why: str) -> None:
    finding = one(pictures, body)
    assert finding.action == action
    assert why in finding.why


def test_a_drawing_in_the_page_that_names_itself_is_no_matter(pictures: Path) -> None:
    page = pictures / "page.html"
    named = "<svg><title>Sun</title></svg><svg aria-label=Moon></svg><svg aria-hidden=true></svg>"
    page.write_text(f"<html lang=en>{named}<svg><g><svg></svg></g></svg>", encoding="utf-8")
    assert [finding.found.element for finding in api.alt(AltSettings(), [str(page)]).findings] == ["svg"]


def test_a_page_that_somebody_changes_meanwhile_is_left_alone(pictures: Path) -> None:
    page = pictures / "page.html"
    page.write_text("<html lang=en><img src=cat.jpg>", encoding="utf-8")

    def edit(done: int, total: int) -> None:
        page.write_text("<html lang=en><img src=cat.jpg alt=Minka>", encoding="utf-8")

    outcome = api.alt(AltSettings(write=True), [str(page)], edit)
    assert outcome.written == () and "changed while" in str(outcome.problems[0])
    assert page.read_text(encoding="utf-8").endswith("alt=Minka>")


def test_models_whose_scores_mean_nothing_write_only_where_that_is_said(pictures: Path, git_checkpoint: Path) -> None:
    model = str(git_checkpoint)
    finding = one(pictures, "<img src=cat.jpg>", model=model)
    assert finding.suggestion is not None
    assert (finding.action, finding.suggestion.score, finding.suggestion.by) == ("review", None, model)
    assert "do not say how often" in finding.why
    assert one(pictures, "<img src=cat.jpg>", model=model, min_certainty=0.0).action == "write"


def test_an_empty_text_is_filled_where_that_is_wanted(pictures: Path) -> None:
    assert one(pictures, '<img src="cat.jpg" alt="">', also_empty=True).action == "write"
    assert one(pictures, '<img src="cat.jpg" alt="Minka">', also_empty=True).action == "keep"


def test_a_root_allows_what_lies_in_it(pictures: Path) -> None:
    below = pictures / "below"
    below.mkdir(exist_ok=True)
    page = below / "page.html"
    page.write_text('<html lang=en><img src="/cat.jpg"><img src="../cat.jpg">', encoding="utf-8")
    assert [one.action for one in api.alt(AltSettings(), [str(page)]).findings] == ["fail", "fail"]
    assert [one.action for one in api.alt(AltSettings(root=pictures), [str(page)]).findings] == ["write", "write"]


def test_a_link_out_of_the_folder_is_not_followed(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html lang=en><img src=cat.jpg>", encoding="utf-8")
    (tmp_path / "cat.jpg").symlink_to(pictures / "cat.jpg")
    (finding,) = api.alt(AltSettings(), [str(tmp_path / "page.html")]).findings
    assert finding.action == "fail" and "outside" in finding.why


def test_late_pictures_and_data_urls_are_opened(pictures: Path) -> None:
    import base64

    cat = base64.b64encode((pictures / "cat.jpg").read_bytes()).decode()
    bodies = (
        '<img data-src="cat.jpg" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
        '<img srcset="cat.jpg 1x, big.jpg 2x">',
        f'<picture><source srcset="x.avif"><img src="data:image/jpeg;base64,{cat[:60]}\n{cat[60:]}"></picture>',
    )
    for body in bodies:
        assert one(pictures, body).action == "write"


def test_the_text_in_a_pictures_own_file_is_taken(pictures: Path, alt_documents: ModuleType, tmp_path: Path) -> None:
    alt_documents.MAKERS["png"](tmp_path, ["Minka, seen from the left"])
    (tmp_path / "page.html").write_text("<html lang=de><img src=drawn.png>", encoding="utf-8")
    (finding,) = api.alt(AltSettings(), [str(tmp_path / "page.html")]).findings
    assert (finding.action, finding.suggestion and finding.suggestion.alt) == ("write", "Minka, seen from the left")
