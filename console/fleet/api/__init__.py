"""The fleet for programs: what they read, what they change, and the lists that they push."""

from __future__ import annotations

from ninja import Router

from console.fleet.api.facts import router as facts
from console.fleet.api.instances import router as instances
from console.fleet.api.rules import router as rules
from console.fleet.api.services import router as services

router = Router()
for _part in (services, instances, rules, facts):
    router.add_router("", _part)

__all__ = ["router"]
