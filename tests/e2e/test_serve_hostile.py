"""What must not be able to harm the server: every refusal has its status and its reason, and the next request is answered."""

import asyncio
import base64
import io
import json
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

PICTURES = Path(__file__).parents[2] / "examples" / "pictures"
DOGS = PICTURES / "dogs.jpg"
COMPLETIONS = "/v1/chat/completions"
SECRETS = ("/work", "site-packages", "Traceback", "0x", ".py", str(Path(__file__).parents[2]), str(Path.home()))


@pytest.fixture(scope="module")
def http(server: Any) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.address, timeout=240) as opened:
        yield opened


@pytest.fixture(autouse=True)
def still_answers(http: httpx2.Client) -> Iterator[None]:
    """After whatever a test sends, the server lives and nothing is left waiting."""
    yield
    assert http.get("/ready").status_code == 200
    waiting = [line for line in http.get("/metrics").text.splitlines() if line.startswith("seesay_waiting ")]
    assert waiting == ["seesay_waiting 0.0"]


def said(reply: httpx2.Response) -> str:
    """The message of a refusal; it gives nothing away about the machine."""
    body = reply.json()
    message = body["error"]["message"] if isinstance(body["error"], dict) else body["error"]
    assert not [secret for secret in SECRETS if secret in message], message
    return str(message)


def chat(url: str) -> dict[str, Any]:
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": url}}]
    return {"model": "seesay-mini", "messages": [{"role": "user", "content": parts}]}


def ask(http: httpx2.Client, *pictures: bytes, **fields: Any) -> httpx2.Response:
    files = [("picture", (f"{place}.png", data)) for place, data in enumerate(pictures)]
    return http.post("/ask", files=files, data={"question": "What?", **fields})


def png(width: int, height: int, data: bytes) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


class TestPictures:
    def test_a_picture_that_unpacks_to_too_much(self, http: httpx2.Client) -> None:
        reply = ask(http, png(30_000, 30_000, bytes(10_000_000)))
        assert reply.status_code == 413 and "megapixels" in said(reply)

    def test_pictures_that_are_too_large_together(self, http: httpx2.Client) -> None:
        reply = ask(http, *[png(6_000, 6_000, b"")] * 3)
        assert reply.status_code == 413 and "108.0 megapixels in one request; the limit is 100" in said(reply)

    def test_a_picture_cut_short(self, http: httpx2.Client) -> None:
        reply = ask(http, DOGS.read_bytes()[:2000])
        assert reply.status_code == 422 and said(reply).startswith("0.png: a broken or cut-short JPEG")

    @pytest.mark.parametrize("data", [b"", b"#!/bin/sh", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"])
    def test_what_is_no_picture(self, http: httpx2.Client, data: bytes) -> None:
        reply = ask(http, data)
        assert reply.status_code == 422 and "0.png" in said(reply)

    def test_nine_pictures(self, http: httpx2.Client) -> None:
        reply = ask(http, *[DOGS.read_bytes()] * 9)
        assert reply.status_code == 400 and "9 pictures; the limit is 8" in said(reply)
        body = chat("")
        body["messages"][0]["content"] = [{"type": "image_url", "image_url": {"url": "data:,"}}] * 9
        reply = http.post(COMPLETIONS, json=body)
        assert reply.status_code == 400 and "9 pictures; the limit is 8" in said(reply)

    @pytest.mark.parametrize("url", ["data:image/png;base64,@@@@", "data:image/png;base64,AAA", "data:image/png,plain"])
    def test_base64_that_is_none(self, http: httpx2.Client, url: str) -> None:
        reply = http.post(COMPLETIONS, json=chat(url))
        assert reply.status_code == 422 and said(reply).startswith("picture 1: ")

    @pytest.mark.parametrize(
        "url", ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/x.png", "https://example.com/x.png", "~/x.png"]
    )
    def test_paths_and_addresses_are_neither_opened_nor_fetched(self, http: httpx2.Client, url: str) -> None:
        reply = http.post(COMPLETIONS, json=chat(url))
        assert reply.status_code == 422 and "data: URL" in said(reply)
        image = base64.b64encode(url.encode()).decode()
        reply = http.post("/api/generate", json={"model": "seesay-mini", "prompt": "?", "images": [image]})
        assert reply.status_code == 422 and "picture 1" in said(reply)
        body = {"model": "seesay-mini", "prompt": "?", "images": [url]}
        assert http.post("/api/generate", json=body).status_code == 422

    def test_a_file_name_is_only_a_name(self, http: httpx2.Client) -> None:
        name = "../../etc/passwd\x1b[31m.jpg"
        reply = http.post("/ask", files={"picture": (name, DOGS.read_bytes())}, data={"question": "What?"})
        assert reply.status_code == 200 and "\x1b" not in reply.json()["answers"][0]["picture"]


class TestJson:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"nonsense",
            b"[]",
            b'"text"',
            b'{"model": NaN}',
            b'{"model": "seesay-mini", "messages": [], "temperature": Infinity}',
            b"[" * 100_000,
            b'{"a":' * 50_000,
            b'{"model": "\\ud800", "messages": [{"role": "user", "content": "x"}]}',
            b'{"model": "seesay-mini", "messages": [{"role": "user", "content": "\xff\xfe"}]}',
            b'{"model": 1, "messages": 2}',
        ],
        ids=lambda body: body[:20].decode("latin-1"),
    )
    @pytest.mark.parametrize("path", [COMPLETIONS, "/v1/responses", "/api/chat", "/v1/decisions", "/v1/audio/speech"])
    def test_what_cannot_be_meant(self, http: httpx2.Client, path: str, body: bytes) -> None:
        reply = http.post(path, content=body, headers={"content-type": "application/json"})
        assert reply.status_code == 400 and said(reply)

    def test_deep_json_within_fields_that_take_any(self, http: httpx2.Client) -> None:
        deep = "[" * 150 + "]" * 150
        body = f'{{"model": "seesay-mini", "state": {deep}, "questions": {{"a": {{"type": "noul"}}}}}}'
        reply = http.post("/v1/systemone", content=body, headers={"content-type": "application/json"})
        assert 400 <= reply.status_code < 500 and reply.json()["detail"]

    @pytest.mark.parametrize("kind", ["text/plain", "application/xml", "image/png", "", "multipart/form-data"])
    def test_a_wrong_content_type(self, http: httpx2.Client, kind: str) -> None:
        body = json.dumps(chat("data:,")).encode()
        reply = http.post(COMPLETIONS, content=body, headers={"content-type": kind})
        assert reply.status_code == 400 and said(reply)

    def test_forms_that_are_broken(self, http: httpx2.Client) -> None:
        head = {"content-type": "multipart/form-data; boundary=x"}
        for body in (b"", b"--x\r\n", b"--y\r\nnothing", b"--x\r\nContent-Disposition: form-data\r\n\r\nz\r\n--x--"):
            reply = http.post("/ask", content=body, headers=head)
            assert reply.status_code == 400 and said(reply), body
        reply = http.post("/ask", data={"picture": "not a file", "question": "What?"})
        assert reply.status_code == 400 and said(reply).startswith("picture")

    def test_control_characters_and_texts_without_end(self, http: httpx2.Client) -> None:
        data = DOGS.read_bytes()
        assert "control character" in said(ask(http, data, question="a\x00b"))
        assert "2,000" in said(ask(http, data, question="x" * 2001))
        assert "empty" in said(ask(http, data, question="  "))
        reply = http.post("/speak", data={"text": "x" * 60_000})
        assert reply.status_code == 422 and "50,000" in said(reply)

    def test_a_field_of_a_form_that_is_not_known(self, http: httpx2.Client) -> None:
        reply = ask(http, DOGS.read_bytes(), topk="3")
        assert reply.status_code == 400 and said(reply) == "unknown field 'topk'"

    def test_numbers_out_of_range(self, http: httpx2.Client) -> None:
        data = DOGS.read_bytes()
        for field, value in (("top_k", "0"), ("top_k", "1e9"), ("risk", "nan"), ("risk", "-1")):
            reply = ask(http, data, **{field: value})
            assert reply.status_code == 400 and field in said(reply)

    def test_another_model(self, http: httpx2.Client) -> None:
        for name in ("gpt-6", "../../etc", "x" * 10_000):
            reply = http.post(COMPLETIONS, json=chat("data:,") | {"model": name})
            assert reply.status_code == 404 and "seesay-mini" in said(reply)


class TestConnections:
    def test_another_name_of_the_server(self, http: httpx2.Client) -> None:
        for host in ("evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example", "[::1"):
            reply = http.get("/about", headers={"host": host})
            assert reply.status_code in (400, 421), host
        assert http.get("/about", headers={"host": "localhost:99"}).status_code == 200

    def test_pages_of_other_sites(self, http: httpx2.Client) -> None:
        data = {"question": "What?"}
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"origin": "http://127.0.0.1:1"},
        ):
            reply = http.post("/ask", data=data, headers=headers)
            assert reply.status_code == 403 and said(reply)
        reply = http.options(
            "/ask", headers={"origin": "https://evil.example", "access-control-request-method": "POST"}
        )
        assert "access-control-allow-origin" not in reply.headers

    def test_headers_are_not_split(self, server: Any) -> None:
        sent = f"GET /about HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nX-A: b\rInjected: yes\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
            raw.sendall(sent.encode())
            head = raw.recv(4096)
        assert b"Injected" not in head

    @pytest.mark.parametrize(
        "path",
        ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/%00", "/v1/models/../../x"],
    )
    def test_paths_lead_nowhere(self, server: Any, path: str) -> None:
        sent = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
            raw.sendall(sent.encode())
            reply = b"".join(iter(lambda: raw.recv(65536), b""))
        assert reply.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")) and b"root:" not in reply

    def test_a_huge_body_is_refused_before_it_is_sent(self, server: Any) -> None:
        with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
            raw.sendall(b"POST /ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\n")
            assert raw.recv(4096).startswith(b"HTTP/1.1 413")

    def test_a_huge_body_without_a_length_is_cut_off(self, server: Any) -> None:
        with socket.create_connection(("127.0.0.1", server.port), 30) as raw:
            raw.sendall(b"POST /ask HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")
            block = b"100000\r\n" + bytes(0x100000) + b"\r\n"
            try:
                for _ in range(24):
                    raw.sendall(block)
            except OSError:
                pass  # the server has closed, after its answer
            else:
                assert raw.recv(4096).startswith(b"HTTP/1.1 413")

    def test_a_body_that_does_not_come_holds_nobody_up(self, server: Any, http: httpx2.Client) -> None:
        slow = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(40)]
        try:
            for raw in slow:
                raw.sendall(b"POST /ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nx")
            began = time.monotonic()
            assert ask(http, DOGS.read_bytes()).status_code == 200
            assert time.monotonic() - began < 10
        finally:
            for raw in slow:
                raw.close()

    def test_a_huge_picture_holds_nobody_up(self, server: Any) -> None:
        """While 50 megapixels are decoded others are answered."""
        buffer = io.BytesIO()
        Image.new("RGB", (7_000, 7_000), "red").save(buffer, "PNG")
        huge, small = buffer.getvalue(), DOGS.read_bytes()

        async def both() -> tuple[float, list[float]]:
            async with httpx2.AsyncClient(base_url=server.address, timeout=240) as client:

                async def timed(data: bytes) -> float:
                    began = time.monotonic()
                    reply = await client.post("/ask", files={"picture": data}, data={"question": "Is it red?"})
                    assert reply.status_code == 200
                    return time.monotonic() - began

                large = asyncio.ensure_future(timed(huge))
                others = []
                while not large.done():
                    others.append(await timed(small))
                return await large, others

        large, others = asyncio.run(both())
        assert len(others) > 2 and sorted(others)[len(others) // 2] < large / 2

    def test_every_answer_has_the_headers_that_protect_a_page(self, http: httpx2.Client) -> None:
        for reply in (http.get("/about"), http.get("/nothing"), http.post(COMPLETIONS)):
            assert "default-src 'none'" in reply.headers["content-security-policy"]
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert "server" not in reply.headers
