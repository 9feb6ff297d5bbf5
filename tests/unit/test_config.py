"""Settings come from many places; the later place wins and nothing unknown is ignored."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay import config
from seesay.errors import UsageError
from seesay.settings import AskSettings, TrainVqaSettings, fields_of, setting


@dataclass(frozen=True, kw_only=True)
class Sample:
    count: int = setting(1, low=1, high=10)
    """How many."""
    share: float = 0.5
    """What part."""
    name: str = ""
    """Of what name."""
    loud: bool = False
    """Whether loudly."""
    kind: Literal["a", "b"] = "a"
    """Which kind."""
    folder: Path | None = None
    """Where to."""
    way: Literal["there", "back"] | None = None
    """Which way."""


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


def resolve(given: dict[str, object] | None = None, **kwargs: object) -> Sample:
    environ = {"XDG_CONFIG_HOME": str(Path("home").absolute()), **kwargs.pop("environ", {})}  # type: ignore[dict-item]
    return config.resolve(Sample, "sample", given or {}, environ=environ, **kwargs)  # type: ignore[arg-type]


def test_each_place_overrides_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "home/seesay").mkdir(parents=True)
    (tmp_path / "home/seesay/config.toml").write_text('[sample]\ncount = 2\nname = "user"\nshare = 0.1\n')
    (tmp_path / "seesay.toml").write_text('[sample]\ncount = 3\nname = "project"\n')
    (tmp_path / "more.toml").write_text('[sample]\ncount = 4\nkind = "b"\n')
    found = resolve({"count": 6}, file=tmp_path / "more.toml", environ={"SEESAY_SAMPLE__LOUD": "true"})
    assert found == Sample(count=6, name="project", share=0.1, kind="b", loud=True)


def test_flags_that_were_not_given_change_nothing() -> None:
    assert resolve({"count": None, "name": None}) == Sample()


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("toml", "[sample]\ncuont = 3\n"),
        ("env", "SEESAY_SAMPLE__CUONT"),
        ("flag", "cuont"),
    ],
)
def test_an_unknown_name_is_an_error_that_offers_the_near_one(tmp_path: Path, place: str, text: str) -> None:
    with pytest.raises(UsageError, match=r"unknown setting 'cuont'[\s\S]*did you mean count"):
        if place == "toml":
            (tmp_path / "seesay.toml").write_text(text)
            resolve()
        elif place == "env":
            resolve(environ={text: "3"})
        else:
            resolve({text: 3})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("count", "many", "'many' is not a whole number"),
        ("count", "11", "out of range"),
        ("count", 0, "from 1 to 10"),
        ("count", 2.5, "is not a whole number"),
        ("count", True, "is not a whole number"),
        ("share", "half", "is not a number"),
        ("share", "nan", "is not a number"),
        ("loud", "perhaps", "is not true or false"),
        ("kind", "c", "is not one of a, b"),
        ("name", 3, "is not text"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, value: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        resolve({name: value})


def test_a_settings_file_that_is_not_there_or_not_toml_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such settings file"):
        resolve(file=tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("count = = 3")
    with pytest.raises(UsageError, match="not TOML"):
        resolve(file=tmp_path / "bad.toml")


def test_other_sections_of_a_file_do_not_concern_this_command(tmp_path: Path) -> None:
    (tmp_path / "seesay.toml").write_text("[other]\nanything = 1\n")
    assert resolve() == Sample()


@given(
    settings=st.builds(
        Sample,
        count=st.integers(1, 10),
        share=st.floats(allow_nan=False, allow_infinity=False),
        name=st.text(st.characters(exclude_categories=["Cs"])),
        loud=st.booleans(),
        kind=st.sampled_from(["a", "b"]),
        folder=st.none() | st.sampled_from([Path("a b"), Path("/x/y")]),
        way=st.sampled_from([None, "there", "back"]),
    )
)
def test_dumped_settings_are_read_back_equal(tmp_path_factory: pytest.TempPathFactory, settings: Sample) -> None:
    file = tmp_path_factory.mktemp("dump") / "settings.toml"
    file.write_text(config.dump(settings, "sample"), encoding="utf-8")
    assert config.resolve(Sample, "sample", {}, file=file, environ={"XDG_CONFIG_HOME": "/none"}) == settings


def test_changed_names_the_settings_that_differ() -> None:
    assert config.changed(Sample(), Sample(count=2, loud=True)) == ["count", "loud"]


def test_every_field_of_a_real_command_is_documented_and_typed() -> None:
    for settings in (AskSettings, TrainVqaSettings):
        for field in fields_of(settings):
            assert field.doc.endswith("."), field.name
            assert field.default is None or field.default == config.coerce(field, field.default, "default")
