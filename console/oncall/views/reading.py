"""Who is on call: the list, one rotation, one's own shifts, the load of everybody, and calendars."""

from __future__ import annotations

from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.origin import chosen_origin, foreign_origin
from console.accounts.permissions import role_required, signed_in
from console.lib.csv_file import csv_response
from console.lib.pages import render_region
from console.oncall import calendars, fairness, queries
from console.oncall.forms import TAKE_OVERS, NoteForm
from console.oncall.ical_export import calendar_of
from console.oncall.models import CalendarLink
from console.oncall.schedule import HORIZON
from console.oncall.views.answers import rotation_named
from console.oncall.window import WindowForm

LOAD_COLUMNS = (
    "person", "email", "time_zone", "hours", "share", "night_hours", "shifts", "pages", "night_pages",
)  # fmt: skip


@require_GET
@role_required(Role.VIEWER)
def schedule_list(request: HttpRequest) -> HttpResponse:
    """Who is on call now, who is next, and what is wrong with it."""
    now, origin = timezone.now(), chosen_origin(request)
    rotations = list(queries.rotations_of(origin).order_by("archived_at", "name", "pk"))
    in_use = [rotation for rotation in rotations if rotation.archived_at is None]
    context = {
        "lines": queries.rotation_lines(in_use, now=now),
        "archived": [rotation for rotation in rotations if rotation.archived_at],
        "me": signed_in(request),
        "may_manage": signed_in(request).may(Role.MANAGER),
    }
    return render_region(request, "oncall/schedule_list.html", "schedule-table", context)


@require_GET
@role_required(Role.VIEWER)
def rotation_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One rotation: the next four weeks, layer by layer, and everything that can be done about it."""
    rotation, person, now = rotation_named(slug), signed_in(request), timezone.now()
    page = queries.rotation_page(rotation, zone=person.zone, now=now)
    link = calendars.link_of(person, rotation)
    context = {
        "rotation": rotation,
        "page": page,
        "line": page.line,
        "me": person,
        "may_act": person.may(Role.RESPONDER) and not rotation.archived_at,
        "may_manage": person.may(Role.MANAGER),
        "take_overs": TAKE_OVERS.items(),
        "note_form": NoteForm(),
        "link": link,
        "calendar_url": _calendar_url(request, link),
        "foreign_origin": foreign_origin(request, rotation.origin),
    }
    return render_region(request, "oncall/rotation_detail.html", "rotation", context)


@require_GET
@role_required(Role.VIEWER)
def my_shifts(request: HttpRequest) -> HttpResponse:
    """When is it my turn, and who asks me to swap?"""
    now, origin, person = timezone.now(), chosen_origin(request), signed_in(request)
    shifts = queries.own_shifts(person, origin=origin, since=now, until=now + HORIZON)
    link = calendars.link_of(person, None)
    swaps = queries.own_swaps(person, origin=origin, now=now)
    context = {
        "now": now,
        "shifts": shifts[: queries.MOST_OWN_SHIFTS],
        "shift_count": len(shifts),
        "asked": [swap for swap in swaps if swap.asked_id == person.pk],
        "asking": [swap for swap in swaps if swap.asker_id == person.pk],
        "link": link,
        "calendar_url": _calendar_url(request, link),
    }
    return render_region(request, "oncall/my_shifts.html", "my-shifts", context)


def _calendar_url(request: HttpRequest, link: CalendarLink | None) -> str:
    if link is None:
        return ""
    return request.build_absolute_uri(f"/schedules/calendar/{calendars.token_of(link)}.ics")


@require_GET
@role_required(Role.VIEWER)
def load_list(request: HttpRequest) -> HttpResponse:
    """Is the load shared fairly? As a table, or as CSV with `?format=csv`."""
    now, origin = timezone.now(), chosen_origin(request)
    form = WindowForm(request.GET, origin=origin)
    since, until = form.window(now=now)
    loads = fairness.loads(origin=origin, since=since, until=until, team=form.team_chosen())
    if request.GET.get("format") == "csv":
        lines = (load_line(load) for load in loads)
        return csv_response(lines, columns=LOAD_COLUMNS, name="on-call-load")  # type: ignore[return-value]
    context = {
        "form": form,
        "loads": loads,
        "since": since,
        "until": until,
        "csv_query": f"{request.GET.urlencode()}&format=csv",
        "is_filtered": bool(request.GET),
    }
    return render_region(request, "oncall/load_list.html", "loads", context)


def load_line(load: fairness.Load) -> dict[str, object]:
    """A line of the CSV; hours with two decimals."""
    hour = timedelta(hours=1)
    return {
        "person": str(load.person),
        "email": load.person.email,
        "time_zone": load.person.time_zone,
        "hours": round(load.on_call / hour, 2),
        "share": round(load.share, 4),
        "night_hours": round(load.at_night / hour, 2),
        "shifts": load.shift_count,
        "pages": load.page_count,
        "night_pages": load.night_page_count,
    }


@require_GET
def calendar_file(request: HttpRequest, token: str) -> HttpResponse:
    """For calendar programs: no sign-in, the address itself is the secret."""
    now = timezone.now()
    link = calendars.open_link(token, now=now)
    if link is None:
        raise Http404("This calendar address is not in use any more.")
    content = calendar_of(link, address=request.build_absolute_uri("/").rstrip("/"), now=now)
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
