"""Where a channel or contact method leads: its settings, sealed; and the private hosts that may be called."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from console.lib.sealing import seal, unseal
from console.notifications.models import AllowedHost, Channel, ContactKind, ContactMethod
from console.notifications.senders.directory import SENDERS

Place = Channel | ContactMethod


def settings_of(place: Place) -> dict[str, str]:
    """What was filled in. Raises `CannotUnseal` when the key is lost."""
    if place.kind == ContactKind.ACCOUNT and isinstance(place, ContactMethod):
        return {"addresses": place.person.email}
    if not place.sealed_settings:
        return {}
    return {name: str(value) for name, value in json.loads(unseal(place.sealed_settings)).items()}


def give_settings(place: Place, values: Mapping[str, str]) -> None:
    """Check what was filled in, and keep it sealed. Raises `BadSetting`. The caller saves the row.

    What the sender makes up itself, such as a signing secret, is kept with the rest.
    """
    sender = SENDERS[place.kind]
    settings: Any = sender.read(values, allowed_hosts())
    made = {field.name: getattr(settings, field.name, None) for field in sender.fields if field.is_secret}
    kept = {name: value for name, value in values.items() if value}
    kept |= {name: value for name, value in made.items() if isinstance(value, str) and value}
    place.sealed_settings = seal(json.dumps(kept))
    place.address_hint = str(sender.hint(settings))[:120]


def allowed_hosts() -> frozenset[str]:
    return frozenset(AllowedHost.objects.values_list("host", flat=True))
