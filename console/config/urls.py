"""Every address of the pages lane."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from console.config.api import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("console.accounts.sign_in_urls")),
    path("", include("console.accounts.urls")),
    path("api/v1/", api.urls),
]
