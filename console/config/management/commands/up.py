"""`manage.py up`: run the whole console until Ctrl-C."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Run the console: database, broker, web, workers and beat, until Ctrl-C or SIGTERM."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Becomes the supervisor, which needs neither Django nor the memory it takes."""
        os.chdir(settings.BASE_DIR)
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "console.config.up"])  # noqa: S606 - no shell wanted
