"""What the other rooms want said, before it is known by which ways it goes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from console.notifications.models.words import Importance, NotificationKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something to say to one person or one channel; exactly one of the two ids is given."""

    key: str
    """Unique for ever: the same message written twice is one. At most 200 characters."""
    origin: str
    kind: NotificationKind
    subject: str
    title: str
    text: str
    path: str
    reason: str
    person_id: int | None = None
    channel_id: int | None = None
    importance: Importance = Importance.DEFAULT
    data: dict[str, Any] = field(default_factory=dict)
    """For senders that take more than text: `severity`, `group_id`, `service`, `status` …"""
    method_id: int | None = None
    """Of the person: told by this contact method alone, whatever their rules and quiet hours say."""
