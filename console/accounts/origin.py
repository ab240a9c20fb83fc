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


def foreign_origin(request: HttpRequest, origin: str) -> str:
    """Of a thing opened by its id: whose data it is, where that is not what the person looks at; else nothing."""
    chosen = chosen_origin(request)
    if origin == chosen:
        return ""
    return f"This is {Origin(origin).label.lower()} data; you are looking at {chosen.label.lower()} data."
