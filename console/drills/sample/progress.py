"""`var/sample.json`: the secrets of the sample feeds, and how far the play has come. For its owner's eyes only."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from console.drills.sample.lanes import Post
from console.drills.sample.machines import Fleet, Sitting, machine_in, seats

SEED = 2_026


class FeedAddress(msgspec.Struct, kw_only=True):
    slug: str
    secret: str


class Seated(msgspec.Struct, array_like=True):
    """A machine by its turn in its seat, and since when it runs."""

    seat: int
    generation: int
    started_at: float
    replaces: str = ""


class Unsent(msgspec.Struct, array_like=True):
    """A message whose time had not come when the play was interrupted."""

    at: float
    lane: str
    body: dict[str, Any]


class Progress(msgspec.Struct, kw_only=True):
    """What the player needs to go on where it was."""

    seed: int = SEED
    feeds: dict[str, FeedAddress]
    token: str
    responder: str = ""
    """The token of the one who is on call."""
    anchor: float = 0.0
    """When the play first began; 0: it has not."""
    is_inventory_told: bool = False
    batches_told: int = 0
    runs: int = 0
    days_counted: int = 0
    """How many days of requests before the anchor have been told, the latest first."""
    counted_until: float = 0.0
    """Requests were told up to here; 0: none in live play."""
    running: list[Seated] = []
    unsent: list[Unsent] = []

    @property
    def began_at(self) -> datetime:
        return datetime.fromtimestamp(self.anchor, UTC)


def path_in(var: Path) -> Path:
    return var / "sample.json"


def read_progress(var: Path) -> Progress | None:
    """None where no sample fleet is set up."""
    try:
        return msgspec.json.decode(path_in(var).read_bytes(), type=Progress)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write_progress(progress: Progress, *, var: Path) -> None:
    """Whole or not at all, and never readable by others."""
    path = path_in(var)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(msgspec.json.encode(progress))
    draft.replace(path)


def keep_progress(progress: Progress, *, var: Path) -> None:
    """Written only while the file is still this fleet's: clearing takes it away for good."""
    held = read_progress(var)
    if held is not None and held.token == progress.token:
        write_progress(progress, var=var)


def forget(var: Path) -> None:
    path_in(var).unlink(missing_ok=True)


def seated(sitting: Sitting) -> Seated:
    machine = sitting.machine
    started_at = sitting.started_at.timestamp()
    return Seated(machine.seat.index, machine.generation, started_at, sitting.replaces)


def sitting_of(held: Seated, *, seed: int) -> Sitting:
    machine = machine_in(_SEATS[held.seat], generation=held.generation, seed=seed)
    return Sitting(machine, datetime.fromtimestamp(held.started_at, UTC), held.replaces)


def unsent_of(posts: list[Post]) -> list[Unsent]:
    return [Unsent(post.at.timestamp(), post.lane, post.body) for post in posts]


def posts_of(progress: Progress) -> list[Post]:
    return [Post(datetime.fromtimestamp(each.at, UTC), each.lane, each.body) for each in progress.unsent]


def fleet_of(progress: Progress) -> Fleet | None:
    """The fleet as it was last kept; None where it never was, or the company has changed since."""
    if len(progress.running) != len(_SEATS):
        return None
    return Fleet(progress.seed, [sitting_of(held, seed=progress.seed) for held in progress.running])


_SEATS = seats()
