"""`/settings/tokens/`: the keys of programs."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.forms import TokenForm
from console.accounts.models import ApiToken, Role
from console.accounts.permissions import role_required, signed_in
from console.accounts.tokens import issue, revoke
from console.lib.pages import render_region


@never_cache
@sensitive_variables("secret")
@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def token_list(request: HttpRequest) -> HttpResponse:
    """The list, the form for a new one and, this once, the new one's secret."""
    now = timezone.now()
    form = TokenForm(request.POST or None)
    context: dict[str, object] = {"now": now}
    if request.method == "POST" and form.is_valid():
        token, secret = issue(form.order(now=now), actor=Actor.of(request), by=signed_in(request), now=now)
        context |= {"made": token, "secret": secret}
        form = TokenForm()
    tokens = ApiToken.objects.select_related("created_by").order_by("-created_at", "-pk")
    usable = {token.pk for token in ApiToken.objects.usable(now=now)}
    context |= {"form": form, "usable": [token for token in tokens if token.pk in usable]}
    context["ended"] = [token for token in tokens if token.pk not in usable]
    status = 422 if form.errors else 200
    return render_region(request, "accounts/token_list.html", "tokens", context, status=status)


@require_POST
@role_required(Role.ADMIN)
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=pk)
    revoke(token, actor=Actor.of(request), now=timezone.now())
    messages.success(request, f"The token {token.name} is revoked.")
    return redirect("accounts:token_list")
