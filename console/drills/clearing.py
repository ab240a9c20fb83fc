"""Taking the sample fleet away: everything of its origin, table by table, in chunks, and nothing else.

`ask` takes the keys, so that the player stops at once; that no key is left *is* the wish. `clear_if_asked`
does the long part and may die anywhere: the wish stands until the last feed is gone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.db import IntegrityError, connection, transaction

from console.accounts.audit import Actor, record
from console.accounts.models import ApiToken, User
from console.drills.sample import progress
from console.feeds.models import Feed, FeedToken
from console.lib.live import announce
from console.lib.origin import Origin
from console.lib.rows import fetch, run

logger = logging.getLogger(__name__)

CHUNK = 5_000
PASSES = 5
LOCK = "drills.clearing"

_FEEDS = (
    "SELECT id FROM feeds_feed WHERE origin = 'sample' OR test_of_id IN"
    " (SELECT id FROM feeds_feed WHERE origin = 'sample')"
)
OF_ORIGIN = "origin = 'sample'"
OF_FEED = f"feed_id IN ({_FEEDS})"
OF_FEED_OR_ORIGIN = f"({OF_ORIGIN} OR {OF_FEED})"


def _of(column: str, table: str) -> str:
    return f"{column} IN (SELECT id FROM {table} WHERE {OF_ORIGIN})"  # noqa: S608 - names from this file


_OF_POLICY = _of("policy_id", "oncall_escalationpolicy")
_OF_LEVEL = f"level_id IN (SELECT id FROM oncall_escalationlevel WHERE {_OF_POLICY})"  # noqa: S608
_LAYERS = f"SELECT id FROM oncall_layer WHERE {_of('rotation_id', 'oncall_rotation')}"  # noqa: S608 - the same

TABLES: tuple[tuple[str, str], ...] = (
    ("feeds_queueddelivery", OF_FEED_OR_ORIGIN),
    ("interruptions_interruptionchange", _of("interruption_id", "interruptions_interruption")),
    ("alerts_replayepisode", _of("replay_id", "alerts_replay")),
    ("alerts_replay", OF_ORIGIN),
    ("alerts_ticketevent", _of("ticket_id", "alerts_ticket")),
    ("alerts_ticket", OF_ORIGIN),
    ("alerts_undopart", OF_ORIGIN),
    ("alerts_feedback", _of("group_id", "alerts_alertgroup")),
    ("alerts_escalationstep", _of("group_id", "alerts_alertgroup")),
    ("alerts_escalation", OF_ORIGIN),
    ("alerts_suppressionhit", _of("group_id", "alerts_alertgroup")),
    ("notifications_eventdelivery", _of("event_id", "notifications_outwardevent")),
    ("notifications_outwardevent", OF_ORIGIN),
    ("alerts_receipt", _of("group_id", "alerts_alertgroup")),
    ("alerts_alertevent", _of("group_id", "alerts_alertgroup")),
    ("alerts_groupmember", _of("group_id", "alerts_alertgroup")),
    ("alerts_regrouping", OF_ORIGIN),
    ("alerts_groupepisode", _of("group_id", "alerts_alertgroup")),
    ("alerts_setaside", OF_ORIGIN),
    ("alerts_rulestate", OF_ORIGIN),
    ("alerts_alertgroup", OF_ORIGIN),
    ("alerts_suppressionoccurrence", OF_ORIGIN),
    ("alerts_suppressionscope", _of("suppression_id", "alerts_suppression")),
    ("alerts_suppression", OF_ORIGIN),
    ("runbooks_stepmark", _of("execution_id", "runbooks_execution")),
    ("runbooks_execution", OF_ORIGIN),
    ("interruptions_hook", OF_FEED_OR_ORIGIN),
    ("interruptions_move", OF_FEED_OR_ORIGIN),
    ("interruptions_work", OF_FEED_OR_ORIGIN),
    ("interruptions_volume", OF_FEED_OR_ORIGIN),
    ("interruptions_replica", OF_FEED_OR_ORIGIN),
    ("interruptions_sample", OF_ORIGIN),
    ("interruptions_logline", OF_ORIGIN),
    ("slo_episoderequests", OF_ORIGIN),
    ("slo_requestminute", OF_ORIGIN),
    ("slo_requesthour", OF_ORIGIN),
    ("slo_countstate", OF_ORIGIN),
    ("slo_objective", OF_ORIGIN),
    ("interruptions_observation", OF_FEED_OR_ORIGIN),
    ("interruptions_observationkey", OF_FEED),
    ("interruptions_straymachine", OF_ORIGIN),
    ("interruptions_interruptionalias", OF_ORIGIN),
    ("interruptions_interruption", OF_ORIGIN),
    ("interruptions_episode", OF_ORIGIN),
    ("interruptions_measurehour", OF_ORIGIN),
    ("interruptions_measureday", OF_ORIGIN),
    ("interruptions_machineday", OF_ORIGIN),
    ("interruptions_latencyhour", OF_ORIGIN),
    ("interruptions_bunchpair", OF_ORIGIN),
    ("interruptions_bunchpiece", OF_ORIGIN),
    ("interruptions_noticehour", OF_ORIGIN),
    ("interruptions_witnesshour", OF_ORIGIN),
    ("interruptions_hinthour", OF_ORIGIN),
    ("interruptions_jobhour", OF_ORIGIN),
    ("interruptions_streamhour", OF_ORIGIN),
    ("interruptions_recoveryhour", OF_ORIGIN),
    ("interruptions_reportingservice", _of("service_id", "fleet_service")),
    ("interruptions_assumedend", OF_ORIGIN),
    ("costs_dailycost", OF_ORIGIN),
    ("costs_accountservice", OF_ORIGIN),
    ("costs_charge", OF_ORIGIN),
    ("costs_restatement", _of("billing_import_id", "costs_billingimport")),
    ("costs_defect", _of("billing_import_id", "costs_billingimport")),
    ("costs_rejectedrow", _of("billing_import_id", "costs_billingimport")),
    ("costs_billingimport", OF_ORIGIN),
    ("fleet_workloadstatus", OF_ORIGIN),
    ("fleet_runninginterval", OF_ORIGIN),
    ("fleet_machinealias", OF_ORIGIN),
    ("feeds_machinelookup", OF_ORIGIN),
    ("feeds_lookupplace", OF_ORIGIN),
    ("fleet_machine", OF_ORIGIN),
    ("fleet_pool", OF_ORIGIN),
    ("fleet_attributionrule", OF_ORIGIN),
    ("runbooks_runbookattachment", _of("service_id", "fleet_service")),
    ("runbooks_runbookversion", _of("runbook_id", "runbooks_runbook")),
    ("runbooks_runbook", OF_ORIGIN),
    ("oncall_policyuse", OF_ORIGIN),
    ("oncall_leveltarget", _OF_LEVEL),
    ("oncall_escalationlevel", _OF_POLICY),
    ("oncall_escalationpolicy", OF_ORIGIN),
    ("fleet_service", OF_ORIGIN),
    ("notifications_notification", OF_ORIGIN),
    ("oncall_override", _of("rotation_id", "oncall_rotation")),
    ("oncall_swaprequest", _of("rotation_id", "oncall_rotation")),
    ("oncall_handoffnote", _of("rotation_id", "oncall_rotation")),
    ("oncall_calendarlink", _of("rotation_id", "oncall_rotation")),
    ("oncall_layermember", f"layer_id IN ({_LAYERS})"),
    ("oncall_layer", _of("rotation_id", "oncall_rotation")),
    ("oncall_rotation", OF_ORIGIN),
    ("fleet_team", OF_ORIGIN),
    ("interruptions_dirtyhours", OF_ORIGIN),
    ("interruptions_rollupstate", OF_ORIGIN),
    ("feeds_quarantineditem", OF_FEED_OR_ORIGIN),
    ("feeds_quarantinereplay", OF_FEED_OR_ORIGIN),
    ("feeds_delivery", OF_FEED_OR_ORIGIN),
    ("feeds_heartbeatdelivery", OF_FEED_OR_ORIGIN),
    ("feeds_deliverykey", OF_FEED),
    ("feeds_feedhour", OF_FEED),
    ("feeds_polledsource", OF_FEED),
    ("feeds_feedevent", OF_FEED),
    ("feeds_feedtoken", OF_FEED),
    ("accounts_apitoken", OF_ORIGIN),
    ("feeds_feed", f"id IN ({_FEEDS})"),
    ("accounts_user", OF_ORIGIN),
)
"""Every table with rows of the sample fleet, those that point before those that are pointed at."""

LOOSENED = (
    ("interruptions_interruption", "merged_into_id", OF_ORIGIN),
    ("fleet_machine", "merged_into_id", OF_ORIGIN),
    ("alerts_alertgroup", "parent_id", OF_ORIGIN),
    ("alerts_alertgroup", "kept_apart_from_id", OF_ORIGIN),
    ("alerts_alertgroup", "merged_into_id", OF_ORIGIN),
    ("alerts_alertgroup", "suppressed_by_id", OF_ORIGIN),
    ("feeds_feed", "team_id", _of("team_id", "fleet_team")),
)
"""Rows that point at rows of their own table, or at ours from outside, let go first."""


@transaction.atomic
def ask(*, by: Actor, var: Path, now: datetime) -> bool:
    """Take the keys and note who wanted it. False where no sample fleet is there."""
    if not Feed.objects.of_origin(Origin.SAMPLE).exists():
        return False
    FeedToken.objects.filter(feed__origin=Origin.SAMPLE).delete()
    ApiToken.objects.filter(origin=Origin.SAMPLE).delete()
    record(by, action="sample.clear", subject_kind="sample", subject_label="Sample fleet", now=now)
    announce("feeds")
    transaction.on_commit(lambda: progress.forget(var))
    return True


def is_under_way() -> bool:
    """Feeds are there, and nothing opens any of them."""
    feeds = Feed.objects.of_origin(Origin.SAMPLE)
    return feeds.exists() and not feeds.filter(tokens__isnull=False).exists()


def clear_if_asked() -> int:
    """Work off the wish, if there is one. Returns how many rows went."""
    return clear() if is_under_way() else 0


def clear() -> int:
    """Delete everything of origin sample. Messages that were still on their way are met by another pass."""
    if not fetch("SELECT pg_try_advisory_lock(hashtext(%s))", [LOCK])[0][0]:
        return 0
    try:
        gone = _passes()
        User.objects.filter(shown_origin=Origin.SAMPLE).update(shown_origin=Origin.LIVE)
    finally:
        fetch("SELECT pg_advisory_unlock(hashtext(%s))", [LOCK])
    announce("feed", "groups", "services", "feeds")
    logger.info("sample.cleared", extra={"rows": gone})
    return gone


def _passes() -> int:
    total = 0
    for number in range(PASSES):
        try:
            gone = _pass()
        except IntegrityError:  # a worker wrote what it had taken up before its queue was emptied
            if number + 1 == PASSES:
                raise
            continue
        total += gone
        if not gone:
            break
    return total


def _pass() -> int:
    for table, column, where in LOOSENED:
        run(f"UPDATE {table} SET {column} = NULL WHERE {column} IS NOT NULL AND {where}")  # noqa: S608
    with _by_place():
        return sum(_empty(table, where) for table, where in TABLES)


@contextmanager
def _by_place() -> Iterator[None]:
    """Where statistics call a table empty, PostgreSQL compares every row with every place instead of going there."""
    other_ways = ("enable_seqscan", "enable_indexscan", "enable_bitmapscan")
    for way in other_ways:
        run(f"SET {way} = off")
    try:
        yield
    finally:
        for way in other_ways:
            run(f"RESET {way}")


def _empty(table: str, where: str) -> int:
    """Chunk by chunk, so that no lock is held long and no worker waits.

    Rows are named by their place, which needs neither an index nor fresh statistics. In a partitioned table
    a place may name a row of several partitions: the condition holds for each of them again.
    """
    places = f"ARRAY(SELECT ctid FROM {table} WHERE {where} LIMIT {CHUNK})"  # noqa: S608
    statement = f"DELETE FROM {table} WHERE ctid = ANY({places}) AND {where}"  # noqa: S608
    total = 0
    while gone := run(statement):
        total += gone
    return total


def is_clean() -> bool:
    """Nothing of the sample fleet is left in any table."""
    with connection.cursor() as cursor:
        for table, where in TABLES:
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table} WHERE {where})")  # noqa: S608
            if cursor.fetchone()[0]:
                return False
    return True
