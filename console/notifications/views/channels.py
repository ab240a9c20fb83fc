"""`/settings/channels/`: where teams are told, and which private hosts may be called."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.permissions import role_required, signed_in
from console.lib.pages import render_region
from console.lib.sealing import CannotUnseal
from console.notifications import queries
from console.notifications.channels import (
    allow_host,
    archive_channel,
    forbid_host,
    save_channel,
    try_channel,
)
from console.notifications.destinations import settings_of
from console.notifications.forms import ChannelForm, HostForm
from console.notifications.models import AllowedHost, Channel, ChannelKind
from console.notifications.senders.sender import BadSetting

ICONS = {
    ChannelKind.EMAIL: "mail",
    ChannelKind.SLACK: "message-square",
    ChannelKind.TEAMS: "users",
    ChannelKind.PAGERDUTY: "siren",
    ChannelKind.OPSGENIE: "bell-ring",
    ChannelKind.WEBHOOK: "plug",
    ChannelKind.GATEWAY: "radio",
    ChannelKind.NULL: "circle-slash",
}
KINDS = [(kind.value, kind.label, icon) for kind, icon in ICONS.items()]


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def channel_list(request: HttpRequest) -> HttpResponse:
    """Every channel with what became of its newest message; POST allows a private host."""
    form = HostForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            allowed = allow_host(
                form.cleaned_data["host"],
                reason=form.cleaned_data["reason"],
                by=signed_in(request),
                actor=Actor.of(request),
                now=timezone.now(),
            )
        except BadSetting as error:
            form.add_error("host", str(error))
        else:
            messages.success(request, f"{allowed} may be called.")
            return redirect("notifications:channel_list")
    channels = list(queries.channels())
    context = {
        "channels": [channel for channel in channels if channel.archived_at is None],
        "archived": [channel for channel in channels if channel.archived_at is not None],
        "kinds": KINDS,
        "hosts": AllowedHost.objects.select_related("created_by").order_by("host"),
        "form": form,
    }
    status = 422 if form.errors else 200
    return render_region(request, "notifications/channel_list.html", "channels", context, status=status)


@never_cache
@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def channel_new(request: HttpRequest, kind: str) -> HttpResponse:
    if kind not in ChannelKind.values:
        raise Http404
    return _edit(request, Channel(kind=kind))


@never_cache
@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def channel_edit(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(Channel.objects.usable().select_related("team"), pk=pk))


def _edit(request: HttpRequest, channel: Channel) -> HttpResponse:
    """The form of one channel. A signing secret that the console made up is shown once, after saving."""
    is_new, secret = channel.pk is None, ""
    form = _form(request, channel)
    if request.method == "POST" and form.is_valid() and _save(request, channel, form):
        made = settings_of(channel).get("secret", "")
        secret = made if made and not form.values.get("secret") else ""
        if not secret:
            messages.success(request, f"{channel} is saved. Test it now, before somebody relies on it.")
            return redirect("notifications:channel_list")
        form = ChannelForm(kind=channel.kind, place=channel, initial=_initial(channel))
    context = {"form": form, "channel": channel, "secret": secret, "is_new": is_new and not secret}
    status = 422 if form.errors else 200
    return render_region(request, "notifications/channel_edit.html", "channel", context, status=status)


def _form(request: HttpRequest, channel: Channel) -> ChannelForm:
    data = request.POST or None
    try:
        return ChannelForm(data, kind=channel.kind, place=channel, initial=_initial(channel))
    except CannotUnseal as error:  # they can still be entered again
        messages.warning(request, str(error))
        return ChannelForm(data, kind=channel.kind, initial=_initial(channel))


def _initial(channel: Channel) -> dict[str, object]:
    return {"name": channel.name, "team": channel.team.slug if channel.team else None}


def _save(request: HttpRequest, channel: Channel, form: ChannelForm) -> bool:
    named = {"name": form.cleaned_data["name"], "team": form.cleaned_data["team"]}
    try:
        save_channel(channel, form.values, **named, actor=Actor.of(request), now=timezone.now())
    except BadSetting as error:
        form.refuse(error)
        return False
    return True


@require_POST
@role_required(Role.ADMIN)
def channel_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a trial message, and go where its answer is seen."""
    channel = get_object_or_404(Channel.objects.usable(), pk=pk)
    row = try_channel(channel, by=signed_in(request), actor=Actor.of(request), now=timezone.now())
    return redirect("notifications:delivery_detail", row.pk)


@require_POST
@role_required(Role.ADMIN)
def channel_archive(request: HttpRequest, pk: int) -> HttpResponse:
    channel = get_object_or_404(Channel, pk=pk)
    archive_channel(channel, actor=Actor.of(request), now=timezone.now())
    messages.success(request, f"{channel} is archived. What was sent there is kept.")
    return redirect("notifications:channel_list")


@require_POST
@role_required(Role.ADMIN)
def host_forbid(request: HttpRequest, pk: int) -> HttpResponse:
    allowed = get_object_or_404(AllowedHost, pk=pk)
    forbid_host(allowed, actor=Actor.of(request), now=timezone.now())
    messages.success(request, f"{allowed.host} is called no more.")
    return redirect("notifications:channel_list")
