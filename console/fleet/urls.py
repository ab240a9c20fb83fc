"""Addresses of the fleet: services, teams, attribution rules, instances."""

from __future__ import annotations

from django.urls import path

from console.fleet.views import imports, instances, rules, services, teams

app_name = "fleet"

urlpatterns = [
    path("services/", services.service_list, name="service_list"),
    path("services/new/", services.service_create, name="service_create"),
    path("services/teams/", teams.team_list, name="team_list"),
    path("services/teams/<slug:slug>/rename/", teams.team_rename, name="team_rename"),
    path("services/teams/<slug:slug>/platform/", teams.team_platform, name="team_platform"),
    path("services/teams/<slug:slug>/delete/", teams.team_delete, name="team_delete"),
    path("services/rules/", rules.rule_list, name="rule_list"),
    path("services/rules/<int:pk>/edit/", rules.rule_edit, name="rule_edit"),
    path("services/rules/<int:pk>/move/", rules.rule_move, name="rule_move"),
    path("services/rules/<int:pk>/delete/", rules.rule_delete, name="rule_delete"),
    path("services/import/<slug:what>/", imports.import_rows, name="import_rows"),
    path("services/<slug:slug>/", services.service_detail, name="service_detail"),
    path("services/<slug:slug>/edit/", services.service_edit, name="service_edit"),
    path("services/<slug:slug>/archive/", services.service_archive, name="service_archive"),
    path("instances/", instances.instance_list, name="instance_list"),
]
