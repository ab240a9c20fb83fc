"""Instances for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope
from console.fleet.models import Machine
from console.fleet.queries import INSTANCE_ORDER, InstanceFilter, instance_lines
from console.lib.cursor import Listing, Paging, list_rows

router = Router(tags=["instances"], auth=TokenAuth(Scope.READ))


class InstanceOut(Schema):
    """A machine and its newest stretch of running. Empty text is "not reported"."""

    id: int
    provider: str
    account: str
    region: str
    zone: str
    instance_id: str
    instance_type: str
    os: str
    node_name: str
    cluster: str
    namespace: str
    node_pool: str
    service: str
    lifecycle: str
    is_running: bool | None
    started_at: datetime | None
    ended_at: datetime | None
    end_cause: str
    replaces: str
    vcpus: int | None
    tags: dict[str, str]
    first_seen_at: datetime
    last_seen_at: datetime
    heartbeat_at: datetime | None


class InstanceQuery(Schema):
    """The filters of the list of instances."""

    q: str = Field("", description="Start of an instance id or node name.")
    service: str = ""
    provider: str = ""
    region: str = ""
    zone: str = ""
    instance_type: str = ""
    lifecycle: str = ""
    running: str = Field("", pattern="^(yes|no|)$")


@router.get("/instances", response=Listing[InstanceOut])
def instance_list(
    request: HttpRequest, query: Query[InstanceQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Machines, the one seen last first."""
    wanted = InstanceFilter(**query.model_dump())
    return list_rows(
        request,
        queryset=wanted.of(token_of(request).origin),
        order=INSTANCE_ORDER,
        paging=paging,
        row=InstanceOut,
        shape=shape,
    )


def shape(machines: list[Machine]) -> list[InstanceOut]:
    """A page of machines with their newest intervals."""
    return [InstanceOut(**line) for line in instance_lines(machines)]
