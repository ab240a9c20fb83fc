"""The default runbook comes with the migrations; tests with real transactions empty its table too."""

from __future__ import annotations

import pytest

from console.runbooks.default_runbook import default_version
from console.runbooks.models import Runbook
from tests.make_fleet import NOON


@pytest.fixture
def default_runbook(db: None) -> Runbook:
    return default_version(now=NOON).runbook
