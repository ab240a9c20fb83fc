"""`manage.py import_billing FILE…`: bring billing files in, as one snapshot, and say what became of them."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from console.accounts.audit import Actor
from console.costs.giving import Asked, give
from console.costs.importing import work
from console.costs.models import ImportState, Mode
from console.costs.reporting import report
from console.lib.origin import Origin

ENDED_WELL = (ImportState.DONE, ImportState.UNCHANGED)


class Command(BaseCommand):
    help = "Import bills: FOCUS, AWS CUR and spot data feed, Azure cost details, Google Cloud export."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="CSV, TSV, Parquet, or either in gzip")
        parser.add_argument("--provider", default="", help="where the rows name none, such as AWS")
        parser.add_argument("--currency", default="", help="where the rows name none, such as USD")
        parser.add_argument("--mode", choices=Mode.values, default=Mode.REPLACE.value)
        parser.add_argument("--origin", choices=Origin.values, default=Origin.LIVE.value)
        parser.add_argument(
            "--confirm-restatement", action="store_true", help="change months that are closed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        asked = Asked(
            origin=options["origin"],
            mode=Mode(options["mode"]),
            provider=options["provider"],
            currency=options["currency"].upper(),
            is_restatement_confirmed=options["confirm_restatement"],
        )
        paths = [Path(name) for name in options["files"]]
        if missing := [str(path) for path in paths if not path.is_file()]:
            raise CommandError(f"There is no file {', '.join(missing)}.")
        by = Actor.console("manage.py import_billing")
        rows = give([path.name for path in paths], asked, by=by, now=now, is_at_once=True)
        work(rows, {row.pk: path for row, path in zip(rows, paths, strict=True)}, by=by, now=now)
        for row in rows:
            for line in report(row):
                self.stdout.write(line)
        if any(row.state not in ENDED_WELL for row in rows):
            raise CommandError(rows[0].message)
