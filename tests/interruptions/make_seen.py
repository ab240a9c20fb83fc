"""Observations for tests, told in seconds from noon: one function a thing that providers say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from console.feeds.normalised import Action, Cause, Kind, Outcome
from console.interruptions.partition import Partition, partition
from console.interruptions.seen import Seen

NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)
MINUTE = 60
HOUR = 3600
DAY = 86400

_ids = count(1)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def make_seen(kind: Kind, seconds: float = 0, **said: Any) -> Seen:
    number = next(_ids)
    deadline = said.pop("deadline", None)
    said.setdefault("id", number)
    said.setdefault("feed_id", 1)
    said.setdefault("event_id", f"event-{number:06}")
    said.setdefault("machine_named", "i-0123456789abcdef0")
    said.setdefault("provider", "aws")
    said.setdefault("received_at", at(seconds + 1))
    if deadline is not None:
        said["deadline_at"] = at(deadline)
    return Seen(kind=kind, occurred_at=at(seconds), **said)


def warning(seconds: float = 0, **said: Any) -> Seen:
    """EventBridge: the time of the notice, the deadline two minutes on."""
    said = {
        "deadline": seconds + 120,
        "action": Action.TERMINATE,
        "cause": Cause.SPOT,
        "may_open": True,
        "source": "aws.eventbridge",
    } | said
    return make_seen(Kind.INTERRUPTION_NOTICE, seconds, **said)


def bare_notice(seconds: float = 0, **said: Any) -> Seen:
    """A handler's Kubernetes event: a notice without deadline or action."""
    said = {"cause": Cause.SPOT, "may_open": True, "source": "k8s.event"} | said
    return make_seen(Kind.INTERRUPTION_NOTICE, seconds, **said)


def rebalance(seconds: float = 0, **said: Any) -> Seen:
    said = {"cause": Cause.SPOT, "may_open": True, "source": "aws.eventbridge"} | said
    return make_seen(Kind.REBALANCE_RECOMMENDATION, seconds, **said)


def proof(seconds: float = 0, **said: Any) -> Seen:
    """BidEvicted, GCP `preempted`, Azure VirtualMachinePreempted."""
    said = {"cause": Cause.SPOT, "may_open": True, "source": "aws.cloudtrail"} | said
    return make_seen(Kind.TERMINATED, seconds, **said)


def terminated(seconds: float = 0, **said: Any) -> Seen:
    return make_seen(Kind.TERMINATED, seconds, **({"state": "terminated"} | said))


def stopped(seconds: float = 0, **said: Any) -> Seen:
    return make_seen(Kind.STATE_CHANGE, seconds, **({"state": "stopped"} | said))


def running(seconds: float = 0, **said: Any) -> Seen:
    return make_seen(Kind.STATE_CHANGE, seconds, **({"state": "running", "is_restart": True} | said))


def fulfilled(seconds: float = 0, **said: Any) -> Seen:
    return make_seen(Kind.REPLACEMENT_LAUNCHED, seconds, **({"is_restart": True} | said))


def cordoned(seconds: float = 0, **said: Any) -> Seen:
    return make_seen(Kind.NODE_CORDONED, seconds, **({"source": "k8s.event"} | said))


def uncordoned(seconds: float = 0, **said: Any) -> Seen:
    return cordoned(seconds, **({"outcome": Outcome.CANCELLED} | said))


def maintenance(seconds: float = 0, **said: Any) -> Seen:
    """A notice that opens nothing."""
    return make_seen(Kind.INTERRUPTION_NOTICE, seconds, **({"cause": Cause.MAINTENANCE} | said))


def groups(*observations: Seen) -> list[list[Seen]]:
    """The members of each interruption."""
    return [list(reclaim.members) for reclaim in partitioned(*observations).interruptions]


def partitioned(*observations: Seen) -> Partition:
    return partition(observations)
