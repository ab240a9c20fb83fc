"""The strip's first facts: who is on call until when, and which rotation has nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from console.accounts.models import User
from console.dashboards.strip_item import Item
from console.lib.origin import Origin
from console.lib.templatetags.console_tags import zone_name
from console.oncall.models import Rotation
from console.oncall.people import by_id
from console.oncall.schedule import OnCall, Roster, rosters


def on_call_items(*, origin: Origin, user: User, has_rotations: bool, now: datetime) -> list[Item]:
    """Nobody first; then oneself, or else the platform's rotation before those of teams."""
    url = reverse("oncall:schedule_list")
    if not has_rotations:
        return [Item("triangle-alert", "Nobody is on call", tone="warn", url=url)]
    rotations = list(
        Rotation.objects.of_origin(origin)
        .in_use()
        .only("name", "team", "is_round_the_clock")
        .order_by("name")
    )
    found = rosters([one.pk for one in rotations], at=now)
    bare = [one.name for one in rotations if one.is_round_the_clock and found[one.pk].now is None]
    items = []
    if bare:
        more = f" and {len(bare) - 1} more" if len(bare) > 1 else ""
        items.append(
            Item("triangle-alert", "Nobody is on call for", value=f"{bare[0]}{more}", tone="danger", url=url)
        )
    if held := _held(rotations, found):
        items.append(_who(held, user=user, now=now, url=url))
    return items


def _held(rotations: Sequence[Rotation], found: Mapping[int, Roster]) -> list[OnCall]:
    """Turns that run, the platform's rotations first."""
    in_order = sorted(rotations, key=lambda one: (one.team_id is not None, one.name))
    return [turn for one in in_order if (turn := found[one.pk].now)]


def _who(held: Sequence[OnCall], *, user: User, now: datetime, url: str) -> Item:
    mine = [turn for turn in held if turn.person_id == user.pk]
    if mine:
        ends = [turn.until for turn in mine if turn.until]
        return Item("user-check", "You are on call", value=_until(min(ends, default=None), now=now), url=url)
    first = held[0]
    others = len({turn.person_id for turn in held} - {first.person_id})
    person = by_id([first.person_id])[first.person_id]
    value = f"{person} {_until(first.until, now=now)}".strip() + (f" +{others}" if others else "")
    return Item("user-check", "On call", value=value, url=url)


def _until(at: datetime | None, *, now: datetime) -> str:
    """`until 18:00 CET`, with the day where it is another one; in the reader's own zone."""
    if at is None:
        return ""
    here, today = timezone.localtime(at), timezone.localtime(now)
    form = "%H:%M" if here.date() == today.date() else "%a %-d %b %H:%M"
    return f"until {here.strftime(form)} {zone_name(here)}"
