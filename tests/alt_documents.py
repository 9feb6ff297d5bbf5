"""One small document of each kind, with pictures that have the texts one asks for. A new kind adds its maker here."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from seesay.alttext.documents import kind_of
from seesay.alttext.picture_file import PictureFile

PICTURES = ("cat.jpg", "coffee.jpg", "sign.jpg")
EXAMPLES = Path(__file__).parents[1] / "examples" / "pictures"
Texts = Sequence[str | None]


def attribute(text: str | None) -> str:
    """`alt="..."` with a space before it, or nothing."""
    if text is None:
        return ""
    return ' alt="' + text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;") + '"'


def html(folder: Path, texts: Texts) -> Path:
    pictures = "\r\n".join(f"<p>Here:\t<IMG  src={_copy(folder, n)}{attribute(t)} ></p>" for n, t in enumerate(texts))
    page = folder / "page.html"
    page.write_bytes(f"\ufeff<!DOCTYPE html><html lang=en><!-- <img src=x> --><body>\r\n{pictures}</body>".encode())
    return page


def markdown(folder: Path, texts: Texts) -> Path:
    lines = [f"- one\n  > ![{text or ''}]({_copy(folder, n)})\n" for n, text in enumerate(texts)]
    page = folder / "page.md"
    page.write_bytes(("# Pets\n\n```\n![](code.png)\n```\n\n" + "\n".join(lines)).encode())
    return page


def epub(folder: Path, texts: Texts, *, version: str = "3.0", language: str = "en") -> Path:
    """A book of two chapters that epubcheck finds nothing wrong with: pictures are in the first."""
    names = [_copy(folder, n) for n in range(len(texts))]
    body = "".join(
        f'<p>A picture: <img src="../images/{name}"{attribute(t)}/></p>' for name, t in zip(names, texts, strict=True)
    )
    book = folder / "book.epub"
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr(zipfile.ZipInfo("mimetype", (2020, 1, 1, 0, 0, 0)), "application/epub+zip")
        for name, content in _book(body, sorted(set(names)), version, language).items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
        for name in sorted(set(names)):
            archive.write(folder / name, f"OEBPS/images/{name}")
    return book


def _book(body: str, names: list[str], version: str, language: str) -> dict[str, str]:
    three = version.startswith("3")
    doctype = (
        "<!DOCTYPE html>"
        if three
        else '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">'
    )

    def chapter(title: str, content: str) -> str:
        head = f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{title}</title></head>'
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype}\n{head}<body><h1>{title}</h1>{content}</body></html>'

    pictures = "".join(
        f'<item id="i{n}" href="images/{name}" media-type="image/jpeg"/>' for n, name in enumerate(names)
    )
    navigation = (
        '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
        if three
        else '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    )
    table_of_contents = ' toc="ncx"'
    modified = '<meta property="dcterms:modified">2020-01-01T00:00:00Z</meta>' if three else ""
    made = {
        "META-INF/container.xml": '<?xml version="1.0"?>\n<container version="1.0"'
        ' xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf"'
        ' media-type="application/oebps-package+xml"/></rootfiles></container>',
        "OEBPS/book.opf": f'<?xml version="1.0"?>\n<package xmlns="http://www.idpf.org/2007/opf" version="{version}"'
        ' unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:identifier id="id">urn:uuid:00000000-0000-4000-8000-000000000000</dc:identifier><dc:title>Book</dc:title>'
        f"<dc:language>{language}</dc:language>{modified}</metadata><manifest>{navigation}"
        '<item id="one" href="text/one.xhtml" media-type="application/xhtml+xml"/>'
        f'<item id="two" href="text/two.xhtml" media-type="application/xhtml+xml"/>{pictures}</manifest>'
        f"<spine{'' if three else table_of_contents}>"
        '<itemref idref="one"/><itemref idref="two"/></spine></package>',
        "OEBPS/text/one.xhtml": chapter("One", body or "<p>Nothing.</p>"),
        "OEBPS/text/two.xhtml": chapter("Two", "<p>No picture here.</p>"),
    }
    if three:
        links = '<ol><li><a href="text/one.xhtml">One</a></li><li><a href="text/two.xhtml">Two</a></li></ol>'
        head = '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title>Contents</title></head>'
        made["OEBPS/nav.xhtml"] = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n{head}<body><nav epub:type="toc">{links}</nav></body></html>'
        )
    else:
        points = "".join(
            f'<navPoint id="n{n}" playOrder="{n}"><navLabel><text>{name}</text></navLabel>'
            f'<content src="text/{name}.xhtml"/></navPoint>'
            for n, name in enumerate(("one", "two"), start=1)
        )
        made["OEBPS/toc.ncx"] = (
            '<?xml version="1.0"?>\n<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1"><head>'
            '<meta name="dtb:uid" content="urn:uuid:00000000-0000-4000-8000-000000000000"/></head>'
            f"<docTitle><text>Book</text></docTitle><navMap>{points}</navMap></ncx>"
        )
    return made


def picture(ending: str, **options: object) -> Callable[[Path, Texts], Path]:
    """A maker of picture files; their text is put into XMP as exiftool and others write it."""

    def make(folder: Path, texts: Texts) -> Path:
        file = folder / f"drawn{ending}"
        with Image.open(EXAMPLES / PICTURES[0]) as cat:
            small = cat.convert("RGB").resize((320, 213))
        buffer = io.BytesIO()
        (text,) = texts
        small.save(buffer, _FORMATS[ending], **options)  # type: ignore[arg-type]
        data = buffer.getvalue()
        if text is not None:
            kind = kind_of(file)
            assert kind is not None and issubclass(kind, PictureFile)
            data = kind.with_packet(data, packet(text), "")
        file.write_bytes(data)
        return file

    return make


_FORMATS = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tif": "TIFF"}


def packet(alt: str, more: str = "") -> bytes:
    """An XMP packet with an alternative text, as others write it: other prefixes, other properties, padding."""
    escaped = alt.replace("&", "&amp;").replace("<", "&lt;")
    alternatives = (
        f'<rdf:Alt><rdf:li xml:lang="de">Anders</rdf:li><rdf:li xml:lang="x-default">{escaped}</rdf:li></rdf:Alt>'
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="test">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        ' xmlns:i="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3">'
        f"{f'<i:AltTextAccessibility>{alternatives}</i:AltTextAccessibility>' if alt else ''}{more}"
        f'</rdf:Description></rdf:RDF></x:xmpmeta>{" " * 200}<?xpacket end="w"?>'
    ).encode()


def _copy(folder: Path, number: int) -> str:
    """A picture of the examples in the folder; its name."""
    name = PICTURES[number % len(PICTURES)]
    if not (folder / name).exists():
        (folder / name).write_bytes((EXAMPLES / name).read_bytes())
    return name


def chart(path: Path) -> Path:
    """A drawn bar chart with a title, an axis and labels."""
    image = Image.new("RGB", (640, 420), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(22)
    draw.text((200, 12), "Visitors by month", fill="black", font=font)
    for index, (name, high) in enumerate(
        (("Jan", 90), ("Feb", 160), ("Mar", 220), ("Apr", 130), ("May", 260), ("Jun", 300))
    ):
        draw.rectangle((70 + 90 * index, 370 - high, 120 + 90 * index, 370), fill="steelblue")
        draw.text((75 + 90 * index, 380), name, fill="black", font=font)
        draw.text((72 + 90 * index, 343 - high), str(high), fill="black", font=font)
    image.save(path)
    return path


MAKERS: dict[str, Callable[[Path, Texts], Path]] = {
    "html": html,
    "markdown": markdown,
    "epub": epub,
    "jpeg": picture(".jpg"),
    "png": picture(".png"),
    "webp": picture(".webp", lossless=True),
    "tiff": picture(".tif"),
}
