"""Every run has its own database and broker, thrown away afterwards, unless `DATABASE_URL` names one.

Settings are loaded here and not by the pytest plugin, because they read `CONSOLE_VAR`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from console.config.embedded.servers import EmbeddedServers
from console.interruptions import kept
from tests import emptying
from tests.ready import VAR_OF_THIS_RUN


def _choose_var() -> Path:
    if VAR_OF_THIS_RUN not in os.environ:
        var = Path(tempfile.mkdtemp(prefix="spot-test-", dir="/tmp"))
        var.chmod(0o755)  # as root the database runs as another user, who has to get in
        os.environ[VAR_OF_THIS_RUN] = str(var)
    return Path(os.environ[VAR_OF_THIS_RUN])


VAR = _choose_var()
os.environ["CONSOLE_VAR"] = str(VAR)
os.environ["DJANGO_SETTINGS_MODULE"] = "console.config.settings"
for variable in (
    "CONSOLE_URL",
    "CONSOLE_ADMIN_EMAIL",
    "CONSOLE_ADMIN_PASSWORD",
    "CONSOLE_SAMPLE",
    "PORT",
    "HOST",
):
    os.environ.pop(variable, None)
django.setup()
emptying.install()

_servers = EmbeddedServers(
    VAR,
    database=not os.environ.get("DATABASE_URL"),
    broker=not os.environ.get("CELERY_BROKER_URL"),
    is_throw_away=True,
)


def _starts_servers(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput") and not config.option.collectonly


def pytest_sessionstart(session: pytest.Session) -> None:
    if _starts_servers(session.config):
        _servers.start()
        if not os.environ.get("DATABASE_URL"):
            emptying.let_triggers_sleep(settings.DATABASES["default"])


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _servers.stop()
        shutil.rmtree(VAR, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Tests with real transactions empty all tables afterwards, which the audit trail rightly refuses.

    Only the trigger against emptying sleeps, and only in test databases; its own test wakes it.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER accounts_auditentry_is_not_emptied")


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """Tests roll different rows up at the same time of day."""
    kept.forget()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that drive a browser or kill processes wait for real time on a machine that others may use too."""
    for item in items:
        if item.get_closest_marker("browser") or item.get_closest_marker("faults"):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=3))
