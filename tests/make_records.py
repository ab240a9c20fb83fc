"""Factories of what nodes and services report, and of what feeds observed: what a test does not name is ordinary."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from console.feeds.models import Feed
from console.fleet.models import Machine, Service
from console.interruptions.models import Interruption, Observation, Replica, Sample, Volume, Work
from tests.make_feeds import make_feed

_numbers = count(1)


def _told(interruption: Interruption | None, fields: dict[str, Any], at: datetime) -> dict[str, Any]:
    machine: Machine = fields.get("machine") or (interruption.machine if interruption else None)  # type: ignore[assignment]
    return {
        "origin": machine.origin,
        "machine": machine,
        "interruption": interruption,
        "report_id": f"record-{next(_numbers)}",
        "at": at,
        "received_at": at,
    }


def make_work(interruption: Interruption | None = None, *, useful: float, lost: float, **fields: Any) -> Work:
    """An attempt reported a minute after the machine's notice, or at `at`."""
    at = fields.get("at") or (interruption.started_at + timedelta(minutes=1) if interruption else None)
    assert at is not None
    known = _told(interruption, fields, at) | {
        "job": f"job-{next(_numbers)}",
        "attempt": 1,
        "useful_seconds": useful,
        "lost_seconds": lost,
    }
    return Work.objects.create(**(known | fields))


def make_volume(interruption: Interruption, **fields: Any) -> Volume:
    known = _told(interruption, fields, interruption.started_at) | {"volume": "vol-1"}
    return Volume.objects.create(**(known | fields))


def make_replica(interruption: Interruption, *, seconds: float | None, **fields: Any) -> Replica:
    """Last written at the notice, ready so many seconds later; None: not yet."""
    at = fields.get("last_write_at", interruption.started_at)
    known = _told(interruption, fields, at) | {
        "name": f"db-{next(_numbers)}",
        "last_write_at": at,
        "ready_at": None if seconds is None else at + timedelta(seconds=seconds),
    }
    return Replica.objects.create(**(known | fields))


def make_sample(
    at: datetime, *, service: Service | None = None, machine: Machine | None = None, **fields: Any
) -> Sample:
    """A point of telemetry, sent by the machine or pushed for the service."""
    of = service or (machine.service if machine else None)
    assert of is not None
    known = {
        "at": at,
        "service": of,
        "machine": machine,
        "origin": of.origin,
        "signal": "telemetry",
        "value": 1,
    }
    return Sample.objects.create(**(known | fields))


def make_observation(
    interruption: Interruption, *, after: float, happened: float | None = None, **fields: Any
) -> Observation:
    """A notice received so many seconds after the interruption's start (and as old as it says)."""
    at = interruption.started_at
    feed: Feed = fields.pop("feed", None) or make_feed(slug=f"feed-{next(_numbers)}")
    known = {
        "received_at": at + timedelta(seconds=after),
        "occurred_at": at + timedelta(seconds=after if happened is None else happened),
        "origin": interruption.origin,
        "feed": feed,
        "delivery_pk": 1,
        "machine": interruption.machine,
        "interruption": interruption,
        "event_id": f"event-{next(_numbers)}",
        "machine_named": interruption.machine.instance_id,
        "source": "aws.eventbridge",
        "kind": "interruption_notice",
        "outcome": "ok",
        "may_open": True,
    }
    return Observation.objects.create(**(known | fields))
