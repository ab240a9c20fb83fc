"""Alert groups: the list, one group, and what can be done with it."""

from __future__ import annotations

from django.urls import path

from console.alerts import link_views, views
from console.alerts.actions import bulk, group_action

app_name = "alerts"

urlpatterns = [
    path("a/<str:token>/", link_views.acting_link, name="acting_link"),
    path("alerts/", views.group_list, name="group_list"),
    path("alerts/bulk/", bulk, name="group_bulk"),
    path("alerts/<int:pk>/", views.group_detail, name="group_detail"),
    path("alerts/<int:pk>/members/", views.group_members, name="group_members"),
    path("alerts/<int:pk>/<str:verb>/", group_action, name="group_action"),
]
