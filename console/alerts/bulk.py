"""One verb on many groups: what is asked first, and what is then done, each group judged by itself.

Where not all are in the state that the verb expects, the person is asked before anything happens. Each group is a
transaction of its own, so that one that cannot be changed never stops the others; twice is harmless.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.alerts.handling import NotPossible, StillFiring
from console.alerts.models import AlertGroup, GroupStatus
from console.alerts.undoing import Recorder

MOST_AT_ONCE = 500
TAKING = ("acknowledge", "assign")


@dataclass(frozen=True, slots=True)
class Question:
    """`3 of 7 are already acknowledged by Ana.` and what can be done with which of them."""

    verb: str
    sentences: Sequence[str]
    rest: Sequence[int]
    """Those that are as the verb expects."""
    others: Sequence[int] = ()
    """Those that are not, and that it can be done to all the same."""

    @property
    def all(self) -> list[int]:
        return [*self.rest, *self.others]


@dataclass(frozen=True, slots=True)
class Failure:
    group: AlertGroup
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """On which groups it was done, and why not on the others."""

    ids: Sequence[int]
    failures: Sequence[Failure]


def groups_of(ids: Sequence[int]) -> list[AlertGroup]:
    rows = AlertGroup.objects.filter(pk__in=list(ids)[:MOST_AT_ONCE]).select_related("acknowledged_by")
    return list(rows.order_by("pk"))


def question(verb: str, groups: Sequence[AlertGroup], *, now: datetime) -> Question | None:
    """What has to be asked first; None: all are as the verb expects, or none can be asked about."""
    odd = {group.pk: why for group in groups if (why := _odd(verb, group, now=now))}
    if not odd:
        return None
    rest = [group.pk for group in groups if group.pk not in odd]
    may = [pk for pk, (_, can) in odd.items() if can]
    told = Counter(words for words, _ in odd.values())
    whole = len(groups)
    sentences = [_counted(count, whole, words) for words, count in told.most_common()]
    return Question(verb, sentences, rest, may)


def run(recorder: Recorder, ids: Sequence[int], act: Callable[[int], AlertGroup]) -> Done:
    """Each by itself; a group that is gone is left out."""
    done: list[int] = []
    failures: list[Failure] = []
    for group in groups_of(ids):

        def one(pk: int = group.pk) -> AlertGroup:
            return act(pk)

        try:
            recorder.run(group.pk, one)
        except (NotPossible, StillFiring) as refusal:
            failures.append(Failure(group, str(refusal)))
        else:
            done.append(group.pk)
    return Done(done, failures)


def _odd(verb: str, group: AlertGroup, *, now: datetime) -> tuple[str, bool] | None:
    """In words why it is not as the verb expects, and whether the verb can be done all the same."""
    if not group.is_open:
        return ("already resolved", False)
    if verb in TAKING and group.status == GroupStatus.ACKNOWLEDGED:
        return (f"already acknowledged by {group.holder}", verb == "assign")
    if verb == "resolve" and group.running_out_count:
        return ("still losing machines", True)
    if verb == "silence" and group.is_silenced(now=now):
        return (f"already silenced until {group.silenced_until:%H:%M} UTC", True)
    if verb == "escalate" and group.is_silenced(now=now):
        return ("silenced", False)
    return None


def _counted(count: int, whole: int, words: str) -> str:
    """`3 of 7 are already acknowledged by Ana.`; `It is already resolved.` where it is the only one."""
    if whole == 1:
        return f"It is {words}."
    return f"{count} of {whole} {'is' if count == 1 else 'are'} {words}."
