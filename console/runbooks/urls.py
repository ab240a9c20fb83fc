"""The runbooks."""

from __future__ import annotations

from django.urls import path

from console.runbooks.views import managing, reading, working, writing

app_name = "runbooks"

urlpatterns = [
    path("", reading.runbook_list, name="runbook_list"),
    path("new/", writing.runbook_new, name="runbook_new"),
    path("preview/", writing.step_preview, name="step_preview"),
    path("executions/<int:pk>/", working.execution_detail, name="execution_detail"),
    path("executions/<int:pk>/steps/<int:step>/", working.step_act, name="step_act"),
    path("<slug:slug>/", reading.runbook_detail, name="runbook_detail"),
    path("<slug:slug>/compare/", reading.runbook_compare, name="runbook_compare"),
    path("<slug:slug>/edit/", writing.runbook_edit, name="runbook_edit"),
    path("<slug:slug>/discard/", writing.draft_discard, name="draft_discard"),
    path("<slug:slug>/rename/", managing.runbook_rename, name="runbook_rename"),
    path("<slug:slug>/archive/", managing.runbook_archive, name="runbook_archive"),
    path("<slug:slug>/unarchive/", managing.runbook_unarchive, name="runbook_unarchive"),
    path("<slug:slug>/default/", managing.runbook_make_default, name="runbook_make_default"),
    path("<slug:slug>/attach/", managing.service_attach, name="service_attach"),
    path("<slug:slug>/detach/<int:service_id>/", managing.service_detach, name="service_detach"),
]
