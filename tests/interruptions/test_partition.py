"""The edge cases and the four rules of identity, one sentence each."""

from __future__ import annotations

from console.feeds.normalised import Action, Cause, Kind
from console.interruptions.partition import partition
from tests.interruptions.make_seen import (
    DAY,
    HOUR,
    MINUTE,
    at,
    bare_notice,
    cordoned,
    fulfilled,
    groups,
    maintenance,
    make_seen,
    partitioned,
    proof,
    rebalance,
    running,
    stopped,
    terminated,
    uncordoned,
    warning,
)

# The edge cases


def test_a_warning_promotes_a_rebalance_of_days_ago() -> None:
    early, late = rebalance(0), warning(6 * DAY)

    result = partitioned(early, late)

    assert [r.members for r in result.interruptions] == [(early, late)]
    assert result.interruptions[0].is_real
    assert result.interruptions[0].opener == early


def test_a_warning_eight_days_after_a_rebalance_stands_alone() -> None:
    early, late = rebalance(0), warning(8 * DAY)

    assert groups(early, late) == [[early], [late]]
    assert [r.is_real for r in partitioned(early, late).interruptions] == [False, True]


def test_only_the_latest_of_two_rebalances_is_promoted() -> None:
    old, new, late = rebalance(0), rebalance(2 * DAY), warning(4 * DAY)

    assert groups(old, new, late) == [[old], [new, late]]


def test_no_warning_promotes_a_rebalance_from_before_a_stop() -> None:
    early, off, late = rebalance(0), stopped(3 * DAY), warning(4 * DAY)

    assert groups(early, off, late) == [[early], [late]]


def test_nor_within_its_day_when_the_restart_was_not_told_of() -> None:
    early, off, late = rebalance(0), stopped(HOUR), warning(2 * HOUR)

    assert groups(early, off, late) == [[early, off], [late]]


def test_a_proof_promotes_a_rebalance_though_the_end_was_told_first() -> None:
    early, gone, proven = rebalance(0), terminated(3 * DAY), proof(3 * DAY + 10)

    assert groups(early, gone, proven) == [[early, gone, proven]]


def test_a_rebalance_may_come_after_its_warning() -> None:
    notice, late = warning(0), rebalance(30)

    assert groups(notice, late) == [[notice, late]]


def test_a_rebalance_at_launch_is_not_cut_from_its_machine() -> None:
    early, up, notice = rebalance(0), running(40), warning(HOUR)

    assert groups(early, up, notice) == [[early, up, notice]]


def test_what_lay_between_a_rebalance_and_its_late_warning_belongs_to_neither() -> None:
    early, rollout, notice = rebalance(0), cordoned(3 * DAY), warning(6 * DAY)
    just_before = cordoned(6 * DAY - 5 * MINUTE)

    result = partitioned(early, rollout, notice, just_before)

    assert result.interruptions[0].members == (early, just_before, notice)
    assert result.unattached == (rollout,)


def test_a_restart_since_then_keeps_a_cordon_out_of_the_late_warning() -> None:
    early, old, up = rebalance(0), cordoned(6 * DAY - 9 * MINUTE), running(6 * DAY - 5 * MINUTE)

    assert partitioned(early, old, up, warning(6 * DAY)).unattached == (old,)


def test_a_rebalance_that_was_followed_by_another_is_never_promoted() -> None:
    old, new, first = rebalance(0), rebalance(2 * DAY), warning(2 * DAY + HOUR)
    second = warning(4 * DAY)

    assert groups(old, new, first, second) == [[old], [new, first], [second]]


def test_no_warning_promotes_a_rebalance_from_before_an_end() -> None:
    early, gone, late = rebalance(0), terminated(3 * DAY), warning(3 * DAY + 16 * MINUTE)

    assert groups(early, gone, late) == [[early], [late]]


def test_what_shares_a_native_id_across_a_restart_does_not_undo_it() -> None:
    first, up = proof(0, native_id="op"), running(HOUR)
    late = terminated(2 * HOUR, native_id="op")

    (reclaim,) = partitioned(first, up, late).interruptions

    assert (reclaim.members, reclaim.restarted_at) == ((first, late), at(HOUR))


def test_a_machine_stopped_and_started_is_interrupted_a_second_time() -> None:
    first, off, up = warning(0, action=Action.STOP), stopped(100), running(10 * MINUTE)
    second = bare_notice(40 * MINUTE)

    result = partitioned(first, off, up, second)

    assert [list(r.members) for r in result.interruptions] == [[first, off], [second]]
    assert result.interruptions[0].restarted_at == at(10 * MINUTE)
    assert result.interruptions[1].restarted_at is None


def test_a_request_fulfilled_after_a_hibernation_closes_it_too() -> None:
    first, back = warning(0, action=Action.HIBERNATE, deadline=0), fulfilled(5 * MINUTE)
    second = bare_notice(6 * MINUTE)

    result = partitioned(first, back, second)

    assert [list(r.members) for r in result.interruptions] == [[first], [second]]
    assert result.unattached == (back,)


def test_a_late_restart_splits_the_interruption() -> None:
    first, second = warning(0), bare_notice(40 * MINUTE)
    assert groups(first, second) == [[first, second]]

    assert groups(first, second, running(20 * MINUTE))[1][-1] == second


def test_one_warning_by_several_channels_is_one_interruption() -> None:
    told = [
        warning(0, feed_id=1),
        warning(4, feed_id=2, deadline=121, is_precise_deadline=True, boot_id="b"),
        bare_notice(9, feed_id=3),
        bare_notice(95, feed_id=4),
    ]

    assert groups(*reversed(told)) == [told]


def test_a_reclaim_without_warning_is_opened_by_its_proof() -> None:
    proven = proof(0)

    assert groups(proven) == [[proven]]
    assert partitioned(proven).interruptions[0].is_real


def test_one_machine_preempted_three_times_is_three_interruptions() -> None:
    told = [proof(n * 5 * MINUTE, provider="gcp", native_id=f"systemevent-{n}") for n in range(3)]

    result = partitioned(*told)

    assert [r.members for r in result.interruptions] == [(seen,) for seen in told]
    assert [r.native_id for r in result.interruptions] == ["systemevent-0", "systemevent-1", "systemevent-2"]


def test_a_name_reused_by_a_new_node_is_another_interruption() -> None:
    first, gone = bare_notice(0, node_uid="u1"), terminated(60, node_uid="u1")
    second = bare_notice(10 * MINUTE, node_uid="u2")

    assert groups(first, gone, second) == [[first, gone], [second]]


def test_without_a_uid_the_new_node_known_by_then_still_decides() -> None:
    first, ready = bare_notice(0, node_uid="u1"), make_seen(Kind.STATE_CHANGE, 5 * MINUTE, node_uid="u2")
    second = bare_notice(10 * MINUTE)

    assert groups(first, ready, second) == [[first], [ready, second]]


def test_an_event_id_of_the_provider_decides_before_the_window() -> None:
    notice = warning(0, provider="azure", native_id="e1", node_uid="u1")
    started = make_seen(Kind.SHUTDOWN_STARTED, 3 * HOUR, provider="azure", native_id="e1", node_uid="u2")
    other = warning(60, provider="azure", native_id="e2", deadline=120)

    assert groups(notice, started, other) == [[notice, started], [other]]


# Rule 1


def test_whoever_waits_with_the_same_native_id_comes_along() -> None:
    started = make_seen(Kind.SHUTDOWN_STARTED, -3 * HOUR, native_id="e1")
    kin = make_seen(Kind.SHUTDOWN_STARTED, 3 * HOUR, native_id="e1")
    notice = warning(0, native_id="e1")

    assert groups(kin, notice, started) == [[started, notice, kin]]


def test_a_native_id_learnt_late_joins_two_interruptions() -> None:
    early, late = bare_notice(0, provider="gcp"), proof(5 * HOUR, provider="gcp", native_id="op")
    assert len(groups(early, late)) == 2

    link = bare_notice(10, provider="gcp", native_id="op")

    assert groups(early, late, link) == [[early, link, late]]


# Rule 2


def test_a_restart_before_the_notice_cuts_nothing() -> None:
    up, notice, gone = running(-MINUTE), warning(0), terminated(120)

    assert groups(up, notice, gone) == [[up, notice, gone]]


def test_a_cordon_of_the_life_before_is_not_the_new_ones() -> None:
    old, up, notice = cordoned(-10 * MINUTE), running(-5 * MINUTE), warning(0)

    assert partitioned(old, up, notice).unattached == (old,)


def test_a_new_boot_is_a_restart() -> None:
    first, second = bare_notice(0, boot_id="a"), bare_notice(5 * MINUTE, boot_id="b")

    assert groups(first, second) == [[first], [second]]


def test_a_rebalance_repeated_after_a_reboot_stays_one() -> None:
    told = [rebalance(0, boot_id="a"), rebalance(0, boot_id="b")]

    assert groups(*told) == [told]


def test_deadlines_within_ten_minutes_are_one_reclaim_and_further_apart_are_two() -> None:
    first, near = warning(0, deadline=120), warning(10, deadline=120 + 10 * MINUTE)
    far = warning(20, deadline=121 + 10 * MINUTE)

    assert groups(first, near) == [[first, near]]
    assert groups(first, far) == [[first], [far]]


def test_the_window_opens_fifteen_minutes_before_the_start() -> None:
    notice = warning(0)
    inside, outside = cordoned(-15 * MINUTE), cordoned(-15 * MINUTE - 1)

    result = partitioned(notice, inside, outside)

    assert result.interruptions[0].members == (inside, notice)
    assert result.unattached == (outside,)


def test_the_window_closes_an_hour_after_the_end_else_the_deadline_else_the_notice() -> None:
    for closing, close in (
        ([warning(0), terminated(10 * MINUTE)], 10 * MINUTE),
        ([warning(0, deadline=5 * MINUTE)], 5 * MINUTE),
        ([bare_notice(0)], 120),
        ([bare_notice(0, provider="gcp")], 30),
        ([rebalance(0)], DAY),
    ):
        inside, outside = cordoned(close + HOUR), cordoned(close + HOUR + 1)
        assert partitioned(*closing, inside, outside).unattached == (outside,)


def test_a_stop_ends_a_reclaim_that_stops_and_not_one_that_terminates() -> None:
    late = cordoned(70 * MINUTE)

    assert groups(warning(0, action=Action.STOP), stopped(15 * MINUTE), late)[0][-1] == late
    assert partitioned(warning(0, action=Action.TERMINATE), stopped(15 * MINUTE), late).unattached == (late,)


def test_of_two_interruptions_that_could_take_it_the_later_does() -> None:
    first, second = warning(0), warning(30 * MINUTE)
    between, after = cordoned(20 * MINUTE), cordoned(31 * MINUTE)

    assert groups(first, second, between, after) == [[first, between], [second, after]]


def test_a_customers_own_stop_does_not_lend_its_operation_to_the_reclaim() -> None:
    notice = bare_notice(0, provider="gcp")
    own = make_seen(Kind.STATE_CHANGE, 10, cause=Cause.CUSTOMER, native_id="operation-stop")
    proven = proof(30, provider="gcp", native_id="systemevent-1")

    result = partitioned(notice, own, proven)

    assert [list(r.members) for r in result.interruptions] == [[notice, own, proven]]
    assert result.interruptions[0].native_id == "systemevent-1"


# Rules 3 and 4


def test_nothing_but_what_may_open_opens() -> None:
    told = [
        maintenance(0, deadline=DAY),
        cordoned(1),
        make_seen(Kind.POD_EVICTED, 2),
        make_seen(Kind.SHUTDOWN_STARTED, 3),
        terminated(4),
        stopped(5),
        fulfilled(6),
    ]

    result = partitioned(*told)

    assert result.interruptions == ()
    assert set(result.unattached) == set(told)


def test_a_withdrawal_opens_nothing_whatever_it_withdraws() -> None:
    assert groups(warning(0, outcome="cancelled")) == []


def test_an_observation_from_before_its_opener_is_tried_again() -> None:
    early, notice = cordoned(-5 * MINUTE), warning(0)
    assert partitioned(early).unattached == (early,)

    assert groups(early, notice) == [[early, notice]]


def test_a_launch_is_never_part_of_the_machines_own_interruption() -> None:
    up = make_seen(Kind.REPLACEMENT_LAUNCHED, -MINUTE)
    placed = make_seen(Kind.POD_SCHEDULED, 10, source="k8s.event")
    moved = make_seen(Kind.POD_RUNNING, 20, source="node.report")
    notice = warning(0)

    result = partitioned(up, placed, moved, notice)

    assert result.interruptions[0].members == (notice, moved)
    assert result.unattached == (up, placed)


# Repeats and ties


def test_an_event_id_the_machine_already_holds_for_that_feed_is_a_repeat() -> None:
    first, other_feed = warning(0, event_id="e"), warning(0, event_id="e", feed_id=2)
    copy = warning(0, event_id="e", machine_named="node-7")

    result = partition([copy, first, other_feed])

    assert [len(r.members) for r in result.interruptions] == [2]
    assert result.repeats == ((copy, first),)


def test_a_tie_goes_by_stage_and_not_by_arrival() -> None:
    notice, cordon, gone = warning(0), cordoned(0), terminated(0)

    assert groups(gone, cordon, notice) == groups(cordon, notice, gone) == [[notice, cordon, gone]]


def test_nothing_observed_is_nothing_interrupted() -> None:
    assert partition([]).interruptions == ()


def test_a_withdrawn_cordon_is_a_member_like_any_other() -> None:
    notice, undone = warning(0), uncordoned(MINUTE)

    assert groups(notice, undone) == [[notice, undone]]
