"""E-mail to a real SMTP server that takes, refuses or loses it."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest

from console.notifications.destinations import give_settings
from console.notifications.models import ChannelKind, Notification
from tests.make_accounts import make_user
from tests.make_notifications import make_channel, queue
from tests.notifications.outbox_hands import answers, send_due, states
from tests.notifications.sinks import Mailbox

pytestmark = pytest.mark.django_db


def queue_mail(*addresses: str) -> Notification:
    channel = make_channel(kind=ChannelKind.EMAIL)
    give_settings(channel, {"addresses": " ".join(addresses)})
    channel.save()
    return queue(channel_id=channel.pk)


def test_a_page_to_a_person_is_a_mail_that_says_what_why_and_how_to_acknowledge(mailbox: Mailbox) -> None:
    alice = make_user("alice")
    row = queue(person_id=alice.pk)

    send_due()

    (envelope,) = mailbox.mails
    mail = message_from_bytes(envelope.content, policy=default)
    text = mail.get_content().replace("\r\n", "\n")
    assert envelope.rcpt_tos == ["alice@example.com"]
    assert mail["Subject"] == "checkout: 3 of 12 replicas"
    assert mail["Message-ID"].startswith(f"<notification-{row.pk}@")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert text.startswith("Zone c is empty, it needs 9.\n\nAcknowledge: http://127.0.0.1:8000/a/")
    assert "Open: http://127.0.0.1:8000/alerts/1/\n" in text
    assert "Why you: On call for checkout · no rules of their own: e-mail at once" in text
    assert answers() == [("handed_over", "Taken by 127.0.0.1 for alice@example.com")]


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        ("250 queued as 7", "handed_over", "Taken by 127.0.0.1"),
        ("554 spam", "failed", "554 spam"),
        ("451 try later", "queued", "451 try later"),
        ("cut", "unknown", "The mail server was lost while it took the mail"),
    ],
)
def test_what_the_server_says_of_a_mail_decides(
    answer: str, state: str, words: str, mailbox: Mailbox
) -> None:
    mailbox.answers = [answer]
    row = queue_mail("ops@example.com")

    send_due()

    row.refresh_from_db()
    assert (row.state, row.note[: len(words)]) == (state, words)


@pytest.mark.parametrize(("answer", "state"), [("550 nobody", "failed"), ("450 greylisted", "queued")])
def test_a_refused_recipient_is_final_only_where_the_server_says_so(
    answer: str, state: str, mailbox: Mailbox
) -> None:
    mailbox.refuse = {"ops@example.com": answer}
    queue_mail("ops@example.com")

    send_due()

    assert states() == [state]
    assert answers()[0][1] == f"ops@example.com: {answer}"


def test_a_server_that_is_away_is_tried_again(mailbox: Mailbox, settings: object) -> None:
    settings.EMAIL_PORT = 9  # type: ignore[attr-defined]
    queue_mail("ops@example.com")

    send_due()

    assert states() == ["queued"]
    assert answers()[0][1].startswith("The mail server cannot be reached")


def test_without_a_mail_server_a_mail_fails_and_says_what_to_set(settings: object) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"  # type: ignore[attr-defined]
    queue_mail("ops@example.com")

    send_due()

    assert (states(), answers()) == (["failed"], [("failed", "No mail server is configured: set EMAIL_URL")])
