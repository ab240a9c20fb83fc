"""The rows of this room; each file holds one idea."""

from __future__ import annotations

from console.notifications.models.allowed_host import AllowedHost
from console.notifications.models.channel import Channel, ChannelKind
from console.notifications.models.contact import (
    BoardNotice,
    ContactKind,
    ContactMethod,
    PersonalRule,
    QuietHours,
)
from console.notifications.models.link import Link
from console.notifications.models.notification import Attempt, AttemptOutcome, Notification
from console.notifications.models.subscriber import (
    EventDelivery,
    EventDeliveryState,
    OutwardEvent,
    Subscriber,
)
from console.notifications.models.words import HEARD, Importance, NotificationKind, NotificationState

__all__ = [
    "HEARD",
    "AllowedHost",
    "Attempt",
    "AttemptOutcome",
    "BoardNotice",
    "Channel",
    "ChannelKind",
    "ContactKind",
    "ContactMethod",
    "EventDelivery",
    "EventDeliveryState",
    "Importance",
    "Link",
    "Notification",
    "NotificationKind",
    "NotificationState",
    "OutwardEvent",
    "PersonalRule",
    "QuietHours",
    "Subscriber",
]
