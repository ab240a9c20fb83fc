"""The way out to the identity provider, also when it is down."""

from __future__ import annotations

import logging

import requests
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

logger = logging.getLogger(__name__)


def sign_on_start(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """django-allauth asks the provider for its addresses here, and takes for granted that it answers."""
    try:
        return openid_connect.login(request, provider_id)  # type: ignore[no-any-return]
    except requests.RequestException as error:
        logger.warning("sign_on.provider_down", exc_info=error, extra={"provider": provider_id})
        return render(request, "socialaccount/authentication_error.html", status=503)
