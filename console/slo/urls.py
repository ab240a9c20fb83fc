"""Addresses of objectives, of their counts and of what counts them."""

from __future__ import annotations

from django.urls import path

from console.slo.views import measures, objectives, servers

app_name = "slo"

urlpatterns = [
    path("slo/", objectives.objective_list, name="objective_list"),
    path("slo/new/", objectives.objective_create, name="objective_new"),
    path("slo/spikes/", measures.spike_list, name="spike_list"),
    path("slo/burns/", measures.burn_list, name="burn_list"),
    path("slo/servers/", servers.server_list, name="server_list"),
    path("slo/servers/<int:pk>/edit/", servers.server_edit, name="server_edit"),
    path("slo/servers/<int:pk>/try/", servers.server_try, name="server_try"),
    path("slo/servers/<int:pk>/remove/", servers.server_remove, name="server_remove"),
    path("slo/of/<slug:service>/<slug:slug>/", objectives.objective_of, name="objective_of"),
    path("slo/rules.yml", objectives.rules_download, name="rules_download"),
    path("slo/<int:pk>/", objectives.objective_detail, name="objective_detail"),
    path("slo/<int:pk>/edit/", objectives.objective_edit, name="objective_edit"),
    path("slo/<int:pk>/end/", objectives.objective_end, name="objective_end"),
    path("slo/<int:pk>/revive/", objectives.objective_revive, name="objective_revive"),
    path("slo/<int:pk>/minutes/", objectives.minute_list, name="minute_list"),
]
