"""The rows of this room; each file holds one idea."""

from __future__ import annotations

from console.notifications.models.channel import Channel, ChannelKind
from console.notifications.models.notification import (
    Importance,
    Notification,
    NotificationKind,
    NotificationState,
)
from console.notifications.models.subscriber import (
    EventDelivery,
    EventDeliveryState,
    OutwardEvent,
    Subscriber,
)

__all__ = [
    "Channel",
    "ChannelKind",
    "EventDelivery",
    "EventDeliveryState",
    "Importance",
    "Notification",
    "NotificationKind",
    "NotificationState",
    "OutwardEvent",
    "Subscriber",
]
