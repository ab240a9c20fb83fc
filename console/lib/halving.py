"""Finding what a batch fails over: it is halved until the culprits stand alone, and the rest is done."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

MOST_CULPRITS = 5
MOST_SHARE = 0.2
SMALL_BATCH = 10
"""In a batch of fewer items a share says little, and only the number counts."""

Item = TypeVar("Item")


class TooManyFailed(Exception):
    """So many items of one batch failed that the fault is more likely the console's than theirs."""


@dataclass(frozen=True, slots=True)
class Culprit(Generic[Item]):
    """What cannot be done, and why."""

    item: Item
    detail: str


def isolate(
    items: Sequence[Item],
    *,
    work: Callable[[Sequence[Item]], None],
    is_passing: Callable[[BaseException], bool],
) -> list[Culprit[Item]]:
    """Do what can be done; `work` does all of what it is given or nothing. Returns what cannot be done.

    An error that may pass is raised as it is; `TooManyFailed` where nothing is to be put aside.
    """
    return _isolate(items, work, is_passing, of=len(items))


def _isolate(
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], None],
    is_passing: Callable[[BaseException], bool],
    *,
    of: int,
) -> list[Culprit[Item]]:
    try:
        work(items)
    except Exception as error:
        if is_passing(error):
            raise
        if len(items) == 1:
            logger.exception("batch.culprit", extra={"culprit": str(items[0])[:500]})
            return [Culprit(items[0], f"{type(error).__name__}: {error}")]
    else:
        return []
    middle = len(items) // 2
    culprits = _isolate(items[:middle], work, is_passing, of=of)
    culprits += _isolate(items[middle:], work, is_passing, of=of)
    _stop_if_too_many(culprits, of=of)
    return culprits


def _stop_if_too_many(culprits: Sequence[Culprit[Item]], *, of: int) -> None:
    is_large_share = of >= SMALL_BATCH and len(culprits) > MOST_SHARE * of
    if len(culprits) > MOST_CULPRITS or is_large_share:
        raise TooManyFailed(f"{len(culprits)} of {of} failed; the first: {culprits[0].detail}")
