"""`manage.py sample set-up|play|clear`: the made-up company that a fresh console plays."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from console.drills import clearing
from console.drills.sample.progress import SEED, read_progress
from console.drills.setting_up import ACTOR, NotSetUp, set_up


class Command(BaseCommand):
    help = "Make the sample fleet, play it through the front door, or take it away."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        make = verbs.add_parser("set-up", help="teams, services, rules, feeds and a token of origin sample")
        make.add_argument("--seed", type=int, default=SEED, help="the same seed plays the same company")
        play = verbs.add_parser("play", help="90 days of history, then live, until Ctrl-C or cleared")
        play.add_argument("--to", default="", metavar="URL", help="where the console listens")
        play.add_argument("--seed", type=int, default=SEED, help="for a fleet that is not set up yet")
        verbs.add_parser("clear", help="stop the play and delete everything of origin sample")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "clear":
            self._clear()
        elif options["verb"] == "set-up":
            self._set_up(options["seed"])
        else:
            self._play(options)

    def _set_up(self, seed: int) -> None:
        try:
            is_new = set_up(settings.CONSOLE_VAR, now=timezone.now(), seed=seed)
        except NotSetUp as error:
            raise CommandError(str(error)) from error
        self.stderr.write("The sample fleet is set up." if is_new else "The sample fleet was set up already.")

    def _play(self, options: dict[str, Any]) -> None:
        """Becomes the player, which needs neither Django nor the memory it takes."""
        if read_progress(settings.CONSOLE_VAR) is None:
            self._set_up(options["seed"])
        address = options["to"] or settings.LOCAL_URL
        called = settings.CONSOLE_URL or address
        argv = [sys.executable, "-m", "console.drills.sample.player"]
        os.chdir(settings.BASE_DIR)
        sys.stdout.flush()
        os.execv(sys.executable, [*argv, str(settings.CONSOLE_VAR), address, called])  # noqa: S606 - no shell wanted

    def _clear(self) -> None:
        if not clearing.ask(by=ACTOR, var=settings.CONSOLE_VAR, now=timezone.now()):
            self.stderr.write("There is no sample fleet to clear.")
        gone = clearing.clear()
        self.stderr.write(f"{gone:,} rows are gone.")
