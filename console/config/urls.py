"""Every address of the pages lane. `/ingest/` and `/live/` are lanes of their own (`asgi.py`)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from console.config.api import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("console.ingest.urls")),
    path("api/v1/", api.urls),
    path("accounts/", include("console.accounts.sign_in_urls")),
    path("", include("console.accounts.urls")),
    path("", include("console.dashboards.service_urls")),
    path("", include("console.interruptions.urls")),
    path("", include("console.fleet.urls")),
    path("", include("console.feeds.urls")),
    path("", include("console.alerts.checklist_urls")),
    path("runbooks/", include("console.runbooks.urls")),
    path("costs/", include("console.costs.urls")),
    path("", include("console.oncall.policy_urls")),
    path("", include("console.oncall.urls")),
    path("", include("console.slo.urls")),
    path("", include("console.notifications.subscribers.urls")),
    path("", include("console.notifications.urls")),
    path("", include("console.alerts.urls")),
    path("", include("console.dashboards.urls")),
    path("", include("console.lib.urls")),
    path("", include("console.drills.urls")),
]
