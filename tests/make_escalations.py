"""Policies, groups that page, and clocks that move: what escalations are tested with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import transaction

from console.accounts.audit import Actor
from console.accounts.models import User
from console.alerts.escalation import beginning, firing
from console.alerts.handling import By
from console.alerts.models import AlertGroup, Decision, Escalation, Receipt
from console.fleet.models import Team
from console.notifications.models import Channel, Notification
from console.oncall import policy_editing, schedule
from console.oncall.models import EscalationPolicy, Rotation
from console.oncall.policy_editing import Draft, LevelDraft
from console.oncall.schedule import OnCall
from tests.make_fleet import NOON

_numbers = count(1)
Roster = dict[int, User]


def minute(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def by(user: User) -> By:
    return By(user=user, actor=Actor.person(user))


def put_on_call(monkeypatch: pytest.MonkeyPatch) -> Roster:
    """The one seam to the schedule: by rotation id, whoever the returned dict names at that moment."""
    roster: Roster = {}

    def on_call_at(rotation_ids: Iterable[int], *, at: datetime) -> dict[int, list[OnCall]]:
        return {
            pk: [OnCall(pk, roster[pk].pk, None, minute(300), "Layer 1")] if pk in roster else []
            for pk in rotation_ids
        }

    monkeypatch.setattr(schedule, "on_call_at", on_call_at)
    return roster


def make_rotation(name: str, *, team: Team | None = None) -> Rotation:
    return Rotation.objects.create(slug=f"rotation-{next(_numbers)}", name=name, team=team)


def make_channel(name: str = "", **fields: Any) -> Channel:
    return Channel.objects.create(name=name or f"#channel-{next(_numbers)}", **({"kind": "slack"} | fields))


def make_policy(*levels: tuple[int, Iterable[Any]], **fields: Any) -> EscalationPolicy:
    """Levels as (minutes to wait, what is named on it)."""
    number = next(_numbers)
    kinds = {Rotation: "rotation", User: "person", Team: "team", Channel: "channel"}
    drafts = [LevelDraft(wait, tuple((kinds[type(one)], one.pk) for one in named)) for wait, named in levels]
    origin = fields.pop("origin", "live")
    draft = Draft(**({"name": f"Policy {number}", "slug": f"policy-{number}"} | fields), levels=drafts)
    return policy_editing.create(draft, origin=origin, by=Actor.console("tests"), now=NOON)


def use_policy(policy: EscalationPolicy, **whom: Any) -> EscalationPolicy:
    policy_editing.use(policy, **whom, by=Actor.console("tests"), now=NOON)
    return policy


def make_group(**fields: Any) -> AlertGroup:
    known = {
        "key": f"service:{next(_numbers)}",
        "title": "Reclaims of Checkout",
        "impact": "checkout: 3 of 12 replicas, needs 9",
        "severity": "critical",
        "triggered_at": NOON,
        "last_news_at": NOON,
    } | fields
    return AlertGroup.objects.create(**known)


def decide(group: AlertGroup, decision: str = "page", *, at: float = 0, **fields: Any) -> Receipt:
    """A receipt as routing leaves it, and what it sets going."""
    known = {
        "origin": group.origin,
        "group": group,
        "trigger": f"change:{next(_numbers)}",
        "rule": "capacity",
        "decision": Decision(decision),
        "reason": "Fewer replicas than it needs",
        "at": minute(at),
    } | fields
    receipt = Receipt.objects.create(**known)
    with transaction.atomic():
        beginning.begin([receipt], now=minute(at))
    receipt.refresh_from_db()
    return receipt


def run(minutes: float) -> None:
    """Whatever is due at that minute."""
    firing.escalate(now=minute(minutes))


def deliver(**narrowed: Any) -> None:
    """What the senders do: everything that waits arrives."""
    waiting = Notification.objects.filter(state="queued", **narrowed)
    waiting.update(state="delivered", send_at=None, settled_at=NOON)


def told(kind: str = "page", **narrowed: Any) -> list[str]:
    """Who was written to, in order; at one moment by name."""
    rows = Notification.objects.filter(kind=kind, **narrowed).select_related("person", "channel")
    return [name for _, name in sorted((row.created_at, str(row.person or row.channel)) for row in rows)]


def escalation_of(group: AlertGroup) -> Escalation:
    return Escalation.objects.newest_of([group.pk]).get()
