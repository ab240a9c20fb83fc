"""Addresses of the bills and of what spot saved."""

from __future__ import annotations

from django.urls import path

from console.costs.views import imports, overview

app_name = "costs"

urlpatterns = [
    path("", overview.cost_overview, name="cost_overview"),
    path("charges/", overview.charge_list, name="charge_list"),
    path("imports/", imports.import_list, name="import_list"),
    path("imports/<int:pk>/", imports.import_detail, name="import_detail"),
    path("imports/<int:pk>/confirm/", imports.import_confirm, name="import_confirm"),
    path("imports/<int:pk>/problems.csv", imports.import_problems, name="import_problems"),
]
