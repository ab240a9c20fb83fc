"""M3, M4, M6 and M8 of one scope, read in one query where a page shows them all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import Any

from console.interruptions import measures_m3, measures_m4, measures_m6, measures_m8
from console.interruptions.kept import kept_rows
from console.interruptions.measure_reading import Rows
from console.interruptions.measures import Scope, Window

TOGETHER = {"m3": measures_m3, "m4": measures_m4, "m6": measures_m6, "m8": measures_m8}


def read_together(
    scope: Scope, window: Window, *, more: Mapping[str, ModuleType] = MappingProxyType({})
) -> dict[str, Rows]:
    """By measure: the rows that its `query` answers, not grouped. Times come as text.

    `more`: modules of rooms above with a `query` of their own that answers `COLUMNS` columns.
    """
    parts, values = [], []
    for name, measure in (TOGETHER | dict(more)).items():
        sql, wanted = measure.query(scope, window)
        columns = ", ".join(f"c{number}" for number in range(measure.COLUMNS))
        parts.append(
            f"SELECT '{name}', json_build_array({columns})::text FROM ({sql}) AS {name} ({columns})"  # noqa: S608
        )
        values += wanted
    found: dict[str, list[list[Any]]] = {name: [] for name in (*TOGETHER, *more)}
    for name, row in kept_rows(" UNION ALL ".join(parts), values, as_of=window.as_of):
        found[name].append(json.loads(row))
    return dict(found)
