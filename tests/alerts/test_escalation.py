"""Who is told of a group, in which order, and what stops it. Deadlines, acknowledgements, silences, the end."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from console.accounts.models import User
from console.alerts import handling
from console.alerts.escalation import plan
from console.alerts.escalation.unanswered import unanswered
from console.alerts.handling import NotPossible
from console.alerts.models import AlertGroup, EscalationStep, Receipt
from console.alerts.rows import group_rows
from console.alerts.suppression.consulting import Consulted
from console.fleet.models import Service, Team
from console.notifications.models import Channel, Notification
from console.oncall import policy_editing
from console.oncall.models import EscalationPolicy, Rotation
from tests.make_accounts import make_user
from tests.make_escalations import (
    Roster,
    by,
    decide,
    deliver,
    escalation_of,
    make_channel,
    make_group,
    make_policy,
    make_rotation,
    minute,
    put_on_call,
    run,
    told,
    use_policy,
)
from tests.make_fleet import make_service, make_team

pytestmark = pytest.mark.django_db


@dataclass
class Cast:
    """Alice is on call, Bob is next, Charlie is elsewhere; Dora administers."""

    alice: User
    bob: User
    charlie: User
    dora: User
    team: Team
    service: Service
    primary: Rotation
    secondary: Rotation
    channel: Channel
    roster: Roster
    policy: EscalationPolicy


@pytest.fixture
def cast(monkeypatch: pytest.MonkeyPatch) -> Cast:
    roster = put_on_call(monkeypatch)
    team = make_team(name="Payments")
    primary, secondary = make_rotation("Primary", team=team), make_rotation("Secondary", team=team)
    alice, bob, charlie = make_user("alice"), make_user("bob"), make_user("charlie")
    roster |= {primary.pk: alice, secondary.pk: bob}
    channel = make_channel("#payments", team=team)
    service = make_service(name="Checkout", team=team)
    policy = make_policy((5, [primary]), (10, [secondary, channel]), name="Payments", repeats=1)
    use_policy(policy, service=service)
    dora = make_user("dora", role="admin")
    return Cast(alice, bob, charlie, dora, team, service, primary, secondary, channel, roster, policy)


@pytest.fixture
def group(cast: Cast) -> AlertGroup:
    return make_group(service=cast.service)


def story(group: AlertGroup, *kinds: str) -> list[str]:
    rows = group.events.order_by("pk")
    return list((rows.filter(kind__in=kinds) if kinds else rows).values_list("text", flat=True))


def test_a_page_tells_the_first_level_at_once_and_the_next_when_nobody_answers(
    cast: Cast, group: AlertGroup
) -> None:
    receipt = decide(group)
    assert receipt.inputs["escalation"]["policy"] == "Payments"
    assert receipt.inputs["escalation"]["because"] == "the policy of Checkout"
    run(0)
    assert told() == ["Alice"]
    run(4.99)
    assert told() == ["Alice"]
    run(5)
    assert told() == ["Alice", "#payments", "Bob"]
    message = Notification.objects.get(person=cast.alice)
    escalation = escalation_of(group)
    assert message.key == f"group:{group.pk}:{escalation.pk}:1:1:person-{cast.alice.pk}"
    assert message.reason.startswith("Level 1 of Payments: on call in Primary until 17:00 UTC")
    assert "next at 12:05 UTC: Secondary, #payments" in message.text
    assert EscalationStep.objects.get(person=cast.bob).notification_key.endswith(f":1:2:person-{cast.bob.pk}")
    decide(group, at=6)
    run(6)
    assert len(told()) == 3, "a group that pages already tells nobody twice"


def test_all_levels_are_told_again_and_then_nobody_answered_is_loud(cast: Cast, group: AlertGroup) -> None:
    decide(group)
    for at in (0, 5, 15, 20, 30):
        run(at)
    assert told() == ["Alice", "#payments", "Bob", "Alice", "#payments", "Bob", "Dora"]
    assert escalation_of(group).state == "exhausted"
    assert list(unanswered("live")) == [group]
    assert AlertGroup.objects.open().count() == 1, "the group itself says it: there is no second one about it"
    [row] = group_rows(AlertGroup.objects.with_paged(), now=minute(31))
    assert (row.status, row.status_label) == ("unanswered", "Nobody answered")
    handling.acknowledge(group.pk, by=by(cast.alice), now=minute(32))
    run(32)
    assert not unanswered("live")
    [row] = group_rows(AlertGroup.objects.with_paged(), now=minute(32))
    assert row.status == "acknowledged"


def test_a_level_that_reaches_nobody_is_skipped_at_once_and_says_so(cast: Cast, group: AlertGroup) -> None:
    del cast.roster[cast.primary.pk]
    decide(group)
    run(0)
    assert told() == ["#payments", "Bob"]
    assert "Level 1 is skipped: nobody is on call in Primary" in story(group, "escalated")


def test_a_policy_that_reaches_nobody_falls_back_to_the_default_and_then_to_every_administrator(
    cast: Cast, group: AlertGroup
) -> None:
    cast.roster.clear()
    cast.channel.kind = "null"
    cast.channel.save()
    erik = make_user("erik")
    use_policy(make_policy((5, [erik]), name="Platform"))
    decide(group)
    run(0)
    assert told() == ["Erik"]
    assert "Nobody on Payments can be reached: Platform holds instead" in story(group, "escalated")
    User.objects.filter(pk=erik.pk).update(is_active=False)
    other = make_group(service=cast.service)
    decide(other)
    run(0)
    assert told(subject=f"group:{other.pk}") == ["Dora"]
    assert "Nobody on Platform can be reached: Last resort holds instead" in story(other, "escalated")


@pytest.mark.parametrize("has_team_policy", [True, False])
def test_a_service_without_a_policy_has_its_teams_and_without_any_the_built_in_one(
    cast: Cast, has_team_policy: bool
) -> None:
    service = make_service(name="Search", team=cast.team, owner=cast.charlie)
    if has_team_policy:
        use_policy(make_policy((5, [cast.charlie])), team=cast.team)
    group = make_group(service=service)
    receipt = decide(group)
    run(0)
    if has_team_policy:
        assert receipt.inputs["escalation"]["because"] == "the policy of the team Payments"
        assert told() == ["Charlie"]
        return
    assert receipt.inputs["escalation"]["because"] == "no policy is set, so the one that is built in holds"
    assert set(told()) == {"Charlie", "Alice", "Bob", "#payments"}
    make_user("mona", role="manager")
    run(10)
    assert set(told()[4:]) == {"Mona", "Dora"}


def test_a_person_on_two_targets_of_a_level_is_told_once(cast: Cast) -> None:
    service = make_service()
    use_policy(make_policy((5, [cast.primary, cast.alice, cast.team])), service=service)
    decide(make_group(service=service))
    run(0)
    assert sorted(told()) == ["#payments", "Alice", "Bob"]


def test_a_policy_edited_in_the_middle_counts_from_the_next_escalation_but_the_roster_counts_at_once(
    cast: Cast, group: AlertGroup
) -> None:
    decide(group)
    run(0)
    policy_editing.change(
        cast.policy.pk,
        policy_editing.Draft(
            name="Payments", slug="x", levels=[policy_editing.LevelDraft(1, (("person", cast.dora.pk),))]
        ),
        by=by(cast.dora).actor,
        now=minute(1),
    )
    cast.roster[cast.secondary.pk] = cast.charlie
    run(5)
    assert told() == ["Alice", "#payments", "Charlie"]
    assert escalation_of(group).frozen.version == 1
    other = make_group(service=cast.service)
    decide(other, at=6)
    run(6)
    assert told(subject=f"group:{other.pk}") == ["Dora"]


def test_an_escalation_that_is_due_fires_once_after_the_broker_lost_everything_and_says_how_late_it_was(
    cast: Cast, group: AlertGroup
) -> None:
    decide(group)
    run(0)
    for _ in range(3):
        run(12)
    assert told() == ["Alice", "#payments", "Bob"]
    assert "Due 12:05 UTC, told 12:12 UTC: 7 min 00 s late." in Notification.objects.get(person=cast.bob).text
    assert story(group, "told")[-1].endswith("Due 12:05 UTC, told 12:12 UTC: 7 min 00 s late.")
    run(21.9)
    assert len(told()) == 3, "whoever is told late has as long as ever"


def test_acknowledging_calls_off_what_waits_and_says_what_was_on_its_way(
    cast: Cast, group: AlertGroup
) -> None:
    decide(group)
    run(0)
    run(5)
    Notification.objects.filter(person=cast.bob).update(state="sending")
    handling.acknowledge(group.pk, by=by(cast.alice), now=minute(6))
    states = dict(Notification.objects.values_list("key", "state"))
    assert sorted(states.values()) == ["called_off", "called_off", "sending"]
    assert story(group, "called_off") == ["2 messages called off. Already on its way: to Bob"]
    for at in (10, 15, 29):
        run(at)
    assert len(told()) == 3


def test_giving_it_back_tells_the_level_again_at_once(cast: Cast, group: AlertGroup) -> None:
    decide(group)
    run(0)
    handling.acknowledge(group.pk, by=by(cast.alice), now=minute(1))
    handling.unacknowledge(group.pk, by=by(cast.alice), now=minute(2))
    run(2)
    assert told() == ["Alice", "Alice"]
    run(7)
    assert told()[2:] == ["#payments", "Bob"]


def test_an_acknowledgement_is_reminded_of_and_ends_and_the_escalation_goes_on(
    cast: Cast, group: AlertGroup
) -> None:
    decide(group)
    run(0)
    handling.acknowledge(group.pk, by=by(cast.charlie), now=minute(1))
    run(31)
    assert told("reminder") == ["Charlie"]
    handling.keep(group.pk, by=by(cast.charlie), now=minute(32))
    assert Notification.objects.get(kind="reminder").state == "called_off"
    run(40)
    group.refresh_from_db()
    assert group.status == "acknowledged"
    run(62)
    run(67)
    group.refresh_from_db()
    assert (group.status, group.acknowledged_by) == ("triggered", None)
    assert story(group, "expired") == ["Charlie had it since 12:01 UTC and did not answer the reminder"]
    run(67)
    assert told()[-1] == "Alice"
    assert told("reminder") == ["Charlie", "Charlie"]


def test_a_group_that_nobody_was_paged_for_is_not_forgotten_either(cast: Cast, group: AlertGroup) -> None:
    handling.acknowledge(group.pk, by=by(cast.alice), now=minute(0))
    run(30)
    assert told("reminder") == ["Alice"]
    run(35)
    group.refresh_from_db()
    assert group.status == "triggered"
    run(40)
    assert told() == [], "it goes back without waking anybody"


def test_whoever_has_it_hears_of_another_page_and_nobody_else(cast: Cast, group: AlertGroup) -> None:
    decide(group)
    run(0)
    handling.acknowledge(group.pk, by=by(cast.charlie), now=minute(1))
    receipt = decide(group, at=2, reason="It reached critical")
    run(2)
    assert (told(), told("update")) == (["Alice"], ["Charlie"])
    assert receipt.inputs["escalation"]["said"] == "Charlie has it and is told; nobody else is"


def test_a_silence_holds_further_pages_until_it_ends(cast: Cast, group: AlertGroup) -> None:
    decide(group)
    run(0)
    deliver()
    handling.silence(group.pk, until=minute(60), by=by(cast.charlie), now=minute(1))
    for at in (5, 30, 59):
        run(at)
    assert told() == ["Alice"]
    run(60)
    assert told() == ["Alice", "Alice"]
    quiet = make_group(service=cast.service, silenced_until=minute(90))
    assert decide(quiet, at=61).inputs["escalation"]["said"].endswith("held by a silence")
    run(61)
    assert told(subject=f"group:{quiet.pk}") == []
    run(90)
    assert told(subject=f"group:{quiet.pk}") == ["Alice"]


def test_a_suppression_holds_and_lets_go_when_it_is_over(
    cast: Cast, group: AlertGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = Consulted(suppressed_by=1, until=minute(30), words="Upgrade by Alice")
    answers = {group.pk: hidden}
    for module in ("beginning", "firing"):
        monkeypatch.setattr(f"console.alerts.escalation.{module}.consult", lambda groups, now: answers)
    decide(group)
    run(0)
    decide(group, "suppress", at=1)
    assert Notification.objects.get().state == "called_off"
    run(29)
    assert told() == ["Alice"]
    answers[group.pk] = Consulted()
    run(30)
    run(30)
    assert told() == ["Alice", "Alice"]


@pytest.mark.parametrize(
    ("resolution", "title"),
    [
        ("healed", "Healed: Reclaims of Checkout"),
        ("no_news", "Closed without news: Reclaims of Checkout"),
        ("by_hand", "Resolved: Reclaims of Checkout"),
    ],
)
def test_everybody_who_heard_that_it_broke_hears_how_it_ended_once(
    cast: Cast, group: AlertGroup, resolution: str, title: str
) -> None:
    decide(group)
    run(0)
    run(5)
    deliver(person=cast.alice)
    Notification.objects.filter(channel=cast.channel).update(state="unknown")
    handling.silence(group.pk, until=minute(60), by=by(cast.alice), now=minute(6))
    if resolution == "by_hand":
        handling.resolve(group.pk, by=by(cast.alice), now=minute(7))
    else:
        AlertGroup.objects.filter(pk=group.pk).update(
            status="resolved", resolution=resolution, resolved_at=minute(7), silenced_until=None
        )
        run(60)
    run(61)
    assert sorted(told("healed")) == ["#payments", "Alice"]
    assert set(Notification.objects.filter(kind="healed").values_list("title", flat=True)) == {title}
    assert Notification.objects.get(person=cast.bob).state == "called_off"
    assert escalation_of(group).state == ("healed" if resolution == "healed" else "ended")


def test_reopening_tells_those_who_heard_that_it_was_over_and_goes_on(cast: Cast, group: AlertGroup) -> None:
    decide(group)
    run(0)
    deliver()
    handling.resolve(group.pk, by=by(cast.bob), now=minute(1))
    deliver(kind="healed")
    handling.reopen(group.pk, by=by(cast.bob), now=minute(2))
    run(2)
    assert told("update") == ["Alice"]
    assert "Re-opened by Bob: it is not over." in Notification.objects.get(kind="update").text
    assert told() == ["Alice", "Alice"]


def test_escalating_by_hand_tells_the_next_level_and_keeps_whoever_has_it(
    cast: Cast, group: AlertGroup
) -> None:
    handling.escalate(group.pk, by=by(cast.charlie), now=minute(0))
    assert told() == ["Alice"]
    assert Receipt.objects.get().reason == "Charlie escalated it"
    handling.acknowledge(group.pk, by=by(cast.alice), now=minute(1))
    handling.escalate(group.pk, by=by(cast.alice), now=minute(2))
    assert told() == ["Alice", "#payments", "Bob"]
    assert "Alice asks for help; Alice has it" in Notification.objects.get(person=cast.bob).text
    group.refresh_from_db()
    assert group.status == "acknowledged"
    assert escalation_of(group).next_at == minute(31)
    with pytest.raises(NotPossible, match="Page somebody by name"):
        handling.escalate(group.pk, by=by(cast.alice), now=minute(3))
    assert len(told()) == 3


def test_somebody_paged_by_name_hears_at_once_and_that_it_healed(cast: Cast, group: AlertGroup) -> None:
    handling.page(group.pk, cast.charlie.pk, text="You know the ledger", by=by(cast.alice), now=minute(0))
    with pytest.raises(NotPossible, match="a moment ago"):
        handling.page(group.pk, cast.charlie.pk, by=by(cast.alice), now=minute(1))
    assert told() == ["Charlie"]
    assert "Alice pages you: “You know the ledger”" in Notification.objects.get().text
    deliver()
    handling.resolve(group.pk, by=by(cast.alice), now=minute(2))
    assert told("healed") == ["Charlie"]
    alone = make_group(service=cast.service)
    handling.page(alone.pk, cast.charlie.pk, by=by(cast.alice), now=minute(3))
    run(13)
    assert told(subject=f"group:{alone.pk}") == ["Charlie", "Dora"]


def test_the_plan_ahead_names_who_is_next_and_when(cast: Cast, group: AlertGroup) -> None:
    decide(group)
    run(0)
    found = plan.plan_of(group, now=minute(1))
    assert found is not None
    assert [(ahead.at, ahead.what, ahead.whom) for ahead in found.ahead] == [
        (
            minute(5),
            "Level 2 of Payments",
            "Bob (on call in Secondary until 17:00 UTC), #payments",
        ),
        (minute(15), "All levels again, once more", "Primary"),
        (minute(30), "Nobody answered", "Every administrator, and a banner on every board"),
    ]
    handling.acknowledge(group.pk, by=by(cast.alice), now=minute(2))
    found = plan.plan_of(AlertGroup.objects.get(pk=group.pk), now=minute(3))
    assert found is not None
    assert [(ahead.at, ahead.what) for ahead in found.ahead] == [
        (minute(32), "Reminder"),
        (minute(37), "Given back unless answered"),
    ]


def test_what_is_not_live_is_written_and_never_sent(cast: Cast) -> None:
    group = make_group(origin="drill", service=cast.service)
    decide(group)
    run(0)
    assert set(Notification.objects.values_list("state", "note")) == {("not_sent", "Not sent: drill")}
    handling.resolve(group.pk, by=by(cast.alice), now=minute(1))
    assert told("healed") == []


def test_a_wave_that_is_taken_stops_the_pages_of_the_groups_under_it_until_it_is_given_back(
    cast: Cast,
) -> None:
    wave = make_group(key="wave:aws/eu/b", title="Wave")
    child = make_group(service=cast.service, parent=wave)
    decide(child)
    run(0)
    handling.acknowledge(wave.pk, by=by(cast.charlie), now=minute(1))
    run(20)
    assert told(subject=f"group:{child.pk}") == ["Alice"]
    run(31)
    assert told("reminder") == ["Charlie"], "once, for the wave"
    run(36)
    child.refresh_from_db()
    assert child.status == "triggered"
    run(37)
    assert told(subject=f"group:{child.pk}") == ["Alice", "Alice"]


def test_an_escalation_that_fails_is_tried_again_and_stands_on_the_board(
    cast: Cast, group: AlertGroup
) -> None:
    other = make_group(service=cast.service)
    decide(group)
    decide(other)
    escalation = escalation_of(group)
    escalation.policy = {"name": "broken", "levels": "none"}
    escalation.save()
    run(0)
    assert told() == ["Alice"]
    assert AlertGroup.objects.get(key="escalation_failed").is_open
    escalation.policy = escalation_of(other).policy
    escalation.save(update_fields=["policy"])
    run(5)
    assert told(subject=f"group:{group.pk}") == ["Alice"]
    assert not AlertGroup.objects.get(key="escalation_failed").is_open
