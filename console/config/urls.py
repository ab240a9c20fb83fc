"""Every address of the pages lane. `/ingest/` and `/live/` are lanes of their own (`asgi.py`)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from console.config.api import api
from console.ingest import views as health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/", api.urls),
    path("accounts/", include("console.accounts.sign_in_urls")),
    path("", include("console.accounts.urls")),
    path("", include("console.fleet.urls")),
    path("", include("console.feeds.urls")),
    path("", include("console.ingest.urls")),
    path("", include("console.runbooks.urls")),
    path("", include("console.alerts.urls")),
    path("", include("console.dashboards.urls")),
]
