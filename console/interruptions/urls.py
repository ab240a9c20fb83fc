"""Addresses of the targets that measures are judged by."""

from __future__ import annotations

from django.urls import path

from console.interruptions import target_views

app_name = "interruptions"

urlpatterns = [
    path("services/targets/", target_views.target_list, name="target_list"),
    path("services/targets/<int:pk>/edit/", target_views.target_edit, name="target_edit"),
    path("services/targets/<int:pk>/end/", target_views.target_end, name="target_end"),
]
