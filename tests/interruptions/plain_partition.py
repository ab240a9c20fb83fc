"""The rules of identity once more, written down naively: slow, without state, sentence by sentence.

It shares nothing with the product but the observations themselves, and answers with the sets of places
(in sorted order) that are one interruption. Every question is asked of all observations anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from console.interruptions.seen import Seen

ORDER = [
    "rebalance_recommendation",
    "interruption_notice",
    "node_cordoned",
    "node_drain_started",
    "pod_evicted",
    "shutdown_started",
    "shutdown_completed",
    "pod_scheduled",
    "pod_running",
    "terminated",
    "state_change",
    "replacement_launched",
    "heartbeat",
]


class PlainPartition:
    def __init__(self, observations: list[Seen]) -> None:
        told: dict[tuple[int, str], Seen] = {}
        for seen in sorted(observations, key=lambda seen: (self.place(seen), self.content(seen))):
            told.setdefault((seen.feed_id, seen.event_id), seen)
        self.all = sorted(told.values(), key=self.place)
        self.groups: list[list[int]] = []  # the opener first
        self.walk()

    @staticmethod
    def place(seen: Seen) -> tuple[datetime, int, str, int]:
        rank = -1 if seen.is_restart else ORDER.index(seen.kind)
        return seen.occurred_at, rank, seen.event_id, seen.feed_id

    @staticmethod
    def content(seen: Seen) -> list[str]:
        fields = [name for name in seen.__struct_fields__ if name not in ("id", "received_at")]
        return [repr(getattr(seen, name)) for name in fields]

    def result(self) -> set[frozenset[str]]:
        return {frozenset(self.all[i].identity for i in group) for group in self.groups}

    def walk(self) -> None:
        waiting: list[int] = []
        for y in range(len(self.all)):
            group = self.home(y)
            if group is not None:
                group.append(y)
            elif self.may_open(y):
                self.groups.append([y])
            else:
                waiting.append(y)
                continue
            while self.settle_one(waiting):
                pass

    def settle_one(self, waiting: list[int]) -> bool:
        """Whoever shares a native id comes first, then the earliest that any interruption takes."""
        for find in (self.kin_of, self.home):
            for p in waiting:
                group = find(p)
                if group is not None:
                    group.append(p)
                    waiting.remove(p)
                    return True
        return False

    def home(self, y: int) -> list[int] | None:
        group = self.kin_of(y)
        if group is not None:
            return group
        return next((group for group in reversed(self.groups) if self.is_same(group, y)), None)

    def kin_of(self, y: int) -> list[int] | None:
        native = self.all[y].native_id
        if not native:
            return None
        return next((g for g in self.groups if any(self.all[i].native_id == native for i in g)), None)

    def is_same(self, group: list[int], y: int) -> bool:
        seen = self.all[y]
        if seen.kind in ("replacement_launched", "heartbeat"):
            return False
        if seen.kind in ("pod_scheduled", "pod_running") and seen.source == "k8s.event":
            return False
        if seen.native_id and self.native_of(group):
            return False
        if self.has_restart_between(group, y) or self.is_other_life(group, y):
            return False
        deadline = self.deadline_of(group)
        if deadline and seen.deadline_at and abs(deadline - seen.deadline_at) > timedelta(minutes=10):
            return False
        if not self.real(group) and self.is_real(y):
            return self.is_promoted(group, y)
        return self.is_in_window(group, y)

    # The interruption as a whole

    def may_open(self, i: int) -> bool:
        return self.all[i].may_open and self.all[i].outcome != "cancelled"

    def is_real(self, i: int) -> bool:
        return self.may_open(i) and self.all[i].kind != "rebalance_recommendation"

    def is_end(self, i: int) -> bool:
        return self.all[i].kind == "terminated" and self.all[i].outcome != "cancelled"

    def is_stop(self, i: int) -> bool:
        return self.all[i].kind == "state_change" and self.all[i].state == "stopped"

    def is_foreign(self, i: int) -> bool:
        return self.all[i].kind == "interruption_notice" and not self.all[i].may_open

    def real(self, group: list[int]) -> list[int]:
        return sorted(i for i in group if self.is_real(i))

    def native_of(self, group: list[int]) -> bool:
        return any(
            self.all[i].native_id
            and (
                self.all[i].may_open
                or not (
                    self.is_foreign(i)
                    or self.all[i].kind == "state_change"
                    or self.all[i].cause in ("maintenance", "customer")
                )
            )
            for i in group
        )

    def deadline_of(self, group: list[int]) -> datetime | None:
        stated = [self.all[i] for i in group if self.all[i].deadline_at and not self.is_foreign(i)]
        precise = [seen for seen in stated if seen.is_precise_deadline]
        return min((s.deadline_at for s in precise or stated if s.deadline_at), default=None)

    def close_of(self, group: list[int]) -> datetime:
        actions = [self.all[i].action for i in self.real(group) if self.all[i].action]
        ends = [i for i in group if self.is_end(i)]
        if not actions or actions[0] != "terminate":
            ends += [i for i in group if self.is_stop(i)]
        if ends:
            return min(self.all[i].occurred_at for i in ends)
        if not self.real(group):
            return self.all[group[0]].occurred_at + timedelta(hours=24)
        deadline = self.deadline_of(group)
        if deadline:
            return deadline
        provider = next((seen.provider for seen in self.all if seen.provider), None)
        notice = timedelta(seconds=30 if provider in ("gcp", "azure") else 120)
        return self.all[self.real(group)[0]].occurred_at + notice

    def is_in_window(self, group: list[int], y: int) -> bool:
        at, start = self.all[y].occurred_at, self.all[group[0]].occurred_at
        if not start - timedelta(minutes=15) <= at <= self.close_of(group) + timedelta(minutes=60):
            return False
        real = self.real(group)
        if not real or real[0] == group[0]:
            return True
        is_of_the_hint = at <= start + timedelta(hours=25)
        return is_of_the_hint or at >= self.all[real[0]].occurred_at - timedelta(minutes=15)

    # What the machine's own documents say

    def vanished(self, group: list[int], native_id: str | None) -> datetime | None:
        """The event was listed, then never again, and its time had not come nor its shutdown begun."""
        listing = [seen for seen in self.all if seen.listed is not None]
        having = [seen for seen in listing if native_id in (seen.listed or ())]
        newest = next((s for s in having if not any(self.is_later(o, s) for o in having)), None)
        mine = [self.all[i] for i in group if self.all[i].native_id == native_id]
        mine = [seen for seen in mine if seen.outcome != "cancelled"]
        deadlines = [seen.deadline_at for seen in mine if seen.deadline_at]
        if not native_id or newest is None or not deadlines:
            return None
        lacking = [seen for seen in listing if self.is_later(seen, newest)]
        if not lacking or any(seen.kind == "shutdown_started" for seen in mine):
            return None
        first = next(s for s in lacking if not any(self.is_later(s, o) for o in lacking))
        at = max(first.occurred_at, *(seen.occurred_at for seen in mine), first.occurred_at)
        return at if all(at < deadline for deadline in deadlines) else None

    def is_later(self, one: Seen, other: Seen) -> bool:
        """Of two documents: of a later boot, else of a higher number, else seen later."""
        return self.age(one) > self.age(other)

    def age(self, seen: Seen) -> tuple[object, ...]:
        same = [s.occurred_at for s in self.all if s.listed is not None and s.boot_id == seen.boot_id]
        number = -1 if seen.incarnation is None else seen.incarnation
        return (min(same), seen.boot_id or "", number, seen.occurred_at, seen.event_id, seen.feed_id)

    # What lies between

    def restarts(self, after: int, until: int) -> bool:
        return any(self.all[r].is_restart for r in range(after + 1, until + 1))

    def has_restart_between(self, group: list[int], y: int) -> bool:
        if y < group[0]:
            return self.restarts(y, group[0])
        real = self.real(group)
        is_of_the_hint = self.all[y].occurred_at <= self.all[group[0]].occurred_at + timedelta(hours=25)
        if real and y < real[0] and not is_of_the_hint:
            return self.restarts(y, real[0])
        settled = [i for i in group if self.is_real(i) or self.is_end(i) or self.is_stop(i)]
        return any(self.restarts(i, y) for i in settled)

    def is_other_life(self, group: list[int], y: int) -> bool:
        if self.all[y].occurred_at == self.all[group[0]].occurred_at:
            return False
        return any(self.differs(name, group, y) for name in ("boot_id", "node_uid"))

    def differs(self, name: str, group: list[int], y: int) -> bool:
        ids = [getattr(seen, name) for seen in self.all]
        held = {ids[i] for i in group if ids[i]}
        if not held:
            return False
        if ids[y]:
            return ids[y] not in held
        first = {value: ids.index(value) for value in ids[: y + 1] if value}
        newest = max(first, key=first.__getitem__, default=None)
        return newest is not None and first[newest] > group[0] and newest not in held

    def is_promoted(self, group: list[int], y: int) -> bool:
        between = range(group[0] + 1, y)
        gone = [i for i in between if self.is_end(i) or self.is_stop(i)]
        at = self.all[y].occurred_at
        is_notice = self.all[y].kind == "interruption_notice"
        its_own = timedelta(minutes=15 if is_notice else 60)
        if gone and self.all[gone[0]].occurred_at >= at - its_own and not self.restarts(gone[0], y):
            gone = []
        if gone and not is_notice:
            return False
        if any(self.is_stop(i) for i in gone):
            return False
        if self.is_in_window(group, y):
            return True
        hints = [g for g in self.groups if self.all[g[0]].kind == "rebalance_recommendation"]
        is_young = at <= self.all[group[0]].occurred_at + timedelta(days=7)
        return group is hints[-1] and is_young and not gone
