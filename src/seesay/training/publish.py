"""Uploading a finished model to the Hugging Face Hub: rights are checked before training, files are sent after it.

    repository = check_access("", private=False, name_if_empty="vqa")     # "owner/vqa", or an error at once
    ...                                                                    # hours of training
    url = publish(Path("runs/vqa/model"), repository, message="vqa_accuracy 0.6340")

The client is huggingface_hub, so HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE and `hf auth login` work as ever. It knows
nothing about training: a model here is a folder with a manifest (`run_folder`) and a README.md.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from ..errors import Interrupted, MissingExtra, ResourceError, RunError, SeesayError, UsageError
from ..models.checkpoint import EXTRA
from .run_folder import CARD, damage, read_manifest

CHECK_SECONDS = 20
"""How long one answer of the Hub may take before training; an upload may stand still for `UPLOAD_SECONDS`."""
UPLOAD_SECONDS = 300


def check_access(repo_id: str, *, private: bool, name_if_empty: str) -> str:
    """Make sure, before anything is trained, that the model can be uploaded; creates the repository if there is none.

    Args:
        repo_id: `owner/name`, a `name` under the token's account, or empty.
        private: create the repository private; a public one that exists already is refused.
        name_if_empty: name of the repository where `repo_id` is empty.

    Returns:
        The repository as `owner/name`.

    Raises:
        UsageError: offline by setting, no token, a token without the right to write, or a name that cannot be.
        ResourceError: the Hub cannot be reached or does not work.
        MissingExtra: huggingface_hub is not installed.
    """
    if find_spec("huggingface_hub") is None:
        raise MissingExtra("uploading to the Hub", EXTRA)
    from huggingface_hub import CommitOperationAdd, HfApi, get_token, is_offline_mode

    if is_offline_mode():
        hint = "unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE, or train without --push-to-hub"
        raise UsageError("the Hub is switched off by HF_HUB_OFFLINE", where="--push-to-hub", hint=hint)
    with _session(CHECK_SECONDS), _explained("asking the Hub", repo_id or name_if_empty):
        if not get_token():
            hint = "put one that may write into HF_TOKEN, or run `hf auth login`"
            raise UsageError("there is no token for the Hub", where="--push-to-hub", hint=hint)
        api = HfApi()
        owner = str(api.whoami()["name"])
        name = repo_id or name_if_empty
        repository = name if "/" in name else f"{owner}/{name}"
        # None leaves it to the owner's own default, which for an organization may well be private.
        api.create_repo(repository, private=private or None, exist_ok=True)
        # An existing repository is found with a token that may only read. What upload comes first, and is refused to
        # such a token, is the question how the files are to be sent; it changes nothing.
        api.preupload_lfs_files(repository, [CommitOperationAdd(CARD, b"# May this be written?")])
        if private and not api.model_info(repository).private:
            hint = "make it private on its settings page, or choose another --hub-model-id"
            raise UsageError("the repository exists and is public", where=repository, hint=hint)
    return repository


def publish(folder: Path, repo_id: str, *, message: str) -> str:
    """Upload a model in one commit: the files that its manifest lists, and README.md.

    Args:
        folder: a finished model; it is read in full and compared with its manifest first.
        repo_id: `owner/name`, as `check_access` returned it.
        message: the commit's message, one line.

    Returns:
        The address of the commit. Where nothing has changed since the last upload, that of the last one.

    Raises:
        RunError: the model is damaged.
        UsageError, ResourceError, Interrupted: it was not uploaded; the model is whole and the hint says how to retry.
    """
    problems = damage(folder)
    if problems:
        raise RunError(f"not uploaded, the model is damaged: {problems[0]}", where=str(folder))
    from huggingface_hub import CommitOperationAdd, HfApi

    names = [*read_manifest(folder).files, *([CARD] if (folder / CARD).is_file() else [])]
    kept = f"the model in {folder} is complete; the same command uploads it without training again"
    with _session(UPLOAD_SECONDS), _explained("uploading", repo_id, kept):
        additions = [CommitOperationAdd(name, folder / name) for name in names]
        return str(HfApi().create_commit(repo_id, additions, commit_message=message).commit_url)


@contextmanager
def _session(seconds: float) -> Iterator[None]:
    """The client with a limit on each read and write (it has none of its own), and without what it prints."""
    from huggingface_hub import get_session
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    session, logger, hidden = get_session(), logging.getLogger("huggingface_hub"), are_progress_bars_disabled()
    limit, level = session.timeout, logger.level
    session.timeout = seconds
    logger.setLevel(logging.ERROR)
    disable_progress_bars()
    try:
        yield
    finally:
        session.timeout = limit
        logger.setLevel(level)
        if not hidden:
            enable_progress_bars()


@contextmanager
def _explained(doing: str, repository: str, kept: str = "") -> Iterator[None]:
    """Whatever the client raises becomes an error of ours, with the repository and what is to be done."""
    try:
        yield
    except SeesayError:
        raise
    except KeyboardInterrupt:
        raise Interrupted(f"stopped while {doing}", where=repository, hint=kept) from None
    # The client raises errors of its own, of httpx, of its transfer library and plain RuntimeError and ValueError. None
    # of them may end a finished run in a traceback.
    except Exception as error:
        raise _explain(error, doing, repository, kept) from error


def _explain(error: Exception, doing: str, repository: str, kept: str) -> SeesayError:
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    chain = [error]
    while isinstance(chain[-1].__cause__, Exception):
        chain.append(chain[-1].__cause__)
    refusal = next((link for link in chain if isinstance(link, HfHubHTTPError)), None)
    if refusal is not None:
        kind, message, hint = _refusal(refusal.response.status_code)
        message += f", saying {refusal.server_message.splitlines()[0]!r}" if refusal.server_message else ""
    elif isinstance(error, HFValidationError):
        kind, message = UsageError, "this cannot be the name of a repository"
        hint = "give --hub-model-id OWNER/NAME: up to 96 letters without accents, digits, '-', '_' and '.'"
    else:
        words = str(chain[-1]).strip().splitlines() or [type(chain[-1]).__name__]
        kind, message, hint = ResourceError, f"{doing} failed: {words[0]}", "check the connection"
    return kind(message, where=repository, hint="; ".join(filter(None, [hint, kept])))


def _refusal(status: int) -> tuple[type[SeesayError], str, str]:
    """What a status of the Hub means: the error, its message, and what to do."""
    if status == 401:
        return UsageError, "the Hub does not accept the token (401)", "renew HF_TOKEN, or run `hf auth login --force`"
    if status == 403:
        hint = "use a token that may write to it (https://huggingface.co/settings/tokens), or another --hub-model-id"
        return UsageError, "the Hub refuses this token the right to write (403)", hint
    if status == 429 or status >= 500:
        return ResourceError, f"the Hub cannot do this now ({status})", "try again later"
    return ResourceError, f"the Hub refused it ({status})", ""
