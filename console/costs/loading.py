"""The rows of one file brought into the table, batch by batch, inside the caller's transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db import connection

from console.costs.attributing import Attribution
from console.costs.checking import Checked, Options, Rejected, check
from console.costs.formats import Columns, recognise
from console.costs.formats.column import FocusRow
from console.costs.formats.focus import USED
from console.costs.models import BillingImport, Charge, Defect, FileFormat, RejectedRow
from console.costs.opening import NotReadable, Opened
from console.costs.reading import as_mapping, read_table

MOST_KEPT = 10_000
"""Rejected rows and defects of one file that are kept to be looked at; all are counted."""
VALUES = (
    *("provider", "cloud", "billing_account", "account", "region", "zone", "service_name"),
    *("service_category", "charge_category", "charge_class", "pricing_category", "description"),
    *("resource", "instance_type", "invoice", "tags", "extra", "charge_started_at", "charge_ended_at"),
    *("billing_month", "currency", "billed", "effective", "list", "quantity", "unit", "is_spot"),
    *("spot_cost", "is_repaired", "baseline", "natural_key", "service"),
)
OWN = ("origin", "billing_import_id", "file_sha256", "line")


@dataclass(slots=True)
class Loaded:
    """What came of a file's rows."""

    format: FileFormat | Literal[""] = ""
    row_count: int = 0
    rejected_count: int = 0
    known_count: int = 0
    """Rows of a data feed that another file brought already."""
    future_count: int = 0
    defects: Counter[str] = field(default_factory=Counter)
    rejected: list[RejectedRow] = field(default_factory=list)
    untagged_count: int = 0
    kept_defects: int = 0
    currencies: set[str] = field(default_factory=set)
    first_currencies: dict[tuple[Any, ...], str] = field(default_factory=dict)

    @property
    def taken_count(self) -> int:
        return self.row_count - self.rejected_count


def load(row: BillingImport, opened: Opened, options: Options, loaded: Loaded) -> None:
    """Read, check and insert the whole file. Raises `NotReadable`; the caller's transaction takes all back.

    `loaded` is filled as it goes, so that somebody else can see how far it is.
    """
    table = read_table(opened)
    columns = Columns(table.columns)
    known = recognise(columns, name=opened.name)
    translate = known.translate(columns, opened.name)
    attribution = Attribution(origin=row.origin)
    if known.kind == FileFormat.FOCUS:
        options = _with_columns(options, columns)
    loaded.format = known.kind_named(opened.name)
    line = table.first_line - 1
    for batch in table.rows:
        taken: list[tuple[int, Checked]] = []
        for raw in batch:
            line += 1
            try:
                checked = check(translate(raw), options)
            except Rejected as error:
                _reject(row, loaded, line, str(error), as_mapping(columns.names, raw))
                continue
            _compare_currency(loaded, checked)
            values = checked.values
            values["service"] = attribution.service_of(
                values["tags"], cloud=values["cloud"], account=values["account"]
            )
            taken.append((line, checked))
        loaded.row_count += len(batch)
        _insert(row, loaded, taken, opened.sha256)
    if loaded.row_count == 0:
        raise NotReadable(f"{opened.name} names its columns and holds no row.")


def _with_columns(options: Options, columns: Columns) -> Options:
    held = frozenset(name for name in USED if name in columns)
    return Options(options.now, options.provider, options.currency, held)


def _reject(row: BillingImport, loaded: Loaded, line: int, reason: str, raw: FocusRow) -> None:
    loaded.rejected_count += 1
    if len(loaded.rejected) < MOST_KEPT:
        clean = {name[:200]: value.replace("\0", "")[:1000] for name, value in raw.items()}
        loaded.rejected.append(RejectedRow(billing_import=row, line=line, reason=reason[:300], raw=clean))


def _compare_currency(loaded: Loaded, checked: Checked) -> None:
    values = checked.values
    scope = (values["provider"], values["billing_account"], values["billing_month"])
    loaded.currencies.add(values["currency"])
    first = loaded.first_currencies.setdefault(scope, values["currency"])
    if first != values["currency"]:
        checked.defects["currency_changes"] = {"before": first, "now": values["currency"]}


def _insert(row: BillingImport, loaded: Loaded, taken: Sequence[tuple[int, Checked]], sha256: bytes) -> None:
    for _, checked in taken:
        loaded.defects.update(list(checked.defects))
        loaded.untagged_count += checked.is_untagged
        loaded.future_count += "charge_period_in_future" in checked.defects
    if loaded.format == FileFormat.AWS_SPOT_FEED:
        loaded.known_count += len(taken) - _insert_new(row, taken, sha256)
    else:
        _copy(row, taken, sha256)
    defects = [
        Defect(billing_import=row, line=line, reason=reason, raw=raw)
        for line, checked in taken
        for reason, raw in checked.defects.items()
    ][: max(0, MOST_KEPT - loaded.kept_defects)]
    loaded.kept_defects += len(defects)
    Defect.objects.bulk_create(defects, batch_size=1000)


def _copy(row: BillingImport, taken: Iterable[tuple[int, Checked]], sha256: bytes) -> None:
    fields = [Charge._meta.get_field(name) for name in VALUES]
    names = ", ".join(f'"{name}"' for name in (*OWN, *(field.column for field in fields)))  # type: ignore[union-attr]
    sql = f'COPY "{Charge._meta.db_table}" ({names}) FROM STDIN'
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        for line, checked in taken:
            values = (_written(checked.values[name]) for name in VALUES)
            copy.write_row((str(row.origin), row.pk, sha256, line, *values))


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value)
    return str(value) if isinstance(value, str) else value


def _insert_new(row: BillingImport, taken: Sequence[tuple[int, Checked]], sha256: bytes) -> int:
    """Hourly feed files repeat records: what is there by its key stays. How many are new."""
    keys = {checked.values["natural_key"] for _, checked in taken}
    there = set(
        Charge.objects.counted(origin=row.origin)
        .filter(natural_key__in=keys)
        .values_list("natural_key", flat=True)
    )
    new = []
    for line, checked in taken:
        if (key := checked.values["natural_key"]) not in there:
            there.add(key)
            new.append((line, checked))
    _copy(row, new, sha256)
    return len(new)
