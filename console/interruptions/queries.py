"""Reclaims by what a URL or a program asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.dateparse import parse_date, parse_datetime

from console.feeds.normalised import Cause
from console.fleet.models import UNATTRIBUTED, Pool, Service
from console.fleet.queries import machines_called, machines_named
from console.interruptions import rollup_sql, rollup_sql_warnings
from console.interruptions.models import HINT_STATES, OPEN_STATES, Interruption, InterruptionAlias, State
from console.interruptions.rows import InterruptionRow, interruption_rows
from console.lib.cursor import Page, cut_page
from console.lib.origin import Origin
from console.lib.rows import fetch

ORDER = ("-started_at", "-pk")
VERDICTS = ("complete", "partial", "failed", "no_report", "no_notice", "undecided")
"""What M2 says of a reclaim; as outcomes these open the rows behind its parts."""
NOTICES = ("notice_usable", "notice_short", "notice_late", "notice_untold", "notice_history")
"""What the witness ledger says of a reclaim's notice (`coverage.py`)."""
JUDGED = (*VERDICTS, *NOTICES)
"""What is judged over a stretch of time."""


@dataclass(frozen=True, slots=True)
class ReclaimFilters:
    """What the URL of the list of reclaims asks for; the boards' figures link here."""

    service: str = ""
    team: str = ""
    pool: str = ""
    provider: str = ""
    region: str = ""
    zone: str = ""
    type: str = ""
    instance_id: str = ""
    key: str = ""
    cause: str = ""
    state: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""
    missed_by: str = ""
    """A channel, as `feed id:format`: the reclaims that it did not tell of."""
    q: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> ReclaimFilters:
        return cls(**{name: query.get(name, "").strip()[:200] for name in cls.__dataclass_fields__})

    @property
    def is_set(self) -> bool:
        return any(getattr(self, name) for name in self.__dataclass_fields__)

    @property
    def query(self) -> str:
        return urlencode({n: getattr(self, n) for n in self.__dataclass_fields__ if getattr(self, n)})

    def narrow(self, rows: QuerySet[Interruption], *, origin: str) -> QuerySet[Interruption]:
        """Names are looked up first: ids in the query lead to an index, names would lead through history."""
        rows = rows.filter(self._services(origin) & self._pools(origin) & self._called(origin))
        rows = rows.filter(self._named(origin))
        if self.cause:
            rows = rows.filter(cause=self.cause)
        if self.state in State.values:
            rows = rows.filter(state=self.state)
        if self.pool.isdigit():
            rows = rows.filter(pool=int(self.pool))
        if since := _instant(self.since):
            rows = rows.filter(started_at__gte=since)
        if until := _instant(self.until):
            rows = rows.filter(started_at__lt=until)
        return self._outcome(rows)

    def _services(self, origin: str) -> Q:
        if not (self.service or self.team):
            return Q()
        found = Service.objects.filter(origin=origin)
        if self.service:
            found = found.filter(slug=self.service)
        if self.team:
            is_nobodys = self.team == UNATTRIBUTED
            found = found.filter(team=None) if is_nobodys else found.filter(team__slug=self.team)
        return Q(service__in=list(found.values_list("pk", flat=True)))

    def _pools(self, origin: str) -> Q:
        """A pool knows best where it is, as in the measures; without one the reclaim says so itself."""
        own = {name: value for name in ("provider", "region") if (value := getattr(self, name))}
        finer = {"zone": self.zone, "instance_type": self.type}
        wanted = own | {name: value for name, value in finer.items() if value}
        if not wanted:
            return Q()
        pools = Q(pool__in=list(Pool.objects.filter(origin=origin, **wanted).values_list("pk", flat=True)))
        return pools | Q(pool=None, **own) if wanted == own else pools

    def _called(self, origin: str) -> Q:
        """Exactly one machine, exactly one key."""
        wanted = Q()
        if self.instance_id:
            wanted &= Q(machine__in=machines_called(self.instance_id, origin=origin))
        if self.key:
            had = InterruptionAlias.objects.filter(origin=origin, key=self.key)
            wanted &= Q(key=self.key) | Q(pk__in=list(had.values_list("interruption", flat=True)))
        return wanted

    def _named(self, origin: str) -> Q:
        if not self.q:
            return Q()
        machines = machines_named(self.q, origin=origin)
        if machines is None:
            return Q(machine__instance_id__startswith=self.q) | Q(machine__node_name__startswith=self.q)
        return Q(machine__in=machines) | Q(key__startswith=self.q)

    def _outcome(self, rows: QuerySet[Interruption]) -> QuerySet[Interruption]:
        if self.outcome == "hint":
            return rows.filter(state__in=HINT_STATES)
        if self.outcome == "open":
            return rows.filter(state__in=OPEN_STATES).exclude(state=State.AT_RISK)
        if self.outcome in ("counted", "hinted", *JUDGED):
            counted = rows.filter(cause=Cause.SPOT.value).exclude(state__in=[*HINT_STATES, State.CANCELLED])
            foretold = Q(at_risk_at__lt=Coalesce("notice_at", "started_at"))
            return counted.filter(foretold) if self.outcome == "hinted" else counted
        if self.outcome in State.values:
            return rows.filter(state=self.outcome)
        if self.state in HINT_STATES:
            return rows
        return rows.exclude(state__in=HINT_STATES)


def _instant(text: str) -> datetime | None:
    """A moment or a day (its first moment) in UTC; None where the text is neither."""
    try:
        at = parse_datetime(text)
        day = parse_date(text) if at is None else None
    except ValueError:
        return None
    if at is None and day is not None:
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def reclaims(*, origin: Origin | str, filters: ReclaimFilters) -> QuerySet[Interruption]:
    """The reclaims of one data origin that the filters leave, with what their rows show."""
    rows = filters.narrow(Interruption.objects.of_origin(origin).filter(merged_into=None), origin=origin)
    if filters.outcome in JUDGED or filters.missed_by:
        since, until = _instant(filters.since), _instant(filters.until)
        rows = rows.filter(pk__in=_judged(origin, filters, since, until) if since and until else [])
    return rows.select_related("service__team", "machine", "pool")


def _judged(origin: str, filters: ReclaimFilters, since: datetime, until: datetime) -> list[int]:
    """The reclaims that a figure counted so at `until`, when it was computed."""
    values: dict[str, object] = {"origin": origin, "since": since, "until": until, "now": until}
    if filters.missed_by:
        feed, _, source = filters.missed_by.partition(":")
        values |= {"feed": int(feed) if feed.isdecimal() and len(feed) < 19 else 0, "source": source}
        statement = _MISSED
    elif filters.outcome in NOTICES:
        values["verdict"], statement = filters.outcome.removeprefix("notice_"), _NOTICED
    else:
        values["verdict"], statement = filters.outcome, _ENDED
    return [row[0] for row in fetch(statement, values)]


_ENDED = (
    f"SELECT id FROM ({rollup_sql.VERDICTS}) AS told WHERE %(verdict)s = "  # noqa: S608
    "CASE verdict WHEN 'overdue' THEN 'partial' ELSE verdict END"
    " AND service_id IN (SELECT service_id FROM interruptions_reportingservice)"
)
_NOTICED = f"{rollup_sql_warnings.JUDGED} SELECT id FROM judged WHERE notice = %(verdict)s"  # noqa: S608
_MISSED = (
    f"{rollup_sql_warnings.JUDGED} SELECT id FROM judged j WHERE notice NOT IN ('running', 'history')"  # noqa: S608
    " AND NOT EXISTS (SELECT 1 FROM statements s WHERE s.id = j.id AND s.feed_id = %(feed)s AND s.source = %(source)s)"
)


def page_of_reclaims(
    *, origin: Origin, filters: ReclaimFilters, cursor: str
) -> tuple[Page[Interruption], Sequence[InterruptionRow]]:
    """One page of reclaims, the newest first."""
    page = cut_page(reclaims(origin=origin, filters=filters), order=ORDER, cursor=cursor, size=50)
    return page, interruption_rows(page.items)
