"""The player's process: the past in the background, live play at once, until cleared or told to stop.

Run as `python -m console.drills.sample.player VAR LISTENS_AT CALLED`. It needs neither Django nor the memory that
takes. It ends with code 0 when the console does not know it any more.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from console.drills.sample.history import History, write_history
from console.drills.sample.lanes import INVENTORY, Post
from console.drills.sample.live import WORKLOADS, Live
from console.drills.sample.machines import inventory_row, random_of
from console.drills.sample.posting import Address, Cleared, Console, Door, Lane
from console.drills.sample.progress import (
    Progress,
    fleet_of,
    forget,
    keep_progress,
    posts_of,
    read_progress,
    seated,
    unsent_of,
)
from console.drills.sample.responding import Responder
from console.drills.sample.traffic import (
    REQUESTS,
    Counter,
    days_back,
    losses_of,
    minutes_between,
)

PAUSE = 1.2
"""Between two batches of history, so that live messages do not wait behind it."""
ROWS_TOGETHER = 200
COUNTS_TOGETHER = 7_200
"""A day of them."""
KEPT_EVERY = 20.0
LONGEST_SLEEP = 1.0
API = {
    INVENTORY: "/api/v1/inventory",
    WORKLOADS: "/api/v1/workloads",
    REQUESTS: "/api/v1/requests",
}


class Player:
    """Everything one run of the process holds."""

    def __init__(self, progress: Progress, *, var: Path, console: Console) -> None:
        self.progress, self.var, self.console = progress, var, console
        self.stop = threading.Event()
        self.is_cleared = False
        self.missed_since: datetime | None = None
        """Since when nobody counted requests: the console was not running."""
        self.lanes = {name: self._lane(name, address) for name, address in self._addresses().items()}

    def play(self) -> bool:
        """Until told to stop (False) or cleared (True)."""
        try:
            live = self._begin()
        except Cleared:
            return True
        for lane in self.lanes.values():
            lane.start()
        threading.Thread(target=self._tell_past, name="history", daemon=True).start()
        threading.Thread(target=self._count_past, args=(live.began_at,), name="counts", daemon=True).start()
        threading.Thread(target=self._responder(live).work, name="responder", daemon=True).start()
        kept_at, turned = datetime.now(UTC), live.turned
        while not self.stop.is_set():
            now = datetime.now(UTC)
            posts = live.due(now)
            if live.turned != turned or (now - kept_at).total_seconds() >= KEPT_EVERY:
                self._keep(live)
                kept_at, turned = now, live.turned
            for post in posts:
                self.lanes[post.lane].send(post.body)
            ahead = (live.next_at() - datetime.now(UTC)).total_seconds()
            self.stop.wait(max(0.02, min(ahead, LONGEST_SLEEP)))
        if not self.is_cleared:
            self._keep(live)
        return self.is_cleared

    def end(self, *_: Any) -> None:
        self.stop.set()

    def _on_cleared(self) -> None:
        self.is_cleared = True
        self.stop.set()

    # Beginning ---------------------------------------------------------------------------------

    def _begin(self) -> Live:
        """The fleet as it stands goes into the inventory first: then every message finds its service."""
        progress, now = self.progress, datetime.now(UTC)
        if not progress.anchor:
            progress.anchor = float(int(now.timestamp()))
        if progress.counted_until:
            self.missed_since = datetime.fromtimestamp(progress.counted_until, UTC)
        fleet = fleet_of(progress) or self._past().fleet
        progress.runs += 1
        there = [sitting for sitting in fleet.sittings if sitting.started_at <= now]
        self._tell_rows([inventory_row(sitting) for sitting in there])
        chance = random_of(progress.seed, "live", progress.runs)
        is_first = progress.runs == 1
        live = Live(fleet, now=datetime.now(UTC), chance=chance, unsent=posts_of(progress), is_first=is_first)
        self._keep(live)
        return live

    def _past(self) -> History:
        return write_history(seed=self.progress.seed, anchor=self.progress.began_at)

    def _keep(self, live: Live) -> None:
        """Where to go on: reclaims under way are kept as over, with what is still to be said of them."""
        self.progress.running = [seated(sitting) for sitting in live.seated()]
        self.progress.unsent = unsent_of(live.unsent())
        self.progress.counted_until = live.counted_until.timestamp()
        keep_progress(self.progress, var=self.var)

    # The past ----------------------------------------------------------------------------------

    def _tell_past(self) -> None:
        try:
            history = self._past()
            if not self.progress.is_inventory_told:
                self._tell_rows(history.past)
                self.progress.is_inventory_told = True
            doors = {lane: self._door(address) for lane, address in self._addresses().items()}
            for number, batch in enumerate(history.batches):
                if number < self.progress.batches_told or self.stop.is_set():
                    continue
                self._tell_batch(doors, batch)
                self.progress.batches_told = number + 1
                self.stop.wait(PAUSE)
        except Cleared:
            self._on_cleared()

    def _count_past(self, began_at: datetime) -> None:
        """Requests since the last run, then those of the days before the anchor, the latest first."""
        progress = self.progress
        past = self._past()
        counter = Counter(progress.seed, anchor=progress.began_at, losses=losses_of(past.past))
        door = self._door(self._addresses()[REQUESTS])
        try:
            if self.missed_since and self.missed_since < began_at:
                self._count(door, counter, self.missed_since, began_at)
            for number, (since, until) in enumerate(days_back(progress.began_at)):
                if number < progress.days_counted or self.stop.is_set():
                    continue
                self._count(door, counter, since, until)
                progress.days_counted = number + 1
                self.stop.wait(PAUSE)
        except Cleared:
            self._on_cleared()

    def _count(self, door: Door, counter: Counter, since: datetime, until: datetime) -> None:
        rows = [row for minute in minutes_between(since, until) for row in counter.rows(minute)]
        for start in range(0, len(rows), COUNTS_TOGETHER):
            if not self.stop.is_set():
                door.put(rows[start : start + COUNTS_TOGETHER])

    def _tell_batch(self, doors: dict[str, Door], batch: list[Post]) -> None:
        by_lane: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for post in batch:
            by_lane[post.lane].append(post.body)
        for lane, bodies in by_lane.items():
            doors[lane].put(bodies)

    def _tell_rows(self, rows: list[dict[str, Any]]) -> None:
        door = self._door(self._addresses()[INVENTORY])
        for start in range(0, len(rows), ROWS_TOGETHER):
            door.put(rows[start : start + ROWS_TOGETHER])

    # Doors -------------------------------------------------------------------------------------

    def _responder(self, live: Live) -> Responder:
        return Responder(
            self.console,
            self.progress.responder,
            is_busy=lambda: bool(live.leaving),
            on_cleared=self._on_cleared,
            stop=self.stop,
        )

    def _addresses(self) -> dict[str, Address]:
        feeds = {
            lane: Address("POST", f"/ingest/{feed.slug}", feed.secret)
            for lane, feed in self.progress.feeds.items()
        }
        return feeds | {lane: Address("PUT", path, self.progress.token) for lane, path in API.items()}

    def _door(self, address: Address) -> Door:
        return Door(self.console, address, stop=self.stop)

    def _lane(self, name: str, address: Address) -> Lane:
        return Lane(
            name, self._door(address), is_list=name in API, on_cleared=self._on_cleared, stop=self.stop
        )


def main(var: Path, console: Console) -> int:
    progress = read_progress(var)
    if progress is None:
        print("No sample fleet is set up here: `manage.py sample set-up` makes one.", flush=True)
        return 0
    player = Player(progress, var=var, console=console)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, player.end)
    if player.play():
        forget(var)
        print("The sample fleet was cleared; its play has ended.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Console(listens_at=sys.argv[2], called=sys.argv[3])))
