"""Which observations of one machine are one interruption: a pure function of what is known.

`partition` walks the machine's observations in the order of their own time. Each joins the latest
interruption that takes it (`draft.Draft.takes`), else starts the next one if it may open, else waits.
Whoever waits is asked again each time an interruption starts or changes, so that a cordon told of
five minutes before its warning is found by it. The order, repetition and batching of arrival play no
part: only `occurred_at`, the stage, the event id and the content are looked at.

Bounds for hostile floods: an observation is offered to at most `REACH` interruptions, and one that
waits is asked at most `PATIENCE` times.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import datetime

import msgspec

from console.interruptions.draft import Draft, Past, Turn
from console.interruptions.seen import Seen, in_order, is_arrival, is_hint, notice_of, opens
from console.interruptions.vanishing import listings_of, vanished_at

REACH = 16
PATIENCE = 64


class Reclaim(msgspec.Struct, frozen=True, kw_only=True):
    """One interruption as the observations tell it."""

    opener: Seen
    """The observation that started it: the interruption is known by its identity."""
    members: tuple[Seen, ...]
    """In order, `opener` among them."""
    is_real: bool
    """Noticed or proven; False for a mere hint (`at_risk`)."""
    native_id: str | None = None
    restarted_at: datetime | None = None
    """When the machine lived again after it."""
    vanished_at: datetime | None = None
    """When the machine's own metadata no longer listed it, before its time."""


class Partition(msgspec.Struct, frozen=True, kw_only=True):
    interruptions: tuple[Reclaim, ...] = ()
    """In the order in which they started."""
    unattached: tuple[Seen, ...] = ()
    repeats: tuple[tuple[Seen, Seen], ...] = ()
    """Copies of statements already held, each with the one it repeats."""


def partition(observations: Iterable[Seen]) -> Partition:
    """The interruptions of one machine, from its observations of one data origin."""
    ordered, repeats = in_order(list(observations))
    walk = _Walk(ordered)
    for position, seen in enumerate(ordered):
        walk.take(seen, position=position)
    return Partition(
        interruptions=tuple([walk.reclaim(draft) for draft in walk.drafts]),
        unattached=tuple([turn.seen for turn in walk.homeless if not turn.is_home]),
        repeats=tuple(repeats),
    )


class _Walk:
    """The walk over one machine's observations: what it has found so far."""

    def __init__(self, ordered: list[Seen]) -> None:
        self.past = Past()
        self.listings = listings_of(ordered)
        self.notice = notice_of(next((seen.provider for seen in ordered if seen.provider), None))
        self.drafts: list[Draft] = []
        self.latest_hint: Draft | None = None
        self.homes: dict[str, Draft] = {}
        """The interruption that holds a native id."""
        self.homeless: list[Turn] = []
        self.waiting: list[Turn] = []
        """Those of the homeless that are still asked again."""
        self.waiting_by_id: dict[str, list[Turn]] = {}

    def take(self, seen: Seen, *, position: int) -> None:
        turn = self.past.turn(seen, position)
        draft = self._home_of(turn)
        if draft is None and opens(seen):
            draft = self._open(turn)
        if draft is None:
            self._let_wait(turn)
        elif self._join(draft, turn) and self.waiting:
            self._ask_again(draft)
        self.past.remember(seen, position)

    def reclaim(self, draft: Draft) -> Reclaim:
        members = tuple([turn.seen for turn in draft.in_order()])
        return Reclaim(
            opener=draft.opener,
            members=members,
            is_real=draft.is_real,
            native_id=draft.native_id,
            restarted_at=self.past.restart_after(draft.settled),
            vanished_at=vanished_at(members, native_id=draft.native_id, listings=self.listings),
        )

    def _home_of(self, turn: Turn) -> Draft | None:
        native_id = turn.seen.native_id
        if native_id and native_id in self.homes:
            return self.homes[native_id]
        if is_arrival(turn.seen):
            return None
        for draft in self.drafts[: -REACH - 1 : -1]:
            if self._takes(draft, turn):
                return draft
        return None

    def _takes(self, draft: Draft, turn: Turn) -> bool:
        return draft.takes(turn, past=self.past, is_latest_hint=draft is self.latest_hint)

    def _open(self, turn: Turn) -> Draft:
        draft = Draft(turn, notice=self.notice)
        self.drafts.append(draft)
        if is_hint(turn.seen):
            self.latest_hint = draft
        return draft

    def _join(self, draft: Draft, turn: Turn) -> bool:
        """Whether another observation could now be taken that was not taken before.

        Whoever shares its native id and waits comes along, wherever in time it lies (rule 1).
        """
        turn.is_home = True
        has_changed = draft.add(turn)
        native_id = turn.seen.native_id
        if native_id and native_id not in self.homes:
            self.homes[native_id] = draft
            for kin in self.waiting_by_id.pop(native_id, ()):
                if not kin.is_home:
                    kin.is_home = True
                    has_changed |= draft.add(kin)
        return has_changed

    def _let_wait(self, turn: Turn) -> None:
        self.homeless.append(turn)
        native_id = turn.seen.native_id
        if native_id:
            self.waiting_by_id.setdefault(native_id, []).append(turn)
        if not is_arrival(turn.seen):
            self.waiting.append(turn)

    def _ask_again(self, draft: Draft) -> None:
        has_changed = True
        while has_changed:
            has_changed = any(
                self._join(draft, turn) for turn in self._near(draft) if self._is_taken(draft, turn)
            )
            self.waiting = [turn for turn in self.waiting if not turn.is_home and turn.asked < PATIENCE]

    def _near(self, draft: Draft) -> list[Turn]:
        first = bisect_left(self.waiting, draft.since, key=_time_of)
        behind = bisect_right(self.waiting, draft.until, key=_time_of)
        return self.waiting[first:behind]

    def _is_taken(self, draft: Draft, turn: Turn) -> bool:
        if turn.is_home:
            return False
        turn.asked += 1
        return self._takes(draft, turn)


def _time_of(turn: Turn) -> datetime:
    return turn.at
