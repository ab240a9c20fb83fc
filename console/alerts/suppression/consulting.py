"""Which suppressions apply to a group at a moment, and whether they may hide it.

A group is covered when each of its machines is among what the suppression covers: whatever lies outside has to be
told. In doubt it tells: a window hides from its start until its end by the clock of whoever decides, and never again
once it was let go, whatever that clock says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from console.alerts.models import AlertGroup, Suppression, SuppressionOccurrence, SuppressionScope
from console.alerts.suppression.guard_rails import why_not
from console.alerts.suppression.parts import Made, read_parts, running_spot
from console.alerts.suppression.scoping import covers, labels_of
from console.alerts.suppression.wording import name_of
from console.lib.rows import fetch

_HOLD = """
SELECT id FROM alerts_suppressionoccurrence
WHERE origin = ANY(%s) AND released_at IS NULL AND starts_at <= %s AND ends_at > %s
ORDER BY id FOR KEY SHARE
"""
"""Held to the end of the transaction: what is hidden here is in the ledger before the window can be let go of
(`turning.py` waits for it)."""
MOST_NAMED = 20
"""Suppressions of one group that a receipt names; those that hide it first."""


@dataclass(frozen=True, slots=True)
class Consulted:
    """What was looked at for one group; it goes into the receipt whole."""

    suppressed_by: int | None = None
    """The suppression that hides it; null: nothing does."""
    until: datetime | None = None
    """When it is decided on again because that suppression ends."""
    words: str = ""
    """`Maintenance “Upgrade of EKS” by Alice until 14:00 UTC`."""
    consulted: Sequence[dict[str, object]] = field(default_factory=tuple)
    """Each suppression in force: its id, name, whether it matched, and why it did or did not hide."""
    occurrence: int | None = None
    """The window of `suppressed_by` that hides it."""


@dataclass(frozen=True, slots=True)
class InForce:
    """One window in force now, and what it covers."""

    occurrence: SuppressionOccurrence
    scopes: Sequence[SuppressionScope]

    @property
    def suppression(self) -> Suppression:
        return self.occurrence.suppression


def consult(groups: Collection[AlertGroup], *, now: datetime) -> dict[int, Consulted]:
    """By group id, for every group given. A constant number of queries: one while nothing is in force."""
    answers = {group.pk: Consulted() for group in groups}
    open_groups = [group for group in groups if group.is_open]
    windows = _in_force({group.origin for group in open_groups}, now=now) if open_groups else []
    if not windows:
        return answers
    labels = labels_of(scope for window in windows for scope in window.scopes)
    made = read_parts([group.pk for group in open_groups], labels)
    running = _running(made)
    for group in open_groups:
        mine = [window for window in windows if window.occurrence.origin == group.origin]
        answers[group.pk] = judge(group, made[group.pk], mine, running.get(group.pk, {}))
    return answers


def judge(group: AlertGroup, made: Made, windows: Sequence[InForce], running: Mapping[int, int]) -> Consulted:
    """Pure: of those that cover the group and may hide it the one that ends last hides it."""
    looked: list[tuple[bool, dict[str, object]]] = []
    hiding: list[SuppressionOccurrence] = []
    for window in windows:
        told, hides = _look(group, made, window, running)
        looked.append((hides, told))
        if hides:
            hiding.append(window.occurrence)
    consulted = tuple(told for _, told in sorted(looked, key=lambda one: not one[0]))[:MOST_NAMED]
    if not hiding:
        return Consulted(consulted=consulted)
    last = max(hiding, key=lambda one: (one.ends_at, one.pk))
    return Consulted(
        suppressed_by=last.suppression_id,
        until=last.ends_at,
        words=name_of(last.suppression, until=last.ends_at),
        consulted=consulted,
        occurrence=last.pk,
    )


def _look(
    group: AlertGroup, made: Made, window: InForce, running: Mapping[int, int]
) -> tuple[dict[str, object], bool]:
    suppression = window.suppression
    inside, scope = _covered(made, window.scopes)
    of = len(made.parts)
    matched = of > 0 and inside == of
    why = why_not(suppression, group, lost=made.lost, running=running) if matched else ""
    told: dict[str, object] = {
        "id": suppression.pk,
        "name": suppression.name,
        "kind": suppression.kind,
        "occurrence": window.occurrence.pk,
        "until": window.occurrence.ends_at.isoformat(),
        "matched": matched,
        "scope": scope,
        "hides": matched and not why,
        "why": why or (f"{scope} covers it" if matched else _outside(made, window.scopes, inside)),
    }
    return told, matched and not why


def _covered(made: Made, scopes: Sequence[SuppressionScope]) -> tuple[int, str]:
    """How many of the parts lie inside, and through which scopes."""
    used: list[str] = []
    inside = 0
    for part in made.parts:
        scope = next((scope for scope in scopes if covers(scope, part)), None)
        if scope is not None:
            inside += 1
            used.append(scope.text)
    return inside, ", ".join(dict.fromkeys(used))


def _outside(made: Made, scopes: Sequence[SuppressionScope], inside: int) -> str:
    if not inside:
        return "it covers none of this group"
    out = sum(part.machines for part in made.parts if not any(covers(scope, part) for scope in scopes))
    return f"{out} of its {sum(part.machines for part in made.parts)} machines lie outside what it covers"


def _in_force(origins: Collection[str], *, now: datetime) -> list[InForce]:
    held = [pk for (pk,) in fetch(_HOLD, [sorted(origins), now, now])]
    if not held:
        return []
    rows = SuppressionOccurrence.objects.filter(pk__in=held).select_related("suppression__author")
    with_scopes = rows.prefetch_related("suppression__scopes__service", "suppression__scopes__team")
    return [InForce(row, list(row.suppression.scopes.all())) for row in with_scopes.order_by("pk")]


def _running(made: Mapping[int, Made]) -> dict[int, dict[int, int]]:
    """By group and service: the running spot machines as the group began, where it lost any."""
    asked = [
        (pk, service, one.first_at)
        for pk, one in made.items()
        if one.first_at is not None
        for service in one.lost
    ]
    counts = running_spot([(service, at) for _, service, at in asked])
    found: dict[int, dict[int, int]] = {}
    for (pk, service, _), count in zip(asked, counts, strict=True):
        found.setdefault(pk, {})[service] = count
    return found
