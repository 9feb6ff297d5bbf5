"""Pictures in Markdown: where their texts stand, and what is none."""

from collections.abc import Callable
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from seesay.alttext.found import Change, Mark, digest_of
from seesay.alttext.kinds.markdown import Markdown
from seesay.alttext.places import Archive, Folder
from seesay.alttext.record import Record, record_path

LINES = st.sampled_from(
    [
        "![](a.png)",
        "![old](b.png)",
        'text ![](c.png "t") more',
        "> ![](d.png)",
        "> > lazy",
        "- ![](e.png)",
        "  1. ![](f.png)",
        "    ![](code.png)",
        "```",
        "~~~",
        "`![](g.png)`",
        "![][ref]",
        "![ref]",
        "[ref]: h.png",
        "| ![](i.png) | ![](i.png) |",
        "|---|---|",
        "<img src=j.png>",
        "<p><img src=k.png",
        "  alt=x></p>",
        "# ![](l.png) #",
        "===",
        "\\![](no.png)",
        "[![](m.png)](n.html)",
        "![a ![](o.png)](p.png)",
        "<!-- ![](q.png) -->",
        "",
        "\t![](r.png)",
        "*a ![](<s t.png>) b*",
        "![multi",
        "line](u.png)",
        "![](v.png)![](v.png)",
        "---",
        "lang: de",
        "&amp; ![](w.png)",
    ]
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def read(source: str, record: Record | None = None) -> Markdown:
    return Markdown(Path("page.md"), source.encode(), Archive("page.md", {}), record or Record({}))


def by_markdown_it(source: str) -> list[tuple[str, str]]:
    """The pictures of a plain renderer, in order: address and text."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(source)
    images = [child for token in tokens for child in token.children or [] if child.type == "image"]
    render: Callable[..., str] = MarkdownIt().renderer.renderInlineAsText
    return [(str(image.attrs["src"]), render(image.children or [], MarkdownIt().options, {})) for image in images]


@given(st.lists(LINES, max_size=12), ENDS)
@example(["<img src=j.png>", "|---|---|"], "\n")  # a pipe in the new text made a table of the two
def test_new_texts_are_what_a_renderer_then_shows_and_nothing_else_changes(lines: list[str], end: str) -> None:
    source = end.join(lines)
    document = read(source)
    assert document.written({})[Path("page.md")] == source.encode()
    missing = [found for found in document.found if found.alt is None and not found.locked]
    changes = {found.key: Change(f"New [{n}] *text* | \\", None) for n, found in enumerate(missing)}
    made = document.written(changes)[Path("page.md")].decode()
    again = read(made)
    assert [found.src for found in again.found] == [found.src for found in document.found]
    wanted = {found.key: changes[found.key].alt if found.key in changes else found.alt for found in document.found}
    assert {found.key: found.alt for found in again.found} == wanted
    front = source.startswith("---")
    if not front:
        assert [src for src, _ in by_markdown_it(made)] == [src for src, _ in by_markdown_it(source)]
        assert [alt for _, alt in by_markdown_it(made)].count("New [0] *text* | \\") <= 1


@given(st.text(alphabet="![]()<>`| \\\n\tab#-*&;", max_size=60))
def test_any_text_is_read(source: str) -> None:
    document = read(source)
    for found in document.found:
        if not found.locked and found.alt is None:
            document.written({found.key: Change("x", None)})


def test_code_is_left_alone_and_labels_of_references_are_texts() -> None:
    found = read("`![](a)`\n\n```\n![](b)\n```\n\n    ![](c)\n\n![dog]\n\n![dog][]\n\n![][dog]\n\n[dog]: d.png\n").found
    assert [(one.src, one.alt) for one in found] == [("d.png", "dog"), ("d.png", "dog"), ("d.png", None)]


def test_front_matter_is_no_heading_and_tells_the_language() -> None:
    (found,) = read("---\ntitle: x\nlang: nl\n---\n# Dieren\n\n![](a.png)\n").found
    assert (found.context.language, found.context.heading, found.line) == ("nl", "Dieren", 7)


def test_words_around_and_links_are_told() -> None:
    document = read("# Pets\n\nThe one before.\n\nHere [is ![](a.png) it](b.html), see.\n\nThe one after.\n")
    context = document.found[0].context
    assert (context.heading, context.link and (context.link.target, context.link.text)) == ("Pets", ("b.html", "is it"))
    assert context.before.endswith("Here is") and context.after.startswith("it, see.")
    assert "The one before." in context.before and "The one after." in context.after


def test_the_record_knows_our_texts_wherever_they_go_and_no_others(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("![](a.png)\n\n![](b.png)\n", encoding="utf-8")
    document = Markdown.open(file, file.read_bytes(), Folder(file))
    changes = {
        found.key: Change(f"Text of {found.src}", Mark("test", digest_of(f"Text of {found.src}")))
        for found in document.found
    }
    for path, data in document.written(changes).items():
        path.write_bytes(data)
    assert "Text of" not in record_path(file).read_text(encoding="utf-8")
    file.write_text("![Text of b.png](b.png)\n\n![Text of mine](a.png)\n\n![Text of a.png](c.png)\n", encoding="utf-8")
    found = Markdown.open(file, file.read_bytes(), Folder(file)).found
    assert [one.standing for one in found] == ["ours", "human", "human"]
    for broken in (
        "[",
        '{"format": "seesay alt record 1", "written": [1, {"picture": 3}, {"picture": "b.png", "by": "x"}]}',
        "[]",
    ):
        record_path(file).write_text(broken, encoding="utf-8")
        assert [one.standing for one in Markdown.open(file, file.read_bytes(), Folder(file)).found] == ["human"] * 3
