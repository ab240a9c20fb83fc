"""Who is on call at Meridian: its people, and how each team shares the hours out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from console.accounts.audit import Actor
from console.accounts.models import Role, User
from console.fleet.models import Team
from console.lib.origin import Origin
from console.oncall.editing import RotationOrder, create
from console.oncall.layering import LayerOrder, add_layer
from console.oncall.models import Layer, Rotation
from console.oncall.noting import leave_note
from console.oncall.overriding import OverrideOrder, add_override

PAST = timedelta(weeks=13)
"""So long the rotations are taken to have run already."""
DOMAIN = "meridian.example"

PEOPLE = {
    "Mara Lindqvist": "Europe/Stockholm",
    "Tomás Herrera": "Europe/Madrid",
    "Aoife Brennan": "Europe/Dublin",
    "Jonas Weidmann": "Europe/Berlin",
    "Priya Raghavan": "Asia/Kolkata",
    "Daniel Osei": "Europe/London",
    "Chiara Bellini": "Europe/Rome",
    "Marcus Reid": "America/New_York",
    "Lena Kowalczyk": "Europe/Warsaw",
    "Yusuf Demir": "Europe/Istanbul",
    "Hannah Vogel": "Europe/Berlin",
    "Ravi Menon": "Asia/Kolkata",
    "Sofia Almeida": "Europe/Lisbon",
    "Noah Jensen": "Europe/Copenhagen",
    "Grace Liu": "America/Los_Angeles",
    "Emeka Nwosu": "Europe/London",
    "Ingrid Haugen": "Europe/Oslo",
    "Mateo Silva": "America/Sao_Paulo",
    "Claire Dubois": "Europe/Paris",
    "Owen Pritchard": "Europe/London",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """One layer; its first turn begins on a Monday."""

    name: str
    kind: str
    people: tuple[str, ...]
    length: int = 1
    at: time = time(9)
    weekdays: tuple[int, ...] = ()
    hours: tuple[time, time] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationPlan:
    """A team's rotation, its layers from the lowest to the highest."""

    team: str
    name: str
    zone: str
    layers: tuple[LayerPlan, ...]
    note: str = ""
    is_round_the_clock: bool = True


def _layer(name: str, kind: str, people: str, **fields: object) -> LayerPlan:
    found = tuple(next(full for full in PEOPLE if full.startswith(each)) for each in people.split())
    return LayerPlan(name=name, kind=kind, people=found, **fields)  # type: ignore[arg-type]


WORKDAYS = (0, 1, 2, 3, 4)
ROTATIONS = (
    RotationPlan(
        team="platform", name="Platform, first line", zone="Europe/Berlin",
        layers=(_layer("First line", "weekly", "Jonas Aoife Yusuf Noah"),),
        note="us-east-1 lost m6i in two waves on Monday night. The fallback pool took both; nothing is left to do.",
    ),
    RotationPlan(
        team="checkout", name="Checkout, follow the sun", zone="Europe/London",
        layers=(
            _layer("Europe", "weekly", "Daniel Chiara Emeka"),
            _layer("Americas", "weekly", "Marcus Grace", hours=(time(22), time(6))),
        ),
        note="Stock reservations retry for two minutes now. A short dip of ready replicas need not wake payments.",
    ),
    RotationPlan(
        team="search", name="Search, by day", zone="Europe/Warsaw",
        layers=(_layer("First line", "daily", "Lena Hannah Tomás Sofia"),),
    ),
    RotationPlan(
        team="data", name="Data platform", zone="Europe/Berlin",
        layers=(
            _layer("Nights and weekends", "weekly", "Ravi Hannah Yusuf", at=time(17)),
            _layer("Office hours", "daily", "Priya Claire Noah", weekdays=WORKDAYS, hours=(time(9), time(17))),
        ),
        note="The ledger closes at 02:00 UTC tonight instead of 01:00. Leave its machines alone until then.",
    ),
    RotationPlan(
        team="media", name="Media, twelve hours", zone="Europe/Paris",
        layers=(_layer("First line", "hourly", "Claire Owen Mara Mateo", length=12, at=time(8)),),
    ),
    RotationPlan(
        team="machine-learning", name="Training", zone="Europe/Stockholm",
        layers=(_layer("First line", "weekly", "Mara Ingrid Ravi Grace"),),
        note="Vision training checkpoints every ten minutes this week, so a lost machine costs little.",
    ),
    RotationPlan(
        team="research", name="Research desk", zone="Europe/London", is_round_the_clock=False,
        layers=(_layer("Desk", "weekly", "Owen Emeka", weekdays=WORKDAYS, hours=(time(8), time(18))),),
    ),
    RotationPlan(
        team="edge", name="Edge delivery", zone="Europe/Lisbon",
        layers=(
            _layer("First line", "monthly", "Sofia Mateo Daniel", weekdays=(0, 1, 2, 3, 4, 5)),
        ),
    ),
)  # fmt: skip
"""Edge delivery covers no Sunday: its gaps are to be seen."""


def make_rotations(*, actor: Actor, now: datetime) -> None:
    """Once: what people changed about them stays."""
    if Rotation.objects.filter(origin=Origin.SAMPLE).exists():
        return
    people = {name: _person(name, zone) for name, zone in PEOPLE.items()}
    teams = {team.slug: team for team in Team.objects.filter(origin=Origin.SAMPLE)}
    made = {plan.team: _rotation(plan, people, teams, actor=actor, now=now) for plan in ROTATIONS}
    start = now.astimezone(UTC).replace(hour=13, minute=0, second=0, microsecond=0) + timedelta(days=3)
    away = OverrideOrder(
        people["Noah Jensen"],
        start,
        start + timedelta(hours=4),
        reason="At the dentist, Noah is back at five",
    )
    add_override(made["platform"], away, by=actor, now=now)


def _rotation(
    plan: RotationPlan, people: dict[str, User], teams: dict[str, Team], *, actor: Actor, now: datetime
) -> Rotation:  # fmt: skip
    order = RotationOrder(plan.name, plan.zone, teams.get(plan.team), plan.is_round_the_clock)
    rotation = create(order, by=actor, now=now, origin=Origin.SAMPLE, slug=f"sample-{plan.team}")
    for layer in plan.layers:
        add_layer(rotation, _order(layer, plan.zone, people, now=now), by=actor, now=now)
    Layer.objects.filter(rotation=rotation).update(valid_from=now - PAST)
    if plan.note:
        leave_note(rotation, plan.note, by=Actor.console(plan.layers[0].people[0]), now=now)
    return rotation


def _order(plan: LayerPlan, zone: str, people: dict[str, User], *, now: datetime) -> LayerOrder:
    day = (now - PAST).astimezone(ZoneInfo(zone)).date()
    ids: Sequence[int] = [people[name].pk for name in plan.people]
    begins, ends = plan.hours or (None, None)
    return LayerOrder(
        kind=plan.kind,
        people=tuple(ids),
        starts_on=day - timedelta(days=day.weekday() + 7),
        handover_at=plan.at,
        length=plan.length,
        name=plan.name,
        weekdays=plan.weekdays,
        hours_from=begins,
        hours_until=ends,
    )


def _person(name: str, zone: str) -> User:
    """Somebody made up: never let in, and gone with the sample."""
    plain = name.lower().replace("á", "a").replace(" ", ".")
    person: User = User.objects.filter(email=f"{plain}@{DOMAIN}").first() or User.objects.create_user(
        f"{plain}@{DOMAIN}",
        name=name,
        role=Role.RESPONDER,
        time_zone=zone,
        origin=Origin.SAMPLE,
        is_active=False,
    )
    return person
