"""`/settings/`: who may do what, and how people sign in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from console.accounts.audit import Actor
from console.accounts.forms import RoleForm
from console.accounts.models import Role, User
from console.accounts.people import LastAdministrator, change_role, deactivate, password_link, reactivate
from console.accounts.permissions import role_required
from console.accounts.queries import SignOnState, people_with_sign_in
from console.lib.pages import render_region


@require_GET
@role_required(Role.ADMIN)
def person_list(request: HttpRequest) -> HttpResponse:
    return _people_page(request, {})


def _people_page(request: HttpRequest, more: dict[str, object]) -> HttpResponse:
    search = request.GET.get("q", "").strip()
    context = {
        "people": people_with_sign_in(search=search),
        "search": search,
        "roles": Role.choices,
        "state": SignOnState.now(),
    }
    return render_region(request, "accounts/person_list.html", "people", context | more)


@require_POST
@role_required(Role.ADMIN)
def person_role(request: HttpRequest, pk: int) -> HttpResponse:
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the roles in the list.")
        return redirect("accounts:person_list")
    role = Role(form.cleaned_data["role"])
    return _acted(request, pk, change_role, done=f"is now {role.label.lower()}", role=role)


@require_POST
@role_required(Role.ADMIN)
def person_deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    return _acted(request, pk, deactivate, done="can no longer sign in")


@require_POST
@role_required(Role.ADMIN)
def person_reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    return _acted(request, pk, reactivate, done="can sign in again")


@never_cache
@require_POST
@role_required(Role.ADMIN)
def person_password_link(request: HttpRequest, pk: int) -> HttpResponse:
    """The list again, with the link on it this once."""
    user = get_object_or_404(User.objects.real(), pk=pk, is_active=True)
    link = password_link(user, by=Actor.of(request), now=timezone.now())
    return _people_page(request, {"person": user, "link": request.build_absolute_uri(link)})


def _acted(
    request: HttpRequest, pk: int, act: Callable[..., None], *, done: str, **details: Any
) -> HttpResponse:
    user = get_object_or_404(User.objects.real(), pk=pk)
    try:
        act(user, by=Actor.of(request), now=timezone.now(), **details)
    except LastAdministrator as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{user} {done}.")
    return redirect("accounts:person_list")


@require_GET
@role_required(Role.ADMIN)
def sign_in_state(request: HttpRequest) -> HttpResponse:
    context = {
        "state": SignOnState.now(),
        "roles": dict(Role.choices),
        "callback": request.build_absolute_uri(reverse("openid_connect_callback", args=["oidc"])),
        "has_mail_server": settings.HAS_MAIL_SERVER,
        "is_tls": settings.IS_TLS,
        "mail_from": settings.DEFAULT_FROM_EMAIL,
    }
    return render_region(request, "accounts/sign_in_state.html", "sign-in", context)
