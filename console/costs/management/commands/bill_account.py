"""`manage.py bill_account`: whose the untagged charges of an account are."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from console.accounts.audit import Actor
from console.costs.accounts import NoSuchService, give_account, take_account_back
from console.costs.models import AccountService, Cloud
from console.lib.origin import Origin


class Command(BaseCommand):
    help = "List, set or remove the service that an account's untagged charges belong to."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--origin", choices=Origin.values, default=Origin.LIVE.value)
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="print every account with its service")
        for name, text in (("set", "give an account to a service"), ("remove", "take it back")):
            verb = verbs.add_parser(name, help=text)
            verb.add_argument("cloud", choices=Cloud.values)
            verb.add_argument("account", help="as the bill names it")
            if name == "set":
                verb.add_argument("service", help="its slug")

    def handle(self, *args: Any, **options: Any) -> None:
        origin = options["origin"]
        if options["verb"] == "list":
            for row in AccountService.objects.filter(origin=origin).order_by("cloud", "account"):
                self.stdout.write(str(row))
            return
        given = {"origin": origin, "cloud": options["cloud"], "account": options["account"]}
        by, now = Actor.console("manage.py bill_account"), timezone.now()
        if options["verb"] == "remove":
            if not take_account_back(**given, by=by, now=now):
                raise CommandError("That account is given to no service.")
            return
        try:
            give_account(**given, service=options["service"], by=by, now=now)
        except NoSuchService as error:
            raise CommandError(str(error)) from error
