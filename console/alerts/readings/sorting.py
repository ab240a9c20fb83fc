"""Rows of many services, each service's together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from console.alerts.detecting import Given, ServiceRow


class OfService(Protocol):
    @property
    def service_id(self) -> int: ...


Item = TypeVar("Item", bound=OfService)


def by_service(rows: Iterable[Item], given: Given) -> Iterator[tuple[ServiceRow, list[Item]]]:
    """Those of services in use; a service without rows does not come."""
    found: dict[int, list[Item]] = defaultdict(list)
    for row in rows:
        found[row.service_id].append(row)
    for service_id, mine in found.items():
        service = given.services.get(service_id)
        if service is not None:
            yield service, mine
