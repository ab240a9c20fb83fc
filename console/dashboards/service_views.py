"""One service: what the fleet knows of it, and what happened to it."""

from __future__ import annotations

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
from console.lib.pages import render_region

OF_FLEET = ("service-state", "service-machines")
OWN = "service-groups service-figures service-reclaims service-episodes"


@require_GET
@role_required(Role.VIEWER)
def service_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Its open groups, figures, reclaims and episodes, beside its workloads, machines and facts."""
    now, origin = timezone.now(), chosen_origin(request)
    service = Service.objects.select_related("team", "owner").filter(origin=origin, slug=slug).first()
    if service is None:
        raise Http404(f"There is no service {slug} in this data origin.")
    context = service_page(request, service, now=now)
    if request.headers.get("HX-Target") in OF_FLEET:
        return render_region(request, "fleet/service_detail.html", " ".join(OF_FLEET), context)
    context |= {
        "groups": group_rows(story.open_groups(service), now=now),
        "figures": story.figures(service, now=now),
        "reclaims": story.recent_reclaims(service),
        "episodes": story.episodes(service, now=now),
    }
    return render_region(request, "dashboards/service_detail.html", OWN, context)
