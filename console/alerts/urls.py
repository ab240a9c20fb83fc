"""Alert groups: the list, one group, and what can be done with it."""

from __future__ import annotations

from django.urls import path

from console.alerts import care_views, views
from console.alerts.actions import bulk, group_action
from console.alerts.tickets import views as tickets

app_name = "alerts"

urlpatterns = [
    path("alerts/", views.group_list, name="group_list"),
    path("alerts/bulk/", bulk, name="group_bulk"),
    path("alerts/forgotten/", care_views.forgotten, name="forgotten"),
    path("alerts/noise/", care_views.noise, name="noise"),
    path("alerts/<int:pk>/", views.group_detail, name="group_detail"),
    path("alerts/<int:pk>/plan/", views.group_plan, name="group_plan"),
    path("alerts/<int:pk>/members/", views.group_members, name="group_members"),
    path("alerts/<int:pk>/<str:verb>/", group_action, name="group_action"),
    path("tickets/", tickets.ticket_list, name="ticket_list"),
    path("tickets/bulk/", tickets.bulk, name="ticket_bulk"),
    path("tickets/<int:pk>/", tickets.ticket_detail, name="ticket_detail"),
    path("tickets/<int:pk>/<str:verb>/", tickets.ticket_action, name="ticket_action"),
]
