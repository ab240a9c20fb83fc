"""Addresses of the pages about measures, and of the targets they are judged by."""

from __future__ import annotations

from django.urls import path, re_path

from console.interruptions import measure_views, target_views, warning_views

app_name = "interruptions"

urlpatterns = [
    path("interruptions/coverage/", warning_views.coverage, name="coverage"),
    path("interruptions/rebalance/", warning_views.rebalance, name="rebalance"),
    re_path(
        r"^interruptions/(?P<name>lost-work|gaps|recovery)/$",
        measure_views.measure_detail,
        name="measure_detail",
    ),
    path("services/targets/", target_views.target_list, name="target_list"),
    path("services/targets/<int:pk>/edit/", target_views.target_edit, name="target_edit"),
    path("services/targets/<int:pk>/end/", target_views.target_end, name="target_end"),
]
