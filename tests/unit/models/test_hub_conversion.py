"""A Hub repository with pickled weights only: the copy of the Hub's converter is opened, and nobody else's."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

MAIN, CONVERTED = "a" * 40, "b" * 40


@contextmanager
def hub(folder: Path, author: str) -> Iterator[str]:
    """A Hub with one repository, `jane/voice`: no weights on its main branch, and a pull request with them."""
    branches = {"main": MAIN, "refs/pr/2": CONVERTED}
    files = {MAIN: ["config.json", "pytorch_model.bin"], CONVERTED: ["config.json", "model.safetensors"]}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            if path == "/api/models/jane/voice/discussions":
                request = {
                    "title": "Adding `safetensors` variant of this model", "num": 2, "author": {"name": author},
                    "createdAt": "2023-03-08T08:51:57.000Z", "status": "open", "isPullRequest": True,
                    "repo": {"name": "jane/voice", "type": "model"},
                }  # fmt: skip
                return self._send(json.dumps({"discussions": [request], "count": 1, "start": 0}).encode())
            start = "/api/models/jane/voice/revision/"
            if path.startswith(start):
                commit = branches.get(path.removeprefix(start), path.removeprefix(start))
                siblings = [{"rfilename": name} for name in files[commit]]
                return self._send(json.dumps({"id": "jane/voice", "sha": commit, "siblings": siblings}).encode())
            start = "/api/models/jane/voice/tree/"
            if path.startswith(start):
                commit = branches.get(path.removeprefix(start), path.removeprefix(start))
                tree = [{"type": "file", "path": name, "size": 1, "oid": MAIN} for name in files[commit]]
                return self._send(json.dumps(tree).encode())
            if not path.startswith("/jane/voice/resolve/"):
                return self.send_error(404)
            commit, name = path.removeprefix("/jane/voice/resolve/").split("/", 1)
            if not (folder / name).is_file():
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            return self._send((folder / name).read_bytes(), branches.get(commit, commit))

        def do_HEAD(self) -> None:
            self.do_GET()

        def _send(self, content: bytes, commit: str = MAIN) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", commit)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def python(code: str, folder: Path, author: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run in a process whose Hub this is, with an empty cache."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    with hub(folder, author) as address:
        environment = {**kept, "HF_ENDPOINT": address, "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_XET": "1"}
        words = [sys.executable, "-c", code, *arguments]
        return subprocess.run(words, env=environment, capture_output=True, text=True)


def test_files_beside_the_weights_are_fetched_when_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bark"}')
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "one.npy").write_bytes(b"an array")
    code = (
        "from seesay.errors import ModelError\nfrom seesay.models.checkpoint import find\n"
        "voice = find('jane/voice', 'refs/pr/2')\nprint(voice.file('presets/one.npy').read_text())\n"
        "try:\n    voice.file('presets/two.npy')\nexcept ModelError as error:\n    print(error)\n"
    )
    done = python(code, tmp_path, "SFconvertbot")
    assert done.stdout.splitlines()[:2] == ["an array", "jane/voice: no file 'presets/two.npy'"], done.stderr


@pytest.mark.parametrize(("author", "revision", "opened"), [
    ("SFconvertbot", "", CONVERTED), ("mallory", "", MAIN), ("SFconvertbot", "main", MAIN), ("mallory", "refs/pr/2", CONVERTED),
])  # fmt: skip
def test_only_the_converters_copy_is_taken_unasked(author: str, revision: str, opened: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "vits"}')
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "pytorch_model.bin").write_bytes(b"never fetched")
    code = "import sys; from seesay.models.checkpoint import find; print(find('jane/voice', sys.argv[1]).folder)"
    done = python(code, tmp_path, author, revision)
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert folder.name == opened
    assert (folder / "model.safetensors").exists() == (opened == CONVERTED)
    assert not (folder / "pytorch_model.bin").exists()
