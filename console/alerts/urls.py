"""Alert groups and rules: the lists, one of each, and what can be done with it."""

from __future__ import annotations

from django.urls import path

from console.alerts import care_views, checklist_views, deep_links, link_views, rule_views, views
from console.alerts.actions import group_action
from console.alerts.bulk_views import group_bulk, undo
from console.alerts.regrouping import views as regrouping
from console.alerts.replay import views as replays
from console.alerts.suppression import views as suppressions
from console.alerts.tickets import views as tickets

app_name = "alerts"

urlpatterns = [
    path("a/<str:token>/", link_views.acting_link, name="acting_link"),
    path("rules/", rule_views.rule_list, name="rule_list"),
    path("rules/new/", rule_views.rule_new, name="rule_new"),
    path("rules/replays/", replays.replay_list, name="replay_list"),
    path("rules/replays/<int:pk>/", replays.replay_detail, name="replay_detail"),
    path("rules/replays/<int:pk>/cancel/", replays.replay_cancel, name="replay_cancel"),
    path("rules/replays/<int:pk>/again/", replays.replay_again, name="replay_again"),
    path("rules/replays/<int:pk>/publish/", replays.replay_publish, name="replay_publish"),
    path("rules/<slug:slug>/", rule_views.rule_detail, name="rule_detail"),
    path("rules/<slug:slug>/edit/", rule_views.rule_edit, name="rule_edit"),
    path("rules/<slug:slug>/discard/", rule_views.rule_discard, name="rule_discard"),
    path("rules/<slug:slug>/describe/", rule_views.rule_describe, name="rule_describe"),
    path("alerts/", views.group_list, name="group_list"),
    path("alerts/bulk/", group_bulk, name="group_bulk"),
    path("alerts/undo/<int:pk>/", undo, name="undo"),
    path("alerts/regroup/<str:act>/", regrouping.regroup, name="regroup"),
    path("alerts/regroupings/<int:pk>/take-back/", regrouping.regroup_undo, name="regroup_undo"),
    path("alerts/forgotten/", care_views.forgotten, name="forgotten"),
    path("alerts/noise/", care_views.noise, name="noise"),
    path("alerts/<int:pk>/", views.group_detail, name="group_detail"),
    path("alerts/<int:pk>/plan/", views.group_plan, name="group_plan"),
    path("alerts/<int:pk>/members/", views.group_members, name="group_members"),
    path("alerts/<int:pk>/members/<int:member>/", deep_links.member_link, name="member_link"),
    path("alerts/<int:pk>/receipts/<int:receipt>/", deep_links.receipt_link, name="receipt_link"),
    path("alerts/<int:pk>/checklist/", checklist_views.group_checklist, name="group_checklist"),
    path("alerts/<int:pk>/<str:verb>/", group_action, name="group_action"),
    path("tickets/", tickets.ticket_list, name="ticket_list"),
    path("tickets/bulk/", tickets.bulk, name="ticket_bulk"),
    path("tickets/<int:pk>/", tickets.ticket_detail, name="ticket_detail"),
    path("tickets/<int:pk>/<str:verb>/", tickets.ticket_action, name="ticket_action"),
    path("suppressions/", suppressions.suppression_list, name="suppression_list"),
    path("suppressions/new/", suppressions.suppression_new, name="suppression_new"),
    path("suppressions/<int:pk>/", suppressions.suppression_detail, name="suppression_detail"),
    path("suppressions/<int:pk>/<str:verb>/", suppressions.suppression_act, name="suppression_act"),
]
