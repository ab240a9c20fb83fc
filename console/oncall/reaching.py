"""Whom a level reaches at a moment: its rotations' and teams' people on call, its people, its channels.

The roster is read when a level is told and never frozen: who took over a minute ago is the one who is woken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from console.accounts.models import Role, User
from console.lib.origin import Origin
from console.notifications.models import Channel, ChannelKind
from console.oncall import schedule
from console.oncall.models import Rotation
from console.oncall.policies import Target
from console.oncall.schedule import OnCall

NAMED = "named on this level"


@dataclass(frozen=True, slots=True)
class Reach:
    """One person or channel, and why it is this one."""

    name: str
    why: str
    person_id: int | None = None
    channel_id: int | None = None

    @property
    def words(self) -> str:
        """`Bob (on call in Payments secondary until 17:00 UTC)`; somebody named needs no reason."""
        return self.name if self.why == NAMED else f"{self.name} ({self.why})"

    @property
    def key(self) -> str:
        """`person-5` or `channel-3`: the recipient's part of a message's key."""
        return f"person-{self.person_id}" if self.person_id is not None else f"channel-{self.channel_id}"


@dataclass(slots=True)
class Reached:
    """Everybody a level reaches, each once; and what on it reaches nobody, in words."""

    reaches: list[Reach] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)

    def add(self, found: Iterable[Reach], *, otherwise: str) -> None:
        fresh = list(found)
        if not fresh:
            self.misses.append(otherwise)
        known = {reach.key for reach in self.reaches}
        for reach in fresh:
            if reach.key not in known:
                known.add(reach.key)
                self.reaches.append(reach)


class Roster:
    """Whom targets reach at `at`, read for many of them in a constant number of queries."""

    def __init__(self, targets: Collection[Target], *, at: datetime) -> None:
        ids: dict[str, set[int]] = defaultdict(set)
        for target in targets:
            ids[target.kind].add(target.id)
        teams = ids["team"]
        rotations = Rotation.objects.filter(archived_at=None)
        mine = rotations.filter(pk__in=ids["rotation"]) | rotations.filter(team__in=teams)
        self._rotations = {row.pk: row for row in mine} if ids["rotation"] or teams else {}
        on_call = schedule.on_call_at(list(self._rotations), at=at) if self._rotations else {}
        self._on_call: Mapping[int, list[OnCall]] = on_call
        self._channels = _channels(ids["channel"], teams)
        self._people = _people(
            ids["person"] | {turn.person_id for turns in on_call.values() for turn in turns},
            is_everyone="managers" in ids or "administrators" in ids,
        )

    def reach(self, targets: Iterable[Target]) -> Reached:
        """Everybody these reach."""
        reached = Reached()
        for target in targets:
            found = list(getattr(self, f"_of_{target.kind}")(target))
            reached.add(found, otherwise=_nobody(target))
        return reached

    def _of_person(self, target: Target) -> Iterable[Reach]:
        person = self._people.get(target.id)
        if person and person.is_active:
            yield Reach(str(person), NAMED, person_id=person.pk)

    def _of_rotation(self, target: Target) -> Iterable[Reach]:
        rotation = self._rotations.get(target.id)
        if rotation is None:
            return
        for turn in self._on_call.get(target.id, ()):
            person = self._people.get(turn.person_id)
            if person and (person.is_active or rotation.origin != Origin.LIVE):
                yield Reach(str(person), _on_call_for(str(rotation), turn), person_id=person.pk)

    def _of_team(self, target: Target) -> Iterable[Reach]:
        for rotation in self._rotations.values():
            if rotation.team_id == target.id:
                yield from self._of_rotation(Target("rotation", rotation.pk, rotation.name))
        for channel in self._channels.values():
            if channel.team_id == target.id:
                yield Reach(channel.name, f"channel of {target.name}", channel_id=channel.pk)

    def _of_channel(self, target: Target) -> Iterable[Reach]:
        if channel := self._channels.get(target.id):
            yield Reach(channel.name, NAMED, channel_id=channel.pk)

    def _of_managers(self, target: Target) -> Iterable[Reach]:
        return self._of_role(Role.MANAGER, "a manager")

    def _of_administrators(self, target: Target) -> Iterable[Reach]:
        return self._of_role(Role.ADMIN, "an administrator")

    def _of_role(self, role: Role, words: str) -> Iterable[Reach]:
        for person in self._people.values():
            if person.role == role and person.is_active:
                yield Reach(str(person), words, person_id=person.pk)


def _people(ids: set[int], *, is_everyone: bool) -> dict[int, User]:
    """Active ones, and those made up, who answer in made-up rotations alone: nothing is ever sent to them."""
    people = User.objects.filter(Q(is_active=True) | ~Q(origin=Origin.LIVE))
    wanted = people.filter(pk__in=ids)
    if is_everyone:
        wanted = wanted | people.filter(role__in=(Role.MANAGER, Role.ADMIN))
    return {person.pk: person for person in wanted.order_by("pk")}


def _channels(ids: set[int], teams: set[int]) -> dict[int, Channel]:
    """What is archived or leads nowhere reaches nobody."""
    if not ids and not teams:
        return {}
    usable = Channel.objects.filter(archived_at=None).exclude(kind=ChannelKind.NULL)
    wanted = usable.filter(pk__in=ids) | usable.filter(team__in=teams)
    return {channel.pk: channel for channel in wanted.order_by("pk")}


def _on_call_for(rotation: str, turn: OnCall) -> str:
    until = f" until {turn.until:%H:%M} UTC" if turn.until else ""
    return f"on call in {rotation}{until}"


def _nobody(target: Target) -> str:
    """Why it reaches nobody."""
    if target.kind == "rotation":
        return f"nobody is on call in {target.name}"
    if target.kind == "team":
        return f"{target.name} has nobody on call and no channel"
    if target.kind in ("managers", "administrators"):
        return f"there is no active person: {target.name.lower()}"
    return f"{target.name} cannot be reached any more"
