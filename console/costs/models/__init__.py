"""The rows of this room; each file holds one idea."""

from __future__ import annotations

from console.costs.models.billing_import import (
    BillingImport,
    Defect,
    FileFormat,
    ImportState,
    Mode,
    RejectedRow,
    Restatement,
)
from console.costs.models.charge import Charge, Cloud

__all__ = [
    "BillingImport",
    "Charge",
    "Cloud",
    "Defect",
    "FileFormat",
    "ImportState",
    "Mode",
    "RejectedRow",
    "Restatement",
]
