"""Alert groups: the list, one group, and what can be done with it."""

from __future__ import annotations

from django.urls import path

from console.alerts import views
from console.alerts.actions import bulk, group_action
from console.alerts.suppression import views as suppressions

app_name = "alerts"

urlpatterns = [
    path("alerts/", views.group_list, name="group_list"),
    path("alerts/bulk/", bulk, name="group_bulk"),
    path("alerts/<int:pk>/", views.group_detail, name="group_detail"),
    path("alerts/<int:pk>/members/", views.group_members, name="group_members"),
    path("alerts/<int:pk>/<str:verb>/", group_action, name="group_action"),
    path("suppressions/", suppressions.suppression_list, name="suppression_list"),
    path("suppressions/new/", suppressions.suppression_new, name="suppression_new"),
    path("suppressions/<int:pk>/", suppressions.suppression_detail, name="suppression_detail"),
    path("suppressions/<int:pk>/<str:verb>/", suppressions.suppression_act, name="suppression_act"),
]
