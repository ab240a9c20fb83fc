"""The variables that a step's text may use, and turning what a page knows into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core import signing

_SIGNER = signing.Signer(salt="runbooks.variables")


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    meaning: str
    example: str


VARIABLES = (
    Variable("service", "Name of the service that is hit", "checkout-workers"),
    Variable("instance_id", "The provider's id of the machine", "i-0c11d2f7a9be4e310"),
    Variable("node_name", "The machine's name in its cluster", "ip-10-2-31-7.eu-west-1.compute.internal"),
    Variable("region", "Region of the machine", "eu-west-1"),
    Variable("zone", "Zone of the machine", "eu-west-1b"),
    Variable("account", "Account or project of the machine", "111122223333"),
    Variable("deadline", "When the provider takes the machine, UTC", "2026-03-11T14:33:40Z"),
    Variable("interruption_key", "The console's key of the interruption", "aws:i-0c11d2f7a9be4e310:1"),
    Variable("group_url", "Address of the alert group", "/alerts/1/"),
)
NAMES = tuple(variable.name for variable in VARIABLES)
EXAMPLES = {variable.name: variable.example for variable in VARIABLES}


def as_values(known: Mapping[str, object] | None) -> dict[str, str]:
    """Only the variables there are, as text; what is not known is left out and shows as ‹name›."""
    known = known or {}
    values = {name: _text(known.get(name)) for name in NAMES}
    return {name: value for name, value in values.items() if value}


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return "" if value is None else str(value)


def sealed(values: Mapping[str, str]) -> str:
    """The values as text that a form carries back unchanged. The same values give the same text."""
    return _SIGNER.sign_object(dict(sorted(values.items())), compress=True)


def unsealed(text: str) -> dict[str, str]:
    """What `sealed` was given; nothing where it was tampered with."""
    try:
        values = _SIGNER.unsign_object(text)
    except (signing.BadSignature, ValueError):
        return {}
    return as_values(values if isinstance(values, dict) else {})
