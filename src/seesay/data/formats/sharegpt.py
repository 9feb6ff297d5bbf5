"""ShareGPT and LLaVA: `conversations`, a list of `{"from": "human" | "gpt" | "system", "value": ...}`, and `image` or `images`
for each `<image>` in the values. github.com/haotian-liu/LLaVA/blob/main/docs/Finetune_Custom_Data.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..conversations import ConversationFormat
from ..rows import BadRow, shown

ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


class ShareGpt(ConversationFormat):
    """Turns that say who speaks in `from` and what in `value`."""

    name: ClassVar[str] = "sharegpt"
    summary: ClassVar[str] = 'rows {"conversations": [{"from": "human", "value": "<image>..."}, ...], "image": ...}'
    field: ClassVar[str] = "conversations"

    def fits(self, turn: Any) -> bool:
        return isinstance(turn, Mapping) and "from" in turn

    def messages(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = []
        for number, turn in enumerate(row[self.field], start=1):
            who = turn.get("from") if isinstance(turn, Mapping) else None
            if not isinstance(who, str) or who not in ROLES:
                raise BadRow(f"turn {number} is from {shown(who)}", f"known: {', '.join(ROLES)}")
            value = turn.get("value")
            if not isinstance(value, str):
                raise BadRow(f"turn {number} ({who}) says {shown(value)}, not text", "write what is said in 'value'")
            found.append({"role": ROLES[who], "content": value})
        return found
