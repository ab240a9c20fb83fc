"""One reclaim is one interruption, whatever the number of feeds, repeats, delays and orders of telling."""

from __future__ import annotations

import random
import sys
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.feeds.normalised import Action, Cause, Kind, Outcome
from console.interruptions.keys import Difference, Naming, Stored, reconcile
from console.interruptions.partition import Partition, partition
from console.interruptions.seen import Seen
from console.interruptions.tracks import Stages, stage_times
from tests.interruptions.make_seen import DAY, HOUR, MINUTE, at
from tests.interruptions.plain_partition import PlainPartition
from tests.interruptions.stories import Story, stories

NAMING = Naming(provider="aws", account="123456789012", region="us-east-1", resource="i-0123456789abcdef0")

SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck))

GAPS = [0, 0, 0, 1, 30, 120, 5 * MINUTE, 9 * MINUTE, 15 * MINUTE, 16 * MINUTE, 40 * MINUTE]
GAPS += [HOUR, HOUR + 120, 3 * HOUR, 24 * HOUR, 25 * HOUR, 2 * DAY, 7 * DAY]
OPENERS = [Kind.REBALANCE_RECOMMENDATION, Kind.INTERRUPTION_NOTICE, Kind.TERMINATED]
FACTS = [k for k in Kind if k is not Kind.REBALANCE_RECOMMENDATION]


@st.composite
def jumbles(draw: st.DrawFn) -> list[Seen]:
    """Anything at all about one machine, on a coarse clock so that instants and limits coincide."""
    provider = draw(st.sampled_from(["aws", "gcp", "azure", None]))
    observations = []
    clock = 0
    for number in range(draw(st.integers(1, 9))):
        clock += draw(st.sampled_from(GAPS))
        observations.append(draw(_statements(number, clock, provider)))
    return observations


@st.composite
def _listings(draw: st.DrawFn, number: int, clock: int, provider: str | None) -> Seen:
    """A document of the machine's own metadata: which events it lists, and its number if it has one."""
    return Seen(
        id=number,
        feed_id=draw(st.integers(1, 2)),
        event_id=f"list-{number}",
        kind=Kind.HEARTBEAT,
        occurred_at=at(clock),
        received_at=at(clock + 1),
        machine_named="m",
        provider=provider,
        boot_id=draw(st.sampled_from([None, None, "b1", "b2"])),
        listed=draw(st.sampled_from([(), ("n1",), ("n2",), ("n1", "n2")])),
        incarnation=draw(st.sampled_from([None, 1, 2, 3])),
    )


@st.composite
def _statements(draw: st.DrawFn, number: int, clock: int, provider: str | None) -> Seen:
    if draw(st.integers(0, 3)) == 0:
        return draw(_listings(number, clock, provider))
    may_open = draw(st.booleans())
    kind = draw(st.sampled_from(OPENERS if may_open else FACTS))
    said: dict[str, Any] = {}
    if kind is Kind.INTERRUPTION_NOTICE and draw(st.booleans()):
        said["deadline_at"] = at(clock + draw(st.sampled_from([0, 30, 120, 10 * MINUTE, 11 * MINUTE, DAY])))
        said["is_precise_deadline"] = draw(st.booleans())
    if kind is Kind.INTERRUPTION_NOTICE:
        said["action"] = draw(st.sampled_from([None, *Action]))
    if kind is Kind.STATE_CHANGE:
        said["state"] = draw(st.sampled_from(["stopped", "running", None]))
    said["is_restart"] = said.get("state") == "running" or (
        kind is Kind.REPLACEMENT_LAUNCHED and draw(st.booleans())
    )
    return Seen(
        id=number,
        feed_id=draw(st.integers(1, 2)),
        event_id=draw(st.sampled_from(["a", "b", str(number), str(number)])),
        kind=kind,
        occurred_at=at(clock),
        received_at=at(clock + 1),
        machine_named="m",
        provider=provider,
        outcome=draw(st.sampled_from([Outcome.OK, Outcome.OK, *Outcome])),
        cause=draw(st.sampled_from([None, *Cause])),
        source=draw(st.sampled_from(["aws.eventbridge", "k8s.event"])),
        native_id=draw(st.sampled_from([None, None, None, "n1", "n2"])),
        boot_id=draw(st.sampled_from([None, None, None, "b1", "b2"])),
        node_uid=draw(st.sampled_from([None, None, None, None, "u1", "u2"])),
        may_open=may_open,
        **said,
    )


def outcome_of(result: Partition) -> list[tuple[list[str], Stages]]:
    """Everything that is written of a partition but row numbers."""
    return [
        (
            [member.identity for member in reclaim.members],
            stage_times(
                reclaim.members,
                native_id=reclaim.native_id,
                restarted_at=reclaim.restarted_at,
                vanished_at=reclaim.vanished_at,
            ),
        )
        for reclaim in result.interruptions
    ]


def sets_of(result: Partition) -> set[frozenset[str]]:
    return {frozenset(member.identity for member in reclaim.members) for reclaim in result.interruptions}


@settings(parent=SLOW, max_examples=600)
@given(jumbles())
def test_the_partition_is_what_the_rules_say_word_by_word(observations: list[Seen]) -> None:
    assert sets_of(partition(observations)) == PlainPartition(observations).result()


@settings(parent=SLOW, max_examples=400)
@given(jumbles())
def test_what_vanished_is_what_the_rule_says_word_by_word(observations: list[Seen]) -> None:
    plain = PlainPartition(observations)
    places = {seen.identity: place for place, seen in enumerate(plain.all)}
    for reclaim in partition(observations).interruptions:
        group = [places[member.identity] for member in reclaim.members]
        assert reclaim.vanished_at == plain.vanished(group, reclaim.native_id)


@settings(parent=SLOW, max_examples=150)
@given(jumbles(), st.randoms(use_true_random=False))
def test_no_order_or_repetition_of_arrival_changes_anything(
    observations: list[Seen], chance: random.Random
) -> None:
    again = observations + [chance.choice(observations) for _ in range(3)]
    chance.shuffle(again)

    assert outcome_of(partition(again)) == outcome_of(partition(observations))


@settings(parent=SLOW, max_examples=150)
@given(jumbles(), st.randoms(use_true_random=False))
def test_every_observation_ends_in_exactly_one_place(observations: list[Seen], chance: random.Random) -> None:
    chance.shuffle(observations)

    result = partition(observations)

    placed = [member for reclaim in result.interruptions for member in reclaim.members]
    placed += [*result.unattached, *(copy for copy, _ in result.repeats)]
    assert sorted(seen.id for seen in placed) == sorted(seen.id for seen in observations)
    assert all(reclaim.opener in reclaim.members for reclaim in result.interruptions)


@settings(parent=SLOW, max_examples=150)
@given(st.one_of(jumbles(), stories().map(lambda story: story.told)), st.randoms(use_true_random=False))
def test_batches_end_where_all_at_once_ends_and_no_key_is_lost(
    observations: list[Seen], chance: random.Random
) -> None:
    told = {(seen.feed_id, seen.event_id): seen for seen in observations}  # the key table keeps one of each
    arrivals = [*told.values(), *(chance.choice(list(told.values())) for _ in range(3))]
    chance.shuffle(arrivals)
    store = Store()

    while arrivals:
        size = chance.randint(1, 4)
        store.receive(arrivals[:size])
        del arrivals[:size]

    assert outcome_of(store.latest) == outcome_of(partition(list(told.values())))
    assert {row.key for row in store.rows} | store.aliases.keys() == store.issued
    assert set(store.aliases.values()) <= {row.key for row in store.rows}
    assert len(store.rows) == len(store.latest.interruptions)


class Store:
    """What recording does with differences, in memory."""

    def __init__(self) -> None:
        self.held: dict[str, Seen] = {}
        self.rows: list[Stored] = []
        self.aliases: dict[str, str] = {}
        self.issued: set[str] = set()
        self.last_ordinal = 0
        self.latest = Partition()

    def receive(self, batch: list[Seen]) -> None:
        for seen in batch:
            self.held.setdefault(seen.identity, seen)
        self.latest = partition(self.held.values())
        difference = reconcile(self.latest, stored=self.rows, naming=NAMING, last_ordinal=self.last_ordinal)
        assert difference.vanished == ()
        self.write(difference)

    def write(self, difference: Difference) -> None:
        rows = []
        for kept in difference.continued:
            assert kept.stored.opened_by in {member.identity for member in kept.reclaim.members}
            assert all(kept.stored.id < gone.id for gone in kept.absorbed)
            self.aliases |= dict.fromkeys(kept.new_aliases, kept.stored.key)
            aliases = (*kept.stored.aliases, *kept.new_aliases)
            rows.append(Stored(**_fields(kept.stored) | {"aliases": aliases}))
        for new in difference.opened:
            assert new.key not in self.issued
            assert new.ordinal > self.last_ordinal
            self.last_ordinal = new.ordinal
            self.issued.add(new.key)
            rows.append(
                Stored(
                    id=new.ordinal, key=new.key, opened_by=new.reclaim.opener.identity, ordinal=new.ordinal
                )
            )
        self.rows = sorted(rows, key=lambda row: row.id)


def _fields(row: Stored) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


@settings(parent=SLOW, max_examples=150)
@given(stories())
def test_each_reclaim_of_a_story_is_one_interruption_with_its_own_times(story: Story) -> None:
    result = partition(story.told)

    real = [reclaim for reclaim in result.interruptions if reclaim.is_real]
    assert [{m.id for m in reclaim.members} for reclaim in real] == story.reclaims
    for reclaim, ended in zip(real, story.ends, strict=True):
        assert stage_times(reclaim.members).ended_at == ended


def test_a_hostile_flood_is_not_quadratic() -> None:
    """Counted, not timed: twice the observations cost about twice the questions."""
    asked = [_questions(count) for count in (500, 1000, 2000)]

    assert asked[1] < asked[0] * 2.5
    assert asked[2] < asked[1] * 2.5


def _questions(count: int) -> int:
    from_the_flood = [
        Seen(
            id=number,
            feed_id=1,
            event_id=str(number),
            kind=Kind.INTERRUPTION_NOTICE,
            occurred_at=at(number * 0.1),
            received_at=at(number),
            deadline_at=at(number * HOUR),
            may_open=number % 2 == 0,
        )
        for number in range(count)
    ]
    calls = 0

    def count_calls(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    previous = sys.getprofile()
    sys.setprofile(count_calls)
    try:
        partition(from_the_flood)
    finally:
        sys.setprofile(previous)
    return calls
