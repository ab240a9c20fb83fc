"""What time alone decides about an interruption."""

from __future__ import annotations

from datetime import datetime

from console.feeds.normalised import Action, Kind
from console.interruptions.lifecycle import Resolution, State, resolve
from console.interruptions.seen import Seen
from console.interruptions.tracks import Stages, stage_times
from tests.interruptions.make_seen import (
    DAY,
    HOUR,
    MINUTE,
    at,
    bare_notice,
    cordoned,
    make_seen,
    partitioned,
    rebalance,
    running,
    terminated,
    uncordoned,
    warning,
)

DUE = 120 + 15 * MINUTE


def stages_of(*told: Seen) -> Stages:
    reclaim = partitioned(*told).interruptions[0]
    return stage_times(
        reclaim.members,
        native_id=reclaim.native_id,
        restarted_at=reclaim.restarted_at,
        vanished_at=reclaim.vanished_at,
    )


def resolved(*told: Seen, now: float, alive_at: datetime | None = None) -> Resolution:
    return resolve(stages_of(*told), now=at(now), alive_at=alive_at)


def test_an_open_interruption_stands_at_its_node_stage_until_its_deadline_is_long_past() -> None:
    told = [warning(0)]
    for state, seen in (
        (State.NOTICED, make_seen(Kind.POD_EVICTED, 5)),
        (State.CORDONED, cordoned(10)),
        (State.DRAINING, make_seen(Kind.NODE_DRAIN_STARTED, 20)),
        (State.SHUTTING_DOWN, make_seen(Kind.SHUTDOWN_STARTED, 30)),
        (State.SHUT_DOWN, make_seen(Kind.SHUTDOWN_COMPLETED, 40)),
    ):
        told.append(seen)
        assert resolved(*told, now=DUE - 1) == Resolution(state=state, next_due_at=at(DUE))


def test_an_end_is_an_end_at_any_time() -> None:
    over = Resolution(state=State.ENDED, ended_at=at(130))

    assert resolved(warning(0), terminated(130), now=131) == over
    assert resolved(warning(0), terminated(130), now=DAY, alive_at=at(HOUR)) == over


def test_an_inventory_that_says_when_the_machine_stopped_tells_the_end() -> None:
    told = stages_of(warning(0))

    over = Resolution(state=State.ENDED, ended_at=at(118))
    assert resolve(told, now=at(119), stopped_at=[at(118)]) == over
    assert resolve(told, now=at(DAY), alive_at=at(60), stopped_at=[at(HOUR), at(118)]) == over


def test_a_machine_that_stopped_at_another_time_did_not_end_by_this_reclaim() -> None:
    told = stages_of(warning(0))

    open_still = Resolution(state=State.NOTICED, next_due_at=at(DUE))
    assert resolve(told, now=at(60), stopped_at=[at(-5), at(118)]) == open_still
    outlived = resolve(told, now=at(DAY), alive_at=at(HOUR), stopped_at=[at(DUE + 1)])
    assert outlived.state == State.CANCELLED


def test_silence_past_the_deadline_is_a_presumed_end_at_the_deadline() -> None:
    assert resolved(warning(0), now=DUE) == Resolution(state=State.PRESUMED, ended_at=at(120))
    assert resolved(bare_notice(0, provider="gcp"), now=DUE).ended_at == at(30)


def test_a_sign_of_life_well_after_the_deadline_cancels() -> None:
    alive = Resolution(state=State.CANCELLED)

    assert resolved(warning(0), now=DUE, alive_at=at(DUE - 30)) == alive
    assert resolved(warning(0), now=DUE - 1, alive_at=at(DUE - 30)).state == State.NOTICED


def test_an_overrun_of_seconds_is_no_life_after_the_deadline() -> None:
    assert resolved(warning(0), now=DUE, alive_at=at(120 + 14)).state == State.PRESUMED
    assert resolved(warning(0), now=DUE, alive_at=at(60)).state == State.PRESUMED


def test_a_sign_of_life_from_another_boot_is_no_evidence() -> None:
    stages = stages_of(warning(0, boot_id="a"))

    for boot, state in (("b", State.PRESUMED), ("a", State.CANCELLED), (None, State.CANCELLED)):
        assert resolve(stages, now=at(DAY), alive_at=at(HOUR), alive_boot_id=boot).state == state


def test_a_machine_that_restarted_had_ended() -> None:
    told = [warning(0, action=Action.STOP), running(HOUR)]

    presumed = Resolution(state=State.PRESUMED, ended_at=at(120))
    assert resolved(*told, now=DAY, alive_at=at(DAY)) == presumed
    assert resolved(warning(0), running(50), now=51).ended_at == at(50)


def test_an_explicit_withdrawal_cancels_at_once_and_an_end_overrules_it() -> None:
    assert resolved(warning(0), uncordoned(60), now=61) == Resolution(state=State.CANCELLED)
    assert resolved(warning(0), uncordoned(60), terminated(120), now=121).state == State.ENDED


def test_a_rebalance_without_a_warning_ends_without_action_after_a_day() -> None:
    assert resolved(rebalance(0), now=DAY - 1) == Resolution(state=State.AT_RISK, next_due_at=at(DAY))
    assert resolved(rebalance(0), now=DAY) == Resolution(state=State.NO_ACTION, ended_at=at(DAY))


def test_a_rebalance_ends_without_action_when_the_machine_ends_by_itself() -> None:
    told = [rebalance(0), cordoned(HOUR), terminated(2 * HOUR)]

    assert resolved(*told[:2], now=HOUR + 1).state == State.AT_RISK
    assert resolved(*told, now=3 * HOUR) == Resolution(state=State.NO_ACTION, ended_at=at(2 * HOUR))


def test_a_warning_revives_what_time_had_ended_without_action() -> None:
    told = [rebalance(0), warning(3 * DAY)]

    assert resolved(*told, now=3 * DAY + 1) == Resolution(state=State.NOTICED, next_due_at=at(3 * DAY + DUE))


def test_nothing_changes_by_time_alone_before_it_is_due_and_nothing_after_the_last() -> None:
    for told in ([warning(0)], [rebalance(0)], [warning(0), uncordoned(9)], [warning(0), terminated(99)]):
        now = at(100)
        here = resolve(stages_of(*told), now=now)
        while here.next_due_at is not None:
            before = resolve(stages_of(*told), now=here.next_due_at - (at(1) - at(0)))
            assert before == here
            here = resolve(stages_of(*told), now=here.next_due_at)
        assert resolve(stages_of(*told), now=at(365 * DAY)) == here
