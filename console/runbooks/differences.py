"""What differs between two versions, step by step and line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from console.runbooks.models import Step

Kind = Literal["same", "changed", "moved", "added", "removed"]
ALIKE = 0.5
"""Two texts that share this much are one step, reworded."""


@dataclass(frozen=True, slots=True)
class Line:
    kind: Literal["same", "added", "removed"]
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One step in both versions, or in one of them."""

    kind: Kind
    title: str
    old_number: int | None
    new_number: int | None
    lines: Sequence[Line] = ()

    @property
    def is_same(self) -> bool:
        return self.kind == "same"


def compare(old: Sequence[Step], new: Sequence[Step]) -> list[Difference]:
    """In the order of `new`; steps that went stand where they were."""
    pairs = _pairs(old, new)
    origin = {new_at: old_at for old_at, new_at in pairs}
    in_order = _longest_rise([origin[at] for at in sorted(origin)])
    found = [
        _difference(old, new, origin.get(at), at, stayed=origin.get(at) in in_order) for at in range(len(new))
    ]
    gone = sorted(set(range(len(old))) - set(origin.values()))
    for at in reversed(gone):
        before = next(
            (n for n, row in enumerate(found) if row.old_number and row.old_number > at + 1), len(found)
        )
        found.insert(
            before, Difference("removed", old[at]["title"], at + 1, None, list(_lines(old[at], None)))
        )
    return found


def _difference(
    old: Sequence[Step], new: Sequence[Step], old_at: int | None, new_at: int, *, stayed: bool
) -> Difference:
    step = new[new_at]
    if old_at is None:
        return Difference("added", step["title"], None, new_at + 1, list(_lines(None, step)))
    kind: Kind = "changed" if old[old_at] != step else "same" if stayed else "moved"
    return Difference(kind, step["title"], old_at + 1, new_at + 1, list(_lines(old[old_at], step)))


def _pairs(old: Sequence[Step], new: Sequence[Step]) -> list[tuple[int, int]]:
    """Which old step is which new one: equal ones, then those of one title, then the most alike."""
    free_old, free_new = set(range(len(old))), set(range(len(new)))
    found: list[tuple[int, int]] = []

    def pair(old_at: int, new_at: int) -> None:
        if old_at in free_old and new_at in free_new:
            free_old.remove(old_at)
            free_new.remove(new_at)
            found.append((old_at, new_at))

    for new_at, step in enumerate(new):
        for old_at in [at for at in sorted(free_old) if old[at] == step][:1]:
            pair(old_at, new_at)
    for new_at in sorted(free_new):
        for old_at in [at for at in sorted(free_old) if old[at]["title"] == new[new_at]["title"]][:1]:
            pair(old_at, new_at)
    scored = ((_alike(old[a], new[b]), a, b) for a in free_old for b in free_new)
    for score, old_at, new_at in sorted(scored, key=lambda row: (-row[0], row[1], row[2])):
        if score >= ALIKE:
            pair(old_at, new_at)
    return found


def _alike(old: Step, new: Step) -> float:
    return SequenceMatcher(None, _text(old), _text(new), autojunk=False).ratio()


def _text(step: Step | None) -> list[str]:
    """A step as lines: title, whether it is required, body."""
    if step is None:
        return []
    required = "Required" if step["is_required"] else "Optional"
    return [f"{step['title']}", f"({required})", *step["body"].split("\n")]


def _lines(old: Step | None, new: Step | None) -> Iterator[Line]:
    before, after = _text(old), _text(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            yield from (Line("same", text) for text in before[old_from:old_to])
            continue
        yield from (Line("removed", text) for text in before[old_from:old_to])
        yield from (Line("added", text) for text in after[new_from:new_to])


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """The longest rising run: the steps that stayed in their order; the others were moved."""
    longest: list[int] = []
    runs: list[list[int]] = []
    for number in numbers:
        before: list[int] = []
        for run in runs:
            if run[-1] < number and len(run) > len(before):
                before = run
        runs.append([*before, number])
        if len(runs[-1]) > len(longest):
            longest = runs[-1]
    return set(longest)
