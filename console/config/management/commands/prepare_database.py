"""`manage.py prepare_database`: bring the database up to date, or say in one sentence why not."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from console.config.database import CannotPrepare, prepare_database


class Command(BaseCommand):
    help = "Apply the migrations; of several machines that ask at once, one does."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            prepare_database(sys.stdout)
        except CannotPrepare as error:
            self.stdout.flush()
            sys.exit(str(error))
