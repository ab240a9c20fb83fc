"""The rows of this room; each file holds one idea."""

from __future__ import annotations

from console.costs.models.attribution import AccountService
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
from console.costs.models.daily import DailyCost

__all__ = [
    "AccountService",
    "BillingImport",
    "Charge",
    "Cloud",
    "DailyCost",
    "Defect",
    "FileFormat",
    "ImportState",
    "Mode",
    "RejectedRow",
    "Restatement",
]
