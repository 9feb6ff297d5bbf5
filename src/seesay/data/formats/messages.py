"""Messages as Hugging Face and OpenAI have them: `messages`, a list of `{"role": "user" | "assistant" | "system", "content": ...}`.

Content is text, in which `<image>` stands for the next of the row's `images`, or a list of parts: `{"type": "text", "text": ...}`,
`{"type": "image"}` (for the next picture, or with one under `image`, `url`, `path` or `base64`) and OpenAI's `{"type":
"image_url", "image_url": {"url": ...}}` with a `data:` URL or the path of a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..conversations import ConversationFormat
from ..rows import BadRow, shown


class Messages(ConversationFormat):
    """Turns that say who speaks in `role` and what in `content`."""

    name: ClassVar[str] = "messages"
    summary: ClassVar[str] = 'rows {"messages": [{"role": "user", "content": text or parts}, ...], "images": [...]}'
    field: ClassVar[str] = "messages"

    def fits(self, turn: Any) -> bool:
        return isinstance(turn, Mapping) and "role" in turn

    def messages(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        for number, turn in enumerate(row[self.field], start=1):
            if not isinstance(turn, Mapping):
                raise BadRow(f"turn {number} is {shown(turn)}", "a turn is an object with role and content")
        return list(row[self.field])
