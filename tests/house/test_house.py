"""What the house promises about itself: quick to start, nothing heavy at import, one list of public names."""

import ast
import importlib
import pkgutil
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest

import seesay
from seesay.cli.main import root
from seesay.lazy import homes_of
from seesay.settings import ModelKeywords, ModelSettings, VoiceKeywords, VoiceSettings, fields_of

HEAVY = (
    "torch",
    "transformers",
    "datasets",
    "matplotlib",
    "pyarrow",
    "scipy",
    "hibari",
    "markdown_it",
    "soundfile",
    "soxr",
    "faster_whisper",
    "huggingface_hub",
    "numpy",
    "onnxruntime",
    "PIL",
    "rich",
    "peft",
    "rapidocr",
    "cv2",
    "fastapi",
    "httpx2",
    "pydantic",
    "uvicorn",
    "ray",
)
SOURCE = Path(seesay.__file__).parent


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "what", ["import seesay", "from seesay.cli.main import root; root(['--help'], standalone_mode=False)"]
)
def test_nothing_heavy_is_imported(what: str) -> None:
    loaded = run(f"import sys\n{what}\nprint('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])")
    assert loaded.rsplit("LOADED", 1)[1].split() == []


def test_help_of_every_command_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom seesay.cli.main import root\n"
        "for words in (['alt'], ['ask'], ['read'], ['check'], ['speak'], ['listen'], ['serve'],\n"
        "              ['train', 'vqa'], ['train', 'speech'],\n"
        "              ['evaluate', 'vqa'], ['evaluate', 'caption'], ['evaluate', 'speech'],\n"
        "              ['batch', 'ask'], ['batch', 'read']):\n"
        "    root([*words, '--help'], standalone_mode=False)\n"
        f"print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert run(code).rsplit("LOADED", 1)[1].split() == []


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    lines = run("from seesay.cli.main import root; root(['--help'], standalone_mode=False)").splitlines()
    listed = dict(line.split(maxsplit=1) for line in lines[lines.index("Commands:") + 1 :])
    context = click.Context(root)
    commands = {name: root.get_command(context, name) for name in root.list_commands(context)}
    assert listed == {name: command.short_help for name, command in commands.items() if command}
    assert all(listed.values())


def test_help_costs_little_processor_time() -> None:
    """150 ms is the promise; the bound here is loose because tests share the machine, and catches a heavy import."""
    subprocess.run([sys.executable, "-m", "seesay", "--help"], capture_output=True, check=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(3):
        subprocess.run([sys.executable, "-m", "seesay", "--help"], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 3
    assert seconds < 0.5


def test_all_public_names_can_be_had() -> None:
    for name in seesay.__all__:
        assert getattr(seesay, name) is not None
    assert sorted(seesay.__all__) == seesay.__all__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        seesay.nothing  # noqa: B018


LAZY = [file for file in SOURCE.rglob("__init__.py") if "lazily(" in file.read_text()]
"""Packages that load their names when they are used."""


def test_there_are_lazy_packages() -> None:
    assert SOURCE / "__init__.py" in LAZY and SOURCE / "api/__init__.py" in LAZY


@pytest.mark.parametrize("file", LAZY, ids=lambda file: file.parent.name)
def test_every_name_that_is_loaded_lazily_is_there_and_passed_on_to_type_checkers(file: Path) -> None:
    package = importlib.import_module(".".join(["seesay", *file.parent.relative_to(SOURCE).parts]))
    guard = next(node for node in ast.parse(file.read_text()).body if isinstance(node, ast.If))
    imported = [(node, name) for node in guard.body if isinstance(node, ast.ImportFrom) for name in node.names]
    homes = {name.name: "." * node.level + (node.module or "") for node, name in imported if name.asname == name.name}
    assert homes and homes_of(str(file)) == homes
    modules = {info.name for info in pkgutil.iter_modules(package.__path__)}
    for name in homes:
        assert getattr(package, name) is not None
        assert name in package.__all__
        # An imported module takes the place of a name that it shares.
        assert name not in modules, f"{package.__name__}.{name} is also a module"


def test_a_module_beside_a_lazy_name_does_not_take_its_place() -> None:
    code = (
        "import seesay, seesay.api.batches, seesay.api.search, seesay.api.speech\nfrom seesay import *\nfrom seesay import api\n"
        "print([callable(one) for one in (api.batch, api.find, api.speak, seesay.load, load, pipeline)])"
    )
    assert run(code).strip() == str([True] * 6)


def test_keywords_of_load_are_the_model_settings() -> None:
    assert {field.name for field in fields_of(ModelSettings)} == {"model", *ModelKeywords.__annotations__}
    assert {field.name for field in fields_of(VoiceSettings)} == {"model", *VoiceKeywords.__annotations__}


def test_every_module_says_what_it_is() -> None:
    for file in SOURCE.rglob("*.py"):
        tree = ast.parse(file.read_text())
        assert ast.get_docstring(tree) or not tree.body, f"{file.name} has no docstring"


def test_only_render_prints() -> None:
    for file in SOURCE.rglob("*.py"):
        if file.parent.name != "render":
            calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
            assert not [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"], file
