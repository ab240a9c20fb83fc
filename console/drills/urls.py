"""The sample fleet."""

from __future__ import annotations

from django.urls import path

from console.drills import views

app_name = "drills"

urlpatterns = [path("sample/clear/", views.sample_clear, name="sample_clear")]
