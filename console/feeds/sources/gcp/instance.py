"""A Compute Engine VM as audit entries and operations name it, and what is done to it.

The numeric id is the machine. A name alone is used again by the next VM, so what only names it may attach
to the VM of that name alive then and never opens; the project *number* some logs give is never a key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from console.feeds.identifiers import check_account, check_instance_id, usable
from console.feeds.normalised import Cause, Kind, MachineRef, ParseContext, Rejected
from console.feeds.wire import text_or_none

_LINK = re.compile(r"(?:.*/)?projects/([^/]+)/zones/([^/]+)/instances/([^/?#]+)")
_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Deed:
    """What an operation on a VM means."""

    kind: Kind
    cause: Cause | None = None
    may_open: bool = False
    is_stop: bool = False


PREEMPTED = Deed(Kind.TERMINATED, Cause.SPOT, may_open=True)
STOPPED = Deed(Kind.STATE_CHANGE, Cause.CUSTOMER, is_stop=True)
FAILED = Deed(Kind.STATE_CHANGE, Cause.UNKNOWN)
LAUNCHED = Deed(Kind.REPLACEMENT_LAUNCHED)

SYSTEM_EVENTS = {
    "compute.instances.preempted": PREEMPTED,
    "compute.instances.guestTerminate": STOPPED,
    "compute.instances.deferredStop": STOPPED,
    "compute.instances.hostError": FAILED,
}
"""What Compute Engine does by itself; audit entries and operations call it alike."""


@dataclass(frozen=True, slots=True)
class Named:
    """The VM, and whether its name is all that is known of it."""

    machine: MachineRef
    is_by_name: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What a message says of its VM, unchecked; `field` is where its numeric id belongs."""

    field: str
    instance_id: object = None
    project: object = None
    zone: object = None
    link: object = None
    """A resource name or link that ends in `projects/…/zones/…/instances/<name>`."""
    instance_type: str | None = None


def named(given: Given, *, context: ParseContext) -> Named:
    """An id that is present but elided does not fall back to the name."""
    project, zone, name = _parts(given.link)
    numeric = text_or_none(given.instance_id, field=given.field)
    if numeric is not None and (numeric := usable(numeric)) is None:
        raise Rejected("missing_instance_id", f"{given.field}: elided; the whole numeric id is needed")
    if numeric is None and name is None:
        raise Rejected("missing_instance_id", f"{given.field}: no usable instance id, and no name of the VM")
    account = usable(text_or_none(given.project, field="project_id")) or project or context.account
    if account is not None:
        check_account(account, provider="gcp", field="project_id")
    if numeric is not None:
        check_instance_id(numeric, provider="gcp", field=given.field)
    zone = _last(usable(text_or_none(given.zone, field="zone"))) or zone or context.zone
    machine = MachineRef(
        provider="gcp",
        account=account,
        region=region_of(zone) or context.region,
        zone=zone,
        instance_id=numeric,
        instance_type=given.instance_type,
        node_name=name,
        cluster=context.cluster,
    )
    return Named(machine, is_by_name=numeric is None)


def is_instance_link(link: object) -> bool:
    return isinstance(link, str) and _LINK.fullmatch(link) is not None


def region_of(zone: str | None) -> str | None:
    """`us-central1-c` lies in `us-central1`."""
    return (zone.rpartition("-")[0] or None) if zone else None


def last_part(link: object) -> str | None:
    """`n2-standard-4` of `zones/us-central1-c/machineTypes/n2-standard-4`."""
    return _last(usable(link)) if isinstance(link, str) else None


def _last(text: str | None) -> str | None:
    return (text.rpartition("/")[2] or None) if text else None


def _parts(link: object) -> tuple[str | None, str | None, str | None]:
    """Project, zone and name. A project's number is left out."""
    match = _LINK.fullmatch(link) if isinstance(link, str) else None
    if match is None:
        return None, None, None
    project, zone, name = (usable(part) for part in match.groups())
    return (None if project and _NUMBER.fullmatch(project) else project), zone, name
