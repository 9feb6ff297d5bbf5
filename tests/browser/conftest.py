"""A real Chromium and, for every test, a page of its own. Whatever a test does: nothing may be complained about in the
console, and no request may leave for another host."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import seesay

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --disable-dev-shm-usage --use-fake-device-for-media-stream --use-fake-ui-for-media-stream "
    "--autoplay-policy=document-user-activation-required"
).split()
PICTURES = Path(__file__).parents[2] / "examples" / "pictures"
WIDTH, HEIGHT = 1280, 860
PATIENCE = 60_000
"""Milliseconds to wait for something on a machine that others use too."""


@dataclass
class Watched:
    """What went on beside a page."""

    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Parts of complaints that the test provokes."""

    def console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def request(self, request: Request) -> None:
        self.requests.append(request.url)

    def check(self, address: str) -> None:
        assert not [one for one in self.complaints if not any(part in one for part in self.expected)]
        assert not [one for one in self.requests if not one.startswith((f"{address}/", f"blob:{address}/", "data:"))]


Opener = Callable[..., "tuple[Page, Watched]"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser without a window: the system's Chromium, so that playwright's own download is not needed. It is closed with the
    file: while it is open an event loop runs in this thread, and other tests want theirs."""
    playwright_sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with playwright_sync.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the examples' pictures, which lie in a folder of their own."""
    folder = tmp_path_factory.mktemp("index")
    for picture in PICTURES.glob("*.jpg"):
        shutil.copy(picture, folder)
    seesay.index(folder, output=folder / "photos.seesay")
    return folder / "photos.seesay"


@pytest.fixture(scope="session")
def server(server_maker: Any, index: Path) -> Iterator[Any]:
    """One `seesay serve` with everything that needs no torch, for all files of this folder."""
    with server_maker.serving("--index", index) as running:
        yield running


@pytest.fixture(scope="session")
def axe() -> Any:
    """axe-core: `axe.run(page)` gives what breaks WCAG."""
    return pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe()


@pytest.fixture
def visit(chromium: Browser, server: Any) -> Iterator[Opener]:
    """Opens the page: `page, watched = visit(locale="ar", color_scheme="dark")`."""
    opened: list[tuple[Page, Watched, str]] = []

    def open_page(
        *, address: str = "", width: int = WIDTH, height: int = HEIGHT, **wanted: Any
    ) -> tuple[Page, Watched]:
        address = address or server.address
        context = chromium.new_context(viewport={"width": width, "height": height}, **{"locale": "en-US", **wanted})
        context.set_default_timeout(PATIENCE)
        page, watched = context.new_page(), Watched()
        page.on("console", watched.console)
        page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        page.on("request", watched.request)
        # Playwright begins to catch file choosers with the first listener, and does not wait until it does.
        page.on("filechooser", lambda _: None)
        page.goto(f"{address}/")
        page.wait_for_selector("body[data-ready]")
        opened.append((page, watched, address))
        return page, watched

    yield open_page
    for page, watched, address in opened:
        page.context.close()
        watched.check(address)


class Visitor:
    """What people do on the page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def show(self, *names: str) -> None:
        """Choose pictures of the examples."""
        self.page.set_input_files("#files", [PICTURES / name for name in names])
        self.page.locator("#picture-name", has_text=names[-1]).wait_for()

    def ask(self, question: str) -> str:
        """Type a question and wait for the answer."""
        self.page.fill("#question", question)
        self.page.press("#question", "Enter")
        return self.answer(question)

    def find(self, wanted: str) -> list[str]:
        """Look for something in the index; the names of what was found."""
        self.page.goto(self.page.url.partition("#")[0] + "#view-find")
        self.page.fill("#find-question", wanted)
        self.page.press("#find-question", "Enter")
        self.page.locator("#found-question", has_text=wanted).wait_for()
        return self.page.locator("#hits .name").all_inner_texts()

    def review(self, *files: Path) -> None:
        """Have alt texts suggested for files."""
        self.page.goto(self.page.url.partition("#")[0] + "#view-alt")
        self.page.set_input_files("#review-files", files)
        self.page.locator("#review-count:focus").wait_for()

    def answer(self, question: str) -> str:
        """The answer to the question asked last, when it is there."""
        latest = self.page.locator("#latest article", has_text=question)
        latest.wait_for()
        latest.locator(".working").wait_for(state="hidden")
        return latest.locator(".said").inner_text()


@pytest.fixture
def pictures() -> Path:
    """The folder of the examples' pictures."""
    return PICTURES


@pytest.fixture
def visitor() -> type[Visitor]:
    return Visitor


FARM = """<!doctype html><html lang="en"><head><title>Farm</title></head><body><h1>Our farm</h1>
<p>Here: <img src="img/cat.jpg"></p><p><a href="/"><img src="coffee.jpg"></a></p><p><img src="dogs.jpg" alt="Rex"></p>
<p><img src="https://pictures.example/remote.jpg"></p>
</body></html>
"""


@pytest.fixture
def farm(tmp_path: Path) -> list[Path]:
    """A page of four pictures, two of them without a text, and the two."""
    (tmp_path / "farm.html").write_text(FARM, encoding="utf-8")
    for name in ("cat.jpg", "coffee.jpg"):
        shutil.copy(PICTURES / name, tmp_path)
    return [tmp_path / name for name in ("farm.html", "cat.jpg", "coffee.jpg")]
