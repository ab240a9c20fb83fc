"""Objectives for programs: read, set, changed and ended."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.audit import Actor
from console.accounts.models import Scope
from console.fleet.models import Criticality, Service
from console.lib.cursor import Listing, Paging, list_rows
from console.lib.problems import Problem
from console.slo import objectives, rules_file
from console.slo.models import Objective, PrometheusServer, Source
from console.slo.objectives import USUAL_TARGETS, CannotSet, Wanted
from console.slo.queries import read_lines
from console.slo.shapes import ObjectiveOut

router = Router(tags=["objectives"])
READ, MANAGE = TokenAuth(Scope.READ), TokenAuth(Scope.MANAGE)


class ObjectiveIn(Schema, extra="forbid"):
    """An objective. What is left out takes the usual value of the service's class."""

    service: str = Field(max_length=64, description="Slug of a service.")
    name: str = Field(min_length=1, max_length=80)
    slug: str = Field("", max_length=48, pattern=r"^[a-z0-9-]*$", description="Made of the name if left out.")
    objective_class: Criticality | None = None
    target_percent: Decimal | None = Field(None, gt=0, lt=100, decimal_places=4)
    planned_burn: float = Field(1.0, ge=0.1, le=1000)
    source: Source = Source.PUSHED
    server: str = Field("", max_length=80, description="Name of a Prometheus, where it is asked.")
    good_query: str = Field("", max_length=4000)
    total_query: str = Field("", max_length=4000)


class ObjectiveQuery(Schema):
    """The filters of the list."""

    service: str = Field("", description="Slug of a service.")
    objective_class: Criticality | None = None
    ended: bool = Field(False, description="Those that were ended instead of those in force.")


@router.get("/objectives", response=Listing[ObjectiveOut], auth=READ)
def objective_list(
    request: HttpRequest, query: Query[ObjectiveQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Objectives with what is left of them, by age."""
    now = timezone.now()
    found = Objective.objects.of_origin(token_of(request).origin).select_related("service__team", "server")
    found = found.exclude(archived_at=None) if query.ended else found.active()
    if query.service:
        found = found.filter(service__slug=query.service)
    if query.objective_class:
        found = found.filter(objective_class=query.objective_class)
    return list_rows(
        request,
        queryset=found,
        order=["pk"],
        paging=paging,
        row=ObjectiveOut,
        shape=lambda rows: [ObjectiveOut.of(line) for line in read_lines(rows, now=now)],
    )


@router.get(
    "/objectives/prometheus-rules",
    auth=READ,
    openapi_extra={"responses": {200: {"description": "YAML", "content": {"application/yaml": {}}}}},
)
def rules_get(request: HttpRequest) -> HttpResponse:
    """Recording and alerting rules of every objective that Prometheus counts, as a rule file (YAML)."""
    text = rules_file.rules_file(rules_file.of_origin(token_of(request).origin))
    return HttpResponse(text, content_type="application/yaml; charset=utf-8")


@router.get("/objectives/{int:pk}", response=ObjectiveOut, auth=READ)
def objective_get(request: HttpRequest, pk: int) -> ObjectiveOut:
    """One objective."""
    return _out(_objective(request, pk))


@router.post("/objectives", response={201: ObjectiveOut}, auth=MANAGE)
def objective_post(request: HttpRequest, payload: ObjectiveIn) -> tuple[int, ObjectiveOut]:
    """Set an objective. One whose burn rules could never fire is refused."""
    service = _service(request, payload.service)
    wanted = _wanted(payload, service)
    try:
        row = objectives.create(wanted, service=service, by=Actor.of(request), now=timezone.now())
    except CannotSet as error:
        raise _problem(error) from error
    return 201, _out(row)


@router.put("/objectives/{int:pk}", response=ObjectiveOut, auth=MANAGE)
def objective_put(request: HttpRequest, pk: int, payload: ObjectiveIn) -> ObjectiveOut:
    """Change an objective; its service stays. The same again changes nothing."""
    one = _objective(request, pk)
    if payload.service != one.service.slug:
        raise Problem(422, code="invalid", detail="service: An objective keeps its service; set another one.")
    try:
        row = objectives.change(
            pk,
            _wanted(payload, one.service, slug=one.slug),
            by=Actor.of(request),
            now=timezone.now(),
        )
    except CannotSet as error:
        raise _problem(error) from error
    return _out(row)


@router.delete("/objectives/{int:pk}", response=ObjectiveOut, auth=MANAGE)
def objective_delete(request: HttpRequest, pk: int) -> ObjectiveOut:
    """End an objective: it is watched no more, its counts stay."""
    return _out(objectives.end(_objective(request, pk).pk, by=Actor.of(request), now=timezone.now()))


def _objective(request: HttpRequest, pk: int) -> Objective:
    found = Objective.objects.of_origin(token_of(request).origin).select_related("service__team", "server")
    one = found.filter(pk=pk).first()
    if one is None:
        raise Problem(404, code="not_found", detail=f"There is no objective {pk} in this data origin.")
    return one


def _service(request: HttpRequest, slug: str) -> Service:
    found = Service.objects.filter(origin=token_of(request).origin, slug=slug, archived_at=None).first()
    if found is None:
        raise Problem(422, code="invalid", detail=f"service: There is no service {slug}; make it first.")
    return found


def _wanted(payload: ObjectiveIn, service: Service, *, slug: str = "") -> Wanted:
    of = (payload.objective_class or Criticality(service.criticality)).value
    server = PrometheusServer.objects.filter(name=payload.server).first() if payload.server else None
    if payload.server and server is None:
        raise Problem(422, code="invalid", detail=f"server: No Prometheus is called {payload.server}.")
    return Wanted(
        slug=payload.slug or slug or slugify(payload.name)[:48] or "objective",
        name=payload.name,
        objective_class=of,
        target_percent=USUAL_TARGETS[of] if payload.target_percent is None else payload.target_percent,
        planned_burn=payload.planned_burn,
        source=payload.source.value,
        server=server,
        good_query=payload.good_query.strip(),
        total_query=payload.total_query.strip(),
    )


def _problem(error: CannotSet) -> Problem:
    errors = [{"field": error.field, "detail": str(error)}]
    return Problem(422, code="invalid", detail=f"{error.field}: {error}", errors=errors)


def _out(one: Objective) -> ObjectiveOut:
    return ObjectiveOut.of(read_lines([one], now=timezone.now())[0])
