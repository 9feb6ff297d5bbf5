"""A stand-in for the Hugging Face Hub that data sets are read from, so that the real client, `datasets`, and all of ours run.

    with HubOfData({"jane/cards": {"main": {"data/train-00000-of-00001.parquet": content}}}) as hub:
        subprocess.run([...], env=hub.environment(home))     # HF_ENDPOINT points here

It answers the requests that huggingface_hub 1 and 2 send for reading (read off their source): facts about a repository and a
revision of it, lists of files, and files, whole or in part. What is not there is 404 with the Hub's words for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import urllib.parse
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

Files = Mapping[str, bytes]
Reply = tuple[int, bytes, dict[str, str]]


class HubOfData:
    """A Hub with these data sets: name -> revision -> path -> content."""

    def __init__(self, repositories: Mapping[str, Mapping[str, Files]]) -> None:
        self.repositories = repositories
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def environment(self, home: Path) -> dict[str, str]:
        """The environment of a process whose Hub this is, with an empty home."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        address = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {**kept, "HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, asked_range: str, body: bytes) -> Reply:
        """Status, content and headers of the reply to a request for a path with its query."""
        plain, _, query = path.partition("?")
        plain = urllib.parse.unquote(plain)
        self.requests.append(plain)
        if found := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/(.+))?", plain):
            recursive = "recursive=true" in query.lower()
            return self._facts(found[1], found[2] or "revision", found[3] or "main", body, recursive=recursive)
        if found := re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/(refs/[^/]+/[^/]+|[^/]+)/(.+)", plain):
            return self._file(found[1], found[2], found[3], asked_range)
        return 404, b"{}", {}

    def _revision(self, name: str, revision: str) -> tuple[str, Files] | None:
        """Commit and files of a branch or commit."""
        for branch, files in self.repositories.get(name, {}).items():
            commit = hashlib.sha1(f"{name} {branch}".encode()).hexdigest()
            if revision in (branch, commit):
                return commit, files
        return None

    def _facts(self, name: str, what: str, where: str, body: bytes, *, recursive: bool) -> Reply:
        branch, below = where, ""
        if what == "tree" and (found := re.fullmatch(r"(refs/[^/]+/[^/]+|[^/]+)/?(.*)", where)):
            branch, below = found.groups()
        there = self._revision(name, branch)
        if there is None:
            return 404, b"{}", {"X-Error-Code": "RevisionNotFound" if name in self.repositories else "RepoNotFound"}
        commit, files = there
        value: object
        if what == "revision":
            siblings = [{"rfilename": path} for path in files]
            value = {"id": name, "sha": commit, "private": False, "siblings": siblings, "tags": [], "downloads": 0}
        elif what == "tree":
            value = _listed(files, f"{below}/" if below else "", recursive=recursive)
            if below and not value:
                return 404, b"{}", {"X-Error-Code": "EntryNotFound"}
        else:
            wanted = urllib.parse.parse_qs(body.decode()).get("paths") or json.loads(body or b"{}").get("paths", [])
            value = [_entry(path, content) for path, content in files.items() if path in wanted]
        return 200, json.dumps(value).encode(), {}

    def _file(self, name: str, branch: str, path: str, asked_range: str) -> Reply:
        there = self._revision(name, branch)
        if there is None:
            return 404, b"", {"X-Error-Code": "RepoNotFound"}
        commit, files = there
        if path not in files:
            return 404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit}
        content = files[path]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha1(content).hexdigest()}"'}
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", asked_range)
        if part is None:
            return 200, content, headers
        start, stop = int(part[1]), min(int(part[2]) + 1 if part[2] else len(content), len(content))
        return 206, content[start:stop], headers | {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}


def _entry(path: str, content: bytes) -> dict[str, object]:
    return {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}


def _listed(files: Files, folder: str, *, recursive: bool) -> list[dict[str, object]]:
    """The files and folders in a folder, or also all below those."""
    below = [path.removeprefix(folder) for path in files if path.startswith(folder)]
    folders = {str(parent) for name in below for parent in PurePosixPath(name).parents} - {"."}
    found = [_entry(folder + name, files[folder + name]) for name in below if recursive or "/" not in name]
    shown = sorted(name for name in folders if recursive or "/" not in name)
    return found + [{"type": "directory", "path": folder + name, "oid": name} for name in shown]


def _handler(hub: HubOfData) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content, headers = hub.answer(self.path, self.headers.get("Range", ""), body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = _answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing; `requests` has them all."""

    return Handler
