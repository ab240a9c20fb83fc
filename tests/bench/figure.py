"""A measured figure and what it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Measured(Protocol):
    """What a bench measured: within its limit or not, and how that is printed."""

    @property
    def is_ok(self) -> bool: ...

    def line(self, name: str) -> dict[str, object]: ...


@dataclass(frozen=True)
class AtMost:
    """A figure that must not be larger than its limit."""

    value: float
    unit: str
    limit: float
    more: dict[str, object] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        return self.value < self.limit

    def line(self, name: str) -> dict[str, object]:
        value = round(self.value, 1)
        return {
            "name": name,
            "value": value,
            "unit": self.unit,
            "limit": self.limit,
            "ok": self.is_ok,
            **self.more,
        }


class Named(AtMost):
    """One of several figures of a bench; `more["what"]` says which."""

    def line(self, name: str) -> dict[str, object]:
        return super().line(f"{name}.{self.more['what']}")


def percentile(values: Sequence[float], percent: int) -> float:
    """Nearest rank."""
    return sorted(values)[-(-len(values) * percent // 100) - 1]


@dataclass(frozen=True)
class Figure:
    ours: float
    floor: float
    limit: float
    more: dict[str, object] = field(default_factory=dict)

    @property
    def value(self) -> float:
        return self.ours / self.floor

    @property
    def is_ok(self) -> bool:
        return self.value >= self.limit

    def line(self, name: str) -> dict[str, object]:
        return {
            "name": name,
            "value": round(self.value, 3),
            "unit": "ratio",
            "limit": self.limit,
            "ok": self.is_ok,
            "ours": round(self.ours, 1),
            "floor": round(self.floor, 1),
            **self.more,
        }
