"""What a signed link in a message leads to: a question first, because mail scanners follow links, then the act.

The link is the key: it works signed out, in the name of the person it was sent to, or of the channel.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from console.accounts.audit import Actor, address_of
from console.accounts.models import ActorKind, Role
from console.alerts import handling
from console.alerts.handling import By, NotPossible
from console.alerts.models import AlertGroup
from console.notifications.links import NotUsable, look_up, redeem
from console.notifications.models import Link

ACKNOWLEDGE = "acknowledge"


@csrf_exempt  # whoever holds the token may act: there is no session that another site could ride on
@never_cache
@sensitive_variables("token")
@require_http_methods(["GET", "POST"])
def acting_link(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to acknowledge; on POST do it."""
    now = timezone.now()
    try:
        link = look_up(token, now=now)
        by, group = _by(link, request), _group(link)
        if request.method == "POST":
            group = _acknowledge(token, group, by, now=now)
    except (NotUsable, NotPossible) as refusal:
        return render(request, "alerts/link_refused.html", {"text": str(refusal)}, status=410)
    template = "alerts/link_done.html" if request.method == "POST" else "alerts/link_ask.html"
    return render(request, template, {"group": group, "who": by.user or link.label})


@transaction.atomic
def _acknowledge(token: str, group: AlertGroup, by: By, *, now: datetime) -> AlertGroup:
    redeem(token, purpose=ACKNOWLEDGE, now=now)
    return handling.acknowledge(group.pk, by=by, now=now)


def _by(link: Link, request: HttpRequest) -> By:
    address = address_of(request)
    if link.person is None:
        return By(user=None, actor=Actor(ActorKind.CONSOLE, f"link sent to {link.label}", None, address))
    if not link.person.may(Role.RESPONDER):
        raise NotUsable("The account of this link may not acknowledge any more.")
    return By(user=link.person, actor=Actor.person(link.person, address=address))


def _group(link: Link) -> AlertGroup:
    kind, _, pk = link.subject.partition(":")
    group = AlertGroup.objects.filter(pk=pk).first() if kind == "group" and pk.isdigit() else None
    if group is None or link.purpose != ACKNOWLEDGE:
        raise NotUsable("What this link is about is not known any more.")
    return group
