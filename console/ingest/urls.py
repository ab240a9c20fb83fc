"""Health for machines."""

from __future__ import annotations

from django.urls import path

from console.ingest import views

app_name = "ingest"

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]
