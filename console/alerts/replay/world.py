"""One world: groups that live through the past under a set of rules and suppressions, by an injected clock. No rows.

| step | judged by |
| --- | --- |
| reclaims join groups | the same keys, one open a key |
| cascades | `detectors/cascade.py` |
| sampled rules | their detectors and `evaluating/`, handed in as what they did each minute (`sampled.py`) |
| figures, severity, closing, looking again | `settle.advance` |
| suppressions | `suppression/consulting.judge` with its guard-rails |
| whom to tell | `weighing.weigh`, `routing.decision_of` |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from console.alerts import findings, flapping
from console.alerts.evaluating.minute import Changes
from console.alerts.models import AlertEvent, Decision
from console.alerts.receipts import Told
from console.alerts.replay.cascading import follow_services, follow_waves
from console.alerts.replay.figures import figures_of, impact_of, made_of
from console.alerts.replay.past import WARM_UP, Past, Taken
from console.alerts.replay.store import Decided, Groups, Held
from console.alerts.rosters import Owner
from console.alerts.routing import NO_RULE, Case, decision_of
from console.alerts.rules_in_force import Rules
from console.alerts.settle import advance
from console.alerts.suppression.consulting import Consulted, InForce, judge
from console.alerts.suppression.scoping import labels_of
from console.alerts.weighing import weigh

SECOND = timedelta(seconds=1)
NEVER = datetime.min.replace(tzinfo=UTC)
NOBODY = Owner(None, is_platform=True)
HEARD, NEWS, MINUTE, WINDOW = range(4)
Event = tuple[datetime, int, Any]
Tick = Callable[[datetime], None]


@dataclass(slots=True)
class Batch:
    """What happens within one second."""

    now: datetime
    heard: list[Taken] = field(default_factory=list)
    news: list[Taken] = field(default_factory=list)
    minutes: list[Changes] = field(default_factory=list)
    windows: list[InForce] = field(default_factory=list)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Batch:
        batch = cls(NEVER)
        lists: Sequence[list[Any]] = (batch.heard, batch.news, batch.minutes, batch.windows)
        for at, kind, what in events:
            batch.now = at
            lists[kind].append(what)
        return batch


class World:
    """Groups under these rules and windows."""

    def __init__(
        self,
        past: Past,
        rules: Rules,
        *,
        windows: Sequence[InForce] = (),
        minutes: Sequence[tuple[datetime, Changes]] = (),
        has_reclaims: bool = True,
    ) -> None:
        self.past, self.rules, self.windows, self.minutes = past, rules, windows, minutes
        self.groups = Groups(past)
        self.labels = labels_of(scope for window in windows for scope in window.scopes)
        self.reclaims = past.reclaims if has_reclaims else ()

    def live(self, tick: Tick) -> list[Held]:
        """Every group that there was, in the order in which they opened. `tick` hears of each second and may raise."""
        for _, events in groupby(self._events(), key=lambda event: event[0].replace(microsecond=0)):
            batch = Batch.of(events)
            tick(batch.now)
            self._settle(batch.now)
            self._work(batch)
        self._settle(self.past.until)
        return self.groups.all

    def _events(self) -> list[Event]:
        def all_of_them() -> Iterator[Event]:
            for one in self.reclaims:
                yield one.heard_at, HEARD, one
                yield from ((at, NEWS, one) for at in set(one.told_at()))
            yield from ((at, MINUTE, changes) for at, changes in self.minutes)
            for window in self.windows:
                yield window.occurrence.starts_at, WINDOW, window
                yield window.occurrence.ends_at, WINDOW, window

        since, until = self.past.since - WARM_UP, self.past.until
        return sorted((e for e in all_of_them() if since <= e[0] < until), key=lambda e: (e[0], e[1]))

    def _settle(self, until: datetime) -> None:
        while (found := self.groups.due(until)) is not None:
            at, held = found
            self._bring_up([held], now=at, is_news=False)

    def _work(self, batch: Batch) -> None:
        now, touched = batch.now, dict[int, Held]()
        for one in batch.heard:
            if (held := self.groups.join(one, now=now)) is not None:
                touched[held.group.pk] = held
        for one in batch.news:
            if (known := self.groups.of_reclaim.get(one.id)) is not None and known.is_open:
                touched[known.group.pk] = known
        changed = {one.id: one for one in (*batch.heard, *batch.news) if one.heard_at <= now}.values()
        if changed:
            found = follow_waves(self.groups, changed, rule=self.rules.widest("cascade"), now=now)
            found += follow_services(self.groups, changed, rules=self.rules, now=now)
            touched |= {held.group.pk: held for held in found}
        self._bring_up([held for held in touched.values() if held.is_open], now=now, is_news=True)
        for changes in batch.minutes:
            self._minute(changes, now=now)
        for window in batch.windows:
            self._turn(window, now=now)

    def _bring_up(self, touched: Sequence[Held], *, now: datetime, is_news: bool) -> None:
        for held in touched:
            impact = impact_of(held, self.past, now=now)
            advance(held.group, impact, figures_of(held, now=now), now=now, is_news=is_news)
            self.groups.look_again(held)
        for held in touched:
            self._decide(held, now=now)

    def _minute(self, changes: Changes, *, now: datetime) -> None:
        """What `findings.py` does with rows."""
        for finding in changes.opening.values():
            key, events = finding.place[1], list[AlertEvent]()
            held = self.groups.open(key)
            cooldown = changes.reopening.get(finding.place)
            closed = self.groups.by_key.get(key)
            is_opened = held is None
            if held is None and cooldown is not None and closed is not None:
                held = closed
                findings.begin_again(held.group, cooldown=cooldown, now=now)
                self.groups.open_again(held, now=now)
            elif held is None:
                held = self.groups.add(findings.new_group(finding, self.rules, now=now), now=now)
            findings.bring_up(held.group, finding, self.rules, events, now=now)
            held.found = finding.found
            if is_opened or events:
                self._decide(held, now=now)
                self.groups.look_again(held)
        for _, key in changes.closing:
            if (held := self.groups.open(key)) is not None:
                findings.end(held.group, now=now)
                self._decide(held, now=now)

    def _turn(self, window: InForce, *, now: datetime) -> None:
        """A window begins or ends: what it hides, or hid, is decided on again."""
        for held in self.groups.opened():
            if now < window.occurrence.ends_at:
                answer = self._consult(held, now=now)
                is_mine = answer.occurrence == window.occurrence.pk and held.hidden_by != answer.occurrence
            else:
                is_mine = held.hidden_by == window.occurrence.pk
            if is_mine:
                self._decide(held, now=now)

    def _consult(self, held: Held, *, now: datetime) -> Consulted:
        windows = [w for w in self.windows if w.occurrence.is_in_force(now=now)]
        if not windows or not held.is_open:
            return Consulted()
        made = made_of(held, self.past, self.labels, now=now)
        first_at = made.first_at
        running = {
            service: self.past.stock("service", service, at=first_at).running
            for service in made.lost
            if first_at is not None
        }
        return judge(held.group, made, windows, running)

    def _decide(self, held: Held, *, now: datetime) -> None:
        group, consulted = held.group, self._consult(held, now=now)
        if held.is_open and held.opened_at[-1] == now:
            flapping.judge(group, self.groups.openings[group.key], self.groups.told.get(group.key), now=now)
        impact = impact_of(held, self.past, now=now)
        weighed = weigh(group, impact, self.rules, self.past.rows)
        case = Case(
            group=group,
            impact=impact,
            weighed=weighed,
            owner=NOBODY,
            consulted=consulted,
            told=held.told,
            late_by=0.0,
            is_under_wave=held.is_under_wave,
        )
        decision, reason = decision_of(case, now=now)
        held.hidden_by = consulted.occurrence
        if decision == Decision.LOG:
            return
        rule = weighed.rule.slug if weighed.rule else NO_RULE
        said = reason.removeprefix(f"Not sent: {group.origin}. ")
        held.decided.append(Decided(now, decision, str(group.severity), rule, said, group.impact))
        if decision != Decision.SUPPRESS:
            held.told = self.groups.told[group.key] = Told(decision, str(group.severity), now, rule)
