"""Azure Scheduled Events, polled on a node, and the body the AKS handler's webhook renders.

A document reaches every machine of its set and lists the machines hit, which may not hold the one that
reports. It has no times of its own but the deadline, and nothing tells that an event is over or called
off except that a later document does not list it: so what a document lists is itself told of its
reporter (`Reading.listing`), and `interruptions/vanishing.py` draws the conclusion.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

import msgspec

from console.feeds import wire
from console.feeds.identifiers import check_instance_id, is_placeholder, usable
from console.feeds.normalised import (
    Cause,
    Kind,
    MachineRef,
    NormalisedEvent,
    ParseContext,
    Reading,
    Rejected,
    Result,
)
from console.feeds.sources import watcher
from console.feeds.sources.watcher import Watched
from console.feeds.times import is_future, optional_time
from console.fleet.azure_names import node_of_resource, resource_name

SOURCE = "azure.scheduled_events"
PATHS = ("scheduledevents",)
MOST_MACHINES = 5000

_CAUSES = {
    "Preempt": Cause.SPOT,
    "Reboot": Cause.MAINTENANCE,
    "Redeploy": Cause.MAINTENANCE,
    "Terminate": Cause.CUSTOMER,
    "Freeze": None,
}
_STAGES = {"Scheduled": Kind.INTERRUPTION_NOTICE, "Started": Kind.SHUTDOWN_STARTED}


Incarnation = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class ScheduledEvent(msgspec.Struct, kw_only=True, rename="pascal"):
    event_id: object = None
    event_type: object = None
    event_status: object = None
    resources: object = None
    not_before: object = None
    description: object = None


class Document(msgspec.Struct, kw_only=True):
    """Of the metadata service (`Events`), or of the AKS handler (`Event` and its node)."""

    incarnation: Incarnation | None = msgspec.field(name="DocumentIncarnation", default=None)
    events: list[ScheduledEvent] | None = msgspec.field(name="Events", default=None)
    event: ScheduledEvent | None = msgspec.field(name="Event", default=None)
    node_name: object = msgspec.field(name="NodeName", default=None)
    node_region: object = msgspec.field(name="NodeRegion", default=None)
    node_zone: object = msgspec.field(name="NodeZone", default=None)
    cluster_name: object = msgspec.field(name="ClusterName", default=None)
    instance_type: object = msgspec.field(name="InstanceType", default=None)


_DOCUMENT = msgspec.json.Decoder(Document)


def parse(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """One document, in the watcher's wrapper or bare, checked JSON already."""
    watched = watcher.open_watched(raw, context=context, received_at=received_at)
    aside = watcher.aside(raw, watched, paths=PATHS)
    if aside is not None:
        return aside
    document = wire.decode(watched.body, _DOCUMENT)
    if document.event is not None:
        return _of_handler(raw, document, _of_node(document, watched))
    if document.events is None:
        raise Rejected("invalid_field", "Events: missing; send the document of /metadata/scheduledevents")
    return _of_service(raw, document, watched)


def _of_handler(raw: bytes, document: Document, watched: Watched) -> Reading:
    """One event of the document the handler polled: it tells nothing of what else was listed."""
    assert document.event is not None
    reporter = watched.machine("azure")
    hits, note = _hits([document.event])
    events = tuple(_statements(hits, watched, reporter))
    return Reading(
        delivery_id=wire.delivery_id(raw, events),
        result=Result.ACCEPTED if events else Result.UNRECOGNISED,
        events=events,
        machine=reporter if events else None,
        note=note,
    )


def _of_node(document: Document, watched: Watched) -> Watched:
    """What the handler says of its node; zone "0" is none."""
    zone = usable(wire.text_or_none(document.node_zone, field="NodeZone"))
    said = {
        "node_name": usable(wire.text_or_none(document.node_name, field="NodeName")),
        "region": usable(wire.text_or_none(document.node_region, field="NodeRegion")),
        "zone": None if zone == "0" else zone,
        "cluster": usable(wire.text_or_none(document.cluster_name, field="ClusterName")),
    }
    context = msgspec.structs.replace(watched.context, **{k: v for k, v in said.items() if v is not None})
    instance_type = usable(wire.text_or_none(document.instance_type, field="InstanceType"))
    return replace(watched, context=context, instance_type=instance_type)


def _of_service(raw: bytes, document: Document, watched: Watched) -> Reading:
    listed = document.events or []
    reporter = _reporter(watched, is_needed=not listed)
    hits, note = _hits(listed)
    events = tuple(_statements(hits, watched, reporter))
    if reporter is None:
        return Reading(
            delivery_id=wire.delivery_id(raw, events),
            result=Result.ACCEPTED if events else Result.UNRECOGNISED,
            events=events,
            note=note,
        )
    listing = _listing(document, watched, reporter)
    return Reading(
        delivery_id=listing.event_id,
        result=Result.ACCEPTED if events or not listed else Result.UNRECOGNISED,
        events=events if listed else (listing,),
        listing=listing if listed else None,
        machine=reporter,
        heartbeat_at=watched.received_at,
        note=note,
    )


def _reporter(watched: Watched, *, is_needed: bool) -> MachineRef | None:
    """The node it was polled on. A document that lists machines can do without."""
    context = watched.context
    if not is_needed and context.instance_id is None and context.node_name is None:
        return None
    return watched.machine("azure")


def _listing(document: Document, watched: Watched, reporter: MachineRef) -> NormalisedEvent:
    """What the document lists, as a statement about its reporter: no more than a sign of life by itself."""
    at = watched.observed_at
    return NormalisedEvent(
        source=SOURCE,
        kind=Kind.HEARTBEAT,
        event_id=watched.event_id(reporter),
        occurred_at=at,
        machine=reporter,
        is_observed=True,
        is_future=is_future(at, received_at=watched.received_at),
        listed=_listed(document),
        incarnation=document.incarnation,
    )


def _listed(document: Document) -> tuple[str, ...]:
    native = {_native_id(event) for event in document.events or ()}
    return tuple(sorted(wire.bounded_id(one) for one in native if one and one.isprintable()))


@dataclass(frozen=True, slots=True)
class Hit:
    """One machine that one event names."""

    event: ScheduledEvent
    place: str
    resource: str
    kind: Kind
    cause: Cause | None
    status: str


def _hits(listed: list[ScheduledEvent]) -> tuple[list[Hit], str]:
    """Every machine of every event that is known, and what was not understood."""
    hits: list[Hit] = []
    notes = []
    for number, event in enumerate(listed):
        place = f"Events[{number}]"
        kind, status, note = _meaning(event, place=place)
        if kind is None:
            notes.append(note)
            continue
        cause = _CAUSES[str(event.event_type)]
        resources = _resources(event, place=place)
        hits += [Hit(event, place, resource, kind, cause, status) for resource in resources]
        if len(hits) > MOST_MACHINES:
            raise Rejected("too_large", f"Events: at most {MOST_MACHINES} machines", limit="machines")
    return hits, wire.plain_text("; ".join(notes), limit=200)


def _meaning(event: ScheduledEvent, *, place: str) -> tuple[Kind | None, str, str]:
    """A freeze only pauses the machine: nothing is announced and nothing shuts down."""
    name = wire.text_or_none(event.event_type, field=f"{place}.EventType")
    status = wire.text_or_none(event.event_status, field=f"{place}.EventStatus")
    if name is None or status is None:
        raise Rejected("invalid_field", f"{place}: EventType and EventStatus are required")
    if name not in _CAUSES:
        return None, status, f"unknown EventType {name[:60]!r}"
    if status not in _STAGES:
        return None, status, f"unknown EventStatus {status[:60]!r}"
    return (Kind.STATE_CHANGE if name == "Freeze" else _STAGES[status]), status, ""


def _resources(event: ScheduledEvent, *, place: str) -> list[str]:
    """The machines hit, each once, whatever the case."""
    field = f"{place}.Resources"
    if event.resources is not None and not isinstance(event.resources, list):
        raise Rejected("invalid_field", f"{field}: must be a list of names")
    named: dict[str, str] = {}
    for one in event.resources or ():
        text = wire.text_or_none(one, field=field)
        if (name := usable(text)) is None:
            raise Rejected("missing_instance_id", f"{field}: a name is empty or elided")
        named.setdefault(name.lower(), name)
    if not named:
        raise Rejected("missing_instance_id", f"{field}: must list the machines that are hit")
    return list(named.values())


def _statements(hits: list[Hit], watched: Watched, reporter: MachineRef | None) -> Iterator[NormalisedEvent]:
    at = watched.observed_at
    for hit in hits:
        deadline_at = _deadline(hit)
        resource = check_instance_id(hit.resource, provider="azure", field=f"{hit.place}.Resources")
        said = hit.event.description
        yield NormalisedEvent(
            source=SOURCE,
            kind=hit.kind,
            event_id=_event_id(hit, watched),
            occurred_at=at,
            machine=_machine(resource, watched, reporter),
            deadline_at=deadline_at,
            cause=hit.cause,
            native_id=_native_id(hit.event),
            may_open=hit.cause is Cause.SPOT,
            is_observed=True,
            is_precise_deadline=deadline_at is not None,
            is_future=is_future(at, received_at=watched.received_at),
            message=wire.plain_text(said) if isinstance(said, str) and said else None,
        )


def _deadline(hit: Hit) -> datetime | None:
    """Empty once Started: the deadline told before still holds."""
    written = hit.event.not_before
    if hit.status == "Started" and (written is None or (isinstance(written, str) and not written.strip())):
        return None
    return optional_time(written, field=f"{hit.place}.NotBefore")


def _native_id(event: ScheduledEvent) -> str | None:
    """The case varies from machine to machine."""
    given = wire.text_or_none(event.event_id, field="EventId")
    if given is None or usable(given) is None or is_placeholder(given):
        return None
    return given.lower()


def _event_id(hit: Hit, watched: Watched) -> str:
    native = _native_id(hit.event) or wire.canonical_hash(watched.body)
    return wire.bounded_id(f"{native}:{hit.status}:{hit.resource.lower()}")


def _machine(resource: str, watched: Watched, reporter: MachineRef | None) -> MachineRef:
    """The others of the set share the reporter's subscription and region, and nothing else of it."""
    if reporter is not None and _is_same(resource, reporter):
        return msgspec.structs.replace(reporter, instance_id=resource)
    return MachineRef(
        provider="azure",
        account=watched.context.account,
        region=watched.context.region,
        instance_id=resource,
    )


def _is_same(resource: str, reporter: MachineRef) -> bool:
    mine = resource_name(resource).lower()
    if reporter.instance_id is not None:
        return mine == resource_name(reporter.instance_id).lower()
    node_name = (reporter.node_name or "").lower()
    return node_name in (mine, node_of_resource(mine))
