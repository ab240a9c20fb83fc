"""Feeds: which there are, how they are, and how to connect one."""

from __future__ import annotations

from django.urls import path

from console.feeds.views import feeds, senders

app_name = "feeds"

urlpatterns = [
    path("feeds/", feeds.feed_list, name="feed_list"),
    path("feeds/new/", feeds.feed_new, name="feed_new"),
    path("feeds/<slug:slug>/", feeds.feed_detail, name="feed_detail"),
    path("feeds/<slug:slug>/settings/", feeds.feed_settings, name="feed_settings"),
    path("feeds/<slug:slug>/deliveries/<int:pk>/", feeds.delivery_detail, name="delivery_detail"),
    path("feeds/<slug:slug>/connect/", senders.feed_connect, name="feed_connect"),
    path("feeds/<slug:slug>/test/", senders.feed_test, name="feed_test"),
    path("feeds/<slug:slug>/pause/", senders.feed_pause, name="feed_pause"),
    path("feeds/<slug:slug>/resume/", senders.feed_resume, name="feed_resume"),
    path("feeds/<slug:slug>/rotate/", senders.feed_rotate, name="feed_rotate"),
    path("feeds/<slug:slug>/tokens/<int:pk>/revoke/", senders.token_revoke, name="token_revoke"),
    path("first-steps/dismiss/", feeds.first_steps_dismiss, name="first_steps_dismiss"),
]
