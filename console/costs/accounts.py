"""Giving a provider's account to a service, for charges that no tag attributes."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from console.accounts.audit import Actor, record
from console.costs.models import AccountService
from console.fleet.models import Service


class NoSuchService(ValueError):
    """The console has no service of that name; the message names the way to see which there are."""


@transaction.atomic
def give_account(
    *, origin: str, cloud: str, account: str, service: str, by: Actor, now: datetime
) -> AccountService:
    """From now on. Giving it again to the same service changes nothing. Raises `NoSuchService`."""
    if not Service.objects.filter(origin=origin, slug=service).exists():
        raise NoSuchService(f"There is no service {service}. `/services/` lists those that are.")
    there = (
        AccountService.objects.select_for_update().filter(origin=origin, cloud=cloud, account=account).first()
    )
    if there is not None and there.service == service:
        return there
    row, _ = AccountService.objects.update_or_create(
        origin=origin, cloud=cloud, account=account, defaults={"service": service}
    )
    before = {"service": there.service} if there else None
    record(by, action="billing.account", subject=row, before=before, after={"service": service}, now=now)
    return row


@transaction.atomic
def take_account_back(*, origin: str, cloud: str, account: str, by: Actor, now: datetime) -> bool:
    """False where it was given to nobody."""
    row = AccountService.objects.filter(origin=origin, cloud=cloud, account=account).first()
    if row is None:
        return False
    record(by, action="billing.account", subject=row, before={"service": row.service}, now=now)
    row.delete()
    return True
