"""What the hands do, by hand: send what is due at a moment, and look at what became of it."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from console.notifications.models import Attempt, Notification
from console.notifications.sending import send_next


def send_due(*, after: float = 0.0) -> int:
    """Send everything due so many seconds from now; how many messages went out."""
    now = timezone.now() + timedelta(seconds=after)
    count = 0
    while send_next(now=now):
        count += 1
    return count


def states() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("state", flat=True))


def answers() -> list[tuple[str, str]]:
    return list(Attempt.objects.order_by("pk").values_list("outcome", "answer"))
