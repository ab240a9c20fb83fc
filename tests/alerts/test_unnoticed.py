"""Reclaimed without notice: whose finding it is, what it says, and how it ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from console.alerts.findings import close_finding
from console.alerts.models import AlertGroup, GroupStatus
from console.alerts.queries import about_url
from console.alerts.unnoticed_findings import watch_notices
from console.interruptions.models import Interruption
from tests.make_feeds import make_feed
from tests.make_fleet import NOON, make_machine, make_team
from tests.make_interruptions import make_interruption

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def lost(**fields: Any) -> Interruption:
    """A machine of account 1111 whose end was told of, and no notice before it."""
    machine = fields.pop("machine", None) or make_machine(account="1111", region="eu-west-1", provider="aws")
    return make_interruption(machine=machine, **({"notice_at": None, "known_by": "audit"} | fields))


def only() -> AlertGroup:
    return AlertGroup.objects.get(key__startswith="no_notice:")


def test_the_feed_of_the_account_should_have_told_and_its_owner_reads_why() -> None:
    make_feed(slug="any", name="Any account", kind="aws-eventbridge")
    make_feed(
        slug="mine", name="Shop cloud", kind="aws-eventbridge", account="1111", team=make_team(name="Edge")
    )
    make_feed(slug="other", kind="aws-eventbridge", account="2222")
    lost()
    assert watch_notices(now=NOON + MINUTE) == ["no_notice:mine"]
    group = only()
    assert group.title == "1 machine reclaimed without notice: Shop cloud"
    assert "For Edge." in group.impact
    assert "Silent: Shop cloud, Any account." in group.impact
    assert "0 feeds told afterwards; no agent ever heard" in group.impact
    assert (group.severity, group.is_finding, group.member_count) == ("warning", True, 0)
    watch_notices(now=NOON + 2 * MINUTE)
    assert group.events.count() == 1


def test_where_no_feed_could_tell_the_place_is_named() -> None:
    make_feed(kind="gcp-pubsub")
    machine = make_machine(account="shop-prod", region="europe-west1", provider="gcp")
    lost(machine=machine)
    assert watch_notices(now=NOON + MINUTE) == ["no_notice:gcp/shop-prod/europe-west1"]
    assert "connect one" in only().impact


@pytest.mark.parametrize(
    "fields",
    [
        {"is_late": True},
        {"notice_at": NOON},
        {"cause": "customer"},
        {"state": "cancelled"},
        {"state": "no_action"},
        {"origin": "test"},
        {"started_at": NOON - timedelta(hours=2)},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_is_late_noticed_historic_or_no_reclaim_opens_nothing(fields: dict[str, Any]) -> None:
    lost(**fields)
    assert watch_notices(now=NOON + MINUTE) == []
    assert not AlertGroup.objects.exists()


def test_a_slower_notice_ends_it_and_so_does_an_hour_of_quiet() -> None:
    make_feed(slug="cloud", kind="aws-eventbridge")
    one = lost()
    watch_notices(now=NOON + MINUTE)
    Interruption.objects.filter(pk=one.pk).update(notice_at=NOON)
    watch_notices(now=NOON + 2 * MINUTE)
    assert only().status == GroupStatus.RESOLVED
    lost(started_at=NOON + 3 * MINUTE)
    watch_notices(now=NOON + 5 * MINUTE)
    assert AlertGroup.objects.open().count() == 1
    watch_notices(now=NOON + 64 * MINUTE)
    assert not AlertGroup.objects.open().exists()


def test_a_group_that_was_closed_by_hand_opens_again_only_for_a_later_reclaim() -> None:
    make_feed(slug="cloud", kind="aws-eventbridge")
    lost()
    watch_notices(now=NOON + MINUTE)
    close_finding("no_notice:cloud", text="Known", now=NOON + 2 * MINUTE)
    assert watch_notices(now=NOON + 3 * MINUTE) == []
    lost(started_at=NOON + 4 * MINUTE)
    assert watch_notices(now=NOON + 5 * MINUTE) == ["no_notice:cloud"]


def test_its_page_opens_the_feed_unless_none_is_connected() -> None:
    assert about_url(AlertGroup(key="no_notice:cloud")) == "/feeds/cloud/"
    assert about_url(AlertGroup(key="no_notice:gcp/shop-prod/europe-west1")) == ""
