"""The boards."""

from __future__ import annotations

from django.urls import path

from console.dashboards import brief_views, debug_views, executive_views, palette_views, views

app_name = "dashboards"

urlpatterns = [
    path("", views.start, name="start"),
    path("oncall/", views.oncall, name="oncall"),
    path("strip/", views.strip, name="strip"),
    path("palette/", palette_views.palette, name="palette"),
    path("schedules/brief/", brief_views.shift_brief, name="shift_brief"),
    path("executive/", executive_views.executive, name="executive"),
    path("debug/", debug_views.debug_board, name="debug"),
    path("interruptions/", debug_views.interruption_list, name="interruption_list"),
    path("interruptions/<int:pk>/", debug_views.interruption_detail, name="interruption_detail"),
    path("interruptions/<int:pk>/why/", debug_views.interruption_why, name="interruption_why"),
    path("interruptions/by-key/<path:key>", debug_views.interruption_by_key, name="interruption_by_key"),
    path("observations/<int:pk>/raw/", debug_views.raw_message, name="raw_message"),
]
