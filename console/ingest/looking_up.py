"""Looking machines up: what a provider knows of a machine that a message only named.

One call for up to a hundred machines of one account and region. What it brings is written as inventory is, in the
transaction that settles the rows, so that attribution follows and a killed worker's rows are asked for again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction

from console.feeds import lookups
from console.feeds.feed_settings import sender_settings
from console.feeds.lookups import Wanted
from console.feeds.models import Feed, LookupPlace
from console.feeds.pollers.ec2 import MOST, Access, Described, Ec2, FoundMachine
from console.feeds.pollers.source import CannotPoll
from console.fleet.inventory import InventoryRow, take_listed
from console.lib.live import announce
from console.lib.sealing import CannotUnseal, unseal

logger = logging.getLogger(__name__)

Open = Callable[[Access], Ec2]
_open: dict[Access, Ec2] = {}
"""Clients of this process, each with what it learnt of types. As many as there are accounts and regions."""


def look_up(*, now: datetime, open_ec2: Open | None = None) -> int:
    """Ask one account in one region for what is due there. Returns how many machines; 0: nothing is due."""
    with transaction.atomic():
        place = lookups.claim_place(now=now)
        if place is None:
            return 0
        wanted = lookups.claim_machines(place, most=MOST, now=now)
        described = Described()
        try:
            client = (open_ec2 or _client)(access_to(place))
            client.describe(sorted({one.instance_id for one in wanted}), into=described)
        except CannotPoll as error:
            logger.warning("lookup.refused", extra={"place": str(place), "reason": str(error)[:300]})
            lookups.pay(place, calls=described.calls, now=now)
            lookups.failed(place, str(error), now=now)
        else:
            lookups.pay(place, calls=described.calls, now=now)
            _take(place, wanted, described, now=now)
            lookups.succeeded(place, now=now)
        announce("feeds")
    return len(wanted)


def _take(place: LookupPlace, wanted: Sequence[Wanted], described: Described, *, now: datetime) -> None:
    """The machines first, then the rows about them: whoever records takes these locks in this order too."""
    rows = [(_row(place, one), one.is_running) for one in described.found]
    take_listed(rows, origin=place.origin, now=now)
    known = {one.instance_id for one in described.found}
    lookups.settle(
        [one for one in wanted if one.instance_id in known],
        [one for one in wanted if one.instance_id not in known],
        now=now,
    )


def _row(place: LookupPlace, one: FoundMachine) -> InventoryRow:
    return InventoryRow(
        provider="aws",
        account=place.account,
        region=place.region,
        zone=one.zone or None,
        instance_id=one.instance_id,
        instance_type=one.instance_type or None,
        os=one.os,
        lifecycle="spot" if one.is_spot else "on-demand",
        tags=dict(one.tags),
        vcpus=one.vcpus,
        started_at=one.launched_at,
        ended_at=one.ended_at,
    )


def access_to(place: LookupPlace) -> Access:
    """The way in that the settings of a feed of this origin name. Raises CannotPoll where none does any more."""
    feeds = Feed.objects.of_origin(place.origin).filter(paused_at=None, settings__has_key="lookup")
    for feed in feeds.order_by("pk"):
        settings = sender_settings(feed.settings)
        for named in settings.lookup:
            if lookups.account_of(named) == place.account:
                role = named if named.startswith("arn:") else ""
                return Access(place.account, place.region, settings, role, _secret(feed))
    raise CannotPoll(f"No feed's settings name the account {place.account} any more")


def _secret(feed: Feed) -> str:
    """A secret whose key is lost counts as missing: AWS's refusal then says so on the feed's page."""
    try:
        return unseal(feed.sealed["secret_access_key"])
    except (KeyError, CannotUnseal):
        return ""


def _client(access: Access) -> Ec2:
    if access not in _open:
        for old in [one for one in _open if (one.account, one.region) == (access.account, access.region)]:
            del _open[old]
        _open[access] = Ec2(access)
    return _open[access]
