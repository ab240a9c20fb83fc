"""Alert: what changed becomes groups, decisions and one announcement. Read aloud, top to bottom.

| step | what | why twice is harmless |
| --- | --- | --- |
| claim | changes of interruptions in turn, groups whose time has come | a row lock; a killed worker gives them back |
| correlate | open or join alert groups | partial unique index: one open group an (origin, key) |
| waves | a cascade of a pool or zone is one group over these | one open wave a zone, by the same index |
| decide | page, ticket, log or suppress, with a receipt | unique (group, rule, trigger) |
| tell | one NOTIFY for the boards, as the last statement | it carries no facts |

Everything happens in one transaction: a worker that dies leaves nothing half done. What happens when it fails is
told in `working_off.py`: a change, or a group, that cannot be worked on is set aside and shown beside the quarantine.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.alerts import correlate, routing, setting_aside, settle, waves
from console.alerts.touched import Change, Due
from console.alerts.working_off import Pipeline, work_off
from console.lib.live import announce
from console.lib.rows import fetch, run

MOST_CHANGES = 1_000
MOST_DUE = 200
WORTH_GOING_ON = 200
"""After a batch of changes this large the worker looks for more at once; after a smaller one others get their turn."""

_CLAIM_CHANGES = """
SELECT id, interruption_id, is_new, is_replay FROM interruptions_interruptionchange
WHERE due_at IS NULL OR due_at <= %s
ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
_BEHIND = """
SELECT mine.id FROM unnest(%(ids)s::bigint[], %(interruptions)s::bigint[]) AS mine (id, interruption_id)
JOIN interruptions_interruption i ON i.id = mine.interruption_id
JOIN (SELECT c.id, coalesce(e.merged_into_id, e.id) AS interruption_id
      FROM interruptions_interruptionchange c JOIN interruptions_interruption e ON e.id = c.interruption_id
      WHERE c.id < %(newest)s AND c.id <> ALL(%(ids)s)) o
  ON o.id < mine.id AND o.interruption_id = coalesce(i.merged_into_id, i.id)
"""
_DONE_CHANGES = "DELETE FROM interruptions_interruptionchange WHERE id = ANY(%s)"
_CLAIM_DUE = """
SELECT id FROM alerts_alertgroup WHERE due_at <= %s AND status <> 'resolved'
ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
_DONE_DUE = "UPDATE alerts_alertgroup SET put_off_count = 0 WHERE id = ANY(%s) AND put_off_count > 0"


def alert(*, now: datetime) -> int:
    """Work off what is claimable, batch by batch. Returns the number of changes and groups taken up.

    What trickles in while it works is left to the next bell, as one batch.
    """
    handled = 0
    while batch := alert_batch(now=now):
        handled += batch
        if batch < WORTH_GOING_ON:
            break
    while batch := settle_batch(now=now):
        handled += batch
    return handled


def alert_batch(*, now: datetime) -> int:
    """One batch of changes: correlate, decide, tell."""
    return work_off(CHANGES, now=now)


def settle_batch(*, now: datetime) -> int:
    """One batch of groups whose time has come: heal, close for lack of news, or look again later."""
    return work_off(DUE, now=now)


def _claim_changes(now: datetime) -> list[Change]:
    """In turn: what another worker has in hand of an interruption, or of one that it turned out to be, is not seen
    yet, so its next change waits.
    """
    changes = [Change(*row) for row in fetch(_CLAIM_CHANGES, [now, MOST_CHANGES])]
    if not changes:
        return []
    ids, interruptions = [one.id for one in changes], [one.interruption_id for one in changes]
    behind = fetch(_BEHIND, {"ids": ids, "interruptions": interruptions, "newest": ids[-1]})
    waiting = {row[0] for row in behind}
    return [one for one in changes if one.id not in waiting]


def _correlate(changes: Sequence[Change], now: datetime) -> None:
    touched = correlate.correlate(changes, now=now)
    touched.add(waves.follow(changes, now=now))
    routing.decide(touched, now=now)
    setting_aside.forget_changes([change.interruption_id for change in changes], now=now)
    announce("groups", ids=[group.id for group in touched.groups])


def _finish_changes(changes: Sequence[Change], now: datetime) -> None:
    run(_DONE_CHANGES, [[change.id for change in changes]])


def _claim_due(now: datetime) -> list[Due]:
    return [Due(*row) for row in fetch(_CLAIM_DUE, [now, MOST_DUE])]


def _settle(due: Sequence[Due], now: datetime) -> None:
    settled = settle.settle([one.id for one in due], now=now)
    routing.decide(settled, now=now)
    setting_aside.forget_groups([one.id for one in due], now=now)
    announce("groups", ids=[group.id for group in settled.groups])


def _finish_due(due: Sequence[Due], now: datetime) -> None:
    run(_DONE_DUE, [[one.id for one in due]])


CHANGES = Pipeline(
    name="alert",
    queue="interruptions_interruptionchange",
    claim=_claim_changes,
    work=_correlate,
    put_aside=setting_aside.put_changes_aside,
    finish=_finish_changes,
)
DUE = Pipeline(
    name="settle",
    queue="alerts_alertgroup",
    claim=_claim_due,
    work=_settle,
    put_aside=setting_aside.put_groups_aside,
    finish=_finish_due,
)
