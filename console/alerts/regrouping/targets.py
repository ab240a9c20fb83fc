"""What a form about regrouping offers: the groups that can be chosen, the machines, and what was done before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Q

from console.alerts.models import AlertGroup, GroupMember, Regrouping, RegroupingAct

MOST_TARGETS = 20
MOST_LISTED = 200
MOST_ACTS = 20
_NUMBER = re.compile(r"#?(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Targets:
    """Open groups that fit, the newest first; and whether there are more."""

    groups: Sequence[AlertGroup]
    is_more: bool


def targets_of(groups: Sequence[AlertGroup], act: RegroupingAct, *, asked: str = "") -> Targets:
    """Where these can go. `asked`: a number, or part of a title, a service or a sentence of impact."""
    origin = groups[0].origin
    rows = AlertGroup.objects.of_origin(origin).open().exclude(pk__in=[group.pk for group in groups])
    rows = rows.filter(key__startswith="wave:" if act == RegroupingAct.ATTACH else "service:")
    asked = asked.strip()[:100]
    if number := _NUMBER.fullmatch(asked):
        rows = rows.filter(pk=int(number[1]))
    elif asked:
        rows = rows.filter(
            Q(title__icontains=asked) | Q(impact__icontains=asked) | Q(service__slug__icontains=asked)
        )
    found = list(
        rows.select_related("service", "parent").order_by("-triggered_at", "-pk")[: MOST_TARGETS + 1]
    )
    return Targets(found[:MOST_TARGETS], is_more=len(found) > MOST_TARGETS)


def machines_of(group: AlertGroup) -> list[GroupMember]:
    """The machines that a form lists, the least time left first."""
    rows = GroupMember.objects.filter(group=group).select_related(
        "interruption__machine", "interruption__service"
    )
    order = (F("interruption__ended_at").desc(nulls_first=True), "interruption__deadline_at", "interruption")
    return list(rows.order_by(*order)[:MOST_LISTED])


def acts_of(group: AlertGroup) -> list[Regrouping]:
    """What was arranged about a group, the newest first, what was taken back among it."""
    rows = Regrouping.objects.filter(Q(source=group) | Q(target=group))
    return list(rows.select_related("source", "target", "by").order_by("-pk")[:MOST_ACTS])
