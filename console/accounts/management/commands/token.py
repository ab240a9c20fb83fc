"""`manage.py token create NAME --scope read`: a program's key, printed once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from console.accounts.audit import Actor
from console.accounts.models import Scope
from console.accounts.tokens import TokenOrder, issue
from console.lib.origin import Origin


class Command(BaseCommand):
    """Issues tokens on the console's own machine, for set-up scripts."""

    help = "Issue an API token. Its secret is the only line of standard output, and is never shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        create = parser.add_subparsers(dest="verb", required=True).add_parser("create")
        create.add_argument("name", help="which program uses it")
        create.add_argument("--scope", action="append", choices=Scope.values, required=True, dest="scopes")
        create.add_argument("--origin", choices=Origin.values, default=Origin.LIVE)
        create.add_argument("--expires-in-days", type=int, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        days = options["expires_in_days"]
        order = TokenOrder(
            name=options["name"],
            scopes=[Scope(scope) for scope in options["scopes"]],
            origin=Origin(options["origin"]),
            expires_at=now + timedelta(days=days) if days else None,
        )
        token, secret = issue(order, actor=Actor.console("manage.py token"), now=now)
        end = f"until {token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else "without an end"
        self.stderr.write(f"Token {token.name} ({', '.join(token.scopes)}; {token.origin}) {end}.")
        self.stdout.write(secret)
