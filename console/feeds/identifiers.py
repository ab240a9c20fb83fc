"""The forms of accounts, instance ids and event ids, provider by provider."""

from __future__ import annotations

import re
from operator import attrgetter

from console.feeds.normalised import NormalisedEvent, Reading, Rejected

MAX_IDENTIFIER_BYTES = 512

_GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NAME = r"[A-Za-z0-9._()-]+"
_ARM_ID = (
    rf"/subscriptions/{_GUID}/resourceGroups/{_NAME}/providers/Microsoft\.Compute/"
    rf"(?:virtualMachines/{_NAME}|virtualMachineScaleSets/{_NAME}/virtualMachines/{_NAME})"
)
_ACCOUNTS = {
    "aws": (re.compile(r"[0-9]{12}"), "must be 12 digits"),
    "gcp": (
        re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"),
        "must be a project id such as shop-prod-1",
    ),
    "azure": (re.compile(_GUID, re.IGNORECASE), "must be a subscription id (a GUID)"),
}
_INSTANCE_IDS = {
    "aws": (re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})"), "must be i- and 8 or 17 hex digits"),
    "gcp": (re.compile(r"[0-9]{1,20}"), "must be the numeric instance id"),
    "azure": (
        re.compile(rf"{_ARM_ID}|{_NAME}", re.IGNORECASE),
        "must be the ARM id of a virtual machine, or its resource name",
    ),
}
PROVIDERS = frozenset(_INSTANCE_IDS)

_PLACEHOLDER = re.compile(r"[{<].*[}>]|\.\.\.|…|EXAMPLE|[0-]+", re.DOTALL)

_event_identifiers = attrgetter("event_id", "state", "native_id", "group")
_machine_identifiers = attrgetter(
    "provider", "account", "region", "zone", "instance_id", "instance_type",
    "node_name", "node_uid", "cluster", "boot_id",
)  # fmt: skip


def usable(text: str | None) -> str | None:
    """Trimmed; None where nothing is left or the sender elided it (`184448819...`)."""
    if text is None:
        return None
    trimmed = text.strip()
    if not trimmed or "..." in trimmed or "…" in trimmed:
        return None
    return trimmed


def is_placeholder(event_id: str) -> bool:
    """Template text or zeros where an id should be: many messages would share it."""
    return _PLACEHOLDER.fullmatch(event_id) is not None or "..." in event_id or "{" in event_id


def check_account(account: str, *, provider: str, field: str) -> str:
    form, demand = _ACCOUNTS[provider]
    if not form.fullmatch(account):
        raise Rejected("invalid_field", f"{field}: {demand}, got {account[:40]!r}")
    return account


def check_instance_id(instance_id: str, *, provider: str, field: str) -> str:
    form, demand = _INSTANCE_IDS[provider]
    if not form.fullmatch(instance_id):
        raise Rejected("invalid_field", f"{field}: {demand}, got {instance_id[:40]!r}")
    return instance_id


def check_storable(reading: Reading) -> Reading:
    """Refuses identifiers that no index can hold: too long, or with control characters such as NUL."""
    _check(reading.delivery_id)
    if reading.machine is not None:
        _check(*_machine_identifiers(reading.machine))
    for event in reading.events:
        _check_event(event)
    return reading


def _check_event(event: NormalisedEvent) -> None:
    _check(*_event_identifiers(event), *_machine_identifiers(event.machine), *event.labels.values())


def _check(*identifiers: str | None) -> None:
    """One pass over all of them joined; the culprit is looked for only where there is one."""
    present = [text for text in identifiers if text]
    joined = "".join(present)
    if joined.isprintable() and len(joined) <= MAX_IDENTIFIER_BYTES and joined.isascii():
        return
    for text in present:
        if not text.isprintable():
            raise Rejected("invalid_field", f"an identifier holds control characters: {text[:40]!r}")
        if len(text.encode()) > MAX_IDENTIFIER_BYTES:
            raise Rejected("invalid_field", f"an identifier is longer than {MAX_IDENTIFIER_BYTES} bytes")
