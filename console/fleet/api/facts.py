"""Facts pushed by programs: inventory and workloads, as lists that are upserted."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope
from console.fleet.inventory import InventoryRow, check_inventory, take_inventory
from console.fleet.workloads import WorkloadRow, check_workloads, take_workloads
from console.lib.pushed import judge, read_list, request_schema

router = Router(tags=["facts"], auth=TokenAuth(Scope.FACTS))


class RowNote(Schema):
    index: int
    field: str
    detail: str


class Pushed(Schema):
    """What became of a list: rows that changed something, rows that said nothing new, rows refused."""

    stored: int
    unchanged: int
    rejected: int
    errors: list[RowNote]
    warnings: list[RowNote]


@router.put("/inventory", response=Pushed, openapi_extra=request_schema(InventoryRow))
def inventory_put(request: HttpRequest) -> dict[str, Any]:
    """Machines and when they ran. Good rows are taken, bad ones listed; 422 when none is good."""
    now = timezone.now()
    batch = judge(read_list(request.body), InventoryRow)
    check_inventory(batch, now=now)
    stored = take_inventory(batch, origin=token_of(request).origin, now=now).stored if batch.rows else 0
    return batch.answer(stored=stored)


@router.put("/workloads", response=Pushed, openapi_extra=request_schema(WorkloadRow))
def workloads_put(request: HttpRequest) -> dict[str, Any]:
    """States of workloads; the newest `at` of each wins."""
    batch = judge(read_list(request.body), WorkloadRow)
    check_workloads(batch, now=timezone.now())
    return batch.answer(stored=take_workloads(batch, origin=token_of(request).origin))
