"""Which data origin a page reads: the one in its URL, else the one the person chose, else live."""

from __future__ import annotations

from django.http import HttpRequest

from console.accounts.models import User
from console.lib.origin import Origin


def chosen_origin(request: HttpRequest) -> Origin:
    """`?origin=` wins for this page; then the person's own choice; live otherwise."""
    asked = request.GET.get("origin", "")
    if asked in Origin.values:
        return Origin(asked)
    if isinstance(request.user, User):
        return Origin(request.user.shown_origin)
    return Origin.LIVE
