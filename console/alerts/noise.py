"""The weekly noise report: what was paged, what people said of it, by rule, by service and by person.

A group counts in the week in which its escalation began. A share is given only of what was judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.urls import reverse

from console.accounts.models import Role, User
from console.alerts.models import Verdict
from console.lib.origin import Origin
from console.lib.rows import fetch
from console.notifications.models import NotificationKind
from console.notifications.outbox import Message, put

WEEK = timedelta(days=7)
SENT_AT_HOUR = 8
"""UTC, on Mondays, about the week before."""
FEW = 5
"""Fewer judgements than these are marked: a share of them says little."""

_PAGED = """
SELECT e.group_id, split_part(e.begun_by, ' on ', 1) AS rule, s.slug, s.name,
       (SELECT array_agg(f.verdict ORDER BY f.id) FROM alerts_feedback f WHERE f.group_id = e.group_id)
FROM alerts_escalation e JOIN alerts_alertgroup g ON g.id = e.group_id LEFT JOIN fleet_service s ON s.id = g.service_id
WHERE e.origin = %s AND e.is_paging AND e.started_at >= %s AND e.started_at < %s
ORDER BY e.id
"""
_TOLD = """
SELECT p.person_id, count(*), count(DISTINCT p.group_id),
       array_remove(array_agg(DISTINCT f.group_id || ':' || f.verdict), NULL)
FROM alerts_escalationstep p JOIN alerts_alertgroup g ON g.id = p.group_id
LEFT JOIN alerts_feedback f ON f.group_id = p.group_id AND f.person_id = p.person_id
WHERE g.origin = %s AND p.kind IN ('told', 'by_hand') AND p.person_id IS NOT NULL AND p.at >= %s AND p.at < %s
GROUP BY p.person_id
"""


@dataclass(slots=True)
class Line:
    """Pages of one rule, service or person, and what was said of them."""

    name: str
    url: str = ""
    pages: int = 0
    groups: int = 0
    verdicts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Verdict.values, 0))

    @property
    def judged(self) -> int:
        return sum(self.verdicts.values())

    @property
    def useless(self) -> int:
        return self.verdicts[Verdict.NOISE] + self.verdicts[Verdict.NOT_ACTIONABLE]

    @property
    def useless_percent(self) -> int | None:
        """Of what was judged; None: nothing was."""
        return round(100 * self.useless / self.judged) if self.judged else None

    @property
    def is_few(self) -> bool:
        return self.judged < FEW


@dataclass(frozen=True, slots=True)
class Report:
    """One week, from Monday 00:00 UTC."""

    since: datetime
    until: datetime
    total: Line
    rules: Sequence[Line]
    services: Sequence[Line]
    people: Sequence[Line]

    @property
    def sentence(self) -> str:
        """`12 pages, of which people judged 5: 3 were worth it.`"""
        if not self.total.groups:
            return "Nobody was paged."
        pages = f"{self.total.groups} alert{'' if self.total.groups == 1 else 's'} paged somebody"
        if not self.total.judged:
            return f"{pages}; nobody has said yet whether it was worth it."
        good = self.total.verdicts[Verdict.GOOD]
        return f"{pages}. Of {self.total.judged} judgements {good} say that it was worth it."


def week_of(at: datetime) -> datetime:
    """The Monday that begins its week."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def report(since: datetime, *, origin: Origin) -> Report:
    """Three queries, whatever the week held."""
    until = since + WEEK
    rules: dict[str, Line] = {}
    services: dict[str, Line] = {}
    total = Line("All")
    for _, rule, slug, name, verdicts in fetch(_PAGED, [origin, since, until]):
        url = f"/services/{slug}/" if slug else ""
        for line in (
            total,
            rules.setdefault(rule, Line(rule)),
            services.setdefault(slug or "", Line(name or "Of no service", url)),
        ):
            line.groups += 1
            _count(line, verdicts or ())
    people = _people(fetch(_TOLD, [origin, since, until]))
    total.pages = sum(line.pages for line in people)
    return Report(since, until, total, _worst(rules), _worst(services), people)


def send_weekly(*, now: datetime) -> int:
    """Last week's report to every manager and administrator, once. Returns how many were written or were there."""
    monday = week_of(now)
    if now < monday + timedelta(hours=SENT_AT_HOUR):
        return 0
    since = monday - WEEK
    told = report(since, origin=Origin.LIVE)
    if not told.total.groups:
        return 0
    readers = User.objects.filter(is_active=True, role__in=(Role.MANAGER, Role.ADMIN)).order_by("pk")
    messages = [_message(told, person) for person in readers]
    put(messages, now=now)
    return len(messages)


def _message(told: Report, person: User) -> Message:
    worst = [line for line in told.rules if line.useless][:3]
    lines = [told.sentence]
    lines += [f"{line.name}: {line.useless} of {line.judged} judged useless" for line in worst]
    return Message(
        key=f"noise:{told.since:%G-W%V}:person-{person.pk}",
        origin=Origin.LIVE,
        kind=NotificationKind.REPORT,
        subject=f"noise:{told.since:%G-W%V}",
        title=f"Was it worth being paged? The week of {told.since:%-d %B}",
        text="\n".join(lines),
        path=f"{reverse('alerts:noise')}?week={told.since:%Y-%m-%d}",
        reason="You manage rules",
        person_id=person.pk,
    )


def _count(line: Line, verdicts: Iterable[str]) -> None:
    for verdict in verdicts:
        line.verdicts[verdict] += 1


def _people(rows: Sequence[tuple[int, int, int, list[str]]]) -> list[Line]:
    names: Mapping[int, User] = User.objects.in_bulk([row[0] for row in rows])
    found: dict[int, Line] = defaultdict(lambda: Line(""))
    for pk, pages, groups, said in rows:
        line = found[pk]
        line.name, line.pages, line.groups = str(names[pk]), pages, groups
        _count(line, (word.partition(":")[2] for word in said))
    return sorted(found.values(), key=lambda line: (-line.pages, line.name))


def _worst(lines: Mapping[str, Line]) -> list[Line]:
    return sorted(lines.values(), key=lambda line: (-line.useless, -line.groups, line.name))
