"""What the pages and the API of this room show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from django.db.models import Count, Min, OuterRef, Prefetch, Q, QuerySet, Subquery

from console.accounts.models import User
from console.lib.rows import fetch
from console.notifications.models import (
    Attempt,
    Channel,
    ContactMethod,
    Notification,
    NotificationKind,
    NotificationState,
    PersonalRule,
)
from console.notifications.personal import subject_of

ORDER = ("-created_at", "-pk")
RECENT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which messages to show."""

    state: str = ""
    kind: str = ""
    person: int | None = None
    channel: int | None = None
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        state, kind = query.get("state", ""), query.get("kind", "")
        return cls(
            state=state if state in NotificationState.values else "",
            kind=kind if kind in NotificationKind.values else "",
            person=_number(query.get("person", "")),
            channel=_number(query.get("channel", "")),
            subject=query.get("subject", "")[:100],
        )

    @property
    def is_set(self) -> bool:
        return self != replace(type(self)())

    def narrow(self, rows: QuerySet[Notification]) -> QuerySet[Notification]:
        wanted = Q()
        for name in ("state", "kind", "person", "channel", "subject"):
            if value := getattr(self, name):
                wanted &= Q(**{name: value})
        if self.since:
            wanted &= Q(created_at__gte=self.since)
        if self.until:
            wanted &= Q(created_at__lt=self.until)
        return rows.filter(wanted)


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() and len(text) < 19 else None


def notifications() -> QuerySet[Notification]:
    return Notification.objects.select_related("person", "channel", "method")


def notification_in_full(rows: QuerySet[Notification]) -> QuerySet[Notification]:
    """With every try, the newest first, and the messages that went out in its words."""
    attempts = Attempt.objects.order_by("-number")
    return rows.prefetch_related(Prefetch("attempts", attempts), "bundled").select_related("lead")


def channels() -> QuerySet[Channel]:
    """Each with what became of the newest message, by name; archived ones last."""
    newest = Notification.objects.filter(channel=OuterRef("pk")).order_by(*ORDER)
    return (
        Channel.objects.select_related("team")
        .annotate(
            last_state=Subquery(newest.values("state")[:1]),
            last_at=Subquery(newest.values("created_at")[:1]),
            last_pk=Subquery(newest.values("pk")[:1]),
        )
        .order_by("archived_at", "name", "pk")
    )


@dataclass(frozen=True, slots=True)
class Told:
    """How one person is told, as their page shows it."""

    methods: list[ContactMethod]
    rules: list[tuple[str, list[PersonalRule]]]
    tests: list[Notification]


def told(person: User) -> Told:
    methods = ContactMethod.objects.kept().filter(person=person).order_by("pk")
    rules = PersonalRule.objects.filter(method__person=person, method__archived_at=None)
    ordered = list(rules.select_related("method").order_by("importance", "delay_minutes", "pk"))
    by_importance = {
        name: [rule for rule in ordered if rule.importance == name] for name in ("important", "default")
    }
    tests = Notification.objects.filter(subject=subject_of(person), kind=NotificationKind.TRIAL)
    return Told(
        list(methods), list(by_importance.items()), list(tests.select_related("method").order_by("-pk")[:8])
    )


@dataclass(frozen=True, slots=True)
class Unreached:
    """A channel or method whose newest message failed."""

    route: str
    name: str
    words: str


_UNREACHED = """
SELECT newest.route, coalesce(c.name, coalesce(nullif(u.name, ''), u.email) || ' by ' || m.label), newest.note
FROM (
    SELECT DISTINCT route FROM notifications_notification WHERE state = 'failed' AND settled_at > %(since)s
) failed
CROSS JOIN LATERAL (
    SELECT route, state, note, channel_id, person_id, method_id FROM notifications_notification n
    WHERE n.route = failed.route AND n.sent_at IS NOT NULL AND n.settled_at IS NOT NULL
    ORDER BY n.sent_at DESC LIMIT 1
) newest
LEFT JOIN notifications_channel c ON c.id = newest.channel_id
LEFT JOIN notifications_contactmethod m ON m.id = newest.method_id
LEFT JOIN accounts_user u ON u.id = newest.person_id
WHERE newest.state = 'failed' AND c.archived_at IS NULL AND m.archived_at IS NULL
ORDER BY newest.route
"""


def unreached(*, now: datetime) -> list[Unreached]:
    """Where messages failed within the hour, and nothing came through since."""
    return [Unreached(*row) for row in fetch(_UNREACHED, {"since": now - RECENT})]


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """How the outbox stands. `oldest_due_at`: of what should have gone out by now."""

    waiting: int
    oldest_due_at: datetime | None
    failed: int
    unknown: int


def outbox_figures(*, now: datetime) -> OutboxFigures:
    due = Notification.objects.due().filter(send_at__lte=now)
    found = due.aggregate(count=Count("pk"), oldest=Min("send_at"))
    recent = Notification.objects.filter(created_at__gte=now - RECENT)
    ends = dict(recent.order_by().values_list("state").annotate(Count("pk")))
    return OutboxFigures(
        found["count"],
        found["oldest"],
        ends.get(NotificationState.FAILED, 0),
        ends.get(NotificationState.UNKNOWN, 0),
    )
