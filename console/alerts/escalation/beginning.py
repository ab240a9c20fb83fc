"""What a decision sets going: a page begins an escalation, a ticket a work item; a log nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.alerts.models import Receipt


def begin(receipts: Sequence[Receipt], *, now: datetime) -> None:
    """Called by `routing.py` with the receipts that were new, in its transaction. Twice is harmless."""
