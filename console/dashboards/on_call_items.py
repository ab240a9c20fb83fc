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
from console.oncall.at_once import Standing, standings


def on_call_items(*, origin: Origin, user: User, has_rotations: bool, now: datetime) -> list[Item]:
    """Nobody first; then oneself, or else the platform's rotation before those of teams. One query."""
    url = reverse("oncall:schedule_list")
    if not has_rotations:
        return [Item("triangle-alert", "Nobody is on call", tone="warn", url=url)]
    found = standings(origin, at=now)
    bare = sorted(one.name for one in found if one.is_round_the_clock and one.roster.now is None)
    items = []
    if bare:
        more = f" and {len(bare) - 1} more" if len(bare) > 1 else ""
        items.append(
            Item("triangle-alert", "Nobody is on call for", value=f"{bare[0]}{more}", tone="danger", url=url)
        )
    if held := [one for one in found if one.roster.now]:
        items.append(_who(held, user=user, now=now, url=url))
    return items


def _who(held: Sequence[Standing], *, user: User, now: datetime, url: str) -> Item:
    turns = [(one, one.roster.now) for one in held if one.roster.now]
    mine = [turn for _, turn in turns if turn.person_id == user.pk]
    if mine:
        ends = [turn.until for turn in mine if turn.until]
        return Item("user-check", "You are on call", value=_until(min(ends, default=None), now=now), url=url)
    standing, first = turns[0]
    others = len({turn.person_id for _, turn in turns} - {first.person_id})
    person = standing.names.get(first.person_id, "somebody")
    value = f"{person} {_until(first.until, now=now)}".strip() + (f" +{others}" if others else "")
    return Item("user-check", "On call", value=value, url=url)


def _until(at: datetime | None, *, now: datetime) -> str:
    """`until 18:00 CET`, with the day where it is another one; in the reader's own zone."""
    if at is None:
        return ""
    here, today = timezone.localtime(at), timezone.localtime(now)
    form = "%H:%M" if here.date() == today.date() else "%a %-d %b %H:%M"
    return f"until {here.strftime(form)} {zone_name(here)}"
