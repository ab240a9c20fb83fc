"""Naming the servers that are asked for counts; each change is audited, and no key is ever written down there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from console.accounts.audit import Actor, record
from console.lib.outgoing import CannotPost, check_url
from console.notifications.destinations import allowed_hosts
from console.slo.error_spike import minute_of
from console.slo.models import Objective, PrometheusServer, Source
from console.slo.objectives import CannotSet
from console.slo.prometheus import CannotAsk, ask


@dataclass(frozen=True, slots=True)
class WantedServer:
    """A server as it is filled in. `token` None keeps the one there is; empty sends none."""

    name: str
    base_url: str
    token: str | None = None


def check_address(url: str) -> None:
    """Raises `CannotSet` where it could never be called, or is no base address."""
    parts = urlsplit(url)
    if parts.query or parts.fragment or "/api/v1" in parts.path:
        raise CannotSet("base_url", "Give the address up to where /api/v1/ begins, without a query.")
    try:
        check_url(url, allowed_hosts=allowed_hosts())
    except CannotPost as error:
        raise CannotSet("base_url", f"{error}.") from error


@transaction.atomic
def add(wanted: WantedServer, *, by: Actor, now: datetime) -> PrometheusServer:
    check_address(wanted.base_url)
    row = PrometheusServer.made(name=wanted.name, base_url=wanted.base_url, token=wanted.token or "", now=now)
    _save(row)
    record(by, action="prometheus_server.add", subject=row, after=picture(row), now=now)
    return row


@transaction.atomic
def change(pk: int, wanted: WantedServer, *, by: Actor, now: datetime) -> PrometheusServer:
    """Its objectives are asked for at once: what failed may go now."""
    check_address(wanted.base_url)
    row = PrometheusServer.objects.select_for_update().get(pk=pk)
    before = picture(row)
    row.name, row.base_url = wanted.name, wanted.base_url
    if wanted.token is not None:
        row.give_token(wanted.token)
    elif urlsplit(before["base_url"]).netloc != urlsplit(row.base_url).netloc:
        row.give_token("")  # a key is sent to the host that it was given for, and to no other
    _save(row)
    after = picture(row) | ({"token": "given anew"} if wanted.token else {})
    if after != before:
        record(by, action="prometheus_server.change", subject=row, before=before, after=after, now=now)
        waiting = Objective.objects.filter(server=row, source=Source.PROMETHEUS, archived_at=None)
        waiting.update(next_poll_at=now)
    return row


@transaction.atomic
def remove(pk: int, *, by: Actor, now: datetime) -> None:
    """Raises `CannotSet` while objectives ask it. Twice is harmless."""
    row = PrometheusServer.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        return
    if used := list(row.objectives.select_related("service")[:3]):
        names = ", ".join(str(one) for one in used)
        raise CannotSet("name", f"It is asked for {names}: let them be counted otherwise first.")
    record(by, action="prometheus_server.remove", subject=row, before=picture(row), now=now)
    row.delete()


def try_out(row: PrometheusServer, *, now: datetime) -> str:
    """Empty: it answered. Else why it did not. Asks outside."""
    until = minute_of(now)
    try:
        ask(row, "vector(1)", since=until - timedelta(minutes=2), until=until)
    except CannotAsk as error:
        return str(error)
    return ""


def _save(row: PrometheusServer) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise CannotSet("name", f"Another server is called {row.name}.") from error


def picture(row: PrometheusServer) -> dict[str, Any]:
    return {"name": row.name, "base_url": row.base_url, "token": "sealed" if row.sealed_token else "none"}
