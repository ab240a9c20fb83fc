"""`manage.py first_run`: the first administrator of an empty console; prints what a person must know once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from console.accounts.first_administrator import UnusableAdministrator, ensure_first_administrator
from console.drills.setting_up import NotSetUp, is_untouched, set_up, show_sample_to_everybody
from console.ingest.keeping import keep


class Command(BaseCommand):
    help = "Makes the first administrator where there is nobody yet. Safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        keep(now=now)
        try:
            made = ensure_first_administrator(
                email=settings.CONSOLE_ADMIN_EMAIL, password=settings.CONSOLE_ADMIN_PASSWORD, now=now
            )
        except UnusableAdministrator as error:
            raise CommandError(str(error)) from error
        self._sample(is_first=made is not None, now=now)
        if made is None:
            return
        self.stdout.write(f"Sign in as {made.email}")
        if made.generated_password:
            self.stdout.write(f"with the password {made.generated_password}  (shown this once)")

    def _sample(self, *, is_first: bool, now: datetime) -> None:
        """A fresh console on its own database begins with the sample fleet, unless told not to."""
        asked = settings.CONSOLE_SAMPLE
        is_fresh = is_first and settings.IS_EMBEDDED_DATABASE and is_untouched()
        if asked == "0" or (asked == "auto" and not is_fresh):
            return
        try:
            set_up(settings.CONSOLE_VAR, now=now)
        except NotSetUp as error:
            raise CommandError(str(error)) from error
        if is_first:
            show_sample_to_everybody()
