"""A channel or person that messages do not reach is a group, `unreached:<route>`: a page that failed is not silent.

It closes by itself when a message comes through there, or an hour after the last one failed.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from console.alerts.findings import close_finding, open_finding
from console.alerts.models import AlertGroup, Severity
from console.lib.origin import Origin
from console.notifications.queries import unreached

PREFIX = "unreached:"


@transaction.atomic
def watch_outbox(*, now: datetime) -> list[str]:
    """Open, refresh and close these groups; the keys that are open for a reason now."""
    keys = []
    for place in unreached(now=now):
        keys.append(PREFIX + place.route)
        open_finding(
            keys[-1],
            title=f"Messages do not reach {place.name}"[:200],
            text=f"{place.words}. Whoever should have heard may not know: look at Settings, Deliveries.",
            severity=Severity.ERROR,
            now=now,
        )
    groups = AlertGroup.objects.of_origin(Origin.LIVE).open().filter(key__startswith=PREFIX)
    for key in groups.exclude(key__in=keys).values_list("key", flat=True):
        close_finding(key, text="Messages come through again, or were not tried for an hour", now=now)
    return keys
