"""`manage.py poll`: fetch what waits for the feeds that are polled, until told to stop."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from console.config import celery  # noqa: F401 - the bells ring through it
from console.ingest.poller import main


class Command(BaseCommand):
    """Several may run at once, on one machine or many: the vendor gives each message to one of them."""

    help = "Fetch messages from the queues and subscriptions that feeds name."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        main()
