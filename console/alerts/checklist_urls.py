"""The address of a checklist. It goes before `runbooks`', whose page of the same address knows no machines."""

from __future__ import annotations

from django.urls import path

from console.alerts import checklist_views

urlpatterns = [path("runbooks/executions/<int:pk>/", checklist_views.checklist_detail)]
"""Without a name: links are made with `runbooks:execution_detail`, which has the same address."""
