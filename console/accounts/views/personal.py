"""`/me/`: what a person chooses for themselves."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from console.accounts.audit import Actor
from console.accounts.forms import PersonalForm, time_zones
from console.accounts.models import Role
from console.accounts.permissions import role_required, signed_in
from console.accounts.personal import change_own_settings
from console.lib.pages import render_region


@require_http_methods(["GET", "POST"])
@role_required(Role.VIEWER)
def personal_settings(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    form = PersonalForm(request.POST or None, initial=PersonalForm.values_of(user))
    if request.method == "POST" and form.is_valid():
        if change_own_settings(user, form.cleaned_data, actor=Actor.of(request), now=timezone.now()):
            messages.success(request, "Your settings are saved.")
        return redirect("accounts:personal_settings")
    kinds = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    context = {
        "form": form,
        "time_zones": time_zones(),
        "has_totp": Authenticator.Type.TOTP in kinds,
        "passkey_count": kinds.count(Authenticator.Type.WEBAUTHN),
        "has_recovery_codes": Authenticator.Type.RECOVERY_CODES in kinds,
        "session_count": UserSession.objects.filter(user=user).count(),
        "has_single_sign_on": bool(settings.OIDC_ISSUER),
        "is_connected": SocialAccount.objects.filter(user=user).exists(),
        "has_password": user.has_usable_password(),
    }
    return render_region(
        request, "accounts/personal_settings.html", "personal", context, status=422 if form.errors else 200
    )
