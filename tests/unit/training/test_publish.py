"""Uploads by the real huggingface_hub client, in a process of its own, to a stand-in of the Hub."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from seesay.training.run_folder import RunFolder

CLIENT = """
import json, sys
from pathlib import Path
from seesay.errors import SeesayError
from seesay.training import publish

def call(name, arguments):
    if name == "publish":
        return publish.publish(Path(arguments.pop("folder")), **arguments)
    publish.CHECK_SECONDS = arguments.pop("seconds", publish.CHECK_SECONDS)
    return publish.check_access(**arguments)

try:
    print(json.dumps({"value": call(sys.argv[1], json.loads(sys.argv[2]))}))
except SeesayError as error:
    print(json.dumps({"error": type(error).__name__, "text": str(error)}))
"""


def _stand_in() -> ModuleType:
    """`tests/hub_stand_in.py`: the folder of the tests is not on the import path."""
    spec = importlib.util.spec_from_file_location("tests_hub_stand_in", Path(__file__).parents[2] / "hub_stand_in.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


stand_in = _stand_in()


def client(environment: dict[str, str], name: str, **arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CLIENT, name, json.dumps(arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(environment: dict[str, str], name: str, **arguments: object) -> dict[str, str]:
    """What a call gives or raises, in a process with that environment. It must print nothing of its own."""
    with client(environment, name, **arguments) as process:
        output, errors = process.communicate(timeout=120)
    assert errors == ""
    reply: dict[str, str] = json.loads(output)
    return reply


def check(environment: dict[str, str], **changed: object) -> dict[str, str]:
    return run(environment, "check_access", **{"repo_id": "", "private": False, "name_if_empty": "vqa", **changed})


def upload(environment: dict[str, str], model: Path) -> dict[str, str]:
    return run(environment, "publish", folder=str(model), repo_id="jane/vqa", message="vqa_accuracy 0.6340")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    def write(folder: Path) -> None:
        (folder / "config.json").write_text('{"model_type": "vilt"}')
        (folder / "model.safetensors").write_bytes(bytes(range(256)) * 200)
        (folder / "tokenizer").mkdir()
        (folder / "tokenizer" / "vocab.txt").write_text("yes\nno\n")
        (folder / "README.md").write_text("---\ntags: [seesay]\n---\n# A model, größer\n", encoding="utf-8")

    return RunFolder(tmp_path / "run").write_folder("model", 7, write)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_the_default_repository_is_created_under_ones_own_account(home: Path) -> None:
    with stand_in.HubStandIn() as hub:
        assert check(hub.environment(home)) == {"value": "jane/vqa"}
        assert check(hub.environment(home)) == {"value": "jane/vqa"}, "a second time it is there already"
        assert check(hub.environment(home), repo_id="mine", private=True) == {"value": "jane/mine"}
        assert check(hub.environment(home), repo_id="jane/full") == {"value": "jane/full"}

    assert {name: repository.private for name, repository in hub.repositories.items()} == {
        "jane/vqa": False,
        "jane/mine": True,
        "jane/full": False,
    }
    assert not any(repository.files for repository in hub.repositories.values())


@pytest.mark.parametrize("large_from", [10**9, 10_000], ids=["all in the commit", "weights by git LFS"])
def test_the_files_of_the_manifest_and_the_card_arrive_as_they_are(model: Path, home: Path, large_from: int) -> None:
    (model / "note.txt").write_text("mine, and not the model's")
    with stand_in.HubStandIn(large_from=large_from) as hub:
        assert check(hub.environment(home)) == {"value": "jane/vqa"}
        first = upload(hub.environment(home), model)
        again = upload(hub.environment(home), model)

    repository = hub.repositories["jane/vqa"]
    names = ["README.md", "config.json", "model.safetensors", "tokenizer/vocab.txt"]
    assert repository.files == {name: (model / name).read_bytes() for name in names}
    assert [len(content) for content in hub.stored.values()] == ([51_200] if large_from < 51_200 else [])
    assert first == again == {"value": f"{hub.address}/jane/vqa/commit/{repository.commit}"}
    assert repository.messages == ["vqa_accuracy 0.6340"], "nothing had changed the second time"


def test_without_a_token_nothing_is_asked(home: Path) -> None:
    with stand_in.HubStandIn() as hub:
        refused = check(hub.environment(home, token=""))

    assert refused["error"] == "UsageError"
    assert "there is no token for the Hub" in refused["text"] and "hf auth login" in refused["text"]
    assert hub.requests == []


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_is_refused_at_once(home: Path, variable: str) -> None:
    with stand_in.HubStandIn() as hub:
        refused = check({**hub.environment(home), variable: "1"})

    assert refused["error"] == "UsageError"
    assert "--push-to-hub: the Hub is switched off" in refused["text"] and variable in refused["text"]
    assert hub.requests == []


def test_an_unknown_token_is_refused_and_not_shown(home: Path) -> None:
    with stand_in.HubStandIn() as hub:
        refused = check(hub.environment(home, token="hf_of_last_year"))

    assert refused["error"] == "UsageError"
    assert "vqa: the Hub does not accept the token (401)" in refused["text"]
    assert "hf_of_last_year" not in refused["text"]


def test_a_token_that_may_only_read_is_refused_before_training(home: Path) -> None:
    with stand_in.HubStandIn() as hub:
        new = check(hub.environment(home, token=stand_in.READ_TOKEN))
        check(hub.environment(home))
        existing = check(hub.environment(home, token=stand_in.READ_TOKEN))

    for refused in (new, existing):
        assert refused["error"] == "UsageError"
        assert "the Hub refuses this token the right to write (403)" in refused["text"]
        assert "--hub-model-id" in refused["text"]


def test_another_owners_repository_is_refused_before_training(home: Path) -> None:
    with stand_in.HubStandIn() as hub:
        hub.repositories["museum/vqa"] = stand_in.Repository(private=False)
        refused = check(hub.environment(home), repo_id="museum/vqa")

    assert refused["error"] == "UsageError"
    assert refused["text"].startswith("museum/vqa: the Hub refuses this token the right to write (403)")


def test_a_private_model_does_not_go_into_a_public_repository(home: Path) -> None:
    with stand_in.HubStandIn() as hub:
        check(hub.environment(home))
        refused = check(hub.environment(home), private=True)

    assert refused["error"] == "UsageError"
    assert "jane/vqa: the repository exists and is public" in refused["text"]


@pytest.mark.parametrize("name", ["my run", "größe", "a/b/c", "x" * 97])
def test_a_name_that_cannot_be_is_refused(home: Path, name: str) -> None:
    with stand_in.HubStandIn() as hub:
        refused = check(hub.environment(home), name_if_empty=name)

    assert refused["error"] == "UsageError"
    assert "this cannot be the name of a repository" in refused["text"] and "--hub-model-id" in refused["text"]
    assert hub.repositories == {}


def test_a_hub_that_is_not_there_is_said_at_once(home: Path) -> None:
    with stand_in.HubStandIn() as hub:
        environment = hub.environment(home)
    refused = check(environment)

    assert refused["error"] == "ResourceError"
    assert "asking the Hub failed" in refused["text"] and "Connection refused" in refused["text"]


def test_a_hub_that_never_answers_is_not_waited_for(home: Path) -> None:
    with stand_in.HubStandIn(stalls_at="whoami") as hub:
        refused = check(hub.environment(home), seconds=0.5)

    assert refused["error"] == "ResourceError"
    assert "asking the Hub failed: timed out" in refused["text"]


def test_a_hub_in_trouble_is_a_resource_error(home: Path) -> None:
    with stand_in.HubStandIn(refuses=("whoami", (503, {"error": "Service Unavailable"}))) as hub:
        refused = check(hub.environment(home))

    assert refused["error"] == "ResourceError"
    assert "the Hub cannot do this now (503), saying 'Service Unavailable'" in refused["text"]


KEPT = "is complete; the same `seesay train vqa` command uploads it without training again"


def test_a_hub_that_goes_down_during_the_upload_costs_nothing(model: Path, home: Path) -> None:
    with stand_in.HubStandIn(breaks_at="/commit/") as hub:
        check(hub.environment(home))
        failed = upload(hub.environment(home), model)
    assert failed["error"] == "ResourceError"
    assert "jane/vqa: uploading failed: " in failed["text"]
    assert f"the model in {model} {KEPT}" in failed["text"]

    with stand_in.HubStandIn() as hub:
        check(hub.environment(home))
        assert "/commit/" in upload(hub.environment(home), model)["value"]


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        (
            ("/commit/", (403, {"error": "Storage limit reached"})),
            "UsageError",
            "(403), saying 'Storage limit reached'",
        ),
        (("/commit/", (412, {"error": "A commit has happened since"})), "ResourceError", "the Hub refused it (412)"),
        (("/storage/", (403, {})), "UsageError", "the right to write (403)"),
        (("/batch", (200, {"objects": [{}]})), "ResourceError", "uploading failed: "),
    ],
)
def test_a_refused_upload_names_the_reason_and_how_to_retry(
    model: Path, home: Path, trouble: tuple[str, tuple[int, dict[str, Any]]], kind: str, words: str
) -> None:
    with stand_in.HubStandIn(large_from=10_000) as hub:
        check(hub.environment(home))
        hub.refuses = trouble
        failed = upload(hub.environment(home), model)

    assert failed["error"] == kind
    assert words in failed["text"] and KEPT in failed["text"]


def test_a_card_that_the_hub_refuses_is_named(model: Path, home: Path) -> None:
    (model / "README.md").write_text("---\nlicense: nonsense\n---\n")
    with stand_in.HubStandIn() as hub:
        check(hub.environment(home))
        failed = upload(hub.environment(home), model)

    assert 'the Hub refused it (400), saying \'"license" must be one of' in failed["text"] and KEPT in failed["text"]


def test_the_transfer_library_failing_is_an_error_like_any_other(model: Path, home: Path) -> None:
    with stand_in.HubStandIn(large_from=10_000) as hub:
        check(hub.environment(home))
        failed = upload({**hub.environment(home), "HF_HUB_DISABLE_XET": "0"}, model)

    assert any("xet-write-token" in request for request in hub.requests), "the client took another way than meant"
    assert failed["error"] in ("ResourceError", "UsageError")
    assert KEPT in failed["text"]


def test_stopping_an_upload_says_how_to_go_on(model: Path, home: Path) -> None:
    with stand_in.HubStandIn(stalls_at="/commit/") as hub:
        check(hub.environment(home))
        arguments = {"folder": str(model), "repo_id": "jane/vqa", "message": "m"}
        with client(hub.environment(home), "publish", **arguments) as process:
            assert hub.stalled.wait(60)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)

    stopped = json.loads(output)
    assert stopped["error"] == "Interrupted"
    assert "stopped while uploading" in stopped["text"] and KEPT in stopped["text"]


def test_a_damaged_model_is_not_uploaded(model: Path, home: Path) -> None:
    (model / "config.json").unlink()
    with stand_in.HubStandIn() as hub:
        refused = upload(hub.environment(home), model)

    assert refused["error"] == "RunError"
    assert "not uploaded, the model is damaged: 'config.json' is missing" in refused["text"]
    assert hub.requests == []
