"""From claimed rows to one message: its words, what makes them honest, and its links."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import urlsplit

from django.conf import settings

from console.notifications import links
from console.notifications.claiming import Claimed
from console.notifications.links import LinkOrder
from console.notifications.models import (
    Attempt,
    AttemptOutcome,
    ChannelKind,
    Notification,
    NotificationKind,
)
from console.notifications.outgoing_message import Change, OutgoingMessage

LATE_AFTER = timedelta(seconds=60)
MOST_LISTED = 20
ACKNOWLEDGE = "acknowledge"
ACKNOWLEDGEABLE = (NotificationKind.PAGE, NotificationKind.REMINDER)
INTERNAL = frozenset({"is_confidential"})
"""Of `data`, what is for our own pages alone."""


def compose(claimed: Claimed, *, now: datetime) -> OutgoingMessage:
    """Two statements: which tries were lost, and the links that acknowledge."""
    lead, rows, zone = claimed.lead, claimed.rows, _zone(claimed.lead)
    lost_at = _first_lost(rows)
    tokens = _acknowledge_urls(rows, now=now)
    words = _notes(lead, lost_at=lost_at, zone=zone, now=now)
    is_one = len(rows) == 1
    words.append(lead.text if is_one else _listed(rows, tokens))
    return OutgoingMessage(
        id=lead.pk,
        key=lead.key,
        kind=lead.kind,
        change=change_of(lead),
        subject_key=f"{urlsplit(home()).netloc}/{lead.subject}",
        title=lead.title if is_one else f"{len(rows)} messages: {lead.title}",
        body="\n\n".join(word for word in words if word),
        reason=lead.reason,
        severity=str(lead.data.get("severity", "")),
        service=str(lead.data.get("service", "")),
        url=url_of(lead) if is_one else f"{home()}/alerts/",
        acknowledge_url=tokens.get(lead.pk, "") if is_one else "",
        home=home(),
        due_at=lead.due_at or lead.created_at,
        sent_at=now,
        count=len(rows),
        is_possibly_duplicated=lost_at is not None,
        facts={name: value for name, value in lead.data.items() if name not in INTERNAL},
    )


def home() -> str:
    """Where people reach the console."""
    return settings.CONSOLE_URL or settings.LOCAL_URL


def url_of(row: Notification) -> str:
    return f"{home()}{row.path}" if row.path else ""


def change_of(row: Notification) -> Change:
    """What services with alerts of their own are to do: open, acknowledge or close theirs."""
    status = row.data.get("status")
    if row.kind == NotificationKind.HEALED or status == "resolved":
        return Change.OVER
    if row.kind == NotificationKind.UPDATE and status == "acknowledged":
        return Change.TAKEN
    return Change.BEGAN


def _notes(lead: Notification, *, lost_at: datetime | None, zone: tzinfo, now: datetime) -> list[str]:
    notes = []
    if lost_at is not None:
        notes.append(
            f"Possibly duplicated: it is not known whether the message of {_clock(lost_at, zone)} arrived."
        )
    due_at = lead.due_at or lead.created_at
    if now - due_at >= LATE_AFTER:
        notes.append(f"Late: due {_clock(due_at, zone)}, sent {_clock(now, zone)}.")
    return notes


def _listed(rows: Sequence[Notification], tokens: dict[int, str]) -> str:
    """Each message in a line, with where it is looked at and how it is acknowledged."""
    lines = []
    for row in rows[:MOST_LISTED]:
        lines.append(f"- {row.title}")
        lines += [f"  {name}: {url}" for name, url in _ways_on(row, tokens) if url]
    if len(rows) > MOST_LISTED:
        lines.append(f"and {len(rows) - MOST_LISTED} more")
    return "\n".join(lines)


def _ways_on(row: Notification, tokens: dict[int, str]) -> list[tuple[str, str]]:
    return [("Acknowledge", tokens.get(row.pk, "")), ("Open", url_of(row))]


def _first_lost(rows: Sequence[Notification]) -> datetime | None:
    lost = Attempt.objects.filter(notification__in=[row.pk for row in rows], outcome=AttemptOutcome.LOST)
    return lost.order_by("started_at").values_list("started_at", flat=True).first()


def _acknowledge_urls(rows: Sequence[Notification], *, now: datetime) -> dict[int, str]:
    """For a person in their name; for a webhook in the channel's. A chat room's readers are nobody: they sign in."""
    wanted = [row for row in rows[:MOST_LISTED] if _may_be_acknowledged(row)]
    if not wanted:
        return {}
    orders = [
        LinkOrder(
            purpose=ACKNOWLEDGE,
            subject=row.subject,
            person_id=row.person_id,
            label=str(row.channel) if row.channel else "",
            notification_id=row.pk,
        )
        for row in wanted
    ]
    tokens = links.issue(orders, now=now)
    return {row.pk: home() + links.path_of(token) for row, token in zip(wanted, tokens, strict=True)}


def _may_be_acknowledged(row: Notification) -> bool:
    if row.kind not in ACKNOWLEDGEABLE or not row.subject.startswith("group:"):
        return False
    return row.channel is None or row.channel.kind == ChannelKind.WEBHOOK


def _zone(row: Notification) -> tzinfo:
    return row.person.zone if row.person else UTC


def _clock(at: datetime, zone: tzinfo) -> str:
    there = at.astimezone(zone)
    return f"{there:%-d %b %H:%M} {there.tzname()}"
