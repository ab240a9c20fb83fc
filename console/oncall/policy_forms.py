"""The form of an escalation policy: levels with their names, kept as typed until it is saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.http import QueryDict
from django.utils.text import slugify

from console.accounts.models import User
from console.fleet.models import Service, Team
from console.notifications.models import Channel
from console.oncall.models import EscalationPolicy, Rotation, TargetKind
from console.oncall.policy_editing import MOST_LEVELS, MOST_TARGETS, CannotSave, Draft, LevelDraft

MOST_CHOICES = 1_000


@dataclass(frozen=True, slots=True)
class TypedLevel:
    """A level as it stands in the form: what was typed, and `kind:id` for each name."""

    wait: str = "5"
    targets: tuple[str, ...] = ()

    @property
    def slots(self) -> tuple[str, ...]:
        """The names, and an empty one for the next."""
        return (*self.targets, "")


@dataclass(frozen=True, slots=True)
class Typed:
    """The whole form as it was typed."""

    name: str = ""
    slug: str = ""
    team: str = ""
    repeats: str = "1"
    acknowledged_minutes: str = "30"
    levels: tuple[TypedLevel, ...] = field(default_factory=lambda: (TypedLevel(), TypedLevel("10")))

    @classmethod
    def of_post(cls, post: QueryDict) -> Typed:
        said = {
            name: post.get(name, "").strip()[:120]
            for name in ("name", "slug", "team", "repeats", "acknowledged_minutes")
        }
        count = min(_number(post.get("levels", "")) or 0, MOST_LEVELS + 1)
        return cls(**said, levels=tuple(_level(post, place) for place in range(1, count + 1)))

    @classmethod
    def of_policy(cls, policy: EscalationPolicy) -> Typed:
        rows = policy.levels.order_by("position").prefetch_related("targets")
        return cls(
            name=policy.name,
            slug=policy.slug,
            team=str(policy.team_id or ""),
            repeats=str(policy.repeats),
            acknowledged_minutes=str(policy.acknowledged_minutes),
            levels=tuple(
                TypedLevel(
                    str(level.wait_minutes),
                    tuple(
                        f"{target.kind}:{getattr(target, f'{target.kind}_id')}"
                        for target in sorted(level.targets.all(), key=lambda target: target.pk)
                    ),
                )
                for level in rows
            ),
        )

    def after(self, act: str) -> Typed:
        """The form after one of its own buttons: `level`, `more`, `up:2`, `down:1`, `remove:2`."""
        verb, _, number = act.partition(":")
        place = (_number(number) or 1) - 1
        levels = list(self.levels)
        if verb == "level" and len(levels) < MOST_LEVELS:
            levels.append(TypedLevel("10"))
        elif verb == "remove" and place < len(levels) and len(levels) > 1:
            del levels[place]
        elif verb in ("up", "down"):
            other = place + (1 if verb == "down" else -1)
            if 0 <= other < len(levels) and place < len(levels):
                levels[place], levels[other] = levels[other], levels[place]
        return replace(self, levels=tuple(levels))

    def draft(self) -> Draft:
        """What was typed as a draft. Levels without a name and a wait are left out. Raises CannotSave."""
        if not self.name:
            raise CannotSave("A policy needs a name.")
        slug = slugify(self.slug or self.name)[:64]
        if not slug:
            raise CannotSave("A slug holds letters, digits and hyphens.")
        return Draft(
            name=self.name,
            slug=slug,
            team_id=_number(self.team),
            repeats=_or(self.repeats, -1),
            acknowledged_minutes=_or(self.acknowledged_minutes, -1),
            levels=[
                LevelDraft(_or(level.wait, 0), tuple(_target(target) for target in level.targets))
                for level in self.levels
                if level.targets
            ],
        )


@dataclass(frozen=True, slots=True)
class Choices:
    """A heading and what can be chosen under it."""

    label: str
    options: Sequence[tuple[str, str]]


def target_choices(*, origin: str) -> list[Choices]:
    """What can be named on a level, by kind. Four queries."""
    rotations = Rotation.objects.filter(archived_at=None, origin=origin).order_by("name", "pk")
    teams = Team.objects.filter(origin=origin).order_by("name", "pk")
    channels = Channel.objects.filter(archived_at=None).order_by("name", "pk")
    people = User.objects.filter(is_active=True).order_by("name", "email")
    found: list[Choices] = []
    for kind, rows in (
        (TargetKind.ROTATION, rotations),
        (TargetKind.TEAM, teams),
        (TargetKind.CHANNEL, channels),
        (TargetKind.PERSON, people),
    ):
        options = [(f"{kind.value}:{row.pk}", str(row)) for row in rows[:MOST_CHOICES]]
        if options:
            heading = "Teams (on call and channels)" if kind == TargetKind.TEAM else f"{kind.label}s"
            found.append(Choices("People" if kind == TargetKind.PERSON else heading, options))
    return found


def use_choices(*, origin: str) -> list[Choices]:
    """What a policy can hold for."""
    services = Service.objects.filter(origin=origin, archived_at=None).order_by("name", "pk")
    teams = Team.objects.filter(origin=origin).order_by("name", "pk")
    return [
        Choices("Everything", [("default", "Everything else (the default)")]),
        Choices("What a team owns", [(f"team:{team.pk}", team.name) for team in teams[:MOST_CHOICES]]),
        Choices("A service", [(f"service:{one.pk}", one.name) for one in services[:MOST_CHOICES]]),
    ]


def _level(post: QueryDict, place: int) -> TypedLevel:
    named = [target for target in post.getlist(f"level-{place}-target") if target]
    return TypedLevel(
        post.get(f"level-{place}-wait", "").strip()[:8], tuple(dict.fromkeys(named))[: MOST_TARGETS + 1]
    )


def _target(text: str) -> tuple[str, int]:
    kind, _, pk = text.partition(":")
    return kind, _number(pk) or 0


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _or(text: str, otherwise: int) -> int:
    number = _number(text)
    return otherwise if number is None else number
