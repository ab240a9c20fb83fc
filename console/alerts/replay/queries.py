"""What the pages of replays show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from console.alerts.models import Difference, Replay, ReplayEpisode, RuleVersion
from console.alerts.registry import known
from console.alerts.replay.drafts import suppression_of, version_of, wording_of
from console.alerts.rule_queries import Difference as Changed
from console.alerts.rule_queries import differences
from console.alerts.suppression.scoping import BadScope

NOT_REPLAYED = (
    "What people did then: acknowledgements, silences, merges, and what they resolved by hand.",
    "Levels of an escalation after the first that reaches anybody; the policy is today's, the roster that of then.",
    "Which service, pool and cause a reclaim has is taken as it is known today.",
    "Replica counts are known only where a receipt of then kept them; without, a share of machines stands in.",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One figure on record, under the rules in force, and under the draft. None: it is not kept."""

    name: str
    record: int | None
    now: int
    draft: int

    @property
    def change(self) -> int:
        return self.draft - self.now


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of the list of episodes, as the URL has them."""

    difference: str = ""
    decision: str = ""
    q: str = ""
    missed: bool = False

    @classmethod
    def of(cls, given: Mapping[str, str], *, usual: str = "") -> Filters:
        """`usual`: the difference that is shown where the URL says nothing of it."""
        return cls(
            difference=given.get("difference", usual),
            decision=given.get("decision", ""),
            q=given.get("q", "").strip()[:100],
            missed=given.get("missed") == "yes",
        )

    @property
    def is_set(self) -> bool:
        return bool(self.difference not in ("", "any") or self.decision or self.q or self.missed)

    def narrow(self, rows: QuerySet[ReplayEpisode]) -> QuerySet[ReplayEpisode]:
        if self.difference == "any":
            rows = rows.exclude(difference=Difference.SAME)
        elif self.difference:
            rows = rows.filter(difference=self.difference)
        if self.decision:
            rows = rows.filter(now_decision=self.decision) | rows.filter(draft_decision=self.decision)
        if self.q:
            rows = rows.filter(title__icontains=self.q) | rows.filter(service__slug=self.q)
        return rows.filter(is_missed=True) if self.missed else rows


def lines_of(replay: Replay) -> list[Line]:
    totals = replay.result.get("totals", {})
    record, now, draft = (totals.get(name, {}) for name in ("record", "now", "draft"))
    named = {
        "pages": "Pages",
        "night_pages": "Pages at night",
        "tickets": "Tickets",
        "suppressed": "Groups kept quiet",
        "logged": "Groups logged only",
    }
    return [
        Line(label, record.get(name), now.get(name, 0), draft.get(name, 0)) for name, label in named.items()
    ]


def sentence_of(replay: Replay) -> str:
    """The answer first: `2 pages fewer in 90 days, 1 of them at night; 1 that was grave would have been missed.`"""
    lines = {line.name: line for line in lines_of(replay)}
    pages, nights, tickets = lines["Pages"], lines["Pages at night"], lines["Tickets"]
    missed = replay.result.get("differences", {}).get("missed", 0)
    if not has_differences(replay):
        return f"Nothing would have been different in {replay.days} days."
    parts = [f"{_fewer(pages.change, 'page')} in {replay.days} days"]
    if nights.change:
        parts.append(f"{_fewer(nights.change, 'page')} at night")
    if tickets.change:
        parts.append(_fewer(tickets.change, "ticket"))
    text = ", ".join(parts)
    if missed:
        text += f". {missed} of the pages that fall away {'was' if missed == 1 else 'were'} grave or worth it"
    return f"{text[0].upper()}{text[1:]}."


def has_differences(replay: Replay) -> bool:
    counts = replay.result.get("differences", {})
    return any(count for name, count in counts.items() if name != Difference.SAME)


def _fewer(change: int, word: str) -> str:
    if not change:
        return f"as many {word}s"
    count = abs(change)
    return f"{count:,} {word if count == 1 else word + 's'} {'fewer' if change < 0 else 'more'}"


def looks_words(replay: Replay) -> list[str]:
    """How closely it was looked: by detector."""
    told = []
    for look in replay.result.get("looks", {}).values():
        every = look["every_minutes"]
        how = "at every moment at which its rows changed" if every is None else f"every {_spoken(every)}"
        told.append(f"{look['title']}: looked at {look['looks']:,} times, {how}.")
    return told


def _spoken(minutes: float) -> str:
    return f"{minutes / 60:g} hours" if minutes > 60 else "hour" if minutes == 60 else f"{minutes:g} minutes"


def changes_of(replay: Replay) -> Sequence[Changed]:
    """What the draft changes of the version in force; empty for a suppression, or where there was none."""
    if replay.rule is None or replay.compared_with is None:
        return []
    before: RuleVersion = replay.compared_with
    return differences(
        before, version_of(replay.rule, wording_of(replay.draft)), known()[replay.rule.detector]
    )


def draft_words(replay: Replay) -> list[str]:
    """A suppression's draft, in words."""
    if replay.rule is not None:
        return []
    draft: dict[str, Any] = replay.draft
    try:
        rule = suppression_of(draft, origin=replay.origin).rule
    except BadScope as error:
        return [str(error)]
    windows = replay.result.get("windows")
    when = f"{rule} in {draft['time_zone']}" if rule else f"the whole {replay.days} days, as it comes once"
    return [
        f"Covers {', '.join(draft['scopes'])}.",
        f"In force: {when}{f', {windows} windows' if windows and rule else ''}.",
        f"Never hides what takes more than {draft['share']} % of a service's spot machines, as nobody signed it yet.",
    ]
