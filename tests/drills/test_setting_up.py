"""Making room for the sample fleet."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.accounts.models import ApiToken, AuditEntry, Scope, User
from console.alerts.models import Suppression
from console.drills.sample.progress import forget, path_in, read_progress
from console.drills.setting_up import NotSetUp, is_set_up, is_untouched, set_up, show_sample_to_everybody
from console.feeds.models import Feed, FeedToken
from console.fleet.models import AttributionRule, Service, Team
from console.oncall.policies import choose
from console.oncall.reaching import Roster
from tests.make_accounts import make_user
from tests.make_feeds import make_feed

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)


def test_it_makes_teams_services_rules_feeds_and_a_token_of_origin_sample(tmp_path: Path) -> None:
    assert set_up(tmp_path, now=NOON)
    counts = [
        model._default_manager.filter(origin="sample").count() for model in (Team, Service, AttributionRule)
    ]
    assert counts == [8, 25 + 1, 25]  # and the visible home of what no rule takes
    assert dict(Feed.objects.values_list("slug", "kind")) == {
        "sample-aws": "aws-eventbridge",
        "sample-sns": "aws-sns",
        "sample-gcp-pubsub": "gcp-pubsub",
        "sample-gcp-metadata": "gcp-metadata",
        "sample-azure-events": "azure-scheduled-events",
        "sample-azure-grid": "azure-eventgrid",
        "sample-clusters": "kubernetes",
        "sample-alerts": "alertmanager",
        "sample-relay": "cloudevents",
        "sample-nodes": "node-report",
    }
    assert not Feed.objects.exclude(origin="sample").exists()
    awaited = Feed.objects.exclude(expects_within=None).values_list("slug", flat=True)
    assert set(awaited) == {
        f"sample-{name}" for name in ("aws", "nodes", "alerts", "gcp-metadata", "azure-events")
    }
    scopes = dict(ApiToken.objects.values_list("name", "scopes"))
    assert scopes == {"Sample fleet": [Scope.FACTS], "Mara Lindqvist": [Scope.ACT, Scope.READ]}


def test_its_secrets_are_for_its_owner_only(tmp_path: Path) -> None:
    set_up(tmp_path, now=NOON)
    assert stat.S_IMODE(path_in(tmp_path).stat().st_mode) == 0o600


def test_twice_changes_nothing(tmp_path: Path) -> None:
    set_up(tmp_path, now=NOON)
    before = (path_in(tmp_path).read_bytes(), AuditEntry.objects.count(), FeedToken.objects.count())
    assert not set_up(tmp_path, now=NOON)
    assert before == (path_in(tmp_path).read_bytes(), AuditEntry.objects.count(), FeedToken.objects.count())


def test_lost_secrets_are_made_anew_and_the_old_ones_open_nothing(tmp_path: Path) -> None:
    set_up(tmp_path, now=NOON)
    old = read_progress(tmp_path)
    forget(tmp_path)
    assert set_up(tmp_path, now=NOON)
    new = read_progress(tmp_path)
    assert old is not None
    assert new is not None
    assert old.token != new.token
    assert (FeedToken.objects.count(), ApiToken.objects.count(), Feed.objects.count()) == (10, 2, 10)
    assert is_set_up(tmp_path, now=NOON)


def test_a_feed_of_somebody_else_under_its_address_is_left_alone(tmp_path: Path) -> None:
    make_feed(slug="sample-aws")
    with pytest.raises(NotSetUp, match="sample-aws"):
        set_up(tmp_path, now=NOON)
    assert not path_in(tmp_path).exists()
    assert not Service.objects.filter(origin="sample").exists()


def test_a_console_with_a_feed_or_a_second_person_is_not_untouched() -> None:
    make_user("alice")
    assert is_untouched()
    make_user("bob")
    assert not is_untouched()
    User.objects.filter(name="Bob").delete()
    make_feed()
    assert not is_untouched()


def test_the_first_administrators_pages_begin_with_the_sample() -> None:
    user = make_user("alice")
    show_sample_to_everybody()
    user.refresh_from_db()
    assert user.shown_origin == "sample"


def test_every_team_is_told_by_a_policy_that_reaches_somebody_and_one_window_repeats(tmp_path: Path) -> None:
    set_up(tmp_path, now=NOON)
    set_up(tmp_path, now=NOON)
    subjects = [(None, team) for team in Team.objects.filter(origin="sample")]
    chosen = choose(subjects, origin="sample")
    assert {chosen[subject].policy.name for subject in subjects} >= {
        "Platform first",
        "Checkout, then platform",
    }
    targets = [target for one in chosen.values() for level in one.policy.levels for target in level.targets]
    reached = Roster(targets, at=NOON).reach(targets)
    assert reached.reaches
    window = Suppression.objects.get(origin="sample")
    assert window.rrule == "FREQ=WEEKLY;BYDAY=TU"
    assert window.occurrences.filter(starts_at__gt=NOON).exists()
