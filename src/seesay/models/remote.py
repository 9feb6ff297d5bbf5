"""A model that another server computes: `--model openai:http://host:8000/v1#model`, for vLLM, SGLang, Ollama or a seesay.

What goes over the wire is OpenAI's chat completions (https://platform.openai.com/docs/api-reference/chat), pictures within as
data: URLs. A key is taken from OPENAI_API_KEY. It is no checkpoint, so it is found by its prefix and not by a `model_type`, and
it cannot be trained, saved or looked into.

A score is the likelihood of the answer's tokens, exp(mean log p), where the server tells it (`logprobs`), what a seesay at the
other end gives, and 0 where neither is told.
"""

from __future__ import annotations

import json
import math
import os
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urldefrag, urlsplit

from ..errors import Busy, ImageTooLarge, InputError, MissingExtra, ModelError, ModelNotFound, ResourceError, UsageError
from ..media import data_url, digest_image
from ..settings import ModelSettings
from ..types import Candidate, Conversation, Example, Message, TextPart
from .checkpoint import Checkpoint, Placement
from .family import Batch, Examined, Family, normalized

if TYPE_CHECKING:
    import httpx2
    import torch

PREFIX = "openai:"
EXTRA = "seesay[remote]"
ASK, DESCRIBE = "{}\nAnswer the question using a single word or phrase.", "Describe this picture in one sentence."
"""As models that converse are asked for short answers."""
AT_ONCE = 16
"""Requests under way at one time."""
ATTEMPTS, LONGEST_WAIT = 4, 10.0
"""How often a request is made that a busy server refuses, and seconds to wait at most in between."""
CONNECT_SECONDS, READ_SECONDS = 10.0, 120.0
MOST_TOKENS = 128


class Remote(Family):
    """A model at the other end of a connection."""

    name: ClassVar[str] = "remote"
    model_types: ClassVar[tuple[str, ...]] = ()
    needs_torch: ClassVar[bool] = False
    streams: ClassVar[bool] = True
    converses: ClassVar[bool] = True
    reads: ClassVar[bool] = True
    captions: bool = True
    parallel: ClassVar[int] = AT_ONCE

    def __init__(self, address: str, model: str) -> None:
        """
        Raises:
            UsageError: not an address.
            ModelNotFound: the server has no such model.
            ResourceError: the server cannot be reached.
            MissingExtra: the package httpx2 is not installed.
        """
        try:
            import httpx2
        except ImportError:
            raise MissingExtra("asking another server", EXTRA) from None
        self._where = address
        key = os.environ.get("OPENAI_API_KEY", "")
        self._http = httpx2.Client(
            base_url=address.rstrip("/") + "/",
            headers={"authorization": f"Bearer {key}"} if key else {},
            timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx2.Limits(max_connections=2 * AT_ONCE),
        )
        weakref.finalize(self, self._http.close)
        self._tells_chances = True
        self._model, self._is_seesay = self._look_for(model)
        self.checkpoint = Checkpoint(f"{PREFIX}{address}#{self._model}", Path(), "", {})
        self.placement, self.vocabulary = Placement("remote", "unknown"), ()

    @classmethod
    def connect(cls, settings: ModelSettings) -> Self:
        """The model that `settings` name. Raises as the constructor."""
        address, model = urldefrag(settings.model.removeprefix(PREFIX))
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            hint = "such as openai:http://127.0.0.1:8000/v1#seesay-mini"
            raise UsageError(f"{settings.model!r} is not {PREFIX} and an address", where="--model", hint=hint)
        return cls(address, model)

    @property
    def engine(self) -> str:
        return "OpenAI API"

    def prepare(self, examples: Sequence[Example], *, normalize: Callable[[str], str] | None = None) -> Batch:
        ask, describe = ("{}", "describe") if self._is_seesay else (ASK, DESCRIBE)
        conversations = []
        for example in examples:
            question = ask.format(example.question) if example.question else describe
            conversations.append(Conversation().ask(question, *example.images))
        return _batch(conversations)

    def prepare_conversation(self, conversation: Conversation) -> Batch:
        return _batch([conversation])

    def predict(self, batch: Batch, top_k: int) -> list[tuple[Candidate, ...]]:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(AT_ONCE, len(batch.digests))) as pool:
            return [(candidate,) for candidate in pool.map(self._complete, batch.tensors["messages"])]

    def choose(self, batch: Batch, choices: Sequence[str]) -> list[tuple[Candidate, ...]]:
        """By the server's /v1/decisions, which a seesay and OpenAI have.

        Raises:
            ModelError: it has none.
        """

        def decide(messages: Sequence[Mapping[str, Any]]) -> tuple[Candidate, ...]:
            *parts, question = messages[-1]["content"]
            images = [{"type": "input_image", "image_url": part["image_url"]["url"]} for part in parts]
            asked = {"type": "choice", "instructions": question["text"], "choices": [{"value": one} for one in choices]}
            body = {"model": self._model, "input": [{"role": "user", "content": images}], "questions": [asked]}
            try:
                reply = self._post("decisions", body)
            except ModelNotFound:
                raise ModelError("this server does not choose among given answers", where=self._where) from None
            (answer,) = reply["answers"]
            chances = {row["value"]: float(row["probability"]) for row in answer.get("probabilities", ())}
            return normalized(choices, [chances.get(choice, 0.0) for choice in choices])

        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(AT_ONCE, len(batch.digests))) as pool, self._understood():
            return list(pool.map(decide, batch.tensors["messages"]))

    def write(self, batch: Batch, max_new_tokens: int, hear: Callable[[str], bool]) -> tuple[Candidate, bool]:
        (messages,) = batch.tensors["messages"]
        body = {**self._body(messages, max_new_tokens), "stream": True}
        text, finish, score, chances = "", "", 0.0, list[float]()
        with self._understood(), self._sent("chat/completions", body) as reply:
            for row in _events(reply):
                if "error" in row:
                    raise _refused(500, row, self._where)
                for choice in row.get("choices", ()):
                    text += choice.get("delta", {}).get("content") or ""
                    chances += _chances(choice)
                    finish = choice.get("finish_reason") or finish
                score = float((row.get("seesay") or {}).get("score", score))
                if not hear(text):
                    break  # leaving closes the connection, which ends the work at the other end
        return Candidate(text.strip(), score or _mean(chances)), finish == "stop"

    def score(self, batch: Batch, answers: Sequence[str]) -> list[float]:
        raise ModelError("a server does not tell how likely a given answer is", where=self._where)

    @classmethod
    def load(cls, checkpoint: Checkpoint, placement: Placement) -> Self:
        raise _no_checkpoint()

    @classmethod
    def fine_tune(cls, checkpoint: Checkpoint, placement: Placement, vocabulary: Sequence[str], seed: int) -> Self:
        raise _no_checkpoint()

    @classmethod
    def create(
        cls, configuration: str, placement: Placement, vocabulary: Sequence[str], questions: Iterable[str], seed: int
    ) -> Self:
        raise _no_checkpoint()

    @property
    def network(self) -> torch.nn.Module:
        raise _no_checkpoint()

    def examine(self, batch: Batch, *, answer: bool) -> Examined:
        raise _no_checkpoint()

    def save(self, folder: Path) -> None:
        raise _no_checkpoint()

    def _look_for(self, model: str) -> tuple[str, bool]:
        """The model's name, the server's first where none was given, and whether it is a seesay's."""
        with self._understood():
            reply = self._http.get("models")
            if reply.status_code >= 500 and model:
                return model, False  # not every server can list what it has
            if reply.status_code != 200:
                raise _refused(reply.status_code, _json(reply), self._where)
            listed = _json(reply).get("data") or []
        cards = {str(card["id"]): card for card in listed if isinstance(card, Mapping) and "id" in card}
        wanted = model or next(iter(cards), "")
        name = next((known for known in (wanted, f"{wanted}:latest") if known in cards), "")
        if not name:
            found = f"no model {model!r}" if model else "no model"
            hint = f"there are: {', '.join(cards)}" if cards else ""
            raise ModelNotFound(f"{found} on this server", where=self._where, hint=hint)
        return name, cards[name].get("owned_by") == "seesay"

    def _body(self, messages: Sequence[Mapping[str, Any]], max_new_tokens: int) -> dict[str, Any]:
        body = {"model": self._model, "messages": messages, "max_tokens": max_new_tokens, "temperature": 0}
        return body | ({"logprobs": True} if self._tells_chances and not self._is_seesay else {})

    def _complete(self, messages: Sequence[Mapping[str, Any]]) -> Candidate:
        with self._understood():
            reply = self._post("chat/completions", self._body(messages, MOST_TOKENS))
            (choice,) = reply["choices"]
            extra = reply.get("seesay") or {}
            # A seesay says in words why it gives no answer; here its best one counts.
            told = extra.get("answer") or (extra["alternatives"][0]["answer"] if extra.get("alternatives") else "")
            text = told or choice["message"]["content"] or ""
            return Candidate(str(text).strip(), float(extra.get("score", _mean(_chances(choice)))))

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        with self._sent(path, body) as reply:
            reply.read()
            return _json(reply)

    @contextmanager
    def _sent(self, path: str, body: Mapping[str, Any]) -> Iterator[httpx2.Response]:
        """The reply to a request, its body not read yet; a busy server is asked again."""
        wait = 1.0
        for attempt in range(1, ATTEMPTS + 1):
            with self._http.stream("POST", path, json=body) as reply:
                if reply.status_code == 200:
                    yield reply
                    return
                reply.read()
                error = _refused(reply.status_code, _json(reply), self._where, _seconds(reply, wait))
            if "logprobs" in body and reply.status_code == 400 and "logprobs" in str(error):
                self._tells_chances = False
                body = {name: value for name, value in body.items() if name != "logprobs"}
            elif reply.status_code not in (429, 503) or attempt == ATTEMPTS:
                raise error
            else:
                time.sleep(_seconds(reply, wait))
                wait *= 2
        raise error

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """What goes wrong on the way, as our errors."""
        import httpx2

        try:
            yield
        except httpx2.TimeoutException:
            raise ResourceError("the server does not answer in time", where=self._where) from None
        except httpx2.HTTPError:
            hint = "is it running, and is the address right?"
            raise ResourceError("the server cannot be reached, or broke off", where=self._where, hint=hint) from None
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            hint = "does it speak OpenAI's chat completions?"
            raise ModelError("the server's reply makes no sense", where=self._where, hint=hint) from None


def _batch(conversations: Sequence[Conversation]) -> Batch:
    """Conversations as OpenAI's messages; only the last turn's last part is sure to be words."""
    digests = tuple(tuple(map(digest_image, conversation.images)) for conversation in conversations)
    return Batch({"messages": [list(map(_message, one.messages)) for one in conversations]}, digests)


def _message(message: Message) -> dict[str, Any]:
    parts = [
        {"type": "text", "text": part.text}
        if isinstance(part, TextPart)
        else {"type": "image_url", "image_url": {"url": data_url(part.source)}}
        for part in message.parts
    ]
    # Servers take parts of the user only.
    return {"role": message.role, "content": parts if message.role == "user" else message.text}


def _events(reply: httpx2.Response) -> Iterator[dict[str, Any]]:
    """The data of server-sent events, up to the one that says [DONE]."""
    for line in reply.iter_lines():
        if line.startswith("data:"):
            data = line[5:].strip()
            if data == "[DONE]":
                return
            row = json.loads(data)
            if not isinstance(row, dict):
                raise TypeError(row)
            yield row


def _json(reply: httpx2.Response) -> dict[str, Any]:
    try:
        found = json.loads(reply.content)
    except ValueError:
        if reply.status_code == 200:
            raise
        return {}
    return found if isinstance(found, dict) else {}


def _chances(choice: Mapping[str, Any]) -> list[float]:
    return [float(token["logprob"]) for token in (choice.get("logprobs") or {}).get("content") or ()]


def _mean(chances: Sequence[float]) -> float:
    return min(1.0, math.exp(sum(chances) / len(chances))) if chances else 0.0


def _seconds(reply: httpx2.Response, otherwise: float) -> float:
    told = reply.headers.get("retry-after", "")
    return min(float(told) if told.isdigit() else otherwise, LONGEST_WAIT)


def _refused(status: int, body: Mapping[str, Any], where: str, seconds: float = 1.0) -> Exception:
    """A refusal as our error. What the server says is kept to one line."""
    told: Any = body.get("error", body.get("message", ""))
    told = told.get("message", "") if isinstance(told, Mapping) else told
    said = " ".join("".join(c if c.isprintable() else " " for c in str(told)).split())[:300] or f"status {status}"
    match status:
        case 401 | 403:
            return UsageError(f"the server wants another key: {said}", where=where, hint="set OPENAI_API_KEY")
        case 404:
            return ModelNotFound(f"not on this server: {said}", where=where)
        case 413:
            return ImageTooLarge(f"too large for the server: {said}", where=where)
        case 429:
            return Busy(f"the server is busy: {said}", where=where, retry_after=math.ceil(seconds))
        case _ if 400 <= status < 500:
            return InputError(f"the server refuses it: {said}", where=where)
    return ResourceError(f"the server failed: {said}", where=where)


def _no_checkpoint() -> ModelError:
    hint = "train and measure its weights where they lie"
    return ModelError("a model on another server cannot be trained, saved or looked into", hint=hint)
