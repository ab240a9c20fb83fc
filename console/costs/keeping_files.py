"""Uploaded bills on disk, in `var/billing/`, until they are worked."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from console.costs.models import BillingImport

FOLDER = "billing"


def path_of(row: BillingImport, var: Path) -> Path:
    return var / FOLDER / str(row.pk)


def keep(row: BillingImport, chunks: Iterable[bytes], var: Path) -> None:
    """Write the upload piece by piece; it has its name only once it is whole."""
    path = path_of(row, var)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def forget(row: BillingImport, var: Path) -> None:
    path_of(row, var).unlink(missing_ok=True)
