"""The boards."""

from __future__ import annotations

from django.urls import path

from console.dashboards import views

app_name = "dashboards"

urlpatterns = [
    path("", views.start, name="start"),
    path("oncall/", views.oncall, name="oncall"),
    path("strip/", views.strip, name="strip"),
]
