"""One sentence over all promises: what it counts, and what colours it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from console.lib.statistics import Status
from console.slo.compliance import answer_of, compliance
from tests.make_fleet import make_service, make_team
from tests.make_slo import make_counts, make_objective

RED, AMBER, GREEN, GREY = Status.RED, Status.AMBER, Status.GREEN, Status.GREY


@pytest.mark.parametrize(
    ("statuses", "value", "worst", "said"),
    [
        ([], "", GREY, "No objective is set"),
        ([GREY], "", GREY, "None of 1 objectives has a verdict"),
        ([GREEN, GREEN], "2 of 2", GREEN, "2 of 2 objectives with a verdict have budget left."),
        ([GREEN, AMBER, GREY], "2 of 2", AMBER, "have budget left; 1 at risk, 1 without a verdict."),
        ([GREEN, RED, RED], "1 of 3", RED, "1 of 3 objectives with a verdict have budget left; 2 overspent."),
    ],
)
def test_the_worst_colours_the_whole(statuses: list[Status], value: str, worst: Status, said: str) -> None:
    told = answer_of(statuses)
    assert (told.value, told.status) == (value, worst)
    assert said in told.sentence


@pytest.mark.django_db
def test_it_is_read_of_one_origin_and_team() -> None:
    now = timezone.now().replace(second=0, microsecond=0)
    kept = make_objective(service=make_service(team=make_team(slug="shop")))
    broken = make_objective()
    make_objective(service=make_service(origin="sample"))
    for one, bad in ((kept, 0.1), (broken, 2)):
        make_counts(one.service, now - timedelta(days=30), 30 * 1440, bad=bad)
    assert compliance("live", now=now).value == "1 of 2"
    assert compliance("live", now=now, team="shop").value == "1 of 1"
    assert compliance("live", now=now, team="unattributed").value == "0 of 1"
    assert compliance("sample", now=now).status is GREY
