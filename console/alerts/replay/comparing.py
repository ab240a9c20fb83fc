"""Two worlds beside each other and beside what is on record: episode by episode, in sums, and a person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from console.alerts.models import (
    AlertGroup,
    Decision,
    Difference,
    Feedback,
    Receipt,
    ReplayEpisode,
    Severity,
    Verdict,
)
from console.alerts.replay.callers import Called, Callers
from console.alerts.replay.past import Past
from console.alerts.replay.store import Held

SLACK = timedelta(minutes=15)
"""Groups of one key so near to each other are the same episode."""
RANK = (Decision.LOG.value, Decision.SUPPRESS.value, Decision.TICKET.value, Decision.PAGE.value)
GRAVE = (Severity.ERROR.value, Severity.CRITICAL.value)


@dataclass(slots=True)
class Side:
    """One episode in one world: what was done about it within the stretch, and who was woken."""

    held: Held
    decision: str = ""
    at: datetime | None = None
    reason: str = ""
    severity: str = ""
    pages: int = 0
    nights: int = 0
    calls: list[Called] = field(default_factory=list)
    tickets: int = 0
    is_hidden: bool = False

    @classmethod
    def of(cls, held: Held, past: Past, callers: Callers) -> Side:
        side = cls(held)
        for one in held.decided:
            if one.at < past.since:
                continue
            if not side.decision or RANK.index(one.decision) > RANK.index(side.decision):
                side.decision, side.at, side.reason, side.severity = (
                    one.decision,
                    one.at,
                    one.reason,
                    one.severity,
                )
            side.tickets += one.decision == Decision.TICKET
            side.is_hidden |= one.decision == Decision.SUPPRESS
            if one.decision == Decision.PAGE:
                called = callers.of(held.group, at=one.at)
                side.pages += 1
                side.nights += any(call.is_night for call in called)
                side.calls += called
        return side

    @property
    def opened_at(self) -> datetime:
        return self.held.opened_at[0]

    @property
    def closed_at(self) -> datetime | None:
        return self.held.group.resolved_at

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(call.name for call in self.calls))


Pair = tuple[Side | None, Side | None]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A group on record."""

    id: int
    opened_at: datetime
    closed_at: datetime | None
    decision: str
    is_worth_it: bool


def sides_of(world: Iterable[Held], past: Past, callers: Callers) -> list[Side]:
    """Those episodes of which something was done within the stretch."""
    return [side for held in world if (side := Side.of(held, past, callers)).decision]


def pairs(before: Sequence[Side], after: Sequence[Side]) -> list[Pair]:
    """Episodes of one key that overlap, or nearly, belong together; each once."""
    left: dict[str, list[Side]] = defaultdict(list)
    for side in sorted(after, key=lambda side: side.opened_at):
        left[side.held.group.key].append(side)
    found: list[Pair] = []
    for side in sorted(before, key=lambda side: side.opened_at):
        others = left[side.held.group.key]
        other = next((o for o in others if _overlap(side, o)), None)
        if other is not None:
            others.remove(other)
        found.append((side, other))
    found += [(None, side) for sides in left.values() for side in sides]
    return sorted(found, key=lambda pair: (_first(pair).opened_at, _first(pair).held.group.key))


def _first(pair: Pair) -> Side:
    side = pair[0] or pair[1]
    assert side is not None
    return side


def _overlap(one: Side, other: Side) -> bool:
    begins = max(one.opened_at, other.opened_at)
    return all(side.closed_at is None or begins <= side.closed_at + SLACK for side in (one, other))


def difference_of(before: Side | None, after: Side | None) -> Difference:
    was, is_now = before.decision if before else "", after.decision if after else ""
    if not was:
        return Difference.NEW
    if not is_now:
        return Difference.GONE
    if was != is_now:
        if is_now == Decision.SUPPRESS:
            return Difference.HIDDEN
        return Difference.LOUDER if RANK.index(is_now) > RANK.index(was) else Difference.QUIETER
    assert before is not None
    assert after is not None
    if before.pages != after.pages:
        return Difference.LOUDER if after.pages > before.pages else Difference.QUIETER
    minutes = _minutes(before, after)
    if not minutes:
        return Difference.SAME
    return Difference.LATER if minutes > 0 else Difference.EARLIER


def _minutes(before: Side | None, after: Side | None) -> int | None:
    if before is None or after is None or before.at is None or after.at is None:
        return None
    return round((after.at - before.at) / timedelta(minutes=1))


def read_record(past: Past) -> dict[str, list[Recorded]]:
    """What is on record, by key: three statements."""
    rows = AlertGroup.objects.filter(
        origin=past.origin, triggered_at__lt=past.until, triggered_at__gte=past.since - timedelta(days=7)
    )
    groups = list(rows.order_by("triggered_at", "pk").values_list("pk", "key", "triggered_at", "resolved_at"))
    told: dict[int, str] = {}
    receipts = Receipt.objects.filter(
        origin=past.origin, at__gte=past.since - timedelta(days=7), at__lt=past.until
    )
    for pk, decision in receipts.order_by("pk").values_list("group", "decision"):
        told[pk] = max(told.get(pk, decision), decision, key=RANK.index)
    good = Feedback.objects.filter(group__origin=past.origin, verdict=Verdict.GOOD)
    worth = set(good.values_list("group", flat=True))
    found: dict[str, list[Recorded]] = defaultdict(list)
    for pk, key, opened_at, closed_at in groups:
        found[key].append(Recorded(pk, opened_at, closed_at, told.get(pk, ""), pk in worth))
    return found


def _recorded(side: Side, record: Mapping[str, Sequence[Recorded]]) -> Recorded | None:
    """The group on record that was open at about that time, the one with the most done about it first."""
    begins, ends = side.opened_at - SLACK, side.closed_at
    near = [
        one
        for one in record.get(side.held.group.key, ())
        if (ends is None or one.opened_at <= ends + SLACK)
        and (one.closed_at is None or one.closed_at >= begins)
    ]
    return max(near, key=lambda one: RANK.index(one.decision) if one.decision else -1, default=None)


def episode_of(pair: Pair, record: Mapping[str, Sequence[Recorded]]) -> ReplayEpisode:
    """One row of the result, not stored yet."""
    before, after = pair
    first = _first(pair)
    group, recorded = first.held.group, _recorded(first, record)
    is_lost = bool(
        before and before.decision == Decision.PAGE and (not after or after.decision != Decision.PAGE)
    )
    is_worth = bool(recorded and recorded.is_worth_it)
    row = ReplayEpisode(
        key=group.key,
        title=group.title,
        impact=group.impact,
        service_id=group.service_id,
        severity=first.severity or group.severity,
        opened_at=first.opened_at,
        difference=difference_of(before, after),
        is_missed=is_lost and (first.severity in GRAVE or is_worth),
        minutes=_minutes(before, after),
        group_id=recorded.id if recorded else None,
        recorded=recorded.decision if recorded else "",
    )
    for name, side in (("now", before), ("draft", after)):
        if side is not None:
            setattr(row, f"{name}_decision", side.decision)
            setattr(row, f"{name}_at", side.at)
            setattr(row, f"{name}_pages", side.pages)
            setattr(row, f"{name}_nights", side.nights)
            setattr(row, f"{name}_reason", side.reason[:300])
            setattr(row, f"{name}_people", side.names)
    return row


def totals(sides: Sequence[Side], world: Sequence[Held], past: Past) -> dict[str, int]:
    """Pages, tickets, hidden and merely logged episodes, and pages at night."""
    lived = [held for held in world if held.group.resolved_at is None or held.group.resolved_at >= past.since]
    return {
        "pages": sum(side.pages for side in sides),
        "night_pages": sum(side.nights for side in sides),
        "tickets": sum(side.tickets for side in sides),
        "suppressed": sum(side.decision == Decision.SUPPRESS for side in sides),
        "logged": len(lived) - len(sides),
        "groups": len(lived),
    }


def people(before: Sequence[Side], after: Sequence[Side]) -> list[dict[str, Any]]:
    """Everybody who is paged in either world, whom the draft changes most first."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    names: dict[int, str] = {}
    for side_name, sides in (("now", before), ("draft", after)):
        for call in (call for side in sides for call in side.calls):
            names[call.person_id] = call.name
            counts[call.person_id][side_name] += 1
            counts[call.person_id][f"{side_name}_nights"] += call.is_night
    rows = [
        {"id": pk, "name": names[pk]}
        | {name: mine[name] for name in ("now", "draft", "now_nights", "draft_nights")}
        for pk, mine in counts.items()
    ]
    return sorted(
        rows, key=lambda row: (-abs(row["now"] - row["draft"]), -row["now"], row["name"], row["id"])
    )


def on_record(past: Past, keys: Sequence[str] | None) -> dict[str, int]:
    """What was really done, of groups whose keys begin so; None: of all."""
    rows = Receipt.objects.filter(origin=past.origin, at__gte=past.since, at__lt=past.until)
    counts: Counter[str] = Counter()
    for key, decision in rows.exclude(decision=Decision.LOG).values_list("group__key", "decision"):
        if keys is None or key.startswith(tuple(keys)):
            counts[decision] += 1
    return {"pages": counts["page"], "tickets": counts["ticket"], "suppressed": counts["suppress"]}
