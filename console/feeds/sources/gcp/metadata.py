"""The GCP metadata server's `instance/preempted`, relayed by a watcher: the text TRUE or FALSE.

It is the only advance notice there is: half a minute, and no time of its own. FALSE is a sign of life.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from console.feeds import wire
from console.feeds.normalised import Cause, Kind, NormalisedEvent, ParseContext, Reading, Rejected
from console.feeds.sources import watcher
from console.feeds.sources.watcher import Watched
from console.feeds.times import is_future

SOURCE = "gcp.metadata"
PATHS = ("instance/preempted",)
NOTICE = timedelta(seconds=30)

_WORD = msgspec.json.Decoder(str | bool | None)


def parse(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """What was polled, in the watcher's wrapper or bare, checked JSON already."""
    watched = watcher.open_watched(raw, context=context, received_at=received_at)
    aside = watcher.aside(raw, watched, paths=PATHS)
    return aside if aside is not None else _reading(raw, watched)


def _reading(raw: bytes, watched: Watched) -> Reading:
    is_preempted = _is_preempted(watched.body)
    machine = watched.machine("gcp")
    if not is_preempted:
        return Reading(
            delivery_id=wire.canonical_hash(raw),
            machine=machine,
            heartbeat_at=watched.received_at,
            is_heartbeat=True,
        )
    at = watched.observed_at
    event = NormalisedEvent(
        source=SOURCE,
        kind=Kind.INTERRUPTION_NOTICE,
        event_id=replace(watched, body=b'"TRUE"').event_id(machine),
        occurred_at=at,
        machine=machine,
        deadline_at=at + NOTICE,
        cause=Cause.SPOT,
        may_open=True,
        is_observed=True,
        is_future=is_future(at, received_at=watched.received_at),
    )
    return Reading(
        delivery_id=event.event_id, events=(event,), machine=machine, heartbeat_at=watched.received_at
    )


def _is_preempted(body: bytes) -> bool:
    said = wire.decode(body, _WORD)
    word = said.strip().upper() if isinstance(said, str) else {True: "TRUE", None: "FALSE"}.get(said, "FALSE")
    if word not in ("TRUE", "FALSE"):
        raise Rejected("invalid_field", f"body: must be TRUE or FALSE, got {word[:40]!r}")
    return word == "TRUE"
