"""Which groups the open board calls somebody for: open, held by nobody, silenced by nobody, and paged or grave."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from console.accounts.models import User
from console.alerts.models import AlertGroup, Decision, GroupStatus, Receipt, Severity
from console.lib.origin import Origin
from console.notifications.models import BoardNotice

MOST = 50
GRAVE = (Severity.CRITICAL, Severity.ERROR)


def notice_of(person: User, *, origin: Origin) -> BoardNotice | None:
    """How this person wants to be called. Nobody is called for anything that is not live."""
    if origin != Origin.LIVE:
        return None
    return BoardNotice.objects.filter(Q(is_shown=True) | Q(is_heard=True), person=person).first()


def groups_that_call(*, now: datetime) -> list[AlertGroup]:
    """The newest ones. A group under a wave does not call beside its wave."""
    paged = Receipt.objects.filter(group=OuterRef("pk"), decision=Decision.PAGE)
    groups = AlertGroup.objects.of_origin(Origin.LIVE).filter(status=GroupStatus.TRIGGERED, parent=None)
    groups = groups.filter(Q(silenced_until=None) | Q(silenced_until__lte=now))
    groups = groups.filter(Q(severity__in=GRAVE) | Exists(paged))
    return list(groups.order_by("-triggered_at", "-pk")[:MOST])
