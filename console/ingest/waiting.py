"""What waits to be stored: bounded, shared out fairly, and reclaims before all else.

Pure and single-threaded; `store.py` puts in and takes out. Two classes, each with a line a feed:

- *urgent*: requests that tell of a reclaim. They are stored first. One is refused only where nothing but
  urgent requests waits and no feed has more of them waiting than its own.
- *the rest*: signs of life, state changes and whatever else a quiet moment brings.

Where there is no room, room is made by turning away what came last of whichever feed waits with most: of the
rest first, so that neither a chatty feed nor ordinary noise costs anybody a reclaim
(`docs/decisions/0007`).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

SHARE_OF_THE_REST = 10
"""A group keeps one row in so many for the rest: a long storm delays it and never stops it."""


class Waiter(Protocol):
    """What one request brought, and what room it takes."""

    is_urgent: bool

    @property
    def feed_id(self) -> int: ...
    @property
    def size(self) -> int:
        """Rows."""

    @property
    def byte_count(self) -> int: ...


W = TypeVar("W", bound=Waiter)


class Line(Generic[W]):
    """The waiting requests of one class, feed by feed; feeds take turns."""

    def __init__(self) -> None:
        self._feeds: OrderedDict[int, deque[tuple[int, W]]] = OrderedDict()
        self._costs: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._feeds)

    def cost_of(self, feed_id: int) -> int:
        return self._costs.get(feed_id, 0)

    def longest(self) -> int:
        """The feed that waits with most."""
        return max(self._costs, key=self._costs.__getitem__)

    def put(self, one: W, *, cost: int) -> None:
        self._feeds.setdefault(one.feed_id, deque()).append((cost, one))
        self._costs[one.feed_id] = self.cost_of(one.feed_id) + cost

    def take(self) -> tuple[int, W]:
        """The oldest of the feed whose turn it is, and what room it gives back."""
        feed_id = next(iter(self._feeds))
        self._feeds.move_to_end(feed_id)
        cost, one = self._feeds[feed_id].popleft()
        self._give_back(feed_id, cost)
        return cost, one

    def turn_away(self, feed_id: int) -> tuple[int, W]:
        """The newest of that feed."""
        cost, one = self._feeds[feed_id].pop()
        self._give_back(feed_id, cost)
        return cost, one

    def _give_back(self, feed_id: int, cost: int) -> None:
        self._costs[feed_id] -= cost
        if not self._feeds[feed_id]:
            del self._feeds[feed_id], self._costs[feed_id]


class Waiting(Generic[W]):
    """Room for `most_rows` rows and `most_bytes` bytes; one request of any size finds room where none waits."""

    def __init__(self, *, most_rows: int, most_bytes: int) -> None:
        self._room = most_rows
        self._bytes_a_row = max(most_bytes // most_rows, 1)
        self._cost = self._count = 0
        self._urgent: Line[W] = Line()
        self._rest: Line[W] = Line()

    def __bool__(self) -> bool:
        return self._count > 0

    def put(self, one: W) -> Sequence[W]:
        """Let one wait. Returns those that have to go instead, which may be the very one."""
        cost = max(one.size, -(-one.byte_count // self._bytes_a_row), 1)
        line = self._urgent if one.is_urgent else self._rest
        line.put(one, cost=cost)
        self._cost, self._count = self._cost + cost, self._count + 1
        gone: list[W] = []
        while self._cost > self._room and self._count > 1:
            crowd = self._rest or self._urgent
            gone.append(self._let_go(crowd.turn_away(crowd.longest())))
        return gone

    def take(self, *, most_rows: int, most_bytes: int) -> list[W]:
        """A group to be stored together, the urgent first; at least one, whatever its size."""
        group: list[W] = []
        rows = size = 0
        kept_back = most_rows // SHARE_OF_THE_REST if self._rest else 0
        for line, most in ((self._urgent, most_rows - kept_back), (self._rest, most_rows)):
            while line and (not group or (rows < most and size < most_bytes)):
                one = self._let_go(line.take())
                group.append(one)
                rows, size = rows + one.size, size + one.byte_count
        return group

    def _let_go(self, found: tuple[int, W]) -> W:
        cost, one = found
        self._cost, self._count = self._cost - cost, self._count - 1
        return one
