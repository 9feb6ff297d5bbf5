"""Pictures are found where a browser finds them: held against html5lib, which follows the same standard."""

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.alttext.found import Change
from seesay.alttext.markup import parse
from seesay.alttext.pages import edited, spots
from seesay.alttext.places import Archive

PIECES = st.sampled_from(
    [
        "<img src=a>",
        '<img alt="x>y" src=b>',
        "<IMG\nSRC='c'ALT>",
        "<img/src=d/alt=e>",
        "<img alt = 'f' alt=g src=h>",
        "<img src=i",
        "<!-- <img src=no> -->",
        "<!--><img src=j>",
        "<!-- -- > <img src=no> --!>",
        "<!doctype html>",
        "<?php <img src=k> ?>",
        "<script>'<img src=no>'</script>",
        "<style><img src=no></style>",
        "<textarea><img src=no></textarea>",
        "<title><img src=no></title>",
        "<p>",
        "</p>",
        "<a href=x>",
        "</a>",
        "text & <b>bold</b>",
        "< img src=no>",
        "<p title='<img src=no>'>",
        "</p <img src=no>>",
        "<script",
        "'",
        '"',
        ">",
        "-->",
        "<div>",
        "</div>",
        "<li>",
        "&lt;img&gt;",
        "<svg><title>t</title></svg>",
        "<img alt=&quot;q&amp;>",
        "<noembed><img src=no></noembed>",
        "<iframe><img src=no></iframe>",
        "<input type=image src=l>",
        "\r\n",
        "\x0c",
        "é",
    ]
)


def by_html5lib(source: str) -> list[tuple[str | None, str | None]]:
    tree = html5lib.parse(source, namespaceHTMLElements=False)
    return [(element.get("src"), element.get("alt")) for element in tree.iter("img")]


def ours(source: str) -> list[tuple[str | None, str | None]]:
    return [(element.get("src"), element.get("alt")) for element in parse(source).all() if element.tag == "img"]


@given(st.lists(PIECES, max_size=14).map("".join))
def test_pictures_are_those_that_html5lib_finds(source: str) -> None:
    assert ours(source) == by_html5lib(source)


@given(st.text(alphabet="<>=/'\"! -imgalt srcp?&;\n[]", max_size=60))
def test_any_text_is_read_and_every_place_is_inside_it(source: str) -> None:
    for element in parse(source).all():
        assert source[element.start] == "<"
        assert 0 <= element.start < element.end <= element.close <= len(source)
        for attribute in element.attributes:
            assert element.start < attribute.start < attribute.end <= element.end


@given(st.lists(PIECES, max_size=14).map("".join), st.text(max_size=20))
def test_a_new_text_is_what_html5lib_then_reads_and_everything_else_stays(source: str, text: str) -> None:
    text = "".join(character for character in text if character.isprintable())
    found = spots(source, Archive("page.html", {}))
    assert edited(source, found, {}) == source
    pictures = [spot for spot in found if spot.element.tag == "img"]
    made = edited(source, found, {spot.found.key: Change(text, None) for spot in pictures})
    before = [src for src, _ in by_html5lib(source)]
    # One picture the standard knows in an unseen place (a template) would be left; there is none among the pieces.
    assert by_html5lib(made) == [(src, text) for src in before]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("?a=1&copy=2", "?a=1&copy=2"),
        ("?a&amp;b", "?a&b"),
        ("&eacute;", "é"),
        ("&copy;", "©"),
        ("&copy", "©"),
        ("&#65;&#x42", "AB"),
    ],
)
def test_references_in_attributes_are_read_as_the_standard_says(written: str, meant: str) -> None:
    source = f'<img src="{written}">'
    assert ours(source) == by_html5lib(source) == [(meant, None)]


def test_xhtml_has_elements_that_end_themselves_and_cdata() -> None:
    source = '<p/><a href="x"/><![CDATA[<img src="no"/>]]><img src="a"/><svg:svg><svg:title>t</svg:title></svg:svg>'
    pictures = [element for element in parse(source, xml=True).all() if element.tag == "img"]
    assert [element.get("src") for element in pictures] == ["a"]
    assert pictures[0].nearest("a", "p") is None


def test_a_very_deep_page_is_read() -> None:
    source = "<div>" * 20_000 + "<img src=a>"
    assert ours(source) == [("a", None)]
    assert [spot.found.src for spot in spots(source, Archive("page.html", {}))] == ["a"]
