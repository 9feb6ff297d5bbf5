"""schemathesis: requests made from the server's own OpenAPI document, right ones and wrong ones. None is a 500."""

from typing import Any

import httpx2
import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck

EXAMPLES = 15
"""Of each route."""


@pytest.fixture(scope="module")
def document(server: Any) -> dict[str, Any]:
    return dict(httpx2.get(f"{server.address}/openapi.json").json())


def test_every_route_is_in_the_document(document: dict[str, Any]) -> None:
    paths = set(document["paths"])
    assert {"/ask", "/caption", "/read", "/speak", "/evidence", "/v1/chat/completions", "/v1/responses"} <= paths
    assert {
        "/v1/decisions",
        "/v1/systemone",
        "/v1/audio/speech",
        "/v1/audio/transcriptions",
        "/api/chat",
        "/api/generate",
    } <= paths


@pytest.mark.slow
def test_no_request_is_a_500(server: Any, document: dict[str, Any]) -> None:
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=server.address)
    count = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(
            max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        def probe(case: schemathesis.Case) -> None:
            nonlocal count
            reply = case.call(timeout=60)
            count += 1
            assert reply.status_code < 500, (case.method, case.path, reply.status_code, reply.text[:300])

        probe()
    assert count >= EXAMPLES * 10
