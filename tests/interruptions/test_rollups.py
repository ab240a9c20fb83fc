"""The roll-up against a full computation in plain Python, whatever was written in which order."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from console.fleet.models import Pool, RunningInterval, Service
from console.interruptions.measure_reading import read_counts
from console.interruptions.measures import WEEK, Dimension, Scope, Window
from console.interruptions.measures_m1 import Targets, interruption_rate, interruption_rate_by, weekly_rates
from console.interruptions.measures_m3 import reschedule_latency
from console.interruptions.models import (
    BunchPair,
    BunchPiece,
    DirtyHours,
    HintHour,
    Hook,
    Interruption,
    JobHour,
    LatencyHour,
    MachineDay,
    MeasureDay,
    MeasureHour,
    Move,
    NoticeHour,
    RecoveryHour,
    Replica,
    RollupState,
    StreamHour,
    WitnessHour,
    Work,
)
from console.interruptions.rollups import mark_dirty, recompute, roll_up
from tests.make_fleet import NOON, make_interval, make_machine, make_pool, make_service, make_team
from tests.make_interruptions import make_hook, make_interruption, make_move
from tests.make_records import make_observation, make_replica, make_sample, make_volume, make_work

pytestmark = pytest.mark.django_db
TABLES = (
    MeasureHour, MeasureDay, MachineDay, LatencyHour, BunchPair, BunchPiece, NoticeHour, WitnessHour, HintHour,
    JobHour, StreamHour, RecoveryHour,
)  # fmt: skip
SPAN = timedelta(hours=76)
HALF_A_MINUTE = timedelta(seconds=30)


class World:
    """Random fleets and reclaims, many of them seconds from an hour's edge, and random changes to them."""

    def __init__(self, seed: int, now: datetime) -> None:
        self.random, self.now = Random(seed), now
        team = make_team()
        self.services = [make_service(team=team), make_service(team=team), make_service()]
        self.pools = [
            make_pool(),
            make_pool(zone="eu-west-1b"),
            make_pool(provider="gcp", region="us-east1"),
            None,
        ]
        self.machines = [self._machine() for _ in range(8)]
        self.interruptions: list[Interruption] = []
        for machine in self.machines:
            self._interval(machine)

    def _machine(self) -> Any:
        heard = self.random.choice([None, self.now, self.now - SPAN / 2, self._moment()])
        return make_machine(
            service=self.random.choice(self.services), pool=self.random.choice(self.pools), heartbeat_at=heard
        )

    def _interval(self, machine: Any) -> None:
        started_at = self._moment()
        ended_at = self.random.choice([None, started_at + timedelta(seconds=self.random.randint(0, 200_000))])
        lifecycle = self.random.choice(["spot", "spot", "spot", "unknown", "on-demand"])
        make_interval(machine=machine, started_at=started_at, ended_at=ended_at, lifecycle=lifecycle)

    def _moment(self) -> datetime:
        at = self.now - self.random.random() * SPAN
        if self.random.random() < 0.6:
            edge = at.replace(minute=0, second=0, microsecond=0)
            at = edge + timedelta(seconds=self.random.randint(-200, 200))
        return min(at, self.now - timedelta(seconds=1))

    def reclaim(self) -> None:
        at = self._moment()
        for _ in range(self.random.choice([1, 1, 2, 5])):
            interruption = make_interruption(
                machine=self.random.choice(self.machines),
                started_at=at,
                state=self.random.choice(["ended", "ended", "presumed", "cancelled", "no_action"]),
                cause=self.random.choice(["spot", "spot", "spot", "unknown", "maintenance"]),
                known_by=self.random.choice(["notice", "notice", "vanished", "audit"]),
            )
            self.interruptions.append(interruption)
            if self.random.random() < 0.5:
                make_hook(interruption, outcome=self.random.choice(["complete", "partial", "failed"]))
            for _ in range(self.random.randint(0, 2)):
                make_move(interruption, seconds=self.random.choice([None, self.random.random() * 90]))
            self._report(interruption)
            at = min(at + timedelta(seconds=self.random.choice([0, 60, 180, 181])), self.now)

    def _report(self, interruption: Interruption) -> None:
        """What its node and its service tell, and who heard of it."""
        chance, at = self.random, interruption.started_at
        if chance.random() < 0.4:
            make_work(
                chance.choice([interruption, None]),
                machine=interruption.machine,
                at=at - timedelta(minutes=chance.randint(-20, 50)),
                useful=chance.randint(0, 9000),
                lost=chance.choice([0, chance.randint(0, 900)]),
            )
        if chance.random() < 0.4:
            make_volume(interruption, detached_at=at, attached_at=chance.choice([None, at + HALF_A_MINUTE]))
            make_replica(interruption, seconds=chance.choice([None, chance.randint(0, 300)]))
        for _ in range(chance.randint(0, 3)):
            self._sample(near=at)
        for _ in range(chance.randint(0, 2)):
            kind = chance.choice(["interruption_notice", "state_change", "rebalance_recommendation"])
            make_observation(interruption, after=chance.randint(-10, 300), kind=kind)
        if chance.random() < 0.3:
            interruption.at_risk_at = at - timedelta(seconds=chance.choice([-5, 0, 90, 4000]))
            interruption.save(update_fields=["at_risk_at"])

    def _sample(self, *, near: datetime) -> None:
        machine = self.random.choice([None, self.random.choice(self.machines)])
        at = min(near + timedelta(seconds=self.random.randint(-4000, 8000)), self.now)
        service = machine.service if machine else self.random.choice(self.services)
        signal = self.random.choice(["telemetry", "telemetry", "audit", "checkpoint"])
        make_sample(
            at, service=service, machine=machine, signal=signal, replica=self.random.choice(["", "a", "b"])
        )

    def disturb(self) -> None:
        """One late change of the kinds that recording and inventory make."""
        what = self.random.randrange(12)
        some = self.random.choice(self.interruptions)
        interval = RunningInterval.objects.order_by("?").first()
        if what == 0:
            Interruption.objects.filter(pk=some.pk).update(state=self.random.choice(["ended", "cancelled"]))
        elif what == 1:
            at = self._moment()
            Interruption.objects.filter(pk=some.pk).update(
                started_at=at, ended_at=at + timedelta(minutes=2), deadline_at=at + timedelta(minutes=2)
            )
        elif what == 2:
            Interruption.objects.filter(pk=some.pk).update(
                service=self.random.choice(self.services), pool=self.random.choice(self.pools)
            )
        elif what == 3:
            Move.objects.filter(running_at=None).update(running_at=self.now)
        elif what == 4:
            Hook.objects.filter(interruption=some).delete()
        elif what == 5 and interval is not None:
            interval.ended_at = interval.started_at + timedelta(hours=self.random.randint(0, 30))
            interval.save(update_fields=["ended_at"])
        elif what == 6 and interval is not None:
            RunningInterval.objects.filter(pk=interval.pk).update(service=self.random.choice(self.services))
        elif what == 7:
            Replica.objects.filter(ready_at=None).update(ready_at=self.now)
        elif what == 8:
            Work.objects.filter(interruption=None).update(interruption=some)
        elif what == 9:
            Work.objects.filter(interruption=some).update(interruption=None)
        elif what == 10:
            self._sample(near=some.started_at)
        else:
            machine = self.random.choice(self.machines)
            machine.heartbeat_at = self.now
            machine.save(update_fields=["heartbeat_at"])


def contents() -> dict[str, Counter[tuple[Any, ...]]]:
    """Every row of every roll-up table, without its id."""
    rows: dict[str, Counter[tuple[Any, ...]]] = {}
    for model in TABLES:
        names = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
        rows[model.__name__] = Counter(
            tuple(tuple(value) if isinstance(value, list) else value for value in row)
            for row in model._default_manager.values_list(*names)
        )
    return rows


def plain_exposure(now: datetime, since: datetime) -> float:
    """Spot seconds in the window, interval by interval."""
    total = timedelta()
    for interval in RunningInterval.objects.filter(lifecycle="spot").select_related("machine"):
        end = interval.ended_at or now
        if interval.ended_at is None and interval.machine.heartbeat_at is not None:
            end = max(interval.started_at, min(interval.machine.heartbeat_at + timedelta(seconds=90), now))
        total += max(timedelta(), min(end, now) - max(interval.started_at, since))
    return total.total_seconds()


def plain_phi(rows: list[Interruption], *, services: set[int]) -> float:
    """Bunches over every service of a pool, sized by the services asked for."""
    pools: dict[tuple[Any, ...], list[Interruption]] = defaultdict(list)
    for row in rows:
        place = (row.pool.provider, row.pool.region) if row.pool else (row.provider, row.region)
        pools[(row.pool_id, *place)].append(row)
    sizes: list[int] = []
    for members in pools.values():
        members.sort(key=lambda row: row.started_at)
        before = None
        for member in members:
            if before is None or member.started_at - before > timedelta(seconds=180):
                sizes.append(0)
            before = member.started_at
            sizes[-1] += member.service_id in services
    events = sum(sizes)
    return sum(size**2 for size in sizes) / events if events else 1.0


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("is_past", [False, True])
def test_the_sums_agree_with_a_full_computation(seed: int, is_past: bool) -> None:
    now = NOON if is_past else timezone.now()
    world = World(seed, now)
    for _ in range(6):
        for _ in range(4):
            world.reclaim()
            world.disturb()
        roll_up(now=now - timedelta(minutes=world.random.randint(0, 30)))
        roll_up(now=now)
    for _ in range(5):
        world.disturb()
    roll_up(now=now)

    kept = contents()
    recompute(origin="live", now=now)
    assert contents() == kept

    scope, window = Scope("live"), Window.last(WEEK, as_of=now)
    reading = read_counts(scope, window)
    rate = interruption_rate(reading, Targets([]))
    counted = [
        row
        for row in Interruption.objects.counted().select_related("pool")
        if window.since <= row.started_at < window.until
    ]
    assert rate.n == len(counted)
    weeks = plain_exposure(now, window.since) / WEEK.total_seconds()
    assert rate.figures["instance_weeks"] == pytest.approx(weeks, rel=1e-12)
    everything = set(Service.objects.values_list("pk", flat=True))
    assert rate.figures["phi"] == pytest.approx(plain_phi(counted, services=everything), rel=1e-12)
    for group in interruption_rate_by(reading, Targets([]), dimension=Dimension.SERVICE):
        own = set(Service.objects.filter(slug=group.key).values_list("pk", flat=True))
        assert group.n == sum(row.service_id in own for row in counted)
        assert group.figures["phi"] == pytest.approx(plain_phi(counted, services=own), rel=1e-12)
        alone = interruption_rate(read_counts(Scope("live", service=group.key), window), Targets([]))
        assert (alone.n, alone.interval) == (group.n, group.interval)
    for group in interruption_rate_by(reading, Targets([]), dimension=Dimension.TEAM):
        team = None if group.key == "unattributed" else group.key
        own = set(Service.objects.filter(team__slug=team).values_list("pk", flat=True))
        assert group.figures["phi"] == pytest.approx(plain_phi(counted, services=own), rel=1e-12)
        alone = interruption_rate(read_counts(Scope("live", team=group.key), window), Targets([]))
        assert (alone.n, alone.interval) == (group.n, group.interval)
    weeks = Window.weeks(2, as_of=now)
    for service in ("", world.services[0].slug):
        by_week = read_counts(Scope("live", service=service), weeks, by_week=True)
        own = everything if not service else {world.services[0].pk}
        for rate in weekly_rates(by_week, Targets([]), weeks=2):
            assert rate.window is not None
            within = [row for row in counted if rate.window.since <= row.started_at < rate.window.until]
            assert rate.n == sum(row.service_id in own for row in within)
            assert rate.figures["phi"] == pytest.approx(plain_phi(within, services=own), rel=1e-12)
    moves = Move.objects.filter(interruption__in=counted)
    latency = reschedule_latency(scope, window=window, now=now)[0]
    assert latency.n == moves.count()
    assert latency.figures["pending"] == moves.filter(running_at=None).count()


def test_a_week_by_week_reading_cuts_bunches_at_the_week() -> None:
    monday = NOON.replace(hour=0) - timedelta(days=NOON.weekday())
    machine = make_machine(pool=make_pool())
    make_interval(machine=machine, started_at=monday - WEEK)
    for seconds in (-150, -50, 50):
        make_interruption(machine=machine, started_at=monday + timedelta(seconds=seconds))
    roll_up(now=NOON)
    window = Window.weeks(2, as_of=NOON)
    before, after = weekly_rates(read_counts(Scope("live"), window, by_week=True), Targets([]), weeks=2)
    assert (before.n, before.figures["phi"]) == (2, 2)
    assert (after.n, after.figures["phi"]) == (1, 1)


def test_rolling_up_again_changes_nothing() -> None:
    world = World(99, NOON)
    for _ in range(5):
        world.reclaim()
    roll_up(now=NOON)
    kept = contents()
    roll_up(now=NOON)
    assert contents() == kept
    assert not DirtyHours.objects.exists()


def test_origins_never_mix() -> None:
    for origin in ("live", "drill", "sample"):
        make_interruption(origin=origin, started_at=NOON - timedelta(hours=5))
    roll_up(now=NOON)
    for origin, count in (("live", 1), ("drill", 1), ("sample", 1), ("test", 0)):
        sums = read_counts(Scope(origin), Window.last(WEEK, as_of=NOON)).fold(lambda place: "")
        assert sum(counts.reclaim_count for counts in sums.values()) == count
        assert MeasureHour.objects.filter(origin=origin, reclaim_count=1).count() == count


def test_deleting_reclaims_takes_them_out_of_the_sums() -> None:
    make_interruption(started_at=NOON - timedelta(days=9))
    roll_up(now=NOON)
    assert MeasureDay.objects.filter(reclaim_count=1).count() == 1
    Interruption.objects.all().delete()
    roll_up(now=NOON)
    assert not MeasureDay.objects.filter(reclaim_count__gt=0).exists()


def test_only_the_hours_that_were_touched_are_done_again() -> None:
    make_interruption(started_at=NOON - timedelta(days=20))
    roll_up(now=NOON)
    later = NOON + timedelta(minutes=1)
    assert roll_up(now=later) == 4 * 2  # this hour and the one before, of four origins
    with connection.cursor() as cursor:
        mark_dirty(
            cursor, [("live", NOON - timedelta(days=3, minutes=20)), ("live", NOON - timedelta(days=3))]
        )
    assert roll_up(now=later) == 4 * 2 + 2


def test_live_traffic_marks_nothing_but_late_rows_do() -> None:
    now = timezone.now()
    service: Service = make_service()
    pool: Pool = make_pool()
    machine = make_machine(service=service, pool=pool)
    make_interruption(machine=machine, started_at=now)
    make_interval(machine=machine, started_at=now)
    assert not DirtyHours.objects.exists()
    make_interruption(machine=machine, started_at=now - timedelta(hours=5))
    assert DirtyHours.objects.count() == 1


def test_a_row_of_another_age_does_not_stretch_the_work() -> None:
    make_interval(started_at=NOON.replace(year=1970))
    make_interruption(started_at=NOON.replace(year=1970))
    assert roll_up(now=NOON) < 4 * 801 * 24
    assert MeasureHour.objects.order_by("hour").first() is not None


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_time_do_the_work_once() -> None:
    make_interruption(started_at=NOON - timedelta(days=9))
    RollupState.objects.create(origin="live")
    done: list[int] = []

    def other() -> None:
        done.append(roll_up(now=NOON))
        connection.close()

    with transaction.atomic():
        RollupState.objects.select_for_update().get(origin="live")
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(timeout=30)
    assert not thread.is_alive()
    assert not MeasureDay.objects.filter(origin="live").exists()
    roll_up(now=NOON)
    assert MeasureDay.objects.filter(origin="live", reclaim_count=1).count() == 1
