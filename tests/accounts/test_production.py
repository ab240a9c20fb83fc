"""The settings of a real installation: nothing to complain about, and wrong values fail by name."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

PRODUCTION = {
    "SECRET_KEY": "kq0v-Jw3n8TzLrY5bXeUfGhRdAsPmWc2Vt9ZiOy7NxQj4HkEg6",
    "ALLOWED_HOSTS": "console.example.com",
    "CONSOLE_URL": "https://console.example.com",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    "CELERY_BROKER_URL": "redis://127.0.0.1:9/0",
    "CACHE_URL": "redis://127.0.0.1:9/1",
}


def check(**more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    environment = {"PATH": os.environ["PATH"]} | PRODUCTION | more
    return subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_production_set_up_has_nothing_to_complain_about() -> None:
    done = check()
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OIDC_GROUP_ROLES", "sre=king"),
        ("OIDC_GROUP_ROLES", "sre"),
        ("OIDC_GROUP_ROLES", "{not json"),
        ("OIDC_DEFAULT_ROLE", "king"),
    ],
)
def test_a_wrong_value_is_named(variable: str, value: str) -> None:
    done = check(**{variable: value})
    assert done.returncode != 0
    assert variable in done.stderr


def test_group_names_with_commas_are_written_as_json() -> None:
    done = check(OIDC_GROUP_ROLES='{"cn=sre,ou=groups": "responder"}')
    assert done.returncode == 0, done.stderr
