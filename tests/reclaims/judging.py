"""What the record holds, compared with what happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from console.feeds.normalised import Kind, ParseContext, Reading
from console.feeds.reading import read_body
from console.interruptions.models import Interruption, Observation
from tests.ingest.hearing import KINDS, at
from tests.reclaims.told import Told

_CONTEXT = ParseContext()
Statement = tuple[str, str, str]
"""Feed, event id, and the machine as it was named."""


@dataclass
class Verdict:
    """Right where `found` is `told`, and nothing else is more than 0."""

    told: int
    statements: int
    found: int
    wrong_merges: list[set[int]] = field(default_factory=list)
    splits: list[int] = field(default_factory=list)
    lost: list[tuple[int, Statement]] = field(default_factory=list)
    miscounted: list[str] = field(default_factory=list)
    """Interruptions that count other witnesses than they have."""

    @property
    def is_exact(self) -> bool:
        wrong = (self.wrong_merges, self.splits, self.lost, self.miscounted)
        return self.found == self.told and not any(wrong)


def truth_of(stream: Iterable[Told]) -> dict[Statement, int]:
    """Which reclaim each statement is about, read by the console's own parsers."""
    truth: dict[Statement, int] = {}
    for one in stream:
        message = one.message
        body = read_body(message.body.encode(), kind=KINDS[message.feed.partition("-")[0]], headers={},
                         content_type="application/json", context=_CONTEXT, received_at=at(message.received))  # fmt: skip
        for item in body.items:
            assert isinstance(item.outcome, Reading), item.outcome
            for event in item.outcome.events:
                reclaim = one.reclaim_of(event.machine.identifier)
                if reclaim >= 0 and event.kind is not Kind.HEARTBEAT:
                    truth[message.feed, event.event_id, event.machine.identifier] = reclaim
    return truth


def judge(stream: Iterable[Told]) -> Verdict:
    """Everything of the stream is stored and recorded by now."""
    truth = truth_of(stream)
    holders = _holders()
    verdict = Verdict(len(set(truth.values())), len(truth), found=0)
    held: dict[int, set[int]] = defaultdict(set)
    homes: dict[int, set[int]] = defaultdict(set)
    for statement, reclaim in truth.items():
        home = holders.get(statement)
        if home is None:
            verdict.lost.append((reclaim, statement))
        else:
            held[home].add(reclaim)
            homes[reclaim].add(home)
    real = Interruption.objects.filter(merged_into=None)
    verdict.found = real.count()
    verdict.wrong_merges = [reclaims for reclaims in held.values() if len(reclaims) > 1]
    verdict.splits = [reclaim for reclaim, found in homes.items() if len(found) > 1]
    verdict.miscounted = _miscounted(holders)
    return verdict


def _holders() -> dict[Statement, int]:
    rows = Observation.objects.exclude(interruption=None).values_list(
        "feed__slug", "event_id", "machine_named", "interruption_id"
    )
    return {(slug, event_id, named): home for slug, event_id, named, home in rows if home is not None}


def _miscounted(holders: dict[Statement, int]) -> list[str]:
    feeds: dict[int, set[str]] = defaultdict(set)
    for (slug, _, _), home in holders.items():
        feeds[home].add(slug)
    rows = Interruption.objects.filter(merged_into=None).values_list("pk", "key", "witness_count")
    return [key for pk, key, counted in rows if counted != len(feeds[pk])]
