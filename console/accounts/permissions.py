"""Who may open a view: signed in, and with at least the role it names."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url

from console.accounts.models import Role, User

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def role_required(role: Role) -> Callable[[View], View]:
    """Sign-in for strangers, 403 for people whose role does not reach `role`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return _sign_in(request)
            if not request.user.may(role):
                raise PermissionDenied(f"This needs the role {role.label.lower()}.")
            return view(request, *args, **kwargs)

        return cast(View, guarded)

    return decorate


def _sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and back. A page's region must not become a sign-in page: the whole page goes."""
    if request.headers.get("HX-Request") != "true":
        return redirect_to_login(request.get_full_path())
    page = urlsplit(request.headers.get("HX-Current-URL", "/"))
    back = page.path + (f"?{page.query}" if page.query else "")
    response = HttpResponse(status=401)
    response["HX-Redirect"] = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back})}"
    return response


def signed_in(request: HttpRequest) -> User:
    """The person behind a view that `role_required` guards."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user
