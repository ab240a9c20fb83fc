"""Inviting people, and the page an invitation leads to."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.audit import Actor, address_of
from console.accounts.forms import AcceptanceForm, InvitationForm
from console.accounts.invitations import (
    LASTS,
    AlreadyHere,
    InvitationIsOver,
    accept,
    find,
    invite,
    send,
    withdraw,
)
from console.accounts.models import Invitation, Role
from console.accounts.permissions import role_required, signed_in
from console.lib.pages import render_region


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def invitation_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    form = InvitationForm(request.POST or None)
    context = {"form": form, "lasts": LASTS.days, "has_mail_server": settings.HAS_MAIL_SERVER, "now": now}
    if request.method == "POST" and form.is_valid():
        context |= _invited(request, form)
    context["invitations"] = (
        Invitation.objects.open().select_related("invited_by").order_by("-created_at", "-pk")
    )
    status = 422 if form.errors else 200
    return render_region(request, "accounts/invitation_list.html", "invitations", context, status=status)


def _invited(request: HttpRequest, form: InvitationForm) -> dict[str, object]:
    """The new invitation and its link, which is on the page this once."""
    email, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
    try:
        invitation, secret = invite(
            email, role=role, by=signed_in(request), actor=Actor.of(request), now=timezone.now()
        )
    except AlreadyHere as error:
        form.add_error("email", str(error))
        return {}
    link = request.build_absolute_uri(reverse("accounts:invitation_accept", args=[secret]))
    is_sent = settings.HAS_MAIL_SERVER and send(invitation, link=link)
    return {"made": invitation, "link": link, "is_sent": is_sent, "form": InvitationForm()}


@require_POST
@role_required(Role.ADMIN)
def invitation_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=pk)
    if withdraw(invitation, actor=Actor.of(request), now=timezone.now()):
        messages.success(request, f"The invitation for {invitation.email} is withdrawn.")
    else:
        messages.error(request, f"The invitation for {invitation.email} was over already.")
    return redirect("accounts:invitation_list")


@never_cache
@sensitive_post_parameters("password", "repeated")
@sensitive_variables("secret")
@require_http_methods(["GET", "POST"])
def invitation_accept(request: HttpRequest, secret: str) -> HttpResponseBase:
    now = timezone.now()
    try:
        invitation = find(secret, now=now)
        if request.user.is_authenticated:
            return render(
                request, "accounts/invitation_signed_in.html", {"invitation": invitation}, status=409
            )
        form = AcceptanceForm(request.POST or None, email=invitation.email)
        if request.method == "POST" and form.is_valid():
            user = accept(invitation, form.acceptance(), address=address_of(request), now=now)
            record_authentication(request, user, method="password", email=user.email)
            return perform_login(request, user, email_verification="none")  # type: ignore[no-any-return]
    except InvitationIsOver:
        return render(request, "accounts/invitation_over.html", status=410)
    context = {"form": form, "invitation": invitation}
    return render(request, "accounts/invitation_accept.html", context, status=422 if form.errors else 200)
