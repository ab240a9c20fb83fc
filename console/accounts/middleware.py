"""What a person chose for themselves, in force while their request is answered."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from console.accounts.models import User


class PersonalSettingsMiddleware:
    """Templates print times in the person's zone. It belongs to the thread, so it is always put back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Health checks and the API carry no session: they must not load one.
        if request.path.startswith("/api/") or not isinstance(request.user, User):
            return self.get_response(request)
        with timezone.override(request.user.zone):
            return self.get_response(request)
