"""One service: what the fleet knows of it, and what happened to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required
from console.alerts.rows import group_rows
from console.dashboards import service_story as story
from console.fleet.models import Service
from console.fleet.service_page import service_page
from console.lib.pages import once, render_region

OF_FLEET = ("service-state", "service-machines")
FIGURES = "service-figures"
OWN = "service-groups service-figures service-reclaims service-episodes"


@require_GET
@role_required(Role.VIEWER)
def service_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Its open groups, figures, reclaims and episodes, beside its workloads, machines and facts."""
    now, origin = timezone.now(), chosen_origin(request)
    service = Service.objects.select_related("team", "owner").filter(origin=origin, slug=slug).first()
    if service is None:
        raise Http404(f"There is no service {slug} in this data origin.")
    targets = set(request.headers.get("HX-Target", "").split())
    is_own = bool(targets) and targets <= set(OWN.split())
    context = {"service": service} if is_own else service_page(request, service, now=now)
    context |= _happened(service, now=now, is_with_figures=FIGURES in targets)
    return render_region(
        request,
        "dashboards/service_detail.html",
        " ".join((OWN, *OF_FLEET)),
        context,
        elsewhere=dict.fromkeys(OF_FLEET, "fleet/service_detail.html"),
    )


def _happened(service: Service, *, now: datetime, is_with_figures: bool) -> dict[str, Any]:
    """Each part is asked for where it is shown. Figures come in a request of their own, right after the page."""
    groups = once(lambda: story.open_groups(service))
    return {
        "groups": once(lambda: group_rows(groups[: story.MOST_GROUPS], now=now)),
        "groups_more": once(lambda: len(groups) > story.MOST_GROUPS),
        "figures": story.figures(service, now=now) if is_with_figures else None,
        "reclaims": once(lambda: story.recent_reclaims(service)),
        "episodes": once(lambda: story.episodes(service, now=now)),
    }
