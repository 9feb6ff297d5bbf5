"""What a chat model is asked with: a question put as its training put it, a conversation as tokens and pixels.

Processor and chat template are the checkpoint's own. A question alone is asked with the prompt for short answers of Liu et al.,
"Improved Baselines with Visual Instruction Tuning" (LLaVA-1.5), CVPR 2024, a description with the prompt for captions there
(table 2 of its appendix). PaliGemma has no template; it gets the prompts it was tuned on (Beyer et al., "PaliGemma: A versatile
3B VLM for transfer", 2024): all pictures of the conversation, and the last question.

Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import InputError, ModelError
from ..media import digest_image, open_image
from ..types import Conversation, Example, ImagePart, ImageSource, Message, TextPart
from .chat_processor import processed, read_chat_processor
from .chat_template import ChatTemplate
from .checkpoint import Checkpoint
from .family import Batch

if TYPE_CHECKING:
    import PIL.Image

UNBOUNDED = 2**20
"""Tokens that a model reads whose configuration states no limit."""
PALIGEMMA = (
    "{%- for message in messages -%}{%- for part in message.content -%}{%- if part.type == 'image' -%}<image>{%- endif -%}"
    "{%- endfor -%}{%- endfor -%}{%- set last = messages[-1].content | selectattr('type', 'equalto', 'text') | list -%}"
    "{%- set text = (last | map(attribute='text') | join(' ')) -%}"
    "{%- if text.split(' ')[0] not in ('answer', 'caption', 'cap', 'describe', 'detect', 'ocr', 'segment') -%}"
    "answer en {% endif -%}{{ text }}"
)


@dataclass(frozen=True, slots=True)
class Style:
    """How a model is asked one thing about one picture."""

    ask: str = "{}\nAnswer the question using a single word or phrase."
    describe: str = "Provide a one-sentence caption for the provided image."
    template: str = ""
    """In place of a chat template, where a checkpoint has none."""


STYLES = {"paligemma": Style("{}", "caption en", PALIGEMMA)}


@dataclass(frozen=True, slots=True)
class Asking:
    """How one checkpoint is asked."""

    processor: Any
    """Of transformers, for pictures and text."""
    template: ChatTemplate
    style: Style
    longest: int
    """Tokens that the model reads."""
    name: str
    """Of the checkpoint, for messages."""

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Asking:
        """What a checkpoint has beside its weights.

        Raises:
            ModelError: its processor cannot be used, or it has no chat template.
        """
        style = STYLES.get(checkpoint.model_type, Style())
        processor = read_chat_processor(checkpoint)
        template = _template(checkpoint, processor, style)
        import transformers

        config = transformers.CONFIG_MAPPING[checkpoint.model_type].from_dict(dict(checkpoint.config))
        text = config.get_text_config(decoder=True)
        longest = int(getattr(text, "max_position_embeddings", None) or UNBOUNDED)
        return cls(processor, template, style, longest, checkpoint.name)

    @property
    def one_turn(self) -> bool:
        """Whether it is shown the last question alone."""
        return bool(self.style.template) and self.template.template == self.style.template

    def conversation(self, example: Example) -> Conversation:
        """One question, or the wish for a description, as the conversation it is asked with.

        Raises:
            InputError: there is no picture.
        """
        if not example.images:
            raise InputError("a question without a picture", where=example.origin)
        words = self.style.ask.format(example.question.strip()) if example.question.strip() else self.style.describe
        message = Message("user", (*map(ImagePart, example.images), TextPart(words)))
        return Conversation((message,), example.id, example.origin)

    def batch(
        self,
        conversations: Sequence[Conversation],
        room: int,
        look: Callable[[ImageSource], PIL.Image.Image] | None = None,
    ) -> Batch:
        """Conversations as tensors, padded on the left.

        Args:
            room: tokens that must be left for an answer.
            look: opens a picture; by default as everywhere.

        Raises:
            InputError: one is longer than the model reads, or its template refuses it.
            ImageError: a picture cannot be used.
        """
        texts = [self.template.prompt(conversation) for conversation in conversations]
        rows = [[(digest_image(source), source) for source in conversation.images] for conversation in conversations]
        # Pictures that come twice in a batch are opened once.
        unique = {digest: source for row in rows for digest, source in row}
        opened = {digest: look(source) if look else open_image(source).pixels for digest, source in unique.items()}
        pictures = [[opened[digest] for digest, _ in row] for row in rows]
        tensors = processed(self.processor, texts, pictures)
        tensors.pop("labels", None)
        self.require_room(int(tensors["attention_mask"].sum(1).max()), room)
        return Batch(tensors, tuple(tuple(digest for digest, _ in row) for row in rows))

    def require_room(self, tokens: int, room: int) -> None:
        """Raises an InputError where `tokens` leave less than `room` for an answer."""
        if tokens + room > self.longest:
            message = f"{tokens:,} tokens; this model reads {self.longest:,}, {room:,} of them for its answer"
            raise InputError(message, where="conversation", hint="leave out earlier turns or pictures")

    def ends(self, known: Sequence[int]) -> list[int]:
        """The tokens that end an answer: those the checkpoint knows, and the one its template writes."""
        closing = self.template.closing
        token = self.processor.tokenizer.convert_tokens_to_ids(closing) if closing else None
        return [*known] if token is None or token in known else [*known, token]


def _template(checkpoint: Checkpoint, processor: Any, style: Style) -> ChatTemplate:
    """The processor's own template, or the tokenizer's, or the style's.

    Raises:
        ModelError: there is none, or the processor names no token for a picture.
    """
    found = getattr(processor, "chat_template", None) or processor.tokenizer.chat_template
    text = found.get("default") if isinstance(found, dict) else found
    if not text and not style.template:
        hint = "take a checkpoint tuned on conversations; its repository has a chat_template.jinja"
        raise ModelError("no chat template in this checkpoint", where=checkpoint.name, hint=hint)
    tokens = {
        name: value for name, value in vars(processor).items() if name.endswith("_token") and isinstance(value, str)
    }
    if "image_token" not in tokens:
        raise ModelError("its processor names no token for a picture", where=checkpoint.name)
    return ChatTemplate(
        text or style.template, processor.tokenizer, tokens["image_token"], tokens.values(), checkpoint.name
    )
