"""One measured ratio and what it was made of."""

from __future__ import annotations

from dataclasses import dataclass, field


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
