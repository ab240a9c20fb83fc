"""Bringing billing files in: a batch as a whole or not at all, each file once, a closed month only when agreed.

One transaction reads, checks, inserts, lets the older snapshot go and rolls up. Imports of one origin wait for
each other, so two at once count nothing twice.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from django.db import DataError, transaction

from console.accounts.audit import Actor, record
from console.costs.beating import beating
from console.costs.checking import Options
from console.costs.loading import Loaded, load
from console.costs.models import (
    BillingImport,
    Charge,
    ImportState,
    Mode,
    RejectedRow,
    Restatement,
)
from console.costs.opening import NotReadable, Opened, open_file
from console.costs.rolling_up import roll_up
from console.costs.snapshots import Scope, let_go, replaced_scopes
from console.lib.rows import run

logger = logging.getLogger(__name__)
ENDED = (
    *("sha256", "size_bytes", "format", "state", "finished_at", "message"),
    *("row_count", "rejected_count", "replaced_count", "defect_counts"),
)


class NeedsConfirmation(Exception):
    """A closed month would change. The message says which and by how much."""


class Lost(Exception):
    """Somebody else claimed the batch meanwhile, or ended it: nothing is to be done or said."""


class RejectedWhole(NotReadable):
    """No row of a file could be taken."""


def work(batch: Sequence[BillingImport], paths: Mapping[int, Path], *, by: Actor, now: datetime) -> None:
    """Bring these files in and store what became of each. Safe to call again: a known file changes nothing."""
    loaded: dict[int, Loaded] = {}
    try:
        with beating(batch, loaded), transaction.atomic():
            _bring_in(batch, paths, loaded, by=by, now=now)
    except Lost:
        logger.warning("costs.import_lost", extra={"batch": str(batch[0].batch)})
    except NeedsConfirmation as asked:
        _end(batch, ImportState.TO_CONFIRM, str(asked), loaded, now=now)
    except NotReadable as refusal:
        _end(batch, ImportState.REFUSED, str(refusal), loaded, now=now)
    except DataError as error:
        logger.warning("costs.import_refused", extra={"error": str(error)})
        text = "The database cannot hold a value of the file. Nothing was stored; export the file again."
        _end(batch, ImportState.REFUSED, text, loaded, now=now)


def _bring_in(
    batch: Sequence[BillingImport],
    paths: Mapping[int, Path],
    loaded: dict[int, Loaded],
    *,
    by: Actor,
    now: datetime,
) -> None:
    origin = batch[0].origin
    run("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"costs.import:{origin}"])
    if not _is_still_ours(batch):
        raise Lost
    with tempfile.TemporaryDirectory(prefix="billing-") as work_folder:
        new = [
            row for row in batch if not _is_known(row, _open(row, paths, Path(work_folder)), loaded, now, by)
        ]
    for row in new:
        found = loaded[row.pk]
        if found.taken_count == 0:
            raise RejectedWhole(f"No row of {row.file_name} can be taken: {found.rejected[0].reason}.")
        if found.future_count == found.taken_count:
            raise NotReadable(
                f"Every row of {row.file_name} lies in the future. Check its dates and the clock."
            )
    scopes = _replace(new, now=now)
    roll_up(origin=origin, import_ids=[row.pk for row in new])
    for row in new:
        _finish(row, loaded[row.pk], scopes, by=by, now=now)


def _is_still_ours(batch: Sequence[BillingImport]) -> bool:
    """Asked under the lock: the attempt is ours and nobody ended it."""
    ours = {row.pk: row.attempt for row in batch}
    there = BillingImport.objects.filter(pk__in=ours, state=ImportState.RUNNING)
    return dict(there.values_list("pk", "attempt")) == ours


def _open(row: BillingImport, paths: Mapping[int, Path], work_folder: Path) -> Opened:
    path = paths.get(row.pk)
    if path is None or not path.exists():
        raise NotReadable(f"{row.file_name} is no longer there. Send it again.")
    return open_file(path, name=row.file_name, work=work_folder)


def _is_known(
    row: BillingImport, opened: Opened, loaded: dict[int, Loaded], now: datetime, by: Actor
) -> bool:
    """Whether the file counts already; otherwise its rows are loaded."""
    row.sha256, row.size_bytes = opened.sha256, opened.size_bytes
    ours = Charge.objects.filter(origin=row.origin, file_sha256=opened.sha256)
    counted = ours.filter(replaced_by=None)
    is_whole = not ours.filter(replaced_by__isnull=False).exists()
    if ours.exists() and (row.mode == Mode.APPEND or (is_whole and counted.exists())):
        row.state, row.finished_at = ImportState.UNCHANGED, now
        row.message = "The same file was imported before: nothing changed."
        row.save(update_fields=["sha256", "size_bytes", "state", "finished_at", "message"])
        return True
    counted.update(replaced_by=row)  # a file that another replaced in part is told anew as a whole
    options = Options(now, row.default_provider, row.default_currency)
    loaded[row.pk] = Loaded()
    load(row, opened, options, loaded[row.pk])
    return False


def _replace(new: Sequence[BillingImport], *, now: datetime) -> list[Scope]:
    """The older snapshots of what these files cover let go. Raises `NeedsConfirmation`."""
    replacing = [row for row in new if row.mode == Mode.REPLACE]
    if not replacing:
        return []
    scopes = replaced_scopes(replacing)
    closed = [scope for scope in scopes if scope.is_closed(now)]
    if closed and not all(row.is_restatement_confirmed for row in replacing):
        told = "; ".join(str(scope) for scope in closed[:5])
        raise NeedsConfirmation(
            f"A closed month would change: {told}. Nothing was stored; confirm to restate."
        )
    replacing[0].replaced_count = let_go(replacing)
    Restatement.objects.bulk_create(scope.restated(replacing[0], now) for scope in closed)
    return scopes


def _finish(row: BillingImport, loaded: Loaded, scopes: Sequence[Scope], *, by: Actor, now: datetime) -> None:
    _count(row, loaded)
    row.state, row.finished_at, row.message = ImportState.DONE, now, _said(loaded)
    row.save(update_fields=ENDED)
    RejectedRow.objects.bulk_create(loaded.rejected, batch_size=1000)
    after = {
        "file": row.file_name,
        "format": row.format,
        "mode": row.mode,
        "rows": row.row_count,
        "rejected": row.rejected_count,
        "replaced": row.replaced_count,
        "origin": row.origin,
    }
    record(by, action="billing.import", subject=row, after=after, now=now)


def _count(row: BillingImport, loaded: Loaded) -> None:
    row.format = loaded.format
    row.row_count, row.rejected_count = loaded.row_count, loaded.rejected_count
    row.defect_counts = dict(sorted(loaded.defects.items()))
    if loaded.untagged_count:
        row.defect_counts["untagged"] = loaded.untagged_count


def _said(loaded: Loaded) -> str:
    currencies = sorted(loaded.currencies)
    said = []
    if len(currencies) > 1:
        said.append(
            f"It holds {len(currencies)} currencies: {', '.join(currencies)}. They are never added up."
        )
    if loaded.known_count:
        said.append(f"{loaded.known_count} rows were there from another file and count once.")
    if loaded.rejected_count:
        said.append(f"{loaded.rejected_count} rows could not be taken and are in no sum.")
    return " ".join(said)


def _end(
    batch: Sequence[BillingImport],
    state: ImportState,
    message: str,
    loaded: Mapping[int, Loaded],
    *,
    now: datetime,
) -> None:
    """Nothing was taken: say why on every file of the batch, and keep the rows that were the reason."""
    with transaction.atomic():
        if not _is_still_ours(batch):
            return
        for row in batch:
            row.state, row.finished_at, row.message, row.replaced_count = state, now, message, 0
            if (found := loaded.get(row.pk)) is not None:
                _count(row, found)
                RejectedRow.objects.bulk_create(found.rejected, batch_size=1000)
            row.save(update_fields=ENDED)
