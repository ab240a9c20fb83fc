"""What people do with replays: ask for one, cancel it, publish the draft that it replayed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from console.accounts.audit import Actor, record
from console.alerts import rule_editing
from console.alerts.handling import By
from console.alerts.models import Replay, ReplayKind, ReplayState, Rule, RuleVersion, Suppression
from console.alerts.replay.drafts import (
    suppression_as_json,
    suppression_of,
    version_of,
    why_not,
    wording_as_json,
    wording_of,
)
from console.alerts.replay.working import BELL
from console.alerts.rule_checking import faults
from console.alerts.rule_editing import EditedMeanwhile, NotPublishable, Wording
from console.alerts.suppression.draft import Draft
from console.alerts.suppression.making import make
from console.lib.live import announce

DAYS = (30, 90)
MOST_WAITING = 10
"""Unfinished ones of one origin; more would only stand in each other's way."""


class Refused(ValueError):
    """It cannot be replayed, or published; the text says why and what to do."""


def ask_for_rule(
    rule: Rule, wording: Wording, *, days: int, origin: str, by: By, now: datetime, started_from: str = ""
) -> Replay:
    """A replay of this wording. Raises `NotPublishable` with the rule checker's words, or `Refused`."""
    if found := faults(version_of(rule, wording)):
        raise NotPublishable(found)
    if reason := why_not(rule):
        raise Refused(reason)
    return _ask(
        Replay(
            kind=ReplayKind.RULE,
            rule=rule,
            compared_with=rule_editing.newest(rule),
            started_from=started_from or rule_editing.revision_of(rule),
            draft=wording_as_json(wording),
        ),
        days=days,
        origin=origin,
        by=by,
        now=now,
    )


def ask_for_suppression(draft: Draft, *, days: int, by: By, now: datetime) -> Replay:
    """A replay of a suppression that is not made yet. Raises the suppression's own `Refused`, or this one."""
    draft.check(now=now)
    row = Replay(kind=ReplayKind.SUPPRESSION, draft=suppression_as_json(draft))
    return _ask(row, days=days, origin=draft.origin, by=by, now=now)


def ask_again(replay: Replay, *, days: int, by: By, now: datetime) -> Replay:
    """The same draft, up to `now`. Raises what asking for it raises."""
    if replay.rule is None:
        return ask_for_suppression(
            suppression_of(replay.draft, origin=replay.origin), days=days, by=by, now=now
        )
    return ask_for_rule(
        replay.rule,
        wording_of(replay.draft),
        days=days,
        origin=replay.origin,
        by=by,
        now=now,
        started_from=replay.started_from,
    )


@transaction.atomic
def _ask(replay: Replay, *, days: int, origin: str, by: By, now: datetime) -> Replay:
    if days not in DAYS:
        raise Refused(f"Replay {' or '.join(map(str, DAYS))} days.")
    if Replay.objects.of_origin(origin).unfinished().count() >= MOST_WAITING:
        raise Refused(f"{MOST_WAITING} replays wait already. Wait for one, or cancel one.")
    replay.origin, replay.days = origin, days
    replay.since, replay.until = now - timedelta(days=days), now
    replay.created_by, replay.created_by_label, replay.created_at = by.user, by.label, now
    replay.save()
    record(
        by.actor, action="replay.ask", subject=replay, after={"days": days, "draft": replay.draft}, now=now
    )
    announce("replays")
    transaction.on_commit(BELL.ring)
    return replay


@transaction.atomic
def cancel(replay: Replay, *, by: Actor, now: datetime) -> bool:
    """The worker finds out within a second. Twice is harmless; False: it was over already."""
    ended = {"state": ReplayState.CANCELLED, "finished_at": now, "lease_until": None, "doing": ""}
    if not Replay.objects.unfinished().filter(pk=replay.pk).update(**ended):
        return False
    record(by, action="replay.cancel", subject=replay, now=now)
    announce("replays")
    return True


@transaction.atomic
def publish(replay: Replay, *, change_note: str, by: By, now: datetime) -> RuleVersion | Suppression:
    """Put the draft that was replayed into force. Raises `Refused`, or what publishing itself raises.

    A rule that somebody changed since is refused: the result is about another draft.
    """
    row = Replay.objects.select_for_update(of=("self",)).select_related("rule").get(pk=replay.pk)
    if row.state != ReplayState.DONE:
        raise Refused("It is not done yet. Wait for the result, and publish then.")
    if row.is_published:
        raise Refused("It is published already.")
    if row.rule is None:
        made = make(suppression_of(row.draft, origin=row.origin), by=by, now=now)
        row.published_suppression = made
        row.save(update_fields=["published_suppression"])
        return made
    try:
        version = rule_editing.publish(
            row.rule,
            wording_of(row.draft),
            started_from=row.started_from,
            change_note=change_note,
            by=by.actor,
            now=now,
        )
    except EditedMeanwhile as error:
        raise Refused("Somebody changed this rule since. Replay the draft as it stands now.") from error
    row.published_version = version
    row.save(update_fields=["published_version"])
    return version
