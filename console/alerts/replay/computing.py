"""One replay from beginning to end: read the past once, let both worlds live through it, compare. It writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.alerts.detecting import Detector
from console.alerts.models import Replay, ReplayEpisode
from console.alerts.registry import known
from console.alerts.replay import comparing
from console.alerts.replay.callers import Callers
from console.alerts.replay.drafts import Compared, compared
from console.alerts.replay.moments import looks_of
from console.alerts.replay.past import WARM_UP, Past, read_past
from console.alerts.replay.sampled import Minutes, Stepper, step_through
from console.alerts.replay.store import Held
from console.alerts.replay.world import World
from console.alerts.rules_in_force import Rules
from console.interruptions import kept

Beat = Callable[[float, str], None]
"""Hears how far it is (0 to 1) and what is being done; may raise to stop."""
CONSTANTLY = 0.5
MOST_EPISODES = 5_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay writes when it is done."""

    result: dict[str, Any]
    episodes: Sequence[ReplayEpisode]


@dataclass(slots=True)
class Way:
    """A part of the work as a part of the bar."""

    beat: Beat
    since: datetime
    until: datetime
    first: float
    last: float
    doing: str

    def __call__(self, at: datetime) -> None:
        done = max(0.0, min(1.0, (at - self.since) / (self.until - self.since)))
        self.beat(self.first + done * (self.last - self.first), self.doing)


def compute(replay: Replay, *, now: datetime, beat: Beat) -> Outcome:
    """`now` is when it was taken up; everything is read as of `replay.until`."""
    kept.forget()  # sums of past moments, which another process may have rolled up anew
    both = compared(replay, now=now)
    beat(0.01, "Reading what happened")
    past = read_past(replay.origin, since=replay.since, until=replay.until, now=now)
    share = 0.05 if not both.detectors else 0.7 if both.has_reclaims else 0.9
    looks, minutes_now, minutes_draft = _sampled(both, past, replay, beat=beat, until=share)
    middle = share + (0.97 - share) / 2
    first = Way(beat, past.since - WARM_UP, past.until, share, middle, "Replaying the rules in force")
    lived_now = _world(past, both.rules_now, both.windows_now, minutes_now, both).live(first)
    second = Way(beat, past.since - WARM_UP, past.until, middle, 0.97, "Replaying the draft")
    lived_draft = _world(past, both.rules_draft, both.windows_draft, minutes_draft, both).live(second)
    beat(0.97, "Comparing")
    return _compare(replay, both, past, lived_now, lived_draft, looks)


def _world(past: Past, rules: Rules, windows: Any, minutes: Minutes, both: Compared) -> World:
    return World(past, rules, windows=windows, minutes=minutes, has_reclaims=both.has_reclaims)


def _sampled(
    both: Compared, past: Past, replay: Replay, *, beat: Beat, until: float
) -> tuple[dict[str, Any], Minutes, Minutes]:
    """What the sampled detectors saw under both sets of rules. A suppression changes nothing of what they see."""
    is_same = both.rules_now is both.rules_draft
    looks: dict[str, Any] = {}
    found: tuple[Minutes, Minutes] = ([], [])
    readings = _by_reading(both.detectors)
    size = (until - 0.02) / max(1, len(readings))
    for place, detectors in enumerate(readings):
        since = past.since - WARM_UP
        mine = looks_of(detectors[0], replay.origin, since=since, until=past.until)
        steppers = [
            Stepper(rules, [rule for one in detectors for rule in rules.of(one.name)])
            for rules in ([both.rules_now] if is_same else [both.rules_now, both.rules_draft])
        ]
        first, doing = 0.02 + place * size, f"Looking back: {detectors[0].title.lower()}"
        tick = Way(beat, since, past.until, first, first + size, doing)
        step_through(steppers, mine, origin=replay.origin, services=past.rows, heard_by=past.until, tick=tick)
        every = None if mine.every is None else mine.every / timedelta(minutes=1)
        for one in detectors:
            looks[one.name] = {"title": one.title, "looks": len(mine.minutes), "every_minutes": every}
        found[0].extend(steppers[0].minutes)
        found[1].extend(steppers[-1].minutes)
    return looks, found[0], found[1]


def _by_reading(names: Sequence[str]) -> list[list[Detector]]:
    """Detectors that look at the same rows are looked with together: the rows are read once."""
    found: dict[Any, list[Detector]] = defaultdict(list)
    for name in names:
        found[known()[name].read].append(known()[name])
    return list(found.values())


def _compare(
    replay: Replay,
    both: Compared,
    past: Past,
    lived_now: Sequence[Held],
    lived_draft: Sequence[Held],
    looks: dict[str, Any],
) -> Outcome:
    callers, record = Callers(past), comparing.read_record(past)
    before = comparing.sides_of(lived_now, past, callers)
    after = comparing.sides_of(lived_draft, past, callers)
    rows = [comparing.episode_of(pair, record) for pair in comparing.pairs(before, after)]
    differences: dict[str, int] = defaultdict(int)
    for row in rows:
        differences[row.difference] += 1
        differences["missed"] += row.is_missed
    kept = sorted(rows, key=lambda row: row.difference == "same")[:MOST_EPISODES]
    totals_now = comparing.totals(before, lived_now, past)
    totals_draft = comparing.totals(after, lived_draft, past)
    result = {
        "as_of": past.until.isoformat(),
        "totals": {
            "record": comparing.on_record(past, both.prefixes),
            "now": totals_now,
            "draft": totals_draft,
        },
        "night_pages_saved": totals_now["night_pages"] - totals_draft["night_pages"],
        "people": comparing.people(before, after),
        "differences": dict(differences),
        "reclaims": len(past.reclaims) if both.has_reclaims else None,
        "late": past.late_count if both.has_reclaims else None,
        "looks": looks,
        "windows": len(both.windows_draft) - len(both.windows_now) if replay.rule is None else None,
        "left_out": len(rows) - len(kept),
        "constant": _constant(lived_draft, past) if replay.rule else [],
        "rules": {rule.slug: rule.number for rule in both.rules_now.by_id.values()},
    }
    return Outcome(result, kept)


def _constant(lived: Sequence[Held], past: Past) -> list[str]:
    """What the draft would have had open for half of the time or longer, and told of."""
    open_for: dict[str, timedelta] = defaultdict(timedelta)
    titles: dict[str, str] = {}
    for held in lived:
        if held.decided:
            ends = held.group.resolved_at or past.until
            open_for[held.group.key] += max(timedelta(0), ends - max(held.opened_at[0], past.since))
            titles[held.group.key] = held.group.title
    whole = past.until - past.since
    return [titles[key] for key, length in open_for.items() if length >= CONSTANTLY * whole]
