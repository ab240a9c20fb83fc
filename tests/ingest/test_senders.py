"""Who may post without the feed's secret, over real HTTP: signed messages, tokens, handshakes. Else nothing is kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.lib import outgoing
from tests.ingest.conftest import Answer, Sender
from tests.ingest.test_receive import warning
from tests.ingest.vendors import CERTIFICATE, SUBSCRIBE, TOPIC, Internet, Issuer, SigningSns, forged, stamp

MakeSender = Callable[..., Sender]
TEXT = {"Content-Type": "text/plain; charset=UTF-8"}
ADDRESS = "https://console.example/ingest/x"
ACCOUNT = "push@shop-prod-1.iam.gserviceaccount.com"
GOOGLE_KEYS = "https://www.googleapis.com/oauth2/v3/certs"
TENANT = "5b8f9d1e-2a3c-4d5e-8f60-718293a4b5c6"
ENTRA_KEYS = f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"
GRID = "4962773b-9cdb-44cf-a8bf-237846a00ab7"
_numbers = iter(range(10**6))


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    """In place of every request that the console makes."""
    net = Internet()
    monkeypatch.setattr(outgoing, "_ask", net.ask)
    monkeypatch.setattr(outgoing, "public_address", lambda host, *, port: "192.0.2.1")
    return net


def certificate_url() -> str:
    """A new one each time: certificates are remembered."""
    return CERTIFICATE.replace("0a1b2c", f"{next(_numbers):08x}")


def tell(one: Sender, message: dict[str, Any]) -> Answer:
    headers = TEXT | {"x-amz-sns-message-type": message["Type"], "x-amz-sns-topic-arn": message["TopicArn"]}
    return one.send(message, headers=headers)


def nothing_is_kept(one: Sender) -> bool:
    return not (one.stored() or one.heartbeats() or one.held() or one.queued())


@pytest.fixture
def topic(sender: MakeSender) -> Sender:
    return sender(kind="aws-sns", settings={"topic_arns": [TOPIC]})


# SNS -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", ["1", "2"])
def test_a_signed_message_needs_no_secret_and_a_replayed_one_is_a_repeat(
    topic: Sender, internet: Internet, version: str
) -> None:
    sns, url = SigningSns(), certificate_url()
    internet.documents[url] = sns.certificate
    message = sns.message(warning(), version=version, Subject="A warning", SigningCertURL=url)
    first, again = tell(topic, message), tell(topic, message)
    assert (first.status, first.body["accepted"]) == (202, 1)
    assert (again.status, again.body["duplicates"]) == (200, 1)
    assert internet.asked == [url]
    assert len(topic.stored()) == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Message": json.dumps(warning(2))}, 401),
        ({"Subject": "added"}, 401),
        ({"Signature": "AAAA"}, 401),
        ({"Signature": "not base64"}, 401),
        ({"SignatureVersion": "1"}, 401),
        ({"SignatureVersion": "3"}, 401),
        ({"Type": "Greeting"}, 401),
        ({"TopicArn": TOPIC + "-of-another"}, 403),
        ({"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem"}, 401),
        ({"SigningCertURL": "https://evil.example/SimpleNotificationService-1.pem"}, 401),
        ({"SigningCertURL": "https://evil@sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"}, 401),
        ({"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"}, 401),
        ({"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.html"}, 401),
        ({"SigningCertURL": "https://sns.eu-west-1.amazonaws.com:99999/SimpleNotificationService-1.pem"}, 401),
        ({"SigningCertURL": "https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"}, 401),
    ],
)  # fmt: skip
def test_a_message_changed_on_its_way_is_refused_and_not_kept(
    topic: Sender, internet: Internet, changes: dict[str, str], status: int
) -> None:
    sns, url = SigningSns(), certificate_url()
    internet.documents[url] = sns.certificate
    answer = tell(topic, sns.message(warning(), SigningCertURL=url) | changes)
    assert answer.status == status
    assert nothing_is_kept(topic)
    assert set(internet.asked) <= {url}


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(hours=1), 202),
        (timedelta(hours=-1), 202),
        (timedelta(hours=25), 401),
        (timedelta(hours=-3), 401),
    ],
)
def test_a_clock_off_by_an_hour_is_borne_and_an_old_copy_is_not(
    topic: Sender, internet: Internet, age: timedelta, status: int
) -> None:
    sns, url = SigningSns(), certificate_url()
    internet.documents[url] = sns.certificate
    at = stamp(datetime.now(UTC) - age)
    assert tell(topic, sns.message(warning(), SigningCertURL=url, Timestamp=at)).status == status


@pytest.mark.parametrize(
    "life", [{"ends": timedelta(hours=-1)}, {"began": timedelta(hours=1), "ends": timedelta(hours=2)}]
)
def test_a_certificate_that_is_not_valid_now_signs_nothing(
    topic: Sender, internet: Internet, life: dict[str, timedelta]
) -> None:
    sns, url = SigningSns(**life), certificate_url()
    internet.documents[url] = sns.certificate
    assert tell(topic, sns.message(warning(), SigningCertURL=url)).status == 401
    assert nothing_is_kept(topic)


def test_a_certificate_that_cannot_be_had_is_asked_for_once_for_a_while(
    topic: Sender, internet: Internet
) -> None:
    message = SigningSns().message(warning(), SigningCertURL=certificate_url())
    assert [tell(topic, message).status for _ in range(3)] == [401, 401, 401]
    assert len(internet.asked) == 1


def test_a_feed_without_topics_takes_no_signature(sender: MakeSender, internet: Internet) -> None:
    one = sender(kind="aws-sns")
    assert tell(one, SigningSns().message(warning())).status == 401
    assert (internet.asked, nothing_is_kept(one)) == ([], True)


def test_raw_delivery_is_opened_by_the_secret(topic: Sender, internet: Internet) -> None:
    headers = TEXT | {"x-amz-sns-message-type": "Notification", "x-amz-sns-topic-arn": TOPIC}
    path = f"/ingest/{topic.feed.slug}"
    assert topic.send(warning(), headers=headers, path=path).status == 401
    assert topic.send(warning(), headers=headers, path=f"{path}?token={topic.secret}").status == 202
    foreign = headers | {"x-amz-sns-topic-arn": TOPIC + "x"}
    assert topic.send(warning(), headers=foreign, path=f"{path}?token={topic.secret}").status == 403
    assert internet.asked == []


def test_a_subscription_is_confirmed_by_itself_and_nothing_is_stored(
    topic: Sender, internet: Internet
) -> None:
    sns, url = SigningSns(), certificate_url()
    internet.documents |= {url: sns.certificate, SUBSCRIBE: b"<ConfirmSubscriptionResponse/>"}
    answer = tell(topic, sns.confirmation(SigningCertURL=url))
    assert (answer.status, answer.body) == (200, {"confirmed": TOPIC})
    assert internet.asked == [url, SUBSCRIBE]
    assert nothing_is_kept(topic)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/?Action=ConfirmSubscription",
        "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns.eu-west-1.amazonaws.com:8443/?Action=ConfirmSubscription",
        "https://sns.eu-west-1.amazonaws.com/?Action=Redirecting",
    ],
)
def test_no_address_but_one_of_sns_is_visited_and_no_redirect_is_followed(
    topic: Sender, internet: Internet, address: str
) -> None:
    sns, url = SigningSns(), certificate_url()
    internet.documents[url] = sns.certificate
    answer = tell(topic, sns.confirmation(SigningCertURL=url, SubscribeURL=address))
    assert (answer.status, answer.code) == (403, "forbidden_sender")
    assert [asked for asked in internet.asked if "Redirecting" not in asked] == [url]
    assert nothing_is_kept(topic)


def test_the_secret_alone_confirms_no_subscription(topic: Sender, internet: Internet) -> None:
    message = SigningSns().confirmation() | {"Signature": "AAAA"}
    headers = TEXT | {"x-amz-sns-message-type": "SubscriptionConfirmation"}
    assert topic.post(message, headers=headers).status == 401
    assert SUBSCRIBE not in internet.asked


def test_the_end_of_a_subscription_is_answered_and_changes_nothing(topic: Sender, internet: Internet) -> None:
    sns, url = SigningSns(), certificate_url()
    internet.documents[url] = sns.certificate
    answer = tell(topic, sns.confirmation(Type="UnsubscribeConfirmation", SigningCertURL=url))
    assert (answer.status, answer.body) == (200, {"unsubscribed": TOPIC})
    assert internet.asked == [url]


# Bearer tokens ---------------------------------------------------------------------------------
GOOGLE = {
    "iss": "https://accounts.google.com",
    "aud": ADDRESS,
    "email": ACCOUNT,
    "email_verified": True,
    "sub": "1",
}
ENTRA = {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0", "aud": "api://spot", "azp": GRID}
EXPECTS: dict[str, dict[str, Any]] = {
    "gcp-pubsub": {"audience": ADDRESS, "service_account": ACCOUNT},
    "azure-eventgrid": {"tenant": TENANT, "audience": "api://spot"},
}
CLAIMS: dict[str, dict[str, Any]] = {"gcp-pubsub": GOOGLE, "azure-eventgrid": ENTRA}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def is_let_in(answer: Answer) -> bool:
    """Whatever then became of the body: kinds are read by parsers of their own."""
    return answer.status not in (401, 403)


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def published(issuer: Issuer, internet: Internet) -> Internet:
    internet.documents |= {GOOGLE_KEYS: issuer.published(), ENTRA_KEYS: issuer.published()}
    return internet


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of one test are not those of the next; the same console serves them all."""
    monkeypatch.setattr("console.ingest.senders.bearer_tokens.KEYS_FOR", 0.0)
    monkeypatch.setattr("console.ingest.senders.bearer_tokens.NEW_KEYS_AT_MOST_EVERY", 0.0)
    monkeypatch.setattr("console.ingest.senders.documents.FAILED_FOR", 0.5)


@pytest.mark.parametrize("kind", sorted(EXPECTS))
def test_a_token_as_the_settings_say_opens_the_feed(
    sender: MakeSender, published: Internet, issuer: Issuer, kind: str
) -> None:
    one = sender(kind=kind, settings=EXPECTS[kind])
    assert is_let_in(one.send({}, headers=bearer(issuer.token(CLAIMS[kind]))))


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("kind", "changes", "status"),
    [
        ("gcp-pubsub", {"aud": "https://another.example/"}, 401),
        ("gcp-pubsub", {"iss": "https://evil.example"}, 401),
        ("gcp-pubsub", {"exp": NOW - timedelta(hours=1)}, 401),
        ("gcp-pubsub", {"iat": NOW + timedelta(hours=1), "exp": NOW + timedelta(hours=2)}, 401),
        ("gcp-pubsub", {"exp": None}, 401),
        ("gcp-pubsub", {"iat": None}, 401),
        ("gcp-pubsub", {"email": "another@shop-prod-1.iam.gserviceaccount.com"}, 403),
        ("gcp-pubsub", {"email_verified": False}, 403),
        ("gcp-pubsub", {"email_verified": "true"}, 403),
        ("azure-eventgrid", {"aud": "api://other"}, 401),
        ("azure-eventgrid", {"iss": "https://login.microsoftonline.com/another/v2.0"}, 401),
        ("azure-eventgrid", {"azp": "00000000-1111-2222-3333-444444444444"}, 403),
        ("azure-eventgrid", {"azp": None}, 403),
        ("azure-eventgrid", {"exp": NOW - timedelta(hours=1)}, 401),
    ],
)
def test_a_token_that_says_anything_else_is_refused(
    sender: MakeSender,
    published: Internet,
    issuer: Issuer,
    kind: str,
    changes: dict[str, Any],
    status: int,
) -> None:
    one = sender(kind=kind, settings=EXPECTS[kind])
    assert one.send({}, headers=bearer(issuer.token(CLAIMS[kind], **changes))).status == status
    assert nothing_is_kept(one)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_nobody_signed_is_refused(
    sender: MakeSender, published: Internet, issuer: Issuer, algorithm: str
) -> None:
    claims = GOOGLE | {"iat": NOW, "exp": NOW + timedelta(hours=1)}
    one = sender(kind="gcp-pubsub", settings=EXPECTS["gcp-pubsub"])
    token = forged(claims, algorithm=algorithm, secret=issuer.published().decode())
    assert one.send({}, headers=bearer(token)).status == 401
    assert (nothing_is_kept(one), published.asked) == (True, [])


def test_a_key_that_is_not_the_issuers_signs_nothing(sender: MakeSender, published: Internet) -> None:
    one = sender(kind="gcp-pubsub", settings=EXPECTS["gcp-pubsub"])
    assert one.send({}, headers=bearer(Issuer("one").token(GOOGLE))).status == 401
    assert one.send({}, headers=bearer(Issuer("unheard-of").token(GOOGLE))).status == 401


def test_keys_that_turned_are_fetched_anew_and_not_in_a_rush(
    sender: MakeSender, published: Internet, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = sender(kind="gcp-pubsub", settings=EXPECTS["gcp-pubsub"])
    assert is_let_in(one.send({}, headers=bearer(issuer.token(GOOGLE))))
    monkeypatch.setattr("console.ingest.senders.bearer_tokens.KEYS_FOR", 3600.0)
    turned = Issuer("two")
    published.documents[GOOGLE_KEYS] = turned.published(issuer)
    assert is_let_in(one.send({}, headers=bearer(turned.token(GOOGLE))))
    monkeypatch.setattr("console.ingest.senders.bearer_tokens.NEW_KEYS_AT_MOST_EVERY", 30.0)
    count = len(published.asked)
    assert one.send({}, headers=bearer(Issuer("three").token(GOOGLE))).status == 401
    assert len(published.asked) == count
    assert is_let_in(one.send({}, headers=bearer(issuer.token(GOOGLE))))


def test_only_the_subscription_named_may_push(
    sender: MakeSender, published: Internet, issuer: Issuer
) -> None:
    mine = "projects/shop-prod-1/subscriptions/spot"
    one = sender(kind="gcp-pubsub", settings=EXPECTS["gcp-pubsub"] | {"subscription": mine})
    headers = bearer(issuer.token(GOOGLE))
    body = {"message": {"data": "e30=", "messageId": "1"}, "subscription": mine}
    assert is_let_in(one.send(body, headers=headers))
    answer = one.send(body | {"subscription": mine + "-2"}, headers=headers)
    assert (answer.status, answer.code) == (403, "forbidden_sender")


def test_the_secret_still_opens_a_feed_that_expects_a_token(sender: MakeSender, internet: Internet) -> None:
    assert is_let_in(sender(kind="gcp-pubsub", settings=EXPECTS["gcp-pubsub"]).post({}))
    assert internet.asked == []


# Event Grid's handshakes -----------------------------------------------------------------------
VALIDATION = [
    {
        "id": "2d1781af-3a4c-4d7c-bd0c-e34b19da4e66",
        "topic": f"/subscriptions/{TENANT}",
        "subject": "",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": "2026-03-11T14:31:40.512Z",
        "data": {"validationCode": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6"},
    }
]


def test_the_validation_event_is_answered_with_its_code_and_not_kept(sender: MakeSender) -> None:
    one = sender(kind="azure-eventgrid")
    answer = one.post(VALIDATION, headers={"aeg-event-type": "SubscriptionValidation"})
    assert (answer.status, answer.body) == (
        200,
        {"validationResponse": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6"},
    )
    assert nothing_is_kept(one)


def test_a_handshake_opens_nothing_to_a_stranger(sender: MakeSender) -> None:
    one = sender(kind="azure-eventgrid")
    headers = {"Content-Type": "application/json", "aeg-event-type": "SubscriptionValidation"}
    assert one.send(VALIDATION, headers=headers).status == 401


def test_a_validation_event_without_a_code_says_so(sender: MakeSender) -> None:
    one = sender(kind="azure-eventgrid")
    answer = one.post([VALIDATION[0] | {"data": {}}], headers={"aeg-event-type": "SubscriptionValidation"})
    assert answer.status == 422


@pytest.mark.parametrize("kind", ["azure-eventgrid", "cloudevents"])
def test_the_question_of_cloudevents_is_answered_for_a_known_feed(sender: MakeSender, kind: str) -> None:
    one = sender(kind=kind)
    asked = {"WebHook-Request-Origin": "eventgrid.azure.net", "WebHook-Request-Rate": "120"}
    answer = one.send(b"", headers=asked, method="OPTIONS")
    assert answer.status == 200
    assert answer.headers["webhook-allowed-origin"] == "eventgrid.azure.net"
    assert answer.headers["webhook-allowed-rate"] == "120"
    unknown = one.send(b"", headers=asked, method="OPTIONS", path="/ingest/no-such-feed")
    assert unknown.status == 405
    assert one.send(b"", headers={}, method="OPTIONS").status == 405


def test_a_feed_of_another_kind_answers_no_such_question(sender: MakeSender) -> None:
    one = sender(kind="aws-eventbridge")
    asked = {"WebHook-Request-Origin": "eventgrid.azure.net"}
    assert one.send(b"", headers=asked, method="OPTIONS").status == 405


# Packed bodies ---------------------------------------------------------------------------------
def test_a_packed_body_is_refused_without_unpacking_it(sender: MakeSender) -> None:
    one = sender()
    bomb = gzip.compress(b"0" * 50_000_000)
    answer = one.post(bomb, headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert nothing_is_kept(one)
    assert one.post(warning(), headers={"Content-Encoding": "identity"}).status == 202
