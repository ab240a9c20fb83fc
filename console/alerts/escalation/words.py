"""What people are told about a group: finished messages, and the lines that explain them. Times are UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from console.alerts.models import AlertGroup, Escalation, Resolution, Severity
from console.lib.durations import in_words
from console.notifications.models import Importance, NotificationKind
from console.notifications.outbox import Message, Recipient
from console.oncall.policies import Frozen
from console.oncall.reaching import Reach

LATE_AFTER = timedelta(seconds=30)
"""From here on a late message says how late it is; less than that is the time a worker takes."""
URGENT = (Severity.CRITICAL, Severity.ERROR)


def subject_of(group_id: int) -> str:
    return f"group:{group_id}"


def clock(at: datetime, *, now: datetime) -> str:
    """`09:05 UTC`; with the day where it is another one."""
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%-d %b %H:%M} UTC"


def lateness(due_at: datetime | None, *, now: datetime) -> str:
    """`Due 09:05 UTC, told 09:12 UTC: 7 min late.` Nothing where it is in time."""
    if due_at is None or now - due_at < LATE_AFTER:
        return ""
    return f"Due {clock(due_at, now=now)}, told {clock(now, now=now)}: {in_words(now - due_at)} late."


def page(
    escalation: Escalation,
    reach: Reach,
    *,
    because: str,
    due_at: datetime | None,
    now: datetime,
    step: str = "",
) -> Message:
    """Somebody is needed. `step` is the part of the key that tells this turn from others."""
    group, policy = escalation.group, escalation.frozen
    lines = [
        group.impact,
        f"{because}: {reach.why}.",
        lateness(due_at, now=now),
        _what_next(escalation, policy, now=now),
    ]
    return Message(
        key=f"{subject_of(group.pk)}:{escalation.pk}:{escalation.pass_number}:"
        f"{step or escalation.level}:{reach.key}",
        kind=NotificationKind.PAGE,
        importance=Importance.IMPORTANT if group.severity in URGENT else Importance.DEFAULT,
        title=f"{Severity(group.severity).label}: {group.title}",
        text="\n".join(filter(None, lines)),
        reason=f"{because}: {reach.why}",
        person_id=reach.person_id,
        channel_id=reach.channel_id,
        **_about(group),
        data=_data(group) | {"escalation_id": escalation.pk, "level": escalation.level},
    )


def update(escalation: Escalation, recipient: Recipient, *, key: str, text: str, reason: str) -> Message:
    """News for somebody who knows of it already."""
    group = escalation.group
    return Message(
        key=f"{subject_of(group.pk)}:{escalation.pk}:{key}:{key_of(recipient)}",
        kind=NotificationKind.UPDATE,
        title=group.title,
        text="\n".join(filter(None, [text, group.impact])),
        reason=reason,
        person_id=recipient.person_id,
        channel_id=recipient.channel_id,
        **_about(group),
        data=_data(group),
    )


def reminder(escalation: Escalation, person_id: int, *, due_at: datetime, until: datetime) -> Message:
    """Whoever has it is asked whether they still do. `due_at` is part of the key: one a deadline."""
    group = escalation.group
    since = group.acknowledged_at or escalation.started_at
    goes_on = "and whoever is on the level it stood at is told again" if escalation.is_paging else ""
    text = (
        f"You have had this since {clock(since, now=due_at)}. Say that you still have it, or resolve it; at "
        f"{clock(until, now=due_at)} it is given back {goes_on}".rstrip()
        + "."
    )
    return Message(
        key=f"{subject_of(group.pk)}:{escalation.pk}:reminder-{int(due_at.timestamp())}:person-{person_id}",
        kind=NotificationKind.REMINDER,
        title=f"Still on it? {group.title}",
        text=f"{text}\n{group.impact}".rstrip(),
        reason="You acknowledged it",
        person_id=person_id,
        **_about(group),
        data=_data(group),
    )


def over(escalation: Escalation, recipient: Recipient) -> Message:
    """It is over, as far as is known: for everyone who heard that it broke."""
    group = escalation.group
    head, text = how_it_ended(group)
    return Message(
        key=f"{subject_of(group.pk)}:{escalation.pk}:{escalation.pass_number}:over:{key_of(recipient)}",
        kind=NotificationKind.HEALED,
        title=f"{head}: {group.title}",
        text=text,
        reason="You were told that it broke",
        person_id=recipient.person_id,
        channel_id=recipient.channel_id,
        **_about(group),
        data=_data(group) | {"resolution": group.resolution},
    )


def how_it_ended(group: AlertGroup) -> tuple[str, str]:
    """A word for the title, and the sentence. What closed without news is never called healed."""
    match group.resolution:
        case Resolution.HEALED:
            sentence = (
                "It is over" if group.is_finding else "Every machine has gone and its work runs elsewhere"
            )
            return "Healed", f"{sentence}."
        case Resolution.NO_NEWS:
            text = "There was no news for half an hour, so it was closed; it is not known to be healed."
            return "Closed without news", text
        case Resolution.MERGED if group.merged_into_id is not None:
            return "Merged", f"Its machines were put into #{group.merged_into_id}; that group goes on."
        case Resolution.MERGED:
            return "Merged", "Its machines turned out to be another service's; that group goes on."
        case _:
            by = str(group.resolved_by) if group.resolved_by else "a program"
            return "Resolved", f"Resolved by {by}. Whether it has healed is not known to the console."


def key_of(recipient: Recipient) -> str:
    if recipient.person_id is not None:
        return f"person-{recipient.person_id}"
    return f"channel-{recipient.channel_id}"


def named(reaches: Sequence[Reach]) -> str:
    """`Alice (on call in Payments until 17:00 UTC), #payments (channel of Payments)`."""
    return ", ".join(reach.words for reach in reaches)


def _what_next(escalation: Escalation, policy: Frozen, *, now: datetime) -> str:
    if escalation.next_at is None:
        return ""
    at = clock(escalation.next_at, now=now)
    if escalation.level < len(policy.levels):
        return f"Unless somebody acknowledges it, next at {at}: {policy.levels[escalation.level].names}."
    if escalation.rounds_left:
        return f"Unless somebody acknowledges it, everybody is told again from {at}."
    return f"This is the last level: unless somebody acknowledges it, every administrator is told at {at}."


def _about(group: AlertGroup) -> dict[str, Any]:
    return {
        "origin": group.origin,
        "subject": subject_of(group.pk),
        "path": reverse("alerts:group_detail", args=[group.pk]),
    }


def _data(group: AlertGroup) -> dict[str, object]:
    return {
        "group_id": group.pk,
        "key": group.key,
        "severity": group.severity,
        "status": group.status,
        "service": group.service.slug if group.service else None,
        "impact": group.impact,
    }
