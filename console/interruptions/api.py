"""Reclaims and what was observed of them, for programs."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope
from console.feeds.models import Feed
from console.feeds.normalised import Cause, Kind
from console.fleet.queries import machines_called
from console.interruptions.models import Interruption, InterruptionAlias, Observation, State
from console.interruptions.queries import JUDGED, ORDER, ReclaimFilters, reclaims
from console.interruptions.witnesses import Channel, ledger_of
from console.lib.asked import BIGGEST_ID, Moment, Span, refused
from console.lib.cursor import Listing, Paging, list_rows

router = Router(tags=["interruptions"])
READ = TokenAuth(Scope.READ)
OBSERVED_SINCE = timedelta(days=7)


class InterruptionOut(Schema):
    """One reclaim of one machine. Times are ISO 8601 UTC; what is not known is null."""

    id: int
    key: str
    origin: str
    provider: str | None
    account: str | None
    region: str | None
    zone: str | None
    instance_id: str | None
    instance_type: str | None
    node_name: str | None
    service: str
    team: str | None
    state: str
    cause: str
    outcome: str
    action: str | None
    known_by: str
    started_at: datetime
    deadline_at: datetime | None
    ended_at: datetime | None
    at_risk_at: datetime | None
    notice_at: datetime | None
    cordoned_at: datetime | None
    drain_started_at: datetime | None
    shutdown_started_at: datetime | None
    shutdown_completed_at: datetime | None
    terminated_at: datetime | None
    evicted_at: datetime | None
    scheduled_at: datetime | None
    running_at: datetime | None
    replacement_launched_at: datetime | None
    witnesses: int
    observations: int
    is_late: bool
    first_received_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, one: Interruption) -> InterruptionOut:
        """From a row with machine and service__team selected along."""
        machine, team = one.machine, one.service.team
        same = {name: getattr(one, name) for name in _SAME}
        return cls(
            id=one.pk,
            provider=one.provider or None,
            account=machine.account or None,
            region=one.region or None,
            zone=machine.zone or None,
            instance_id=machine.instance_id or None,
            instance_type=machine.instance_type or None,
            node_name=machine.node_name or None,
            service=one.service.slug,
            team=team.slug if team else None,
            outcome=_outcome(one),
            action=one.action or None,
            witnesses=one.witness_count,
            observations=one.observation_count,
            **same,
        )


_SAME = (
    "key", "origin", "state", "cause", "known_by", "started_at", "deadline_at", "ended_at", "at_risk_at",
    "notice_at", "cordoned_at", "drain_started_at", "shutdown_started_at", "shutdown_completed_at",
    "terminated_at", "evicted_at", "scheduled_at", "running_at", "replacement_launched_at", "is_late",
    "first_received_at", "updated_at",
)  # fmt: skip


def _outcome(one: Interruption) -> str:
    """`ongoing`, `ended`, `presumed`, `cancelled` or `hint`."""
    if one.is_hint:
        return "hint"
    return "ongoing" if one.is_open else one.state


class Became(StrEnum):
    """What `outcome` can ask for."""

    OPEN = "open"
    COUNTED = "counted"
    ENDED = "ended"
    PRESUMED = "presumed"
    CANCELLED = "cancelled"
    HINT = "hint"
    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"
    NO_REPORT = "no_report"
    NO_NOTICE = "no_notice"
    UNDECIDED = "undecided"
    HINTED = "hinted"
    NOTICE_USABLE = "notice_usable"
    NOTICE_SHORT = "notice_short"
    NOTICE_LATE = "notice_late"
    NOTICE_UNTOLD = "notice_untold"
    NOTICE_HISTORY = "notice_history"


class InterruptionQuery(Span):
    """The filters of the list of reclaims, which started at or after `since` and before `until`."""

    state: State | None = Field(None, description="Where it stands now. Hints only where asked for.")
    service: str = Field("", description="Slug of a service.")
    team: str = Field("", description="Slug of a team; `unattributed` for services without one.")
    provider: str = Field("", description="aws, gcp, azure …")
    region: str = ""
    zone: str = ""
    pool: int | None = Field(None, ge=1, le=BIGGEST_ID, description="Id of a pool.")
    instance_type: str = ""
    instance_id: str = Field(
        "", description="Exactly this instance, or node name where there is no instance id."
    )
    key: str = Field("", description="Exactly this key, or one that a reclaim had before.")
    cause: Cause | None = None
    outcome: Became | None = Field(
        None,
        description="What became of it; every reclaim but hints if left out. `counted` is what M1 counts;"
        " complete, partial, failed, no_report, no_notice and undecided are what M2 says, `notice_…` what the witness"
        " ledger says: give `since` and `until`. `hinted` had a recommendation before their notice.",
    )
    missed_by: str = Field(
        "",
        max_length=80,
        description="`feed id:format`: reclaims this channel did not tell of, in a stretch of time.",
    )
    q: str = Field("", max_length=200, description="Instance id, node name or key begins with this.")

    def filters(self) -> ReclaimFilters:
        """The same as the page's filters."""
        given = self.model_dump(exclude_none=True, mode="json", exclude={"instance_type"})
        if not (self.since and self.until):
            if self.outcome in JUDGED:
                raise refused(
                    "outcome", f"{self.outcome} is judged over a stretch of time: give `since` and `until`."
                )
            if self.missed_by:
                raise refused("missed_by", "It is judged over a stretch of time: give `since` and `until`.")
        return ReclaimFilters.of(
            {name: str(value) for name, value in given.items()} | {"type": self.instance_type}
        )


@router.get("/interruptions", response=Listing[InterruptionOut], auth=READ)
def interruption_list(
    request: HttpRequest, query: Query[InterruptionQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Reclaims, the newest first."""
    return list_rows(
        request,
        queryset=reclaims(origin=token_of(request).origin, filters=query.filters()),
        order=ORDER,
        paging=paging,
        row=InterruptionOut,
        shape=lambda rows: [InterruptionOut.of(row) for row in rows],
    )


class ToldOut(Schema):
    """What a channel said first of one kind, and how often it said so again."""

    kind: str
    observation_id: int
    occurred_at: datetime
    received_at: datetime
    delay_seconds: float
    is_observed: bool = Field(description="The message has no time of its own.")
    repeats: int


class WitnessOut(Schema):
    """One channel: a feed and the format of its messages."""

    feed_id: int
    feed: str | None
    transport: str | None
    source: str
    is_first: bool
    behind_seconds: float = Field(description="After the first witness.")
    statements: int
    repeats: int
    told: list[ToldOut]


class WitnessesOut(Schema):
    """The witness ledger of one reclaim, the first witness first."""

    interruption_id: int
    count: int
    lead_seconds: float | None = Field(description="By how much the first beat the second.")
    witnesses: list[WitnessOut]

    @classmethod
    def of(cls, one: Interruption) -> WitnessesOut:
        ledger = ledger_of(one)
        return cls(
            interruption_id=one.pk,
            count=ledger.total,
            lead_seconds=ledger.lead.total_seconds() if ledger.lead is not None else None,
            witnesses=[_witness(channel, place) for place, channel in enumerate(ledger.channels)],
        )


def _witness(channel: Channel, place: int) -> WitnessOut:
    told = [
        ToldOut(
            kind=one.kind,
            observation_id=one.observation_id,
            occurred_at=one.occurred_at,
            received_at=one.received_at,
            delay_seconds=one.delay.total_seconds(),
            is_observed=one.is_observed,
            repeats=one.repeats,
        )
        for one in channel.told
    ]
    return WitnessOut(
        feed_id=channel.feed_id,
        feed=channel.feed.slug if channel.feed else None,
        transport=channel.feed.kind if channel.feed else None,
        source=channel.source,
        is_first=place == 0,
        behind_seconds=channel.behind.total_seconds(),
        statements=channel.statements,
        repeats=channel.repeats,
        told=told,
    )


@router.get("/interruptions/{int:number}/witnesses", response=WitnessesOut, auth=READ)
def interruption_witnesses(request: HttpRequest, number: int) -> WitnessesOut:
    """Which channel said what of one reclaim, when, how late, and who was first. By the reclaim's id."""
    rows = Interruption.objects.of_origin(token_of(request).origin).select_related("merged_into")
    found = rows.filter(pk=number).first() if number <= BIGGEST_ID else None
    if found is None:
        raise Http404
    return WitnessesOut.of(found.merged_into or found)


@router.get("/interruptions/{path:key}", response=InterruptionOut, auth=READ)
def interruption_get(request: HttpRequest, key: str) -> InterruptionOut:
    """One reclaim, by its id, its key, or a key that it had before."""
    origin = token_of(request).origin
    rows = Interruption.objects.of_origin(origin).select_related("service__team", "machine", "merged_into")
    match = Q(key=key) | Q(pk=int(key)) if key.isdigit() and len(key) < 19 else Q(key=key)
    found = rows.filter(match).first()
    if found is None:
        alias = InterruptionAlias.objects.filter(origin=origin, key=key).first()
        found = rows.filter(pk=alias.interruption_id).first() if alias else None
    if found is not None and found.merged_into_id is not None:
        found = rows.get(pk=found.merged_into_id)
    if found is None:
        raise Http404
    return InterruptionOut.of(found)


class ObservationOut(Schema):
    """One statement about one machine, as one feed made it."""

    id: int
    feed_id: int
    interruption_id: int | None
    machine_id: int | None
    event_id: str
    machine_named: str
    source: str
    kind: str
    occurred_at: datetime
    received_at: datetime
    deadline_at: datetime | None
    outcome: str
    cause: str | None
    action: str | None
    is_replay: bool
    labels: dict[str, str]

    @staticmethod
    def resolve_cause(row: Observation) -> str | None:
        return row.cause or None

    @staticmethod
    def resolve_action(row: Observation) -> str | None:
        return row.action or None


class ObservationQuery(Span):
    """The filters of the list of observations, which were received at or after `since` and before `until`."""

    interruption: int | None = Field(None, ge=1, le=BIGGEST_ID, description="Id of an interruption.")
    feed: str = Field("", description="Slug of a feed.")
    kind: Kind | None = None
    instance_id: str = Field("", description="Exactly this instance.")
    since: Moment | None = Field(
        None, description="The last 7 days unless said otherwise, or an interruption is."
    )


@router.get("/observations", response=Listing[ObservationOut], auth=READ)
def observation_list(
    request: HttpRequest, query: Query[ObservationQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """What was observed, the newest first; by interruption it reaches back as far as that does."""
    origin = token_of(request).origin
    rows = Observation.objects.filter(origin=origin)
    if query.kind:
        rows = rows.filter(kind=query.kind.value)
    if query.feed:
        rows = rows.filter(feed__in=list(Feed.objects.filter(slug=query.feed).values_list("pk", flat=True)))
    if query.instance_id:
        rows = rows.filter(machine__in=machines_called(query.instance_id, origin=origin))
    if query.interruption is not None:
        rows = rows.filter(interruption=query.interruption)
    since = query.since or (None if query.interruption else timezone.now() - OBSERVED_SINCE)
    if since is not None:
        rows = rows.filter(received_at__gte=since)
    if query.until is not None:
        rows = rows.filter(received_at__lt=query.until)
    return list_rows(request, queryset=rows, order=["-received_at", "-pk"], paging=paging, row=ObservationOut)
