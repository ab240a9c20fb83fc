"""The pages of escalation policies, beside those of schedules."""

from __future__ import annotations

from django.urls import path

from console.oncall import policy_views

app_name = "policies"
ONE = "schedules/policies/<slug:slug>/"

urlpatterns = [
    path("schedules/policies/", policy_views.policy_list, name="policy_list"),
    path("schedules/policies/new/", policy_views.policy_create, name="policy_create"),
    path(ONE, policy_views.policy_detail, name="policy_detail"),
    path(f"{ONE}edit/", policy_views.policy_edit, name="policy_edit"),
    path(f"{ONE}archive/", policy_views.policy_archive, name="policy_archive"),
    path(f"{ONE}use/", policy_views.policy_use, name="policy_use"),
    path(f"{ONE}uses/<int:pk>/end/", policy_views.policy_use_end, name="policy_use_end"),
]
