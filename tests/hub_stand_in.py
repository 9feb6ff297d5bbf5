"""A stand-in for the Hugging Face Hub on 127.0.0.1, for uploads by the real client; nothing leaves the machine.

    with HubStandIn(large_from=10_000) as hub:
        subprocess.run([...], env=hub.environment(home))     # huggingface_hub, with HF_ENDPOINT pointing here
        hub.repositories["jane/vqa"].files["config.json"]

It answers the requests that huggingface_hub 1 and 2 send for an upload (read off their source): whoami-v2, repos/create,
models, validate-yaml, preupload, commit, and git LFS's batch, upload and verify. It refuses what the Hub refuses: unknown
tokens (401), tokens that may only read (403), other people's repositories (403).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Reply = tuple[int, dict[str, Any]]

READ_TOKEN = "hf_may_read"
WRITE_TOKEN = "hf_may_write"


@dataclass
class Repository:
    """What was committed."""

    private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    @property
    def commit(self) -> str:
        return hashlib.sha1(repr((self.messages, sorted(self.files))).encode()).hexdigest()


class HubStandIn:
    """A Hub with one user, `jane`, and the organization `museum`, of which she may only read.

    Args:
        large_from: files of this size and more (bytes) are sent by git LFS, as the Hub asks for weights.
        breaks_at: part of an address; a request to it is never answered, the connection and the Hub are gone.
        stalls_at: part of an address; a request to it is never answered, and the connection stays open.
        refuses: part of an address, and the status and body that requests to it get.
    """

    def __init__(
        self,
        *,
        large_from: int = 10**9,
        breaks_at: str = "",
        stalls_at: str = "",
        refuses: tuple[str, Reply] | None = None,
    ) -> None:
        self.large_from, self.breaks_at, self.stalls_at, self.refuses = large_from, breaks_at, stalls_at, refuses
        self.repositories: dict[str, Repository] = {}
        self.stored: dict[str, bytes] = {}
        """Contents sent by git LFS, by sha256."""
        self.requests: list[str] = []
        self.stalled = threading.Event()
        """Set once a request has come to `stalls_at`."""
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def environment(self, home: Path, token: str = WRITE_TOKEN) -> dict[str, str]:
        """The environment of a process whose Hub this is, logged in with `token` and with an empty home."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
        ours = {"HF_ENDPOINT": self.address, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
        return {**kept, **ours, **({"HF_TOKEN": token} if token else {})}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, path: str, token: str, body: bytes) -> Reply | None:
        """Status and body of the reply; None for a connection that breaks."""
        self.requests.append(f"{method} {path}")
        if self.breaks_at and self.breaks_at in path:
            self._server.socket.close()
            return None
        if self.stalls_at and self.stalls_at in path:
            self.stalled.set()
            self._over.wait()
            return None
        if self.refuses and self.refuses[0] in path:
            return self.refuses[1]
        if path.startswith("/storage/"):
            return self._store(path.removeprefix("/storage/"), body)
        if token not in (READ_TOKEN, WRITE_TOKEN):
            return 401, {"error": "Invalid credentials in Authorization header"}
        for request, method_name in _ROUTES.items():
            match = re.fullmatch(request, f"{method} {path}")
            if match:
                reply: Reply = getattr(self, method_name)(token, body, *match.groups())
                return reply
        return 404, {"error": f"the stand-in knows no {method} {path}"}

    def _whoami(self, token: str, body: bytes) -> Reply:
        role = "write" if token == WRITE_TOKEN else "read"
        return 200, {"type": "user", "name": "jane", "auth": {"type": "access_token", "accessToken": {"role": role}}}

    def _create(self, token: str, body: bytes) -> Reply:
        wanted = json.loads(body)
        name = f"{wanted['organization'] or 'jane'}/{wanted['name']}"
        if not self._may_write(token, name):
            return 403, {"error": f"You don't have the rights to create a model under the namespace {name}"}
        if name in self.repositories:
            return 409, {"error": "You already created this model repo", "url": f"{self.address}/{name}"}
        self.repositories[name] = Repository(private=wanted.get("visibility") == "private")
        return 200, {"url": f"{self.address}/{name}"}

    def _info(self, token: str, body: bytes, name: str) -> Reply:
        repository = self.repositories.get(name)
        if repository is None:
            return 404, {"error": "Repository not found"}
        return 200, {"id": name, "private": repository.private, "sha": repository.commit, "siblings": [], "tags": []}

    def _check_card(self, token: str, body: bytes) -> Reply:
        if "license: nonsense" in json.loads(body)["content"]:
            return 400, {"errors": [{"message": '"license" must be one of [apache-2.0, mit]'}], "warnings": []}
        return 200, {"errors": [], "warnings": []}

    def _how_to_send(self, token: str, body: bytes, name: str) -> Reply:
        if not self._may_write(token, name):
            return 403, {"error": "Forbidden: pass `create_pr=1` as a query parameter to create a Pull Request"}
        there, files = self.repositories[name].files, []
        for file in json.loads(body)["files"]:
            mode = "lfs" if file["size"] >= self.large_from else "regular"
            oid = _name_of(there[file["path"]], mode) if file["path"] in there else None
            files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return 200, {"files": files}

    def _batch(self, token: str, body: bytes, name: str) -> Reply:
        objects = []
        for wanted in json.loads(body)["objects"]:
            address = f"{self.address}/storage/{wanted['oid']}"
            actions = {"upload": {"href": address}, "verify": {"href": f"{address}/verify"}}
            objects.append({**wanted, **({} if wanted["oid"] in self.stored else {"actions": actions})})
        return 200, {"transfer": "basic", "objects": objects}

    def _store(self, name: str, body: bytes) -> Reply:
        sha256, _, verify = name.partition("/")
        if verify:
            return (200, {}) if len(self.stored[sha256]) == json.loads(body)["size"] else (422, {})
        if hashlib.sha256(body).hexdigest() != sha256:
            return 400, {"error": "the content has another sha256"}
        self.stored[sha256] = body
        return 200, {}

    def _commit(self, token: str, body: bytes, name: str) -> Reply:
        if not self._may_write(token, name):
            return 403, {"error": "Forbidden: pass `create_pr=1` as a query parameter to create a Pull Request"}
        repository, entries = self.repositories[name], [json.loads(line) for line in body.splitlines()]
        for kind, value in ((entry["key"], entry["value"]) for entry in entries):
            if kind == "header":
                repository.messages.append(value["summary"])
            elif kind == "file":
                repository.files[value["path"]] = base64.b64decode(value["content"])
            elif kind == "lfsFile":
                repository.files[value["path"]] = self.stored[value["oid"]]
            else:
                return 400, {"error": f"the stand-in knows no {kind}"}
        oid = repository.commit
        return 200, {"success": True, "commitOid": oid, "commitUrl": f"{self.address}/{name}/commit/{oid}"}

    def _may_write(self, token: str, name: str) -> bool:
        return token == WRITE_TOKEN and name.startswith("jane/")


_NAME = r"([^/]+/[^/]+)"
_ROUTES = {
    "GET /api/whoami-v2": "_whoami",
    "POST /api/repos/create": "_create",
    "POST /api/validate-yaml": "_check_card",
    f"GET /api/models/{_NAME}(?:/revision/main)?": "_info",
    f"POST /api/models/{_NAME}/preupload/main": "_how_to_send",
    f"POST /{_NAME}\\.git/info/lfs/objects/batch": "_batch",
    f"POST /api/models/{_NAME}/commit/main": "_commit",
}


def _name_of(content: bytes, mode: str) -> str:
    """How git, or git LFS, names a content; by it the client leaves out files that have not changed."""
    if mode == "lfs":
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _handler(hub: HubStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            reply = hub.answer(self.command, self.path.partition("?")[0], token, self._body())
            if reply is None:
                self.close_connection = True
                return
            status, value = reply
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing; `requests` has them all."""

    return Handler
