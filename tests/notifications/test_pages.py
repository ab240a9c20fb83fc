"""Channels, deliveries and how a person is told, as they are used in a browser without script."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.accounts.models import AuditEntry, Role, User
from console.notifications.destinations import settings_of
from console.notifications.models import (
    AllowedHost,
    Channel,
    ContactMethod,
    Notification,
    PersonalRule,
    QuietHours,
)
from tests.make_accounts import make_user
from tests.make_notifications import make_channel, make_method, queue
from tests.notifications.outbox_hands import send_due
from tests.notifications.sinks import Sink

pytestmark = pytest.mark.django_db
MINE = "/me/notifications/"


def signed_in(role: Role = Role.ADMIN, name: str = "alice") -> tuple[Client, User]:
    client, user = Client(), make_user(name, role=role)
    client.force_login(user)
    return client, user


def text(answer: object) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())  # type: ignore[attr-defined]


GOOD = {
    "email": {"addresses": "ops@example.com, two@example.com"},
    "slack": {"url": "https://hooks.slack.com/services/T0/B0/secret-words"},
    "teams": {"url": "https://prod.westeurope.logic.azure.com/workflows/1"},
    "pagerduty": {"routing_key": "R" * 32, "region": "eu"},
    "opsgenie": {"api_key": "11-22", "region": "us"},
    "webhook": {"url": "https://hooks.example.com/spot", "secret": "sixteen-characters"},
    "gateway": {"url": f"twilio://AC{'a' * 32}:{'b' * 32}@+15005550006/+15005550001"},
    "null": {},
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_channel_of_each_kind_is_made_and_its_secrets_are_sealed_and_never_shown(kind: str) -> None:
    client, _ = signed_in()

    answer = client.post(f"/settings/channels/new/{kind}/", {"name": "Ops", **GOOD[kind]})

    channel = Channel.objects.get()
    assert answer.status_code == 302
    assert GOOD[kind].items() <= settings_of(channel).items()
    shown = text(client.get("/settings/channels/")) + text(client.get(f"/settings/channels/{channel.pk}/"))
    entry = AuditEntry.objects.get(action="channel.create")
    for secret in ("secret-words", "R" * 32, "11-22", "sixteen-characters", "b" * 32):
        assert secret not in shown + channel.sealed_settings + str(entry.after)


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("email", {"addresses": "ops"}, "ops is not an e-mail address."),
        ("slack", {"url": "http://hooks.slack.com/a"}, "is called by https only"),
        ("slack", {"url": "https://10.0.0.7/a"}, "10.0.0.7 is a private address"),
        ("webhook", {"url": "https://a:b@example.com/"}, "holds a user name or password"),
        ("webhook", {"url": "https://example.com/", "secret": "short"}, "at least 16 characters"),
        ("pagerduty", {"routing_key": "abc", "region": "us"}, "has 32 characters"),
        ("gateway", {"url": "json://10.0.0.7/x"}, "an administrator has to allow it"),
        ("gateway", {"url": "syslog://"}, "works on one machine only"),
        ("gateway", {"url": "nonsense"}, "No gateway is addressed like this"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_its_field(
    kind: str, values: dict[str, str], words: str
) -> None:
    client, _ = signed_in()

    answer = client.post(f"/settings/channels/new/{kind}/", {"name": "Ops", **values})

    assert answer.status_code == 422
    assert words in text(answer)
    assert not Channel.objects.exists()


def test_a_signing_secret_that_the_console_made_is_shown_once() -> None:
    client, _ = signed_in()

    first = client.post("/settings/channels/new/webhook/", {"name": "Hook", "url": "https://example.com/"})

    channel = Channel.objects.get()
    secret = settings_of(channel)["secret"]
    again = client.get(f"/settings/channels/{channel.pk}/")
    client.post(f"/settings/channels/{channel.pk}/", {"name": "Hook 2"})
    channel.refresh_from_db()
    assert (secret in text(first), secret in text(again)) == (True, False)
    assert (channel.name, settings_of(channel)["secret"]) == ("Hook 2", secret)


def test_a_test_shows_the_providers_answer(sink: Sink) -> None:
    client, _ = signed_in()
    client.post("/settings/channels/", {"host": "127.0.0.1", "reason": "a sink of ours"})
    client.post("/settings/channels/new/slack/", {"name": "Room", "url": sink.url})
    sink.answers = [(404, {}, "no_service")]

    to = client.post(f"/settings/channels/{Channel.objects.get().pk}/test/").headers["Location"]
    before = text(client.get(to))
    send_due()
    after = text(client.get(to))

    assert "Not tried yet" in before
    assert "404 no_service" in after
    assert AuditEntry.objects.filter(action="allowed_host.add").exists()


def test_a_host_is_forbidden_again() -> None:
    client, _ = signed_in()
    client.post("/settings/channels/", {"host": "Hooks.Internal", "reason": "x"})
    bad = client.post("/settings/channels/", {"host": "https://x/", "reason": "x"})

    client.post(f"/settings/channels/hosts/{AllowedHost.objects.get().pk}/forbid/")

    assert bad.status_code == 422
    assert not AllowedHost.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER, Role.MANAGER])
def test_only_administrators_touch_channels(role: Role) -> None:
    client, _ = signed_in(role)
    pk = make_channel().pk

    assert client.get("/settings/channels/").status_code == 403
    assert client.post(f"/settings/channels/{pk}/test/").status_code == 403
    assert client.get("/settings/deliveries/").status_code == (403 if role == Role.VIEWER else 200)


def test_deliveries_are_found_by_state_kind_person_and_channel_at_a_constant_cost() -> None:
    client, alice = signed_in(Role.RESPONDER)
    channel = make_channel()
    (
        queue(person_id=alice.pk, title="to alice"),
        queue(channel_id=channel.pk, title="to the room", kind="ticket"),
    )

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/settings/deliveries/")
        return len(captured)

    few = cost()
    for _ in range(30):
        queue(person_id=alice.pk), queue(channel_id=channel.pk)
    assert cost() == few <= 20
    for query, shown in (
        (f"person={alice.pk}&kind=page", "to alice"),
        (f"channel={channel.pk}&kind=ticket", "to the room"),
        ("state=failed", "No message matches the filters"),
    ):
        assert shown in text(client.get(f"/settings/deliveries/?{query}"))


def test_a_new_method_is_used_only_once_its_code_was_typed() -> None:
    client, _ = signed_in(Role.VIEWER)
    client.post(f"{MINE}methods/new/email/", {"label": "Home", "addresses": "alice@home.example"})
    method = ContactMethod.objects.get(label="Home")
    code = Notification.objects.get(method=method).title[:6]
    rule = {"importance": "important", "method": method.pk, "delay_minutes": "5"}

    too_early = client.post(f"{MINE}rules/", rule)
    wrong = client.post(f"{MINE}methods/{method.pk}/verify/", {"code": "x"}, follow=True)
    client.post(f"{MINE}methods/{method.pk}/verify/", {"code": code})
    client.post(f"{MINE}rules/", rule)

    assert too_early.status_code == 422
    assert "That is not the code" in text(wrong)
    assert list(PersonalRule.objects.values_list("method", "delay_minutes")) == [(method.pk, 5)]
    assert "After 5 min by <b>Home</b>" in text(client.get(MINE))


def test_a_code_is_void_after_five_wrong_tries_and_shown_to_no_other_responder() -> None:
    client, _ = signed_in(Role.RESPONDER)
    client.post(f"{MINE}methods/new/email/", {"label": "Home", "addresses": "alice@home.example"})
    method = ContactMethod.objects.get(label="Home")
    row = Notification.objects.get(method=method)

    for _ in range(5):
        client.post(f"{MINE}methods/{method.pk}/verify/", {"code": "000000x"})
    client.post(f"{MINE}methods/{method.pk}/verify/", {"code": row.title[:6]})

    method.refresh_from_db()
    assert method.verified_at is None
    for path in ("/settings/deliveries/", f"/settings/deliveries/{row.pk}/"):
        assert row.title[:6] not in text(client.get(path))


def test_nobody_touches_the_methods_of_another() -> None:
    client, _ = signed_in(Role.ADMIN)
    method = make_method(make_user("bob"))

    for verb in ("verify", "code", "test", "bundling", "remove"):
        answer = client.post(f"{MINE}methods/{method.pk}/{verb}/", {"after": "1", "minutes": "1"})
        assert answer.status_code == 404


def test_quiet_hours_bundling_and_the_board_are_chosen_and_taken_back() -> None:
    client, alice = signed_in(Role.VIEWER)
    method = make_method(alice)

    bad = client.post(f"{MINE}quiet/", {"starts": "22:00", "ends": "22:00", "days": ["0"]})
    client.post(f"{MINE}quiet/", {"starts": "22:00", "ends": "07:00", "days": ["0", "1"]})
    client.post(f"{MINE}methods/{method.pk}/bundling/", {"after": "7", "minutes": "9"})
    client.post(f"{MINE}board/", {"is_heard": "on"})
    page = text(client.get(MINE))
    client.post(f"{MINE}quiet/{QuietHours.objects.get().pk}/remove/")
    client.post(f"{MINE}methods/{method.pk}/remove/")

    method.refresh_from_db()
    assert bad.status_code == 422
    assert '22:00 to 07:00 <small class="soft">Mon, Tue</small>' in page
    assert (method.bundle_after, method.bundle_minutes, method.is_usable) == (7, 9, False)
    assert (alice.board_notice.is_heard, alice.board_notice.is_shown) == (True, False)
    assert not QuietHours.objects.exists()


def test_a_test_page_goes_by_every_method_of_the_important_rules_and_its_state_is_seen(
    mailoutbox: list[object],
) -> None:
    client, _ = signed_in(Role.VIEWER)

    client.post(f"{MINE}test/")
    send_due()

    assert "Handed over" in text(client.get(MINE))
    assert [mail.subject for mail in mailoutbox] == ["Test page from Spot console"]  # type: ignore[attr-defined]
