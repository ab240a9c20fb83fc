"""A thousand escalations due in the same second: how late the last of them is told."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import transaction
from django.urls import get_resolver
from django.utils import timezone

from console.accounts.audit import Actor
from console.alerts.escalation import beginning, firing
from console.alerts.models import AlertGroup, Decision, Escalation, Receipt
from console.alerts.working_off import work_off
from console.notifications.models import Notification
from console.oncall import policy_editing
from console.oncall.policy_editing import Draft, LevelDraft
from tests.bench.figure import AtMost, percentile
from tests.make_accounts import make_user
from tests.make_fleet import make_service

DUE = 1_000
SERVICES = 50
"""Each with a policy of its own."""
SWEEP = 1.0
"""Seconds until beat rings, at worst: the bells may all be lost."""
LIMIT = 3_000.0


def lateness() -> AtMost:
    """p99 from the moment they are due to the commit of their messages, one worker, the sweep included."""
    _make_due()
    get_resolver().app_dict  # noqa: B018 - a worker has read the map of addresses long before
    due = timezone.now() - timedelta(milliseconds=1)
    Escalation.objects.update(next_at=due, due_at=due)
    began = time.perf_counter()
    late: list[float] = []
    while batch := work_off(firing.ESCALATIONS, now=timezone.now()):
        late += [(time.perf_counter() - began + SWEEP) * 1_000] * batch
    assert Notification.objects.filter(kind="page").count() == len(late) == DUE
    Notification.objects.all().delete()
    figures = {f"p{percent}": round(percentile(late, percent)) for percent in (50, 95, 99)}
    return AtMost(percentile(late, 99), "ms", LIMIT, {**figures, "due": DUE, "workers": 1})


def _make_due() -> None:
    now, by = timezone.now(), Actor.console("bench")
    services = [make_service() for _ in range(SERVICES)]
    for number, service in enumerate(services):
        levels = [LevelDraft(5, (("person", make_user().pk),)), LevelDraft(5, (("person", make_user().pk),))]
        draft = Draft(name=f"Policy {number}", slug=f"policy-{number}", levels=levels)
        policy = policy_editing.create(draft, origin="live", by=by, now=now)
        policy_editing.use(policy, service=service, by=by, now=now)
    groups = AlertGroup.objects.bulk_create(
        AlertGroup(
            key=f"bench:{number}",
            title=f"Reclaims of service {number}",
            service=services[number % SERVICES],
            severity="critical",
            triggered_at=now,
            last_news_at=now,
        )
        for number in range(DUE)
    )
    receipts = Receipt.objects.bulk_create(
        Receipt(group=group, trigger="bench", rule="bench", decision=Decision.PAGE, reason="Bench", at=now)
        for group in groups
    )
    with transaction.atomic():
        beginning.begin(receipts, now=now)
