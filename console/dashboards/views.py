"""The on-call board, the status strip, and the way to each person's first page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.accounts.models import Board, Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required, signed_in
from console.accounts.remembering import kept_views, recall, remember
from console.alerts.actions import SILENCES
from console.alerts.rows import group_rows
from console.dashboards import oncall as board
from console.dashboards import quiet as silence
from console.dashboards.calling import groups_that_call, notice_of
from console.dashboards.strip import status_strip
from console.feeds.first_steps import first_steps
from console.lib.origin import Origin
from console.lib.pages import once, render_region


@require_GET
@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Responders begin on the on-call board, executives on theirs."""
    is_responder = request.user.may(Role.RESPONDER)  # type: ignore[union-attr]
    return HttpResponseRedirect(reverse("dashboards:oncall" if is_responder else "dashboards:executive"))


@require_GET
@role_required(Role.VIEWER)
def oncall(request: HttpRequest) -> HttpResponse:
    """What is being reclaimed, who is hit, and how many seconds are left."""
    person = signed_in(request)
    if onward := recall(request, Board.ONCALL, person):
        return onward
    now, origin = timezone.now(), chosen_origin(request)
    filters = board.Filters.of(request.GET)
    found = once(lambda: board.open_groups(origin=origin, filters=filters, now=now))
    counted = once(lambda: board.count_running_out(origin=origin, filters=filters))
    affected = once(lambda: board.affected_services(origin=origin, filters=filters))
    quiet = once(lambda: silence.proof_of_quiet(silence.feeds_of(request, origin), now=now))
    notice = once(lambda: notice_of(person, origin=origin))
    context = {
        "headline": once(
            lambda: board.headline(machines=counted.shown, affected=affected, groups=found, quiet=quiet)
        ),
        "first_steps": once(lambda: None if origin != Origin.LIVE or quiet.feeds else first_steps(request)),
        "filters": filters,
        "choices": once(lambda: board.choices(origin=origin)),
        "feed": once(
            lambda: board.live_feed(
                origin=origin, filters=filters, counted=counted, affected=affected, now=now
            )
        ),
        "groups": once(lambda: group_rows(found.shown, now=now)),
        "open_groups": found,
        "affected": affected,
        "is_with_side": "side" in request.headers.get("HX-Target", "").split(),
        "pending": once(lambda: board.pending_moves(origin=origin, now=now)),
        "latency": once(lambda: board.reschedule_latency(origin=origin, now=now)),
        "hooks": once(lambda: board.failed_hooks(origin=origin, now=now)),
        "quiet": quiet,
        "silences": SILENCES,
        "may_act": person.may(Role.RESPONDER),
        "notice": notice,
        "calls": once(lambda: groups_that_call(now=now) if notice else []),
        "may_manage": person.may(Role.MANAGER),
        **kept_views(request, Board.ONCALL, person),
    }
    response = render_region(
        request, "dashboards/oncall.html", "headline calls feed groups services side", context
    )
    return remember(response, request, Board.ONCALL, person)


@require_GET
@role_required(Role.VIEWER)
def strip(request: HttpRequest) -> HttpResponse:
    """The facts of the status strip alone, for its live region."""
    return render_region(request, "dashboards/strip.html", "status-strip", status_strip(request))
