"""A message as the senders see it: words, links and facts, whatever rows it was made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

MOST_SHORT = 300
"""Characters of a text message: two parts of an SMS."""


class Change(StrEnum):
    """What happened to the thing that the message is about; services that keep alerts of their own follow it."""

    BEGAN = "began"
    TAKEN = "taken"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """Ready to be sent. `count` is above 1 where several messages go out as one."""

    id: int
    key: str
    kind: str
    change: Change
    subject_key: str
    """The same for all messages about one thing, and of no other console."""
    title: str
    body: str
    reason: str
    severity: str = ""
    service: str = ""
    url: str = ""
    acknowledge_url: str = ""
    home: str = ""
    due_at: datetime
    sent_at: datetime
    count: int = 1
    is_possibly_duplicated: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return self.change == Change.OVER

    @property
    def whole_text(self) -> str:
        """Everything, for those who read long texts."""
        links = [
            f"Acknowledge: {self.acknowledge_url}" if self.acknowledge_url else "",
            f"Open: {self.url}" if self.url else "",
            f"Why you: {self.reason}" if self.reason else "",
        ]
        return "\n\n".join(part for part in (self.body, "\n".join(filter(None, links))) if part)

    @property
    def short_text(self) -> str:
        """For a small screen: the first words, and the one link that matters."""
        link = self.acknowledge_url or self.url
        room = MOST_SHORT - len(link) - 1
        text = " ".join(self.body.split())
        clipped = text if len(text) <= room else f"{text[: max(0, room - 1)]}…"
        return f"{clipped}\n{link}".strip()
