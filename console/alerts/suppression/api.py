"""Suppressions for programs: a deployment plans its own quiet, and auditors take the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.audit import Actor
from console.accounts.models import Scope
from console.alerts.handling import By
from console.alerts.models import Suppression, SuppressionHit, SuppressionKind, SuppressionQuerySet
from console.alerts.suppression import changing
from console.alerts.suppression.changing import NotPossible
from console.alerts.suppression.draft import Draft, Refused
from console.alerts.suppression.making import make
from console.alerts.suppression.queries import Tally, ledger_of, next_windows, tallies
from console.alerts.suppression.recurrence import BadRule, Rule
from console.alerts.suppression.scoping import BadScope, parse_scopes
from console.fleet.models import Team
from console.lib.asked import Moment, refused
from console.lib.cursor import Listing, Paging, list_rows
from console.lib.problems import Problem

router = Router(tags=["suppressions"])
READ, MANAGE = TokenAuth(Scope.READ), TokenAuth(Scope.MANAGE)


class SuppressionOut(Schema):
    """A suppression, its window in force or the next one, and what it hid so far."""

    id: int
    origin: str
    kind: SuppressionKind
    name: str
    reason: str
    author: str
    team: str | None
    scopes: list[str]
    starts_at: datetime
    ends_at: datetime | None
    rrule: str | None
    duration_seconds: int
    time_zone: str
    share: int
    needs_signature: bool
    signed_by: str | None
    signed_at: datetime | None
    cancelled_at: datetime | None
    created_at: datetime
    state: str = Field(description="`in_force`, `upcoming`, `over` or `cancelled`.")
    window_starts_at: datetime | None
    window_ends_at: datetime | None
    groups_hidden: int
    pages_hidden: int
    tickets_hidden: int


class SuppressionQuery(Schema):
    """The filters of the list."""

    kind: SuppressionKind | None = None
    state: Literal["all", "in_force", "live", "past"] = Field(
        "all", description="`live`: in force or still to come; `past`: over or cancelled."
    )


class SuppressionIn(Schema, extra="forbid"):
    """Once, from `starts_at` (now, where it is left out) to `ends_at` or for `minutes`; or as `rrule` says."""

    name: str = Field(max_length=120)
    reason: str = Field(max_length=500)
    kind: SuppressionKind = SuppressionKind.MAINTENANCE
    scopes: list[str] = Field(
        description="`service:checkout`, `team:payments`, `pool:aws/eu-west-1/*/m7i.large`, `label:env=staging`."
    )
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    minutes: int | None = Field(None, ge=1, le=14 * 24 * 60, description="How long each window lasts.")
    rrule: str = Field("", max_length=300, description="RFC 5545; the wall clock of `time_zone` repeats.")
    time_zone: str = Field("UTC", max_length=64)
    team: str = Field("", max_length=64, description="Slug of the team to ask about it.")
    share: int = Field(50, ge=1, le=100, description="Percent of a service that is never hidden unsigned.")
    needs_signature: bool = False


class HitOut(Schema):
    """One decision that was hidden."""

    id: int
    at: datetime
    group: int
    group_title: str
    service: str | None
    trigger: str
    would_have_been: str
    window_starts_at: datetime
    window_ends_at: datetime

    @classmethod
    def of(cls, hit: SuppressionHit) -> HitOut:
        """From a row with group, service and window selected along."""
        return cls(
            id=hit.pk,
            at=hit.at,
            group=hit.group_id,
            group_title=hit.group.title,
            service=hit.group.service.slug if hit.group.service else None,
            trigger=hit.trigger,
            would_have_been=hit.decision,
            window_starts_at=hit.occurrence.starts_at,
            window_ends_at=hit.occurrence.ends_at,
        )


@router.get("/suppressions", response=Listing[SuppressionOut], auth=READ)
def suppression_list(
    request: HttpRequest, query: Query[SuppressionQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Suppressions, the newest first."""
    now = timezone.now()
    rows = _rows(request)
    if query.kind is not None:
        rows = rows.filter(kind=query.kind)
    return list_rows(
        request,
        queryset=rows.in_state(query.state, now=now),
        order=("-created_at", "-pk"),
        paging=paging,
        row=SuppressionOut,
        shape=lambda found: _shape(found, now=now),
    )


@router.post("/suppressions", response={201: SuppressionOut}, auth=MANAGE)
def suppression_create(request: HttpRequest, given: SuppressionIn) -> tuple[int, SuppressionOut]:
    """Plan one in the token's data origin."""
    now = timezone.now()
    try:
        made = make(draft_of(request, given, now=now), by=_by(request), now=now)
    except Refused as refusal:
        raise refused(refusal.field, str(refusal)) from refusal
    return 201, _shape([_one(request, made.pk)], now=now)[0]


@router.get("/suppressions/{int:pk}", response=SuppressionOut, auth=READ)
def suppression_get(request: HttpRequest, pk: int) -> SuppressionOut:
    """One of them."""
    return _shape([_one(request, pk)], now=timezone.now())[0]


@router.post("/suppressions/{int:pk}/cancel", response=SuppressionOut, auth=MANAGE)
def suppression_cancel(request: HttpRequest, pk: int) -> SuppressionOut:
    """It ends now, and what it hid and still fires is told. Twice is harmless; 409 where it is over."""
    now = timezone.now()
    _one(request, pk)
    try:
        changing.cancel(pk, by=_by(request), now=now)
    except NotPossible as refusal:
        raise Problem(409, code="not_possible", detail=str(refusal)) from refusal
    return _shape([_one(request, pk)], now=now)[0]


@router.get("/suppressions/{int:pk}/ledger", response=Listing[HitOut], auth=READ)
def suppression_ledger(
    request: HttpRequest, pk: int, paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Every decision that it hid, the newest first; `format=csv` for auditors."""
    return list_rows(
        request,
        queryset=ledger_of(_one(request, pk)),
        order=("-pk",),
        paging=paging,
        row=HitOut,
        shape=lambda hits: [HitOut.of(hit) for hit in hits],
    )


def draft_of(request: HttpRequest, given: SuppressionIn, *, now: datetime) -> Draft:
    origin = token_of(request).origin
    starts_at = given.starts_at or now
    if (given.ends_at is None) == (given.minutes is None) or (given.rrule and given.ends_at):
        raise refused("minutes", "Give `ends_at` or `minutes`, one of the two; with `rrule` give `minutes`.")
    length = given.ends_at - starts_at if given.ends_at else timedelta(minutes=given.minutes or 0)
    try:
        scopes = parse_scopes(given.scopes, origin=origin)
    except BadScope as error:
        raise refused("scopes", str(error)) from error
    try:
        rule = Rule.parse(given.rrule) if given.rrule.strip() else None
    except BadRule as error:
        raise refused("rrule", str(error)) from error
    return Draft(
        origin=origin,
        kind=given.kind,
        name=given.name,
        reason=given.reason,
        scopes=scopes,
        starts_at=starts_at,
        duration=length,
        rule=rule,
        time_zone=given.time_zone,
        team=_team(given.team, origin=origin),
        share=given.share,
        needs_signature=given.needs_signature,
    )


def _team(slug: str, *, origin: str) -> Team | None:
    team = Team.objects.filter(origin=origin, slug=slug).first() if slug else None
    if slug and team is None:
        raise refused("team", f"There is no team {slug}.")
    return team


def _by(request: HttpRequest) -> By:
    return By(user=None, actor=Actor.of(request))


def _rows(request: HttpRequest) -> SuppressionQuerySet:
    rows = Suppression.objects.of_origin(token_of(request).origin)
    return rows.select_related("author", "team", "signed_by").prefetch_related(
        "scopes__service", "scopes__team"
    )


def _one(request: HttpRequest, pk: int) -> Suppression:
    return get_object_or_404(_rows(request), pk=pk)


def _shape(rows: list[Suppression], *, now: datetime) -> list[SuppressionOut]:
    ids = [row.pk for row in rows]
    hidden, windows = tallies(ids), next_windows(rows, now=now)
    found = []
    for row in rows:
        tally, (state, window) = hidden.get(row.pk, Tally()), windows[row.pk]
        found.append(
            SuppressionOut(
                id=row.pk,
                origin=row.origin,
                kind=SuppressionKind(row.kind),
                name=row.name,
                reason=row.reason,
                author=row.author.email if row.author else row.author_label,
                team=row.team.slug if row.team else None,
                scopes=[scope.text for scope in row.scopes.all()],
                starts_at=row.starts_at,
                ends_at=row.ends_at,
                rrule=row.rrule or None,
                duration_seconds=int(row.duration.total_seconds()),
                time_zone=row.time_zone,
                share=row.share,
                needs_signature=row.needs_signature,
                signed_by=row.signed_by.email if row.signed_by else None,
                signed_at=row.signed_at,
                cancelled_at=row.cancelled_at,
                created_at=row.created_at,
                state=state,
                window_starts_at=window.starts_at if window else None,
                window_ends_at=window.ends_at if window else None,
                groups_hidden=tally.groups,
                pages_hidden=tally.pages,
                tickets_hidden=tally.tickets,
            )
        )
    return found
