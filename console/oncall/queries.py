"""What the pages of this room show."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from console.accounts.models import User
from console.lib.origin import Origin
from console.oncall.drawing import DAYS, Drawing, draw
from console.oncall.loading import layer_plan, layer_rows, override_plan, override_rows, people_in, plans_of
from console.oncall.models import HandOffNote, Layer, Override, Rotation, SwapRequest
from console.oncall.overriding import LONGEST
from console.oncall.people import by_id
from console.oncall.plan import Gap, Plan, Shift
from console.oncall.reach import unreachable
from console.oncall.schedule import HORIZON, Next, OnCall, Roster, roster
from console.oncall.timeline import gaps_of, shifts_of
from console.oncall.wording import hours_in_words, turns_in_words

REACHED_WITHIN = timedelta(days=14)
"""Whoever is on call in this time has to be reachable."""
MOST_NOTES = 20
MOST_GAPS = 40
MOST_OVERRIDES = 100
MOST_SHIFTS = 60
MOST_OWN_SHIFTS = 40


@dataclass(frozen=True, slots=True)
class CannotReach:
    """Somebody whose turn comes soon and whom no message would reach."""

    person: User
    why: str


@dataclass(frozen=True, slots=True)
class RotationLine:
    """A rotation in the list: who is on call, who is next, and what is wrong with it."""

    rotation: Rotation
    now: OnCall | None
    person: User | None
    next: Next | None
    next_person: User | None
    gaps: Sequence[Gap]
    """Of the next 90 days; of a rotation that is not round the clock there are none to speak of."""
    cannot_reach: Sequence[CannotReach]

    @property
    def gap_length(self) -> timedelta:
        return sum((gap.ended_at - gap.started_at for gap in self.gaps), timedelta())

    @property
    def is_gap_now(self) -> bool:
        return self.now is None and self.rotation.is_round_the_clock


def rotations_of(origin: str) -> QuerySet[Rotation]:
    return Rotation.objects.of_origin(origin).select_related("team")


def rotation_lines(rotations: Sequence[Rotation], *, now: datetime) -> list[RotationLine]:
    """Four queries, however many rotations."""
    plans = plans_of([one.pk for one in rotations], since=now - HORIZON, until=now + HORIZON)
    live = [plans[one.pk] for one in rotations if one.origin == Origin.LIVE]
    missing = unreachable({pk for plan in live for pk in _people_soon(plan, now)})
    rosters = {pk: roster(plan, at=now) for pk, plan in plans.items()}
    named = {who.person_id for found in rosters.values() for who in (found.now, found.next) if who}
    people = by_id(named | set(missing))
    return [_line(one, plans[one.pk], rosters[one.pk], people, missing, now=now) for one in rotations]


def _line(
    rotation: Rotation, plan: Plan, found: Roster, people: Mapping[int, User], missing: Mapping[int, str],
    *, now: datetime,
) -> RotationLine:  # fmt: skip
    soon = _people_soon(plan, now) & set(missing) if rotation.origin == Origin.LIVE else set()
    return RotationLine(
        rotation=rotation,
        now=found.now,
        person=people.get(found.now.person_id) if found.now else None,
        next=found.next,
        next_person=people.get(found.next.person_id) if found.next else None,
        gaps=gaps_of(plan, now, now + HORIZON) if rotation.is_round_the_clock else [],
        cannot_reach=[CannotReach(people[pk], missing[pk]) for pk in sorted(soon)],
    )


def _people_soon(plan: Plan, now: datetime) -> set[int]:
    return {shift.person_id for shift in shifts_of(plan, now, now + REACHED_WITHIN)}


@dataclass(frozen=True, slots=True)
class LayerLine:
    """A layer as it stands, or as it will."""

    layer: Layer
    people: Sequence[User]
    turns: str
    hours: str
    is_to_come: bool
    is_highest: bool


@dataclass(frozen=True, slots=True)
class ShiftLine:
    """One shift with its person."""

    shift: Shift
    person: User | None

    @property
    def length(self) -> timedelta:
        return self.shift.ended_at - self.shift.started_at


@dataclass(frozen=True, slots=True)
class RotationPage:
    """One rotation with its next four weeks."""

    line: RotationLine
    drawing: Drawing
    shifts: Sequence[ShiftLine]
    shift_count: int
    gaps: Sequence[Gap]
    layers: Sequence[LayerLine]
    overrides: Sequence[Override]
    swaps: Sequence[SwapRequest]
    notes: Sequence[HandOffNote]


def rotation_page(rotation: Rotation, *, zone: ZoneInfo, now: datetime) -> RotationPage:
    """What is listed and what is worked out come from the same rows."""
    span = {"since": now - HORIZON, "until": now + LONGEST}
    layers = list(layer_rows([rotation.pk], **span).order_by("-position", "valid_from"))
    overrides = list(
        override_rows([rotation.pk], **span).select_related("person", "replaced", "created_by", "rotation")
    )
    plan = Plan(
        rotation.pk,
        [layer_plan(layer, people_in(layer)) for layer in layers],
        [override_plan(override) for override in overrides],
    )
    people = by_id(_everybody(plan))
    missing = unreachable(_people_soon(plan, now)) if rotation.origin == Origin.LIVE else {}
    found = shifts_of(plan, now, now + timedelta(days=DAYS))
    line = _line(rotation, plan, roster(plan, at=now), people, missing, now=now)
    standing = [layer for layer in layers if layer.valid_until is None or layer.valid_until > now]
    coming = sorted(
        (one for one in overrides if one.ended_at > now), key=lambda one: (one.started_at, one.pk)
    )
    return RotationPage(
        line=line,
        drawing=draw(
            plan, titles={one.position: one.title for one in standing}, people=people, zone=zone, now=now
        ),
        shifts=[ShiftLine(shift, people.get(shift.person_id)) for shift in found[:MOST_SHIFTS]],
        shift_count=len(found),
        gaps=line.gaps[:MOST_GAPS],
        layers=_layer_lines(standing, people, now=now),
        overrides=coming[:MOST_OVERRIDES],
        swaps=list(waiting_swaps(now=now).filter(rotation=rotation)),
        notes=notes_of([rotation.pk]),
    )


def _everybody(plan: Plan) -> set[int]:
    listed = {pk for layer in plan.layers for pk in layer.people}
    return listed | {override.person_id for override in plan.overrides}


def _layer_lines(layers: Sequence[Layer], people: Mapping[int, User], *, now: datetime) -> list[LayerLine]:
    highest = max((layer.position for layer in layers), default=0)
    return [
        LayerLine(
            layer=layer,
            people=[people[pk] for pk in people_in(layer)],
            turns=turns_in_words(layer),
            hours=hours_in_words(layer),
            is_to_come=layer.valid_from > now,
            is_highest=layer.position == highest,
        )
        for layer in layers
    ]


def waiting_swaps(*, now: datetime) -> QuerySet[SwapRequest]:
    people = SwapRequest.objects.waiting(now=now).select_related("asker", "asked", "rotation")
    return people.order_by("started_at", "pk")


def notes_of(rotation_ids: Collection[int], *, since: datetime | None = None) -> list[HandOffNote]:
    """The newest first."""
    notes = HandOffNote.objects.filter(rotation__in=rotation_ids).select_related("by", "rotation")
    if since is not None:
        notes = notes.filter(at__gte=since)
    return list(notes.order_by("-at", "-pk")[:MOST_NOTES])


@dataclass(frozen=True, slots=True)
class OwnShift:
    """One of the reader's shifts."""

    rotation: Rotation
    shift: Shift

    @property
    def length(self) -> timedelta:
        return self.shift.ended_at - self.shift.started_at


def own_shifts(person: User, *, origin: str, since: datetime, until: datetime) -> list[OwnShift]:
    """Shifts of one person in every rotation, in order."""
    return own_shifts_in(rotations_of(origin), person, since=since, until=until)


def own_shifts_in(
    among: Iterable[Rotation], person: User, *, since: datetime, until: datetime
) -> list[OwnShift]:
    """The same, among these rotations."""
    rotations = {one.pk: one for one in among}
    plans = plans_of(rotations, since=since, until=until)
    found = [
        OwnShift(rotations[pk], shift)
        for pk, plan in plans.items()
        if person.pk in _everybody(plan)
        for shift in shifts_of(plan, since, until)
        if shift.person_id == person.pk
    ]
    return sorted(found, key=lambda own: (own.shift.started_at, own.rotation.name))


@dataclass(frozen=True, slots=True)
class SwapChoices:
    """What somebody can give, and what they can ask for in return: value and words."""

    mine: Sequence[ShiftLine]
    others: Sequence[ShiftLine]
    people: Sequence[User]


def swap_choices(rotation: Rotation, person: User, *, now: datetime) -> SwapChoices:
    """Shifts of the next four weeks that have not begun."""
    until = now + timedelta(days=DAYS)
    plan = plans_of([rotation.pk], since=now, until=until)[rotation.pk]
    people: Mapping[int, User] = by_id(_everybody(plan))
    whole = [
        shift for shift in shifts_of(plan, now, until) if shift.started_at > now and shift.ended_at < until
    ]
    lines = [ShiftLine(shift, people.get(shift.person_id)) for shift in whole]
    others = {pk: one for pk, one in people.items() if pk != person.pk}
    return SwapChoices(
        mine=[line for line in lines if line.shift.person_id == person.pk],
        others=[line for line in lines if line.shift.person_id in others],
        people=sorted(others.values(), key=str),
    )


def own_swaps(person: User, *, origin: str, now: datetime) -> list[SwapRequest]:
    """Those that wait for this person's answer, and those that this person waits for."""
    concerned = Q(asked=person) | Q(asker=person)
    return list(waiting_swaps(now=now).filter(concerned, rotation__origin=origin))
