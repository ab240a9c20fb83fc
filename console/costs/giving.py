"""A batch of files as the console was given it: one row each, waiting to be worked."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.accounts.audit import Actor
from console.costs.models import BillingImport, ImportState, Mode


@dataclass(frozen=True, slots=True)
class Asked:
    """How the files are to be taken."""

    origin: str
    mode: Mode = Mode.REPLACE
    provider: str = ""
    currency: str = ""
    is_restatement_confirmed: bool = False


def give(
    names: Sequence[str], asked: Asked, *, by: Actor, now: datetime, is_at_once: bool = False
) -> list[BillingImport]:
    """Make the rows. `is_at_once`: the caller works them itself, no worker may claim them."""
    batch = uuid.uuid4()
    return [
        BillingImport.objects.create(
            origin=asked.origin,
            batch=batch,
            file_name=name[-255:],
            sha256=b"",
            mode=asked.mode,
            default_provider=asked.provider[:64],
            default_currency=asked.currency[:3],
            is_restatement_confirmed=asked.is_restatement_confirmed,
            state=ImportState.RUNNING if is_at_once else ImportState.WAITING,
            created_at=now,
            started_at=now if is_at_once else None,
            heartbeat_at=now if is_at_once else None,
            attempt=int(is_at_once),
            created_by_id=by.person_id,
        )
        for name in names
    ]
