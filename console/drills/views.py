"""`/sample/clear/`: stop the sample fleet and take it away."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.permissions import role_required
from console.drills.clearing import ask
from console.drills.tasks import CLEAR


@require_POST
@role_required(Role.ADMIN)
def sample_clear(request: HttpRequest) -> HttpResponse:
    """The player stops at once; the rows go in the background."""
    if ask(by=Actor.of(request), var=settings.CONSOLE_VAR, now=timezone.now()):
        CLEAR.ring()
        messages.success(
            request,
            "The sample fleet has stopped. Its data is being cleared: this takes a minute, "
            "then these pages show live data.",
        )
    else:
        messages.info(request, "There is no sample fleet to clear.")
    return redirect("dashboards:start")
