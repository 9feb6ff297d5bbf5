"""Pictures of 12 megapixels asked about over the server: decoded no larger than needed, and answered as on the command line."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

import seesay

SEEN, READ = "What color is it?", "What does the sign say?"


@pytest.fixture(scope="module", params=[1, 6])
def photo(request: pytest.FixtureRequest, large_photo: Callable[..., Path]) -> Path:
    return large_photo(request.param, (4000, 3000))


def test_every_route_answers_as_the_command_line(server: Any, photo: Path) -> None:
    expected = seesay.load().ask(str(photo), SEEN, top_k=3)
    files = {"picture": (photo.name, photo.read_bytes(), "image/jpeg")}
    with httpx2.Client(base_url=server.address, timeout=240) as http:
        asked = http.post("/ask", files=files, data={"question": [SEEN, READ], "top_k": 3}).json()["answers"]
        described = http.post("/caption", files=files).json()["captions"][0]
        url = f"data:image/jpeg;base64,{base64.b64encode(photo.read_bytes()).decode()}"
        parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": SEEN}]
        body = {"model": "seesay-mini", "messages": [{"role": "user", "content": parts}]}
        told = http.post("/v1/chat/completions", json=body).json()["seesay"]
    seen, read = asked
    # Rows of the server are rounded; equal decoding gives equal digits.
    assert [one["score"] for one in seen["alternatives"]] == [
        pytest.approx(one.score, abs=2e-6) for one in expected.alternatives
    ]
    assert seen["provenance"]["inputs"] == list(expected.provenance.inputs)
    assert read["provenance"]["family"] == "reader"
    assert described["score"] == pytest.approx(seesay.load().caption(str(photo)).score, abs=2e-6)
    assert told["score"] == pytest.approx(expected.score, abs=2e-6)
