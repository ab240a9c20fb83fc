"""Files that a person uploaded: on disk first, then in the database, then the bell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from console.accounts.audit import Actor, record
from console.costs import keeping_files
from console.costs.giving import Asked, give
from console.costs.models import BillingImport
from console.costs.tasks import WORK


@transaction.atomic
def upload(
    files: Sequence[UploadedFile[Any]], asked: Asked, *, var: Path, by: Actor, now: datetime
) -> list[BillingImport]:
    """Keep the files and let a worker take them. No worker sees them before they lie there as a whole."""
    rows = give([file.name or "bill" for file in files], asked, by=by, now=now)
    for row, file in zip(rows, files, strict=True):
        keeping_files.keep(row, file.chunks(), var)
        after = {"mode": row.mode, "bytes": file.size, "origin": row.origin}
        record(by, action="billing.upload", subject=row, after=after, now=now)
    transaction.on_commit(WORK.ring)
    return rows
