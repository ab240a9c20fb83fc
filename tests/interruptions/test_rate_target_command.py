"""`manage.py rate_target`."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from console.accounts.models import AuditEntry
from console.interruptions.measure_reading import Place
from console.interruptions.measures_m1 import Targets

pytestmark = pytest.mark.django_db
GPU = ["--provider", "aws", "--type-prefix", "p4d."]


def test_a_class_gets_its_target_and_loses_it_again() -> None:
    call_command("rate_target", "set", *GPU, "--label", "GPU", "--target", "60", "--red", "90")
    assert Targets().of(Place(provider="aws", type="p4d.24xlarge")) == (60, 90)
    assert Targets().of(Place(provider="aws", type="m7i.large")) == (5, 10)
    out = StringIO()
    call_command("rate_target", "list", stdout=out)
    assert out.getvalue() == "aws/p4d.*  target 60  red 90  GPU\n"
    call_command("rate_target", "remove", *GPU)
    assert Targets().of(Place(provider="aws", type="p4d.24xlarge")) == (5, 10)
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["rate_target.set", "rate_target.remove"]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(CommandError, match="above 0"):
        call_command("rate_target", "set", *GPU, "--label", "GPU", "--target", "60", "--red", "9")
    with pytest.raises(CommandError, match="no target"):
        call_command("rate_target", "remove", *GPU)
