"""`manage.py rate_target`: targets of M1 for classes of machines that cannot meet the usual one."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from console.accounts.audit import Actor
from console.interruptions import rate_targets
from console.interruptions.models import RateTarget


class Command(BaseCommand):
    help = "List, set or remove the interruption rate target of a class of machines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="print every class with its own target")
        for name, help_text in (
            ("set", "give a class its own target"),
            ("remove", "back to the usual target"),
        ):
            verb = verbs.add_parser(name, help=help_text)
            verb.add_argument("--provider", default="", help="aws, azure or gcp; every one if left out")
            verb.add_argument(
                "--type-prefix", required=True, help="beginning of the instance type, such as p4d."
            )
            if name == "set":
                verb.add_argument("--label", required=True, help="what people call the class")
                verb.add_argument(
                    "--target", type=float, required=True, help="reclaims per 100 instance-weeks"
                )
                verb.add_argument("--red", type=float, required=True, help="above this it is off target")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "list":
            for row in RateTarget.objects.order_by("provider", "type_prefix"):
                where = f"{row.provider or 'any'}/{row.type_prefix}*"
                self.stdout.write(f"{where}  target {row.target:g}  red {row.red:g}  {row.label}")
            return
        self._change(options)

    def _change(self, options: dict[str, Any]) -> None:
        which = {"provider": options["provider"], "type_prefix": options["type_prefix"]}
        row = RateTarget.objects.filter(**which).first()
        by, now = Actor.console("manage.py rate_target"), timezone.now()
        if options["verb"] == "remove":
            if row is None or rate_targets.end(row.pk, by=by, now=now) is None:
                raise CommandError("That class has no target of its own.")
            return
        wanted = rate_targets.Wanted(
            **which, label=options["label"], target=options["target"], red=options["red"]
        )
        try:
            if row is None:
                rate_targets.create(wanted, by=by, now=now)
            else:
                rate_targets.change(row.pk, wanted, by=by, now=now)
        except rate_targets.CannotSet as error:
            raise CommandError(str(error)) from error
