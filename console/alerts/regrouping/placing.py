"""The moving itself: locks, members, the lines in both histories, and the decision on what came of it.

Locks are taken as everywhere: groups of services and findings by their ids, then waves. Whoever holds them sees
figures, severity, pages and the boards follow in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from console.accounts.audit import record
from console.alerts import routing
from console.alerts.escalation import following
from console.alerts.handling import By, NotPossible
from console.alerts.models import (
    AlertEvent,
    AlertGroup,
    EventKind,
    GroupMember,
    GroupStatus,
    Regrouping,
    RegroupingAct,
    Resolution,
)
from console.alerts.settle import refresh
from console.alerts.touched import Touched
from console.lib.live import announce
from console.lib.rows import columns_of, fetch, run

MOST_MEMBERS = 10_000
"""Moved by one act."""

_MOVE = """
INSERT INTO alerts_groupmember (group_id, interruption_id, joined_at, reason, placed_by_id)
SELECT %(target)s, m.interruption_id, %(now)s, w.reason, w.placed_by
FROM unnest(%(ids)s::bigint[], %(reasons)s::text[], %(placed)s::bigint[]) AS w (interruption_id, reason, placed_by)
JOIN alerts_groupmember m ON m.group_id = %(source)s AND m.interruption_id = w.interruption_id
ON CONFLICT (group_id, interruption_id) DO UPDATE SET reason = EXCLUDED.reason, placed_by_id = EXCLUDED.placed_by_id
"""
Member = tuple[int, str, int | None]
"""Interruption, why it is in its group, and the act that put it there."""


def lock(*ids: int) -> list[AlertGroup]:
    """These groups, locked, in the order in which they were asked for."""
    rows = AlertGroup.objects.filter(pk__in=ids).select_related("service")
    found: dict[int, AlertGroup] = {}
    for of_kind in (rows.exclude(key__startswith="wave:"), rows.filter(key__startswith="wave:")):
        found |= {group.pk: group for group in of_kind.select_for_update(of=("self",)).order_by("pk")}
    missing = [pk for pk in ids if pk not in found]
    if missing:
        raise NotPossible(f"There is no group #{missing[0]}. Choose another.")
    return [found[pk] for pk in ids]


def members_in(group: AlertGroup, interruptions: Collection[int] | None = None) -> list[Member]:
    """Those of a group, or of it those that were chosen."""
    rows = GroupMember.objects.filter(group=group)
    if interruptions is not None:
        rows = rows.filter(interruption__in=interruptions)
    return list(rows.order_by("interruption").values_list("interruption", "reason", "placed_by"))


def placed_by(acts: Iterable[int], group: AlertGroup) -> list[Member]:
    """Those that these acts put into a group, and that are there still."""
    rows = GroupMember.objects.filter(group=group, placed_by__in=list(acts))
    return list(rows.order_by("interruption").values_list("interruption", "reason", "placed_by"))


def move(members: Sequence[Member], *, source: AlertGroup, target: AlertGroup, now: datetime) -> None:
    """Out of one locked group into the other, each with its new reason. What left meanwhile stays where it is."""
    ids, reasons, placed = columns_of(members, ("bigint", "text", "bigint"))
    values = {"target": target.pk, "source": source.pk, "now": now, "ids": ids}
    run(_MOVE, {**values, "reasons": reasons, "placed": placed})
    fetch(
        "DELETE FROM alerts_groupmember WHERE group_id = %s AND interruption_id = ANY(%s::bigint[])",
        [source.pk, ids],
    )


def close_into(source: AlertGroup, target: AlertGroup, *, now: datetime) -> None:
    """A group without machines of its own any more: it is over here, and goes on there."""
    source.status, source.resolution, source.resolved_at = GroupStatus.RESOLVED, Resolution.MERGED, now
    source.merged_into, source.due_at = target, None
    source.member_count = source.running_out_count = 0
    source.earliest_deadline_at = source.below_need_since = None
    source.save()


def finish(
    regrouping: Regrouping,
    groups: Sequence[AlertGroup],
    texts: Sequence[str],
    *,
    by: By,
    now: datetime,
    verb: str = "",
) -> None:
    """What every act ends with: both histories, the audit trail, figures, the decision, who is to be told, the boards.

    `groups` are locked and saved; `texts` says to each what happened to it.
    """
    AlertEvent.objects.bulk_create(
        AlertEvent(
            group=group,
            at=now,
            kind=EventKind.REGROUPED,
            text=text,
            by=by.user,
            by_label=by.label,
            data={"regrouping": regrouping.pk, "act": regrouping.act},
        )
        for group, text in zip(groups, texts, strict=True)
    )
    action = f"alert_group.{verb or regrouping.act}"
    for group, text in zip(groups, texts, strict=True):
        record(by.actor, action=action, subject=group, after={"text": text}, now=now)
    touched = [group for group in groups if group.is_open and not group.is_finding]
    refresh(touched, now=now, is_news=True)
    decided = [group for group in groups if group.is_open]
    mark = f"{verb or 'hand'}:{regrouping.pk}"
    routing.decide(Touched(groups=decided, triggers={group.pk: mark for group in decided}), now=now)
    ids = [group.pk for group in groups]
    following.follow(ids, now=now)
    announce("groups", ids=ids)


def new_regrouping(
    act: RegroupingAct,
    source: AlertGroup,
    target: AlertGroup,
    *,
    reason: str,
    by: By,
    now: datetime,
    members: Sequence[Member] = (),
) -> Regrouping:
    return Regrouping.objects.create(
        origin=source.origin,
        act=act,
        source=source,
        target=target,
        at=now,
        by=by.user,
        by_label=by.label,
        reason=" ".join(reason.split())[:300],
        members=[list(member) for member in members],
    )


def told(reason: str) -> str:
    """A reason as it ends a sentence."""
    reason = " ".join(reason.split())
    return f": {reason}" if reason else ""


def machines(count: int) -> str:
    return "1 machine" if count == 1 else f"{count} machines"
