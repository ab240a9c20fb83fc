"""One interruption while `partition` gathers it, and whether it takes another observation.

How the rules of identity are read where they leave room:

- *Start* is the time of the observation that opened it. A hint (rebalance) that a notice or proof has
  promoted has two stretches: the hint's own day, and from 15 minutes before the notice to 60 after the
  close. What lies in the days between belongs to neither.
- *Close* is the end, else the deadline, else the first notice or proof + the provider's notice.
- *Restart*: after its notice, stop or end. Before its start any restart cuts, for what was said of
  the machine's earlier life is not about this one. A boot id or node uid that the interruption does not
  hold is another life, unless both statements are of the same instant.
- *Native ids disagree* when both are known and differ. Facts that have an id of their own (a customer's
  stop, maintenance) do not lend it to the interruption (`seen.lends_native_id`).
- *Promotion*: only of the machine's latest hint, and never across a stop. Its own end does not lie "in
  between": at most an hour before a proof, 15 minutes before a notice seen late, no restart since.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta

from console.feeds.normalised import Action, Kind
from console.interruptions.seen import (
    EARLY,
    HINT,
    LATE,
    PROMOTION,
    SAME_DEADLINE,
    Seen,
    is_better_deadline,
    is_end,
    is_hint,
    is_stop,
    lends_native_id,
    opens,
)

NEVER = 1 << 62
"""A position behind all others."""


class Turn:
    """An observation in its place in the walk, with what was known of the machine by then."""

    __slots__ = ("asked", "at", "boot", "is_home", "position", "restart", "seen", "uid")

    def __init__(self, seen: Seen, *, position: int, restart: int, boot: Life, uid: Life) -> None:
        self.seen = seen
        self.at = seen.occurred_at
        self.position = position
        self.restart = restart
        """Position of the last restart up to here, itself included; -1 without one."""
        self.boot = boot
        self.uid = uid
        self.is_home = False
        self.asked = 0


Life = tuple[str, int]
"""The newest boot id or node uid told of so far, and the position at which it first was."""


class Past:
    """What the walk has passed: restarts, stops, ends, boots and node uids, in order."""

    def __init__(self) -> None:
        self.boots: dict[str, int] = {}
        self.uids: dict[str, int] = {}
        self.boot: Life = ("", -1)
        self.uid: Life = ("", -1)
        self.restarts: list[int] = []
        self.restart_times: list[datetime] = []
        self.stops: list[int] = []
        self.gone: list[int] = []
        """Stops and ends."""
        self.gone_times: list[datetime] = []

    def turn(self, seen: Seen, position: int) -> Turn:
        if seen.is_restart:
            self.restarts.append(position)
            self.restart_times.append(seen.occurred_at)
        if seen.boot_id and self.boots.setdefault(seen.boot_id, position) == position:
            self.boot = (seen.boot_id, position)
        if seen.node_uid and self.uids.setdefault(seen.node_uid, position) == position:
            self.uid = (seen.node_uid, position)
        restart = self.restarts[-1] if self.restarts else -1
        return Turn(seen, position=position, restart=restart, boot=self.boot, uid=self.uid)

    def remember(self, seen: Seen, position: int) -> None:
        """Once its turn is over, so that no observation lies between an interruption and itself."""
        has_stopped = is_stop(seen)
        if has_stopped:
            self.stops.append(position)
        if has_stopped or is_end(seen):
            self.gone.append(position)
            self.gone_times.append(seen.occurred_at)

    def has_stopped_after(self, position: int) -> bool:
        return bool(self.stops) and self.stops[-1] > position

    def first_gone_after(self, position: int) -> tuple[int, datetime] | None:
        index = bisect_right(self.gone, position)
        return (self.gone[index], self.gone_times[index]) if index < len(self.gone) else None

    def restart_after(self, position: int) -> datetime | None:
        index = bisect_right(self.restarts, position)
        return self.restart_times[index] if index < len(self.restarts) else None


class Draft:
    """One interruption in the making."""

    __slots__ = (
        "action",
        "boots",
        "deadline",
        "is_real",
        "members",
        "native_id",
        "notice",
        "opened_behind",
        "opener",
        "position",
        "real_at",
        "real_behind",
        "real_position",
        "settled",
        "since",
        "stopped_at",
        "terminated_at",
        "uids",
        "until",
    )

    def __init__(self, turn: Turn, *, notice: timedelta) -> None:
        self.opener = turn.seen
        self.position = turn.position
        self.opened_behind = turn.restart
        self.notice = notice
        self.members: list[Turn] = []
        self.native_id: str | None = None
        self.deadline: Seen | None = None
        self.action: Action | None = None
        self.is_real = False
        self.real_at = turn.at
        self.real_position = turn.position
        self.real_behind = turn.restart
        self.settled = NEVER
        """Position of the first notice, proof, stop or end: a restart behind it begins another life."""
        self.stopped_at: datetime | None = None
        self.terminated_at: datetime | None = None
        self.boots: set[str] = set()
        self.uids: set[str] = set()
        self.since = turn.at - EARLY
        self.until = self.since

    def in_order(self) -> list[Turn]:
        return sorted(self.members, key=lambda turn: turn.position)

    def add(self, turn: Turn) -> bool:
        """Take the observation in. Whether others could be taken now that could not be before."""
        before = self._face()
        seen = turn.seen
        self.members.append(turn)
        if is_better_deadline(seen, self.deadline):
            self.deadline = seen
        if seen.native_id and not self.native_id and lends_native_id(seen):
            self.native_id = seen.native_id
        if seen.boot_id:
            self.boots.add(seen.boot_id)
        if seen.node_uid:
            self.uids.add(seen.node_uid)
        if opens(seen):
            self._hear_opening(turn)
        self._hear_end(turn)
        self.until = self._close() + LATE
        return self._face() != before

    def takes(self, turn: Turn, *, past: Past, is_latest_hint: bool) -> bool:
        """Rule 2 of `feeds.md` section 3; whoever shares a native id never comes here."""
        seen = turn.seen
        if turn.at < self.since or (seen.native_id and self.native_id):
            return False
        if not self.is_real and opens(seen) and not is_hint(seen):
            is_near = self._is_promoted_by(turn, past=past, is_latest_hint=is_latest_hint)
        else:
            is_near = self._covers(turn.at)
        return is_near and self._agrees_on_deadline(seen) and not self._is_cut_from(turn)

    def _covers(self, at: datetime) -> bool:
        if not self.since <= at <= self.until:
            return False
        if self.real_position == self.position:
            return True
        return at <= self._hint_until() or at >= self.real_at - EARLY

    def _hint_until(self) -> datetime:
        return self.opener.occurred_at + HINT + LATE

    def _agrees_on_deadline(self, seen: Seen) -> bool:
        if self.deadline is None or self.deadline.deadline_at is None or seen.deadline_at is None:
            return True
        return abs(seen.deadline_at - self.deadline.deadline_at) <= SAME_DEADLINE

    def _is_promoted_by(self, turn: Turn, *, past: Past, is_latest_hint: bool) -> bool:
        """A notice or proof makes the hint real."""
        gone = past.first_gone_after(self.position)
        if gone is not None:
            is_proof = turn.seen.kind != Kind.INTERRUPTION_NOTICE
            position, gone_at = gone
            if gone_at >= turn.at - (LATE if is_proof else EARLY) and turn.restart <= position:
                gone = None
            elif is_proof or past.has_stopped_after(self.position):
                return False
        if self._covers(turn.at):
            return True
        return is_latest_hint and gone is None and turn.at <= self.opener.occurred_at + PROMOTION

    def _is_cut_from(self, turn: Turn) -> bool:
        if turn.position < self.position:
            is_cut = self.opened_behind > turn.position
        elif turn.position < self.real_position and turn.at > self._hint_until():
            is_cut = self.real_behind > turn.position
        else:
            is_cut = turn.restart > self.settled
        return is_cut or self._is_other_life(turn)

    def _is_other_life(self, turn: Turn) -> bool:
        if not (self.boots or self.uids) or turn.at == self.opener.occurred_at:
            return False
        return self._differs(self.boots, told=turn.seen.boot_id, newest=turn.boot) or self._differs(
            self.uids, told=turn.seen.node_uid, newest=turn.uid
        )

    def _differs(self, held: set[str], *, told: str | None, newest: Life) -> bool:
        if not held:
            return False
        if told:
            return told not in held
        life, position = newest
        return position > self.position and life not in held

    def _hear_opening(self, turn: Turn) -> None:
        seen = turn.seen
        if is_hint(seen):
            return
        if seen.action and not self.action:
            self.action = seen.action
        if not self.is_real:
            self.is_real = True
            self.real_at = turn.at
            self.real_position = turn.position
            self.real_behind = turn.restart
        self.settled = min(self.settled, turn.position)

    def _hear_end(self, turn: Turn) -> None:
        if is_end(turn.seen):
            self.terminated_at = min(self.terminated_at or turn.at, turn.at)
        elif is_stop(turn.seen):
            self.stopped_at = min(self.stopped_at or turn.at, turn.at)
        else:
            return
        self.settled = min(self.settled, turn.position)

    def _close(self) -> datetime:
        ends = [self.terminated_at, self.stopped_at if self.action != Action.TERMINATE else None]
        known = [end for end in ends if end is not None]
        if known:
            return min(known)
        if not self.is_real:
            return self.opener.occurred_at + HINT
        if self.deadline is not None and self.deadline.deadline_at is not None:
            return self.deadline.deadline_at
        return self.real_at + self.notice

    def _face(self) -> tuple[object, ...]:
        return self.until, self.deadline, self.real_position, len(self.boots), len(self.uids)
