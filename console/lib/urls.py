"""Pages without a room: the style guide, and what a browser shows when the console cannot be reached."""

from __future__ import annotations

from django.urls import path

from console.lib import offline
from console.lib.styleguide import styleguide

app_name = "lib"
urlpatterns = [
    path("styleguide/", styleguide, name="styleguide"),
    path("offline/", offline.page, name="offline"),
    path("offline-worker.js", offline.worker, name="offline_worker"),
]
