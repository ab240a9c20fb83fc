"""`manage.py replay`: lay a rule's draft, or limits given on the line, over the past, and print the difference."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from console.accounts.audit import Actor
from console.alerts import rule_editing
from console.alerts.handling import By
from console.alerts.models import Difference, Replay, ReplayState, Rule
from console.alerts.replay import asking, queries, working
from console.alerts.replay.asking import Refused
from console.alerts.rule_editing import NotPublishable, Wording
from console.lib.origin import Origin


class Command(BaseCommand):
    help = "Replay a rule's draft over the past. Nobody is told of anything; the result stays on its page."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("rule", help="slug of the rule, as in /rules/<slug>/")
        parser.add_argument("--days", type=int, default=30, choices=asking.DAYS)
        parser.add_argument("--origin", default=Origin.LIVE.value, choices=Origin.values)
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="LIMIT=VALUE",
            help="change a limit; may be repeated",
        )
        parser.add_argument("--off", action="store_true", help="as if the rule were switched off")
        parser.add_argument("--wait", type=int, default=600, help="seconds to wait for a worker that has it")

    def handle(self, *args: Any, **options: Any) -> None:
        rule = Rule.objects.filter(slug=options["rule"]).first()
        version = (rule_editing.draft_of(rule) or rule_editing.newest(rule)) if rule else None
        if rule is None or version is None:
            raise CommandError(f"There is no rule {options['rule']}. Look at /rules/ for their slugs.")
        wording = _changed(Wording.of(version), options)
        by, now = By(user=None, actor=Actor.console("manage.py replay")), timezone.now()
        try:
            row = asking.ask_for_rule(
                rule, wording, days=options["days"], origin=options["origin"], by=by, now=now
            )
        except (NotPublishable, Refused) as error:
            raise CommandError(str(error)) from error
        working.work(clock=timezone.now)
        self._tell(_finished(row, seconds=options["wait"]))

    def _tell(self, replay: Replay) -> None:
        if replay.state != ReplayState.DONE:
            raise CommandError(replay.error or f"It is {replay.get_state_display().lower()}.")
        self.stdout.write(queries.sentence_of(replay))
        self.stdout.write(f"{'':24}{'on record':>12}{'in force':>12}{'draft':>12}")
        for line in queries.lines_of(replay):
            record = "not kept" if line.record is None else str(line.record)
            self.stdout.write(f"{line.name:24}{record:>12}{line.now:>12}{line.draft:>12}")
        for row in replay.episodes.exclude(difference=Difference.SAME).order_by("opened_at", "pk"):
            told = f"{row.now_decision or 'nothing'} -> {row.draft_decision or 'nothing'}"
            self.stdout.write(
                f"{row.opened_at:%Y-%m-%d %H:%M}Z  {row.get_difference_display():8} {told:20} {row.title}"
            )
        self.stdout.write(f"/rules/replays/{replay.pk}/ in {replay.result['took_s']} s")


def _changed(wording: Wording, options: dict[str, Any]) -> Wording:
    limits = dict(wording.thresholds)
    for pair in options["set"]:
        name, sign, value = pair.partition("=")
        try:
            limits[name.strip()] = float(value)
        except ValueError as error:
            raise CommandError(f"--set {pair}: write a limit and a number, as --set least=5.") from error
        if not sign:
            raise CommandError(f"--set {pair}: write a limit and a number, as --set least=5.")
    return replace(wording, thresholds=limits, is_enabled=wording.is_enabled and not options["off"])


def _finished(row: Replay, *, seconds: int) -> Replay:
    """Another worker may have been quicker to take it up."""
    until = time.monotonic() + seconds
    while (replay := Replay.objects.select_related("rule").get(pk=row.pk)).is_unfinished:
        if time.monotonic() > until:
            raise CommandError(f"It is at {replay.progress} %. Look at /rules/replays/{row.pk}/.")
        time.sleep(0.5)
    return replay
