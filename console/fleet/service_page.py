"""What one service's page shows. Rooms above add regions by extending `fleet/service_detail.html`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from console.accounts.models import Role, User
from console.fleet.links import links_of, values_of
from console.fleet.models import Machine, RunningInterval, Service
from console.fleet.queries import instance_lines, service_lines

MACHINES_SHOWN = 20
WORKLOADS_SHOWN, MOST_WORKLOADS = 20, 2_000
RULES_SHOWN = 20
LINKED = timedelta(hours=1)
"""How far back the links of the page look."""


def may_manage(request: HttpRequest) -> bool:
    """Whether the person looking may change things."""
    return isinstance(request.user, User) and request.user.may(Role.MANAGER)


def service_page(request: HttpRequest, service: Service, *, now: datetime) -> dict[str, Any]:
    """The context of `fleet/service_detail.html`."""
    (line,) = service_lines([service])
    still = RunningInterval.objects.filter(service=service, ended_at=None).values("machine")
    running = Machine.objects.filter(pk__in=still).select_related("service").order_by("-last_seen_at", "-pk")
    shown = list(running[:MACHINES_SHOWN])
    is_all = request.GET.get("workloads") == "all"
    reported = service.workloads.order_by("cluster", "namespace", "workload", "pk")
    workloads = list(reported[: MOST_WORKLOADS if is_all else WORKLOADS_SHOWN + 1])
    minute = now.replace(second=0, microsecond=0)
    values = values_of(service=service.slug, started_at=minute - LINKED, ended_at=minute)
    return {
        "service": service,
        "line": line,
        "facts": _facts(service),
        "links": list(
            links_of(
                log_url=service.log_url,
                trace_url=service.trace_url,
                metric_url=service.metric_url,
                values=values,
            )
        ),
        "workloads": workloads[: None if is_all else WORKLOADS_SHOWN],
        "workloads_more": not is_all and len(workloads) > WORKLOADS_SHOWN,
        "rules": service.attribution_rules.order_by("position", "pk")[:RULES_SHOWN],
        "machines": instance_lines(shown),
        "machines_more": max(0, (line.running or 0) - len(shown)),
        "may_manage": may_manage(request),
        "crumbs": [{"name": "Services", "url": "/services/"}],
    }


def _facts(service: Service) -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = [
        {"name": "Team", "value": service.team and service.team.name, "missing": "no team"},
        {"name": "Owner", "value": service.owner and str(service.owner), "missing": "nobody"},
        {"name": "Kind", "value": service.get_kind_display()},
        {"name": "Criticality", "value": service.get_criticality_display()},
        {"name": "State", "value": service.get_statefulness_display()},
        {"name": "Replicas wanted", "value": service.replicas_wanted, "missing": "not set"},
        {"name": "Slug", "value": service.slug, "copy_text": service.slug},
    ]
    return [{"copy": ""} | fact for fact in facts]  # a template finds a mapping's own copy() otherwise
