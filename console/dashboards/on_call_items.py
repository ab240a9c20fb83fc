"""The strip's first facts: who is on call until when, and which rotation has nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from console.accounts.models import User
from console.dashboards.strip_item import Item
from console.lib.origin import Origin
from console.lib.templatetags.console_tags import zone_name
from console.oncall.in_use import InUse, rotations_in_use


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
    bare = [one.name for one in rotations if one.is_round_the_clock and one.roster.now is None]
    if bare:
        value = bare[0] + (f" and {len(bare) - 1} more" if len(bare) > 1 else "")
        items.append(Item("triangle-alert", "Nobody is on call for", value=value, tone="danger", url=url))
    held = [one for one in sorted(rotations, key=lambda one: one.is_of_team) if one.roster.now]
    if held:
        items.append(_who(held, user=user, now=now, url=url))
    return items


def _who(held: Sequence[InUse], *, user: User, now: datetime, url: str) -> Item:
    turns = [one.roster.now for one in held if one.roster.now]
    mine = [turn for turn in turns if turn.person_id == user.pk]
    if mine:
        ends = [turn.until for turn in mine if turn.until]
        return Item("user-check", "You are on call", value=_until(min(ends, default=None), now=now), url=url)
    others = len({turn.person_id for turn in turns} - {turns[0].person_id})
    value = f"{held[0].person} {_until(turns[0].until, now=now)}".strip() + (f" +{others}" if others else "")
    return Item("user-check", "On call", value=value, url=url)


def _until(at: datetime | None, *, now: datetime) -> str:
    """`until 18:00 CET`, with the day where it is another one; in the reader's own zone."""
    if at is None:
        return ""
    here, today = timezone.localtime(at), timezone.localtime(now)
    form = "%H:%M" if here.date() == today.date() else "%a %-d %b %H:%M"
    return f"until {here.strftime(form)} {zone_name(here)}"
