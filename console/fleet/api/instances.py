"""Instances for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope
from console.fleet.models import Lifecycle, Machine
from console.fleet.queries import INSTANCE_ORDER, InstanceFilter, instance_lines
from console.lib.asked import BIGGEST_ID, Span
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


class InstanceQuery(Span):
    """The filters of the list of instances, which were seen last at or after `since` and before `until`."""

    q: str = Field("", max_length=200, description="Start of an instance id or node name.")
    instance_id: str = Field("", description="Exactly this instance id or node name.")
    service: str = Field("", description="Slug of a service.")
    team: str = Field("", description="Slug of a team; `none` for services without one.")
    provider: str = Field("", description="aws, gcp, azure …")
    account: str = ""
    region: str = ""
    zone: str = ""
    pool: int | None = Field(None, ge=1, le=BIGGEST_ID, description="Id of a pool.")
    instance_type: str = ""
    lifecycle: Lifecycle | None = Field(None, description="Of those that run now.")
    running: Literal["yes", "no"] | None = Field(None, description="Whether it runs now.")


@router.get("/instances", response=Listing[InstanceOut])
def instance_list(
    request: HttpRequest, query: Query[InstanceQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Machines, the one seen last first."""
    wanted = InstanceFilter(**query.model_dump(exclude_none=True))
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
