"""How often and when a message is tried again."""

from __future__ import annotations

from datetime import timedelta

MOST_ATTEMPTS = 8
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=5)


def wait_after(attempts: int, *, retry_after: float | None = None) -> timedelta:
    """5 s, 10 s, 20 s … 5 min after so many attempts; longer where the provider asks for it."""
    wait = min(FIRST_WAIT * 2.0 ** (attempts - 1), LONGEST_WAIT)
    return max(wait, timedelta(seconds=retry_after or 0.0))
