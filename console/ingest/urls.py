"""Health for machines, and the quarantine."""

from __future__ import annotations

from django.urls import path

from console.ingest import quarantine_views, set_aside_views, views

app_name = "ingest"

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("quarantine/", quarantine_views.quarantine_list, name="quarantine_list"),
    path("quarantine/replay/", quarantine_views.quarantine_replay, name="quarantine_replay"),
    path("quarantine/discard/", quarantine_views.quarantine_discard, name="quarantine_discard"),
    path("quarantine/set-aside/again/", set_aside_views.set_aside_again, name="set_aside_again"),
    path("quarantine/<int:pk>/", quarantine_views.quarantine_detail, name="quarantine_detail"),
]
