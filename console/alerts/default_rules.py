"""The rules that every console begins with: one a detector, with its defaults, published as version 1.

The migration that ships them and the minute that finds one missing call the same function, with their own models.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from console.alerts.registry import known


def install(rules: Any, versions: Any, *, now: datetime) -> None:
    """Make the default rule of each detector that has no rule. Twice, or at once, is harmless."""
    there = set(rules.values_list("detector", flat=True))
    for name, detector in known().items():
        if name in there:
            continue
        rule, _ = rules.get_or_create(
            slug=name, defaults={"name": detector.title, "detector": name, "created_at": now}
        )
        versions.get_or_create(
            rule=rule,
            number=1,
            defaults={
                "thresholds": detector.defaults,
                "table": detector.table,
                "severity": detector.severity.value,
                "evaluations": detector.evaluations,
                "group_by": detector.groupings[0],
                "change_note": "Came with the console",
                "created_at": now,
                "saved_at": now,
                "published_at": now,
            },
        )
