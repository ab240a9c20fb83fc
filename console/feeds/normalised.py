"""The one shape every feed is translated into (`docs/adding-a-source.md`).

A `Reading` is what one delivered item says: nothing of interest, a heartbeat, or some
`NormalisedEvent`s (one statement about one machine each) and `Fact`s (a node's own records).
All are frozen and pure data: parsers make them, the queue carries them as JSON, recording reads them. None
leads back to itself, so the garbage collector need not walk the thousands of a batch (`gc=False`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import msgspec


class Kind(StrEnum):
    """What a message says happened to the machine."""

    REBALANCE_RECOMMENDATION = "rebalance_recommendation"
    INTERRUPTION_NOTICE = "interruption_notice"
    STATE_CHANGE = "state_change"
    NODE_CORDONED = "node_cordoned"
    NODE_DRAIN_STARTED = "node_drain_started"
    POD_EVICTED = "pod_evicted"
    SHUTDOWN_STARTED = "shutdown_started"
    SHUTDOWN_COMPLETED = "shutdown_completed"
    TERMINATED = "terminated"
    POD_SCHEDULED = "pod_scheduled"
    POD_RUNNING = "pod_running"
    REPLACEMENT_LAUNCHED = "replacement_launched"
    HEARTBEAT = "heartbeat"


class Outcome(StrEnum):
    OK = "ok"
    ERROR = "error"
    CANCELLED = "cancelled"


class Cause(StrEnum):
    """Why the provider acts. Only `spot` counts in spot statistics. Declared in order of precedence."""

    SPOT = "spot"
    CAPACITY_RESERVATION = "capacity_reservation"
    MAINTENANCE = "maintenance"
    CUSTOMER = "customer"
    UNKNOWN = "unknown"


class Action(StrEnum):
    """What the provider will do with the machine."""

    TERMINATE = "terminate"
    STOP = "stop"
    HIBERNATE = "hibernate"


class Result(StrEnum):
    """What became of one delivered item."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    UNRECOGNISED = "unrecognised"


class MachineRef(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A machine as the message names it. Absent values are None, never empty strings.

    `account` is the AWS account, GCP project id or Azure subscription; `node_uid` and `boot_id`
    tell one life of a reused name from the next.
    """

    provider: str | None = None
    account: str | None = None
    region: str | None = None
    zone: str | None = None
    instance_id: str | None = None
    instance_type: str | None = None
    node_name: str | None = None
    node_uid: str | None = None
    node_claim: str | None = None
    """The NodeClaim that Karpenter made the machine for."""
    cluster: str | None = None
    boot_id: str | None = None

    @property
    def identifier(self) -> str:
        """The identifier as the message gives it; part of an observation's unique key."""
        return self.instance_id or self.node_name or self.node_claim or ""


class NormalisedEvent(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One statement about one machine, in the console's own words (`feeds.md` section 1)."""

    source: str
    kind: Kind
    event_id: str
    occurred_at: datetime
    machine: MachineRef = MachineRef()
    deadline_at: datetime | None = None
    outcome: Outcome = Outcome.OK
    cause: Cause | None = None
    action: Action | None = None
    state: str | None = None
    """The provider's machine state, when the message is about one: pending, running, stopped …"""
    native_id: str | None = None
    """The provider's own id of the interruption (GCP operation id, Azure EventId), where one exists."""
    may_open: bool = False
    is_observed: bool = False
    """The message carries no time of its own; `occurred_at` is when it was first seen."""
    is_precise_deadline: bool = False
    """The deadline was stated by the machine's own metadata, not derived from the notice."""
    is_restart: bool = False
    """The machine lives again: a later notice is another interruption."""
    is_future: bool = False
    """Stamped more than five minutes after it was received: kept, and flagged."""
    is_low_confidence: bool = False
    group: str | None = None
    """Scaling group or fleet that acts; it ties a replacement to the machine it replaces."""
    listed: tuple[str, ...] | None = None
    """What the machine's own metadata listed at that moment: native ids. None where it is no such list."""
    incarnation: int | None = None
    """The number of the document that listed them; a lower one is older, whenever it comes."""
    labels: dict[str, str] = {}
    """cluster, namespace, workload, service, node_pool, where known."""
    message: str | None = None


class HookFact(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="hook"):
    told_as: str = ""
    """The sender's own id of this run: what is told of it at its beginning and at its end is one row."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    outcome: str
    message: str = ""


class MoveFact(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="move"):
    workload: str
    workload_class: str
    evicted_at: datetime
    running_at: datetime | None = None
    to_node: str | None = None


class WorkFact(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="work"):
    job: str
    attempt: int
    useful_seconds: float
    lost_seconds: float
    restart_seconds: float = 0.0
    last_checkpoint_at: datetime | None = None
    finished_at: datetime | None = None


class VolumeFact(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="volume"):
    volume: str
    detached_at: datetime | None = None
    attached_at: datetime | None = None


class ReplicaFact(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="replica"):
    name: str
    last_write_at: datetime
    ready_at: datetime | None = None


class SampleFact(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="sample"):
    signal: str
    replica: str = ""
    """A name that outlives the machine; empty: the stream is the service's."""
    at: datetime
    value: float | None = None


class LogFact(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="log"):
    at: datetime
    level: str
    message: str


Fact = HookFact | MoveFact | WorkFact | VolumeFact | ReplicaFact | SampleFact | LogFact


class Reading(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What one delivered item says.

    `delivery_id` is the event id where the item holds exactly one event, else the hash of its
    canonical JSON. `machine` and `heartbeat_at` are set where the item shows a machine alive.
    """

    delivery_id: str
    result: Result = Result.ACCEPTED
    events: tuple[NormalisedEvent, ...] = ()
    listing: NormalisedEvent | None = None
    """What the reporting machine's metadata lists, beside the events: recorded, and no event of its own."""
    facts: tuple[Fact, ...] = ()
    machine: MachineRef | None = None
    service: str | None = None
    """The service that the machine says it works for."""
    heartbeat_at: datetime | None = None
    is_heartbeat: bool = False
    """Nothing but a sign of life: stored apart and kept for a week."""
    is_replay: bool = False
    """Sent again from an archive: recorded and counted, nobody is told."""
    note: str = ""
    """What was not understood, in a few words, for the unrecognised."""

    @property
    def occurred_at(self) -> datetime | None:
        """When the latest of its events happened, where it says so itself and tells of something new."""
        told = [event.occurred_at for event in self.events if not event.is_observed]
        return None if self.is_replay else max(told, default=None)

    @property
    def statements(self) -> tuple[NormalisedEvent, ...]:
        """All that is recorded of machines."""
        return self.events if self.listing is None else (*self.events, self.listing)


class ParseContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the feed's configuration or the watcher says beside the body; the body wins where both speak."""

    provider: str | None = None
    account: str | None = None
    region: str | None = None
    zone: str | None = None
    instance_id: str | None = None
    node_name: str | None = None
    resource_group: str | None = None
    cluster: str | None = None
    boot_id: str | None = None
    first_seen_at: datetime | None = None
    """When the watcher first saw this very value; stands for *observed*."""


REFUSALS: Mapping[str, int] = MappingProxyType(
    {
        "unauthenticated": 401,
        "forbidden_sender": 403,
        "too_large": 413,
        "unsupported_media_type": 415,
        "malformed_json": 400,
        "missing_instance_id": 422,
        "invalid_time": 422,
        "invalid_field": 422,
        "unsupported_version": 422,
        "kind_not_available": 501,
        "processing_error": 500,
    }
)
"""Every code a message can be refused with, and the status its sender is answered with.

`processing_error` is a fault of the console's: found later, by the pipeline, or on reading. It is kept in
quarantine, so its sender is answered 202 and has nothing to send again.
"""


MAX_DETAIL = 500


class Rejected(Exception):
    """The item cannot be taken. `code` is one of `REFUSALS`; `detail` says what to do.

    `is_relayed`: a Pub/Sub layer or an Event Grid event carried it, and an error would only make the
    relay send again what cannot become valid, so the answer is 2xx once the item is quarantined.
    `limit`: for `too_large`, the name of the bound that was passed.
    """

    def __init__(self, code: str, detail: str, *, is_relayed: bool = False, limit: str = "body") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = _holdable(detail[:MAX_DETAIL])
        self.is_relayed = is_relayed
        self.limit = limit


def _holdable(text: str) -> str:
    """PostgreSQL holds no NUL, and UTF-8 no half of a character; a parser's own error may quote either."""
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()
