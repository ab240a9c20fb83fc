"""The forms of accounts, instance ids and event ids, provider by provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import attrgetter

from console.feeds.normalised import Reading, Rejected

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

# The longest value that recording can hold of each; shorter than `_SHORT` no limit can be broken,
# provider and state being words of closed lists.
_SHORT = 64
MACHINE_LIMITS = {
    "provider": 16,
    "account": 128,
    "region": 64,
    "zone": 64,
    "instance_id": 256,
    "instance_type": 64,
    "node_name": 256,
    "node_uid": 128,
    "cluster": 128,
    "boot_id": 128,
}
EVENT_LIMITS = {"event_id": 512, "state": 32, "native_id": 256, "group": 256}
MAX_LABEL = 256

_event_identifiers = attrgetter(*EVENT_LIMITS)
_machine_identifiers = attrgetter(*MACHINE_LIMITS)


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
    """Refuses identifiers that cannot be stored as they are: too long, or with control characters."""
    if reading.machine is not None:
        _check(_machine_identifiers(reading.machine), MACHINE_LIMITS)
    for event in reading.statements:
        _check(_event_identifiers(event), EVENT_LIMITS)
        if event.machine is not reading.machine:
            _check(_machine_identifiers(event.machine), MACHINE_LIMITS)
        for name, label in event.labels.items():
            _check((label,), {name: MAX_LABEL})
    return reading


def _check(values: tuple[str | None, ...], limits: Mapping[str, int]) -> None:
    """One look at all of them together; the culprit is looked for only where there is one."""
    present = [text for text in values if text]
    if "".join(present).isprintable() and max(map(len, present), default=0) <= _SHORT:
        return
    for text, (name, limit) in zip(values, limits.items(), strict=True):
        if text and not text.isprintable():
            raise Rejected("invalid_field", f"{name}: holds control characters: {text[:40]!r}")
        if text and len(text) > limit:
            raise Rejected("invalid_field", f"{name}: longer than {limit} characters")
