"""Services for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from ninja import Body, Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.audit import Actor
from console.accounts.models import Scope
from console.fleet.models import Criticality, Service, WorkloadKind
from console.fleet.queries import ServiceFilter, ServiceLine, service_lines
from console.fleet.service_changes import ServiceRow, check_services, save_services
from console.lib.cursor import Listing, Paging, list_rows
from console.lib.problems import Problem
from console.lib.pushed import judge

router = Router(tags=["services"])
READ, MANAGE = TokenAuth(Scope.READ), TokenAuth(Scope.MANAGE)


class ServiceOut(Schema):
    """A service, with what runs of it now. Counts are null while nothing was reported."""

    slug: str
    name: str
    team: str | None
    owner: str | None
    kind: str
    criticality: str
    statefulness: str
    replicas_wanted: int | None
    description: str
    log_url: str
    trace_url: str
    metric_url: str
    running_instances: int | None
    workloads_wanted: int | None
    workloads_ready: int | None
    workloads_pending: int | None
    created_at: datetime
    archived_at: datetime | None


class ServiceQuery(Schema):
    """The filters of the list of services."""

    q: str = Field("", max_length=200, description="In the name or slug.")
    team: str = Field("", description="Slug of a team; `none` for services without one.")
    kind: WorkloadKind | None = None
    criticality: Criticality | None = None
    archived: bool = Field(False, description="The archived ones instead of the others.")


@router.get("/services", response=Listing[ServiceOut], auth=READ)
def service_list(
    request: HttpRequest, query: Query[ServiceQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Services by slug."""
    wanted = ServiceFilter(query.q, query.team, query.kind or "", query.criticality or "", query.archived)
    return list_rows(
        request,
        queryset=wanted.of(token_of(request).origin).select_related("team", "owner"),
        order=["slug", "pk"],
        paging=paging,
        row=ServiceOut,
        shape=lambda services: [_out(line) for line in service_lines(services)],
    )


@router.get("/services/{slug}", response=ServiceOut, auth=READ)
def service_get(request: HttpRequest, slug: str) -> ServiceOut:
    """One service."""
    return _out(_line(token_of(request).origin, slug))


@router.put("/services/{slug}", response={200: ServiceOut, 201: ServiceOut}, auth=MANAGE)
def service_put(request: HttpRequest, slug: str, payload: Body[dict[str, Any]]) -> tuple[int, ServiceOut]:
    """Create or change a service; what the body leaves out keeps its value. A new team is made."""
    origin = token_of(request).origin
    batch = judge([{**payload, "slug": slug}], ServiceRow)
    check_services(batch, origin=origin)
    if batch.errors:
        error = batch.errors[0]
        errors = [msgspec.to_builtins(each) for each in batch.errors]
        raise Problem(422, code="invalid", detail=f"{error.field}: {error.detail}", errors=errors)
    rows = [row for _, row in batch.rows]
    (saved,) = save_services(rows, origin=origin, actor=Actor.of(request), now=timezone.now())
    return 201 if saved.is_new else 200, _out(_line(origin, slug))


def _line(origin: str, slug: str) -> ServiceLine:
    found = Service.objects.select_related("team", "owner").filter(origin=origin, slug=slug).first()
    if found is None:
        raise Problem(404, code="not_found", detail=f"There is no service {slug} in this data origin.")
    return service_lines([found])[0]


def _out(line: ServiceLine) -> ServiceOut:
    service = line.service
    return ServiceOut(
        slug=service.slug,
        name=service.name,
        team=service.team.slug if service.team else None,
        owner=service.owner.email if service.owner else None,
        kind=service.kind,
        criticality=service.criticality,
        statefulness=service.statefulness,
        replicas_wanted=service.replicas_wanted,
        description=service.description,
        log_url=service.log_url,
        trace_url=service.trace_url,
        metric_url=service.metric_url,
        running_instances=line.running,
        workloads_wanted=line.wanted,
        workloads_ready=line.ready,
        workloads_pending=line.pending,
        created_at=service.created_at,
        archived_at=service.archived_at,
    )
