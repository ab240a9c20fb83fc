"""The bell of the outbox: rung when something was put into it."""

from __future__ import annotations

from console.lib.bells import Bell

SEND = Bell("console.notifications.tasks.send", queue="notify")
