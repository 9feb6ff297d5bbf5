"""What every kind of document must do, run over all that `discover()` finds. A new kind adds a maker to alt_documents.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seesay import api
from seesay.alttext.documents import Opened, kind_of, kinds, open_documents
from seesay.alttext.found import Change, Mark, digest_of
from seesay.errors import SeesayError
from seesay.settings import AltSettings

ALL = pytest.mark.parametrize("kind", sorted(kinds()))
HARD = [
    'A "quoted" text & <more>',
    "Brackets [1] (2) *stars* _low_ `code` \\ back~slash | pipe !",
    "Größe, 大きさ, мера, 😀",
    "&amp; is not &",
    "ends with a backslash\\",
]


def reopen(path: Path) -> Opened:
    (opened,), problems = open_documents([str(path)], None)
    assert not problems
    return opened


def write(opened: Opened, changes: Mapping[str, Change]) -> Opened:
    for path, data in opened.document.written(changes).items():
        path.write_bytes(data)
    return reopen(Path(opened.name))


@pytest.fixture
def made(kind: str, alt_documents: ModuleType, tmp_path: Path) -> Opened:
    """A document with one picture that has no text."""
    return reopen(alt_documents.MAKERS[kind](tmp_path, [None]))


@ALL
def test_each_kind_has_its_own_endings_and_can_be_made(kind: str, made: Opened) -> None:
    assert kind_of(Path(made.name)) is kinds()[kind]
    assert kinds()[kind].summary
    others = {ending for name, other in kinds().items() if name != kind for ending in other.endings}
    assert not others & set(kinds()[kind].endings)
    assert [found.standing for found in made.document.found] == ["missing"]


@ALL
def test_without_a_change_the_bytes_are_the_same(kind: str, made: Opened) -> None:
    assert made.document.written({})[Path(made.name)] == made.data


@ALL
@pytest.mark.parametrize("text", HARD)
def test_what_is_written_is_read_back_and_nothing_else_changes(kind: str, made: Opened, text: str) -> None:
    before = made.document.found[0]
    again = write(made, {before.key: Change(text, Mark("test", digest_of(text)))})
    (after,) = again.document.found
    assert (after.alt, after.key, after.standing) == (text, before.key, "ours")
    assert after.picture == before.picture or kinds()[kind].in_folders is False
    views = zip(made.document.views(made.data), again.document.views(again.data), strict=True)
    assert sum(one != other for one, other in views) == 1


@ALL
def test_a_text_written_over_ours_leaves_no_trace_of_the_old_one(kind: str, made: Opened) -> None:
    key = made.document.found[0].key
    once = write(made, {key: Change("First", Mark("test", digest_of("First")))})
    twice = write(once, {key: Change("Second", Mark("test", digest_of("Second")))})
    assert twice.document.found[0].alt == "Second"
    assert not any("First" in view.text for view in twice.document.views(twice.data))


@ALL
def test_a_text_of_a_person_and_one_that_a_person_changed_are_theirs(
    kind: str, alt_documents: ModuleType, tmp_path: Path
) -> None:
    opened = reopen(alt_documents.MAKERS[kind](tmp_path, ["A person's text"]))
    assert opened.document.found[0].standing == "human"
    other = tmp_path / "other"
    other.mkdir()
    missing = reopen(alt_documents.MAKERS[kind](other, [None]))
    changed = write(
        missing, {missing.document.found[0].key: Change("Edited", Mark("test", digest_of("As it was written")))}
    )
    assert changed.document.found[0].standing == "human"


@ALL
def test_an_accepted_text_and_one_without_a_mark_are_told_apart_from_ours(kind: str, made: Opened) -> None:
    key = made.document.found[0].key
    accepted = write(made, {key: Change("Accepted", Mark("test", digest_of("Accepted"), reviewed=True))})
    assert accepted.document.found[0].standing == "reviewed"
    theirs = write(accepted, {key: Change("Theirs", None)})
    assert (theirs.document.found[0].standing, theirs.document.found[0].mark) == ("human", None)


@ALL
def test_a_run_keeps_texts_of_people_and_a_second_one_proposes_nothing_new(
    kind: str, alt_documents: ModuleType, tmp_path: Path
) -> None:
    texts = [None, "A person's text"] if kinds()[kind].in_folders else [None]
    path = alt_documents.MAKERS[kind](tmp_path, texts)
    first = api.alt(AltSettings(write=True), [str(path)])
    assert [finding.action for finding in first.findings] == ["write", "keep"][: len(texts)]
    assert first.written == (str(path),)
    content = path.read_bytes()
    second = api.alt(AltSettings(write=True), [str(path)])
    assert [finding.action for finding in second.findings] == ["keep"] * len(texts)
    assert (second.diff, second.written, path.read_bytes()) == ("", (), content)
    renewed = api.alt(AltSettings(renew=True), [str(path)])
    assert (renewed.diff, [finding.action for finding in renewed.findings]) == ("", ["keep"] * len(texts))
    assert [found.alt for found in reopen(path).document.found][1:] == texts[1:]


@ALL
def test_a_dry_run_changes_nothing(kind: str, alt_documents: ModuleType, tmp_path: Path) -> None:
    path = alt_documents.MAKERS[kind](tmp_path, [None])
    before = {file: file.read_bytes() for file in tmp_path.rglob("*")}
    outcome = api.alt(AltSettings(), [str(path)])
    assert outcome.diff.startswith("--- a/")
    assert {file: file.read_bytes() for file in tmp_path.rglob("*")} == before


@ALL
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_broken_files_are_refused_or_read_and_never_end_in_a_traceback(
    kind: str, made: Opened, draw: st.DataObject
) -> None:
    at = draw.draw(st.integers(0, len(made.data) - 1))
    cut = draw.draw(st.integers(0, 40))
    put = draw.draw(st.binary(max_size=12))
    data = made.data[:at] + put + made.data[at + cut :]
    file = Path(made.name).with_name(f"broken{Path(made.name).suffix}")
    file.write_bytes(data)
    try:
        opened, problems = open_documents([str(file)], None)
        assert len(opened) + len(problems) == 1
        for one in opened:
            assert one.document.written({})[file] == data
            for found in one.document.found:
                if not found.locked:
                    one.document.written({found.key: Change("Text", None)})
    except SeesayError:
        pass
