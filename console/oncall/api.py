"""Schedules for programs: who is on call now and next, shifts, overrides, and how the load is shared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.audit import Actor
from console.accounts.models import Scope, User
from console.lib.asked import Moment, Span, refused
from console.lib.csv_file import csv_response
from console.lib.cursor import Listing, Paging, list_rows
from console.lib.problems import Problem
from console.oncall import fairness, overriding
from console.oncall.models import Override, OverrideKind, Rotation
from console.oncall.overriding import NotPossible, OverrideOrder
from console.oncall.people import by_id
from console.oncall.queries import RotationLine, rotation_lines
from console.oncall.schedule import shifts

router = Router(tags=["schedules"])
READ, MANAGE = TokenAuth(Scope.READ), TokenAuth(Scope.MANAGE)
USUAL = timedelta(days=28)
LONGEST = timedelta(days=366)


class PersonOut(Schema):
    name: str
    email: str

    @classmethod
    def of(cls, person: User | None) -> PersonOut | None:
        return cls(name=str(person), email=person.email) if person else None


class TurnOut(Schema):
    """Who is on call. `until` null: nobody takes over within the next 90 days."""

    person: PersonOut
    since: datetime | None
    until: datetime | None
    why: str


class NextOut(Schema):
    person: PersonOut
    at: datetime


class ScheduleOut(Schema):
    """A rotation: who is on call now (null: nobody), who is next, and what nobody covers."""

    slug: str
    name: str
    team: str | None
    time_zone: str
    is_round_the_clock: bool
    on_call: TurnOut | None
    next: NextOut | None
    uncovered_seconds: int = Field(description="Of the next 90 days; 0 where it is not round the clock.")
    archived_at: datetime | None

    @classmethod
    def of(cls, line: RotationLine) -> ScheduleOut:
        rotation, now = line.rotation, line.now
        person, following = PersonOut.of(line.person), PersonOut.of(line.next_person)
        return cls(
            slug=rotation.slug,
            name=rotation.name,
            team=rotation.team.slug if rotation.team else None,
            time_zone=rotation.time_zone,
            is_round_the_clock=rotation.is_round_the_clock,
            on_call=TurnOut(person=person, since=now.since, until=now.until, why=now.why)
            if now and person
            else None,
            next=NextOut(person=following, at=line.next.at) if line.next and following else None,
            uncovered_seconds=int(line.gap_length.total_seconds()),
            archived_at=rotation.archived_at,
        )


class ScheduleQuery(Schema):
    """Filters; all that are given must hold."""

    team: str = Field("", description="Slug of a team.")
    archived: bool | None = Field(None, description="Only archived, or only other ones; both if left out.")


@router.get("/schedules", auth=READ, response=Listing[ScheduleOut])
def schedule_list(
    request: HttpRequest, wanted: Query[ScheduleQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Every rotation of the token's data origin with who is on call now and next."""
    rotations = Rotation.objects.of_origin(token_of(request).origin).select_related("team")
    if wanted.team:
        rotations = rotations.filter(team__slug=wanted.team)
    if wanted.archived is not None:
        rotations = rotations.filter(archived_at__isnull=not wanted.archived)
    return list_rows(
        request,
        queryset=rotations,
        order=["slug"],
        paging=paging,
        row=ScheduleOut,
        shape=lambda rows: [ScheduleOut.of(line) for line in rotation_lines(rows, now=timezone.now())],
    )


@router.get("/schedules/{slug}", auth=READ, response=ScheduleOut)
def schedule_get(request: HttpRequest, slug: str) -> ScheduleOut:
    """One rotation."""
    (line,) = rotation_lines([_rotation(request, slug)], now=timezone.now())
    return ScheduleOut.of(line)


class ShiftOut(Schema):
    """One person on call in [started_at, ended_at), cut to what was asked for."""

    person: PersonOut
    started_at: datetime
    ended_at: datetime
    why: str


class ShiftQuery(Span):
    """Four weeks from now, unless said otherwise; at most a year."""

    format: Literal["json", "csv"] = Field("json", description="`csv` gives the same rows as CSV.")

    def window(self, *, now: datetime, ahead: timedelta) -> tuple[datetime, datetime]:
        """`ahead` where nothing is said: negative looks back."""
        start, end = self.since, self.until
        if start is None:
            start = (end - abs(ahead)) if end else min(now, now + ahead)
        end = end or start + abs(ahead)
        if end - start > LONGEST:
            raise refused("until", "Ask for at most a year at once.")
        return start, end


@router.get("/schedules/{slug}/shifts", auth=READ, response=Listing[ShiftOut])
def shift_list(request: HttpRequest, slug: str, wanted: Query[ShiftQuery]) -> Any:
    """Who is on call from when to when, as far as is known today."""
    rotation = _rotation(request, slug)
    since, until = wanted.window(now=timezone.now(), ahead=USUAL)
    found = shifts([rotation.pk], since=since, until=until)[rotation.pk]
    people = by_id({shift.person_id for shift in found})
    rows = [
        ShiftOut(person=person, started_at=each.started_at, ended_at=each.ended_at, why=each.why)
        for each in found
        if (person := PersonOut.of(people.get(each.person_id)))
    ]
    if wanted.format == "csv":
        lines = (_flat(row) for row in rows)
        columns = ("name", "email", "started_at", "ended_at", "why")
        return csv_response(lines, columns=columns, name=f"{slug}-shifts")
    return {"items": rows, "next": None}


def _flat(row: ShiftOut) -> dict[str, object]:
    told: dict[str, Any] = row.model_dump()
    return {**told.pop("person"), **told}


class OverrideOut(Schema):
    """Who is on call instead. Of two that overlap the newer one counts."""

    id: int
    kind: OverrideKind
    person: str = Field(description="E-mail address.")
    replaced: str | None = Field(description="Only in this person's turns; null: whoever it would be.")
    started_at: datetime
    ended_at: datetime
    reason: str
    created_by: str
    created_at: datetime
    cancelled_at: datetime | None

    @classmethod
    def of(cls, override: Override) -> OverrideOut:
        names = ("kind", "started_at", "ended_at", "reason", "created_at", "cancelled_at")
        return cls(
            id=override.pk,
            person=override.person.email,
            replaced=override.replaced.email if override.replaced else None,
            created_by=override.who,
            **{name: getattr(override, name) for name in names},
        )


class OverrideQuery(Span):
    """Those that meet [since, until)."""

    cancelled: bool | None = Field(
        None, description="Only cancelled, or only standing ones; both if left out."
    )


class OverrideIn(Schema, extra="forbid"):
    """A new override. The same again is the one that stands."""

    person: str = Field(max_length=254, description="E-mail address of somebody who can be on call.")
    replaced: str | None = Field(None, max_length=254, description="Only in this person's turns.")
    started_at: Moment
    ended_at: Moment
    reason: str = Field("", max_length=200)


@router.get("/schedules/{slug}/overrides", auth=READ, response=Listing[OverrideOut])
def override_list(
    request: HttpRequest, slug: str, wanted: Query[OverrideQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Overrides of a rotation, the newest first."""
    rows = _overrides(request, slug)
    if wanted.since:
        rows = rows.filter(ended_at__gt=wanted.since)
    if wanted.until:
        rows = rows.filter(started_at__lt=wanted.until)
    if wanted.cancelled is not None:
        rows = rows.filter(cancelled_at__isnull=not wanted.cancelled)
    return list_rows(
        request,
        queryset=rows,
        order=["-pk"],
        paging=paging,
        row=OverrideOut,
        shape=lambda page: [OverrideOut.of(row) for row in page],
    )


@router.post("/schedules/{slug}/overrides", auth=MANAGE, response={200: OverrideOut, 201: OverrideOut})
def override_create(request: HttpRequest, slug: str, given: OverrideIn) -> tuple[int, OverrideOut]:
    """Put somebody on call. 200 where that override stands already."""
    rotation = _rotation(request, slug)
    order = OverrideOrder(
        person=_person(given.person, "person"),
        replaced=_person(given.replaced, "replaced") if given.replaced else None,
        started_at=given.started_at,
        ended_at=given.ended_at,
        reason=given.reason,
    )
    try:
        override, is_new = overriding.add_override(rotation, order, by=Actor.of(request), now=timezone.now())
    except NotPossible as refusal:
        raise Problem(422, code="not_possible", detail=str(refusal)) from refusal
    return 201 if is_new else 200, OverrideOut.of(override)


@router.delete("/schedules/{slug}/overrides/{int:pk}", auth=MANAGE, response=OverrideOut)
def override_delete(request: HttpRequest, slug: str, pk: int) -> OverrideOut:
    """Take an override back; one that has begun ends now. Twice is harmless."""
    override = get_object_or_404(_overrides(request, slug), pk=pk)
    try:
        overriding.cancel(override, by=Actor.of(request), now=timezone.now())
    except NotPossible as refusal:
        raise Problem(409, code="not_possible", detail=str(refusal)) from refusal
    return OverrideOut.of(_overrides(request, slug).get(pk=pk))


class LoadOut(Schema):
    """What one person carried. Night is from 22:00 to 06:00 where that person lives."""

    name: str
    email: str
    time_zone: str
    on_call_seconds: int
    night_seconds: int
    share: float = Field(description="Of all hours on call in the window, 0 to 1.")
    shifts: int
    pages: int
    night_pages: int


class LoadQuery(ShiftQuery):
    """The last four weeks, unless said otherwise; at most a year."""

    team: str = Field("", description="Only the rotations of this team.")


@router.get("/on-call-load", auth=READ, response=Listing[LoadOut])
def load_list(request: HttpRequest, wanted: Query[LoadQuery]) -> Any:
    """Hours on call, pages and pages at night, a person, the most loaded first."""
    now = timezone.now()
    since, until = wanted.window(now=now, ahead=-USUAL)
    until = max(since, min(until, now))
    found = fairness.loads(origin=token_of(request).origin, since=since, until=until, team=wanted.team)
    rows = [_load(load) for load in found]
    if wanted.format == "csv":
        lines = (row.model_dump() for row in rows)
        return csv_response(lines, columns=list(LoadOut.model_fields), name="on-call-load")
    return {"items": rows, "next": None}


def _load(load: fairness.Load) -> LoadOut:
    return LoadOut(
        name=str(load.person),
        email=load.person.email,
        time_zone=load.person.time_zone,
        on_call_seconds=int(load.on_call.total_seconds()),
        night_seconds=int(load.at_night.total_seconds()),
        share=round(load.share, 4),
        shifts=load.shift_count,
        pages=load.page_count,
        night_pages=load.night_page_count,
    )


def _rotation(request: HttpRequest, slug: str) -> Rotation:
    rotations: Any = Rotation.objects.of_origin(token_of(request).origin).select_related("team")
    found: Rotation = get_object_or_404(rotations, slug=slug)
    return found


def _overrides(request: HttpRequest, slug: str) -> Any:
    related: Sequence[str] = ("rotation", "person", "replaced", "created_by")
    return Override.objects.filter(rotation=_rotation(request, slug)).select_related(*related)


def _person(email: str, name: str) -> User:
    person: User | None = User.objects.filter(email=email.strip().lower()).first()
    if person is None:
        raise refused(name, f"Nobody has the address {email}.")
    return person
