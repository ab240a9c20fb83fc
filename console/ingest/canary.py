"""Sending the canary: a reclaim of origin test, posted over HTTP to the console's own front door.

It goes the whole way of every message: the socket, the sender's secret, the stored delivery, both pipelines,
grouping and routing. When it came through is read where it ends (`alerts/canary.py`). What it leaves behind is
cleared away an hour later, except the last one that came through.
"""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from console.alerts.canary import EVERY, last_canary
from console.feeds.models import CANARY, Feed, FeedKind, FeedToken
from console.feeds.trying import SECRET_FOR, Trial, post
from console.fleet.models import Service
from console.lib.origin import Origin
from console.lib.rows import fetch, run

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(hours=1)
COUNTS_KEPT_FOR = timedelta(days=2)
CLOCKS_APART = timedelta(minutes=5)
"""A receipt may be stamped by another machine's clock than its message."""
MOST_CLEARED = 500
NOTICE = timedelta(seconds=30)

_OLD = """
SELECT i.id, i.machine_id FROM interruptions_interruption i JOIN fleet_service s ON s.id = i.service_id
WHERE s.origin = 'test' AND s.slug = %s AND i.started_at < %s ORDER BY i.started_at LIMIT %s
"""
_OF_INTERRUPTIONS = (
    "DELETE FROM alerts_setaside WHERE interruption_id = ANY(%(ids)s)",
    "DELETE FROM alerts_groupmember WHERE interruption_id = ANY(%(ids)s)",
    "DELETE FROM interruptions_interruptionchange WHERE interruption_id = ANY(%(ids)s)",
    "DELETE FROM interruptions_interruptionalias WHERE interruption_id = ANY(%(ids)s)",
    "DELETE FROM interruptions_observation WHERE interruption_id = ANY(%(ids)s)",
    "DELETE FROM interruptions_interruption WHERE id = ANY(%(ids)s)",
    "DELETE FROM fleet_runninginterval WHERE machine_id = ANY(%(machines)s)",
    "DELETE FROM fleet_machinealias WHERE machine_id = ANY(%(machines)s)",
    "DELETE FROM interruptions_observation WHERE machine_id = ANY(%(machines)s)",
    "DELETE FROM fleet_machine WHERE id = ANY(%(machines)s)",
)
_GROUPS = "SELECT g.id FROM alerts_alertgroup g JOIN fleet_service s ON s.id = g.service_id" \
    " WHERE s.origin = 'test' AND s.slug = %(canary)s"  # fmt: skip
_OF_GROUPS = (
    f"DELETE FROM alerts_receipt WHERE at < %(told)s AND group_id IN ({_GROUPS})",  # noqa: S608
    f"DELETE FROM alerts_alertevent WHERE at < %(told)s AND group_id IN ({_GROUPS})",  # noqa: S608
    "DELETE FROM alerts_groupepisode WHERE episode_id IN (SELECT e.id FROM interruptions_episode e"
    " JOIN fleet_service s ON s.id = e.service_id WHERE s.origin = 'test' AND s.slug = %(canary)s"
    " AND e.last_started_at < %(before)s)",
    "DELETE FROM interruptions_episode e USING fleet_service s WHERE s.id = e.service_id AND s.origin = 'test'"
    " AND s.slug = %(canary)s AND e.last_started_at < %(before)s"
    " AND NOT EXISTS (SELECT 1 FROM interruptions_interruption i WHERE i.episode_id = e.id)",
    f"DELETE FROM alerts_alertgroup g WHERE g.id IN ({_GROUPS}) AND g.status = 'resolved'"  # noqa: S608
    " AND g.resolved_at < %(before)s AND NOT EXISTS (SELECT 1 FROM alerts_groupmember m WHERE m.group_id = g.id)"
    " AND NOT EXISTS (SELECT 1 FROM alerts_receipt r WHERE r.group_id = g.id)"
    " AND NOT EXISTS (SELECT 1 FROM alerts_alertevent v WHERE v.group_id = g.id)"
    " AND NOT EXISTS (SELECT 1 FROM alerts_regrouping a WHERE g.id IN (a.source_id, a.target_id))"
    " AND NOT EXISTS (SELECT 1 FROM alerts_alertgroup o WHERE g.id IN (o.merged_into_id, o.kept_apart_from_id))",
    "DELETE FROM runbooks_execution e USING fleet_service s WHERE s.id = e.service_id AND s.origin = 'test'"
    " AND s.slug = %(canary)s AND e.started_at < %(before)s"
    " AND NOT EXISTS (SELECT 1 FROM alerts_alertgroup g WHERE g.execution_id = e.id)"
    " AND NOT EXISTS (SELECT 1 FROM runbooks_stepmark k WHERE k.execution_id = e.id)",
)
_OF_FEED = (
    "DELETE FROM feeds_delivery WHERE feed_id = %(feed)s AND received_at < %(before)s",
    "DELETE FROM feeds_deliverykey WHERE feed_id = %(feed)s AND received_at < %(before)s",
    "DELETE FROM interruptions_observationkey WHERE feed_id = %(feed)s AND received_at < %(before)s",
    "DELETE FROM feeds_feedhour WHERE feed_id = %(feed)s AND hour < %(counted)s",
    "DELETE FROM feeds_feedtoken WHERE feed_id = %(feed)s AND expires_at < %(before)s",
)


def send_if_due(*, now: datetime) -> bool:
    """Send one where the last was taken `EVERY` ago. Asked more often than that, so that a start waits for none."""
    seen_at = Feed.objects.filter(slug=CANARY).values_list("last_seen_at", flat=True).first()
    if seen_at is not None and now - seen_at < EVERY:
        return False
    return send_canary(now=now).is_taken


def send_canary(*, now: datetime, door: str = "") -> Trial:
    """Send one, and clear away the old. A door that does not open is logged; the strip shows the age."""
    feed = _feed(now=now)
    token, secret = FeedToken.issue(feed, created_at=now, expires_at=now + SECRET_FOR)
    try:
        address = f"{door or settings.FRONT_DOOR_URL}/ingest/{feed.slug}"
        sent = post(address, _message(now), secret=secret, companion=feed.slug)
    finally:
        token.delete()
    if not sent.is_taken:
        reason = sent.failure or f"answered {sent.status}"
        logger.error("canary.refused", extra={"address": sent.address, "reason": reason})
    clear_old(feed, now=now)
    return sent


def _feed(*, now: datetime) -> Feed:
    """The canary's feed and service, made when first needed."""
    Service.objects.get_or_create(
        origin=Origin.TEST,
        slug=CANARY,
        defaults={
            "name": "Console canary",
            "description": "Messages the console sends to itself, to see that they come through.",
            "created_at": now,
        },
    )
    return Feed.objects.get_or_create(
        slug=CANARY,
        defaults={
            "name": "Console canary",
            "kind": FeedKind.NODE_REPORT,
            "origin": Origin.TEST,
            "created_at": now,
        },
    )[0]


def _message(now: datetime) -> dict[str, Any]:
    """A node that tells of its own end; no such machine exists."""
    name = secrets.token_hex(8)

    def at(when: datetime) -> str:
        return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return {
        "schema": "node-report/1",
        "report_id": name,
        "provider": "aws",
        "account": "000000000000",
        "region": "canary",
        "instance_id": f"i-{name}0",
        "node_name": f"canary-{name}",
        "service": CANARY,
        "reported_at": at(now),
        "reports": [{"type": "notice", "action": "terminate", "deadline_at": at(now + NOTICE)}],
    }


def clear_old(feed: Feed, *, now: datetime) -> int:
    """Delete what canaries older than `KEPT_FOR` left, but never the last one that came through."""
    before = now - KEPT_FOR
    last = last_canary().sent_at
    before = min(before, last) if last else before
    rows = fetch(_OLD, [CANARY, before, MOST_CLEARED])
    values = {
        "ids": [row[0] for row in rows],
        "machines": [row[1] for row in rows],
        "canary": CANARY,
        "feed": feed.pk,
        "before": before,
        "told": before - CLOCKS_APART,
        "counted": now - COUNTS_KEPT_FOR,
    }
    with transaction.atomic():
        statements = (*_OF_INTERRUPTIONS, *_OF_GROUPS, *_OF_FEED)
        return sum(run(statement, values) for statement in statements)
