"""What a person changes about themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from console.accounts.audit import Actor, changed, record
from console.accounts.models import User


@transaction.atomic
def change_own_settings(user: User, values: dict[str, Any], *, actor: Actor, now: datetime) -> bool:
    """Store a person's choices. False when nothing differs."""
    before, after = changed({name: getattr(user, name) for name in values}, values)
    if not after:
        return False
    for name, value in after.items():
        setattr(user, name, value)
    user.save(update_fields=list(after))
    record(actor, action="user.settings", subject=user, before=before, after=after, now=now)
    return True
