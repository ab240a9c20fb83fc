"""Stages, deadlines and causes of one interruption."""

from __future__ import annotations

import random

from console.feeds.normalised import Action, Cause, Kind, Outcome
from console.interruptions.tracks import KnownBy, stage_times
from tests.interruptions.make_seen import (
    DAY,
    HOUR,
    MINUTE,
    at,
    bare_notice,
    cordoned,
    maintenance,
    make_seen,
    proof,
    rebalance,
    stopped,
    terminated,
    uncordoned,
    warning,
)


def test_each_track_stands_at_its_highest_stage_and_fills_in_late_ones() -> None:
    members = [
        warning(0),
        make_seen(Kind.SHUTDOWN_STARTED, 100),
        make_seen(Kind.NODE_DRAIN_STARTED, 20),
        make_seen(Kind.POD_EVICTED, 30),
        make_seen(Kind.POD_RUNNING, 50),
    ]

    stages = stage_times(members, replacements=[make_seen(Kind.REPLACEMENT_LAUNCHED, 45)])

    assert (stages.node, stages.pods, stages.capacity) == (
        Kind.SHUTDOWN_STARTED,
        Kind.POD_RUNNING,
        Kind.REPLACEMENT_LAUNCHED,
    )
    assert (stages.drain_started_at, stages.cordoned_at) == (at(20), None)
    assert stages.replacement_launched_at == at(45)


def test_a_stage_told_twice_keeps_its_earliest_time() -> None:
    assert stage_times([warning(0), cordoned(30), cordoned(12)]).cordoned_at == at(12)


def test_a_deadline_stated_by_the_machine_wins_over_a_derived_one() -> None:
    derived, exact = warning(0), warning(5, deadline=127, is_precise_deadline=True)

    assert stage_times([derived, exact, bare_notice(9)]).deadline_at == at(127)
    assert stage_times([derived, bare_notice(9)]).deadline_at == at(120)
    assert stage_times([derived, warning(3)]).deadline_at == at(120)


def test_without_a_deadline_the_providers_notice_is_due() -> None:
    assert stage_times([bare_notice(0)]).deadline_at is None
    assert stage_times([bare_notice(0)]).due_deadline_at == at(120)
    assert stage_times([bare_notice(0, provider="azure")]).due_deadline_at == at(30)


def test_maintenance_is_a_witness_and_lends_no_time() -> None:
    stages = stage_times([bare_notice(0), maintenance(-60, deadline=DAY)])

    assert (stages.notice_at, stages.deadline_at, stages.cause) == (at(0), None, Cause.SPOT)


def test_the_cause_is_the_first_in_the_order_of_precedence() -> None:
    reserved = warning(0, cause=Cause.CAPACITY_RESERVATION)

    assert stage_times([maintenance(0), reserved]).cause == Cause.CAPACITY_RESERVATION
    assert stage_times([maintenance(0), reserved, proof(9)]).cause == Cause.SPOT
    assert stage_times([bare_notice(0, cause=None)]).cause == Cause.UNKNOWN


def test_what_a_proof_opened_had_no_notice_and_starts_no_later_than_it_ended() -> None:
    stages = stage_times([terminated(-8), proof(0)])

    assert (stages.known_by, stages.notice_at) == (KnownBy.AUDIT, None)
    assert (stages.started_at, stages.ended_at) == (at(-8), at(-8))
    assert stage_times([warning(-120), proof(0)]).known_by == KnownBy.NOTICE


def test_stopped_is_the_end_of_what_stops_and_not_of_what_terminates() -> None:
    for action, ended in ((Action.STOP, at(90)), (Action.HIBERNATE, at(90)), (Action.TERMINATE, None)):
        stages = stage_times([warning(0, action=action), stopped(90)])
        assert (stages.ended_at, stages.terminated_at) == (ended, ended)


def test_a_hint_starts_with_itself_and_a_reclaim_with_its_notice() -> None:
    hint = stage_times([rebalance(0), cordoned(60)])
    real = stage_times([rebalance(0), warning(2 * DAY)])

    assert (hint.is_real, hint.started_at) == (False, at(0))
    assert (real.is_real, real.started_at, real.at_risk_at) == (True, at(2 * DAY), at(0))


def test_a_withdrawal_reaches_no_stage_and_holds_while_it_is_the_last_word() -> None:
    notice, undone = warning(0), uncordoned(60)

    assert stage_times([notice, undone]).cordoned_at is None
    assert stage_times([notice, undone]).withdrawn_at == at(60)
    assert stage_times([notice, undone, make_seen(Kind.SHUTDOWN_STARTED, 70)]).withdrawn_at is None
    assert stage_times([notice, undone, bare_notice(70)]).withdrawn_at is None


def test_a_pod_kept_or_maintenance_called_off_withdraws_no_reclaim() -> None:
    pod = make_seen(Kind.POD_EVICTED, 60, outcome=Outcome.CANCELLED)
    other = maintenance(60, outcome=Outcome.CANCELLED, native_id="m1")

    assert stage_times([warning(0), pod, other], native_id="e1").withdrawn_at is None
    assert stage_times([warning(0), other], native_id="m1").withdrawn_at == at(60)


def test_errors_reach_node_stages_and_no_pod_or_machine() -> None:
    members = [
        warning(0),
        make_seen(Kind.NODE_DRAIN_STARTED, 10, outcome=Outcome.ERROR),
        make_seen(Kind.POD_SCHEDULED, 20, outcome=Outcome.ERROR),
        make_seen(Kind.REPLACEMENT_LAUNCHED, 30, outcome=Outcome.ERROR),
    ]

    stages = stage_times(members)

    assert (stages.drain_started_at, stages.has_drain_error) == (at(10), True)
    assert (stages.pods, stages.capacity) == (None, None)


def test_witnesses_are_feeds_and_low_confidence_is_passed_on() -> None:
    stages = stage_times([warning(0), bare_notice(5, feed_id=2), bare_notice(6, feed_id=2)])

    assert (stages.witness_count, stages.observation_count, stages.is_low_confidence) == (2, 3, False)
    assert stage_times([warning(0), cordoned(1, is_low_confidence=True)]).is_low_confidence


def test_what_was_over_for_a_quarter_of_an_hour_when_first_heard_of_is_late() -> None:
    assert not stage_times([warning(0, received_at=at(120 + 15 * MINUTE))]).is_late
    assert stage_times([warning(0, received_at=at(121 + 15 * MINUTE))]).is_late
    assert stage_times([proof(0, received_at=at(HOUR))]).is_late


def test_the_order_of_the_members_plays_no_part() -> None:
    members = [
        warning(0, action=Action.STOP),
        warning(0, feed_id=2, action=Action.TERMINATE, deadline=125),
        bare_notice(0, provider="gcp"),
        cordoned(0),
        stopped(80),
        proof(90, feed_id=3),
    ]
    first = stage_times(members)

    for seed in range(20):
        random.Random(seed).shuffle(members)
        assert stage_times(members) == first
