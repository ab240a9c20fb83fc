"""Who could not be told that it is their turn."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings

from console.accounts.models import User
from console.lib.origin import Origin

CLOSED = "the account is closed"
NO_MAIL = "only an e-mail address is known, and no mail server is set up"


def unreachable(person_ids: Collection[int]) -> dict[int, str]:
    """By person: why no message would arrive. Made-up people are never told anything, and are not listed."""
    if not person_ids:
        return {}
    found = {}
    real = User.objects.filter(pk__in=person_ids, origin=Origin.LIVE)
    for pk, is_active in real.values_list("pk", "is_active"):
        if not is_active:
            found[pk] = CLOSED
        elif not settings.HAS_MAIL_SERVER:
            found[pk] = NO_MAIL
    return found
