"""The tester: which rule takes a machine, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from console.fleet.attribution import CONDITIONS, Explanation, Traits, explain, read_rules
from console.fleet.models import Machine, Service


@dataclass(frozen=True, slots=True)
class Outcome:
    """The tester's answer."""

    service: Service | None
    explanation: Explanation | None
    facts: dict[str, Any]
    machine: Machine | None = None
    missing: str = ""
    """The instance that was asked for and is not known."""


def try_rules(asked: Mapping[str, Any], *, origin: str) -> Outcome:
    """Try the rules of `origin` on a stored machine, on typed facts, or on one with some facts changed."""
    name = str(asked.get("instance") or "").strip()
    machine = _find(name, origin) if name else None
    if name and machine is None:
        return Outcome(None, None, {}, missing=name)
    facts: dict[str, Any] = {
        field: asked.get(field) or (getattr(machine, field) if machine else "") for field in CONDITIONS
    }
    facts["tags"] = asked.get("tags") or (machine.tags if machine else {})
    declared = str(asked.get("declared_service") or (machine.declared_service if machine else ""))
    traits = Traits(**{field: facts[field] for field in CONDITIONS})
    told = explain(traits, read_rules(origin), tags=facts["tags"], declared=declared)
    service = Service.objects.filter(pk=told.service_id).first()
    return Outcome(service, told, facts | {"declared_service": declared}, machine)


def _find(name: str, origin: str) -> Machine | None:
    named = Q(instance_id=name) | Q(node_name=name)
    found = Machine.objects.filter(named, origin=origin, merged_into=None)
    return found.order_by("-last_seen_at", "-pk").first()
