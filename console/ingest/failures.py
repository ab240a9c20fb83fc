"""Which errors of recording are not the messages', and when too many at once stop the pipeline."""

from __future__ import annotations

from console.fleet.identity import ClosureGrew
from console.lib import passing


class PipelineStopped(Exception):
    """Too many messages of one batch failed: the fault is more likely the console's than theirs."""


def is_passing(error: BaseException) -> bool:
    """Whether the same work may succeed later without anything being changed."""
    return isinstance(error, PipelineStopped | ClosureGrew) or passing.is_passing(error)
