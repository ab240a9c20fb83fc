"""Health for machines: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from console.ingest import health
from console.ingest.metrics import registry


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "alive"})


@require_GET
def readyz(request: HttpRequest) -> HttpResponse:
    """Database, broker, migrations and lag; 503 with the reasons."""
    reasons = health.problems(broker_url=settings.BROKER_URL, now=timezone.now())
    body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
    return JsonResponse(body, status=503 if reasons else 200)


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """The console's own figures, for Prometheus."""
    return HttpResponse(generate_latest(registry(now=timezone.now())), content_type=CONTENT_TYPE_LATEST)
