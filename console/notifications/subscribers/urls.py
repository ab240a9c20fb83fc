"""The pages of subscribers, under the settings."""

from __future__ import annotations

from django.urls import path

from console.notifications.subscribers import views

app_name = "subscribers"
ONE = "settings/subscribers/<int:pk>/"

urlpatterns = [
    path("settings/subscribers/", views.subscriber_list, name="subscriber_list"),
    path(ONE, views.subscriber_detail, name="subscriber_detail"),
    path(f"{ONE}secret/", views.subscriber_secret, name="subscriber_secret"),
    path(f"{ONE}<str:verb>/", views.subscriber_act, name="subscriber_act"),
]
