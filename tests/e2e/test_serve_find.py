"""`seesay serve --index`: pictures found, and given out by their content and in no other way."""

import asyncio
import hashlib
import io
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

import seesay
from seesay.answering import in_words

PICTURES = Path(__file__).parents[2] / "examples" / "pictures"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("found")
    for picture in PICTURES.glob("*.jpg"):
        shutil.copy(picture, made)
    shutil.copy(PICTURES / "cat.jpg", made / "cat again.jpg")
    seesay.index(made, output=made / "photos.seesay")
    return made


@pytest.fixture(scope="module")
def finding(server_maker: Any, folder: Path) -> Iterator[Any]:
    with server_maker.serving("--index", folder / "photos.seesay", "--voice", "") as running:
        yield running


@pytest.fixture(scope="module")
def http(finding: Any) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=finding.address, timeout=120) as opened:
        yield opened


def test_it_finds_what_the_command_line_finds(http: httpx2.Client, folder: Path) -> None:
    assert http.get("/about").json()["finds"] == 6
    with seesay.Index(folder / "photos.seesay") as index:
        wanted = index.find("cat", precision=0.0, captions=True)
    reply = http.post("/find", data={"question": "cat", "precision": "0"})
    found = reply.json()
    assert (found["question"], found["pictures"], found["asked"]) == (wanted.question, wanted.pictures, wanted.asked)
    assert [(hit["sha256"], hit["caption"], hit["copies"]) for hit in found["hits"]] == [
        (hit.sha256, hit.caption, len(hit.copies)) for hit in wanted.hits
    ]
    assert [hit["score"] for hit in found["hits"]] == pytest.approx([hit.score for hit in wanted.hits], abs=1e-6)
    assert [hit["certainty"] for hit in found["hits"]] == [in_words(hit.score) for hit in wanted.hits]
    assert found["hits"][0]["copies"] == 1
    assert str(folder) not in reply.text and str(folder.parent) not in reply.text


def test_limits_and_fields_are_held_to(http: httpx2.Client) -> None:
    assert len(http.post("/find", data={"question": "cat", "precision": "0", "limit": "2"}).json()["hits"]) == 2
    bare = http.post("/find", data={"question": "cat", "captions": "false"}).json()
    assert [hit["caption"] for hit in bare["hits"]] == [""]
    for wrong in ({}, {"question": ""}, {"question": "cat", "limit": "0"}, {"question": "cat", "precision": "2"}):
        assert http.post("/find", data=wrong).status_code in (400, 422), wrong
    unknown = http.post("/find", data={"question": "cat", "index": "/etc"})
    assert unknown.status_code == 400 and unknown.json()["error"]["code"] == "unknown_field"
    assert http.post("/find", data={"question": "zibberquack"}).json()["error"]["code"] == "not_understood"


def test_pictures_are_given_by_their_content_only(http: httpx2.Client, folder: Path) -> None:
    data = (folder / "dogs.jpg").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    whole = http.get(f"/find/pictures/{digest}")
    assert whole.content == data and whole.headers["content-type"] == "image/jpeg"
    small = http.get(f"/find/pictures/{digest}/thumbnail")
    assert max(Image.open(io.BytesIO(small.content)).size) == 480 and "immutable" in small.headers["cache-control"]
    assert http.get(f"/find/pictures/{'0' * 64}").json()["error"]["code"] == "image_not_found"
    for wrong in ("dogs.jpg", "..%2F..%2Fetc%2Fpasswd", digest.upper(), digest[:-1]):
        assert http.get(f"/find/pictures/{wrong}").status_code in (400, 404), wrong


def test_a_file_that_became_another_one_is_not_given_out(http: httpx2.Client, folder: Path) -> None:
    was = (folder / "rocket.jpg").read_bytes()
    digest = hashlib.sha256(was).hexdigest()
    try:
        (folder / "rocket.jpg").write_bytes((folder / "cat.jpg").read_bytes())
        assert http.get(f"/find/pictures/{digest}").status_code == 404
        (folder / "rocket.jpg").unlink()
        (folder / "rocket.jpg").symlink_to("/etc/passwd")
        assert http.get(f"/find/pictures/{digest}").status_code == 404
    finally:
        (folder / "rocket.jpg").unlink()
        (folder / "rocket.jpg").write_bytes(was)
    assert http.get(f"/find/pictures/{digest}").content == was


def test_many_clients_at_once_get_what_each_asked_for(finding: Any, http: httpx2.Client) -> None:
    questions = ["cat", "dog", "apple", "cup", "car", "is there a flower?"]
    alone = {one: names(http.post("/find", data={"question": one, "precision": "0"})) for one in questions}
    picture = (PICTURES / "cat.jpg").read_bytes()

    async def all_at_once() -> list[tuple[str, list[str]]]:
        async with httpx2.AsyncClient(base_url=finding.address, timeout=120) as client:

            async def one(question: str) -> tuple[str, list[str]]:
                return question, names(await client.post("/find", data={"question": question, "precision": "0"}))

            async def asking() -> tuple[str, list[str]]:
                reply = await client.post("/ask", files={"picture": picture}, data={"question": "What animal is this?"})
                return "", [reply.json()["answers"][0]["answer"]]

            return await asyncio.gather(*(one(question) for question in questions * 3), *(asking() for _ in range(6)))

    for question, found in asyncio.run(all_at_once()):
        assert found == (alone[question] if question else ["cat"])


def names(reply: httpx2.Response) -> list[str]:
    assert reply.status_code == 200, reply.text
    return [hit["name"] for hit in reply.json()["hits"]]


def test_a_client_that_leaves_takes_its_search_along(finding: Any, http: httpx2.Client) -> None:
    def gone() -> float:
        line = next(
            line for line in http.get("/metrics").text.splitlines() if line.startswith("seesay_clients_gone_total ")
        )
        return float(line.split()[1])

    before = gone()
    for _ in range(4):
        with pytest.raises(httpx2.TimeoutException), httpx2.Client(base_url=finding.address) as impatient:
            impatient.post("/find", data={"question": "cat", "precision": "0"}, timeout=0.005)

    def nothing_else_runs() -> bool:
        # The request for the figures itself, once the one before has let go of its place.
        return {"seesay_in_flight 1.0", "seesay_waiting 0.0"} <= set(http.get("/metrics").text.splitlines())

    until = time.monotonic() + 10
    while not nothing_else_runs():
        assert time.monotonic() < until
        time.sleep(0.05)
    assert gone() > before
    assert names(http.post("/find", data={"question": "cat"})) == ["cat again.jpg"]


def test_the_index_may_be_brought_up_to_date_meanwhile(http: httpx2.Client, folder: Path) -> None:
    Image.new("RGB", (64, 64), "red").save(folder / "red.png")
    seesay.index(output=folder / "photos.seesay")
    assert http.get("/about").json()["finds"] == 7
    (folder / "red.png").unlink()
    seesay.index(output=folder / "photos.seesay")
    assert http.get("/about").json()["finds"] == 6


def test_a_server_without_an_index_says_so(server: Any) -> None:
    assert httpx2.get(f"{server.address}/about").json()["finds"] is None
    reply = httpx2.post(f"{server.address}/find", data={"question": "cat"})
    assert reply.status_code == 404 and "no index" in reply.json()["error"]["message"]


def test_every_precision_that_the_page_offers_can_be_kept(http: httpx2.Client) -> None:
    chosen = re.search(r'<select id="find-precision">.*?</select>', http.get("/").text)
    assert chosen
    offered = re.findall(r'value="(0\.\d+)"', chosen[0])
    assert len(offered) == 2
    for precision, status in (*((one, 200) for one in offered), ("0.99", 422)):
        assert http.post("/find", data={"question": "cat", "precision": precision}).status_code == status
