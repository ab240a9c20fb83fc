"""Senders that prove who they are: a signing SNS, and issuers of tokens, with keys and certificates of their own."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import SplitResult

import jwt
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import NameOID

from console.feeds.signatures import SnsMessage, string_to_sign
from console.lib.outgoing import CannotFetch

TOPIC = "arn:aws:sns:eu-west-1:111122223333:spot-events"
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem"
SUBSCRIBE = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=23364"
_HASHES = {"1": hashes.SHA1(), "2": hashes.SHA256()}


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Internet:
    """What there is to fetch, and what was asked for; anything else answers with a redirect."""

    documents: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def ask(self, parts: SplitResult, *, address: str) -> bytes:
        url = parts.geturl()
        self.asked.append(url)
        if url not in self.documents:
            raise CannotFetch(f"{parts.hostname} answered 302")
        return self.documents[url]


class SigningSns:
    """SNS, with a certificate it made itself."""

    def __init__(self, *, began: timedelta = timedelta(days=-1), ends: timedelta = timedelta(days=1)) -> None:
        self.key = generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = datetime.now(UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(now + began)
            .not_valid_after(now + ends)
        )
        self.certificate = built.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def message(self, content: Any = "{}", *, version: str = "2", **changes: Any) -> dict[str, Any]:
        """A signed envelope; `changes` are signed too."""
        envelope = {
            "Type": "Notification",
            "MessageId": "d8f2c1a4-6b1e-5c0b-9f0e-2a7c51d3e604",
            "TopicArn": TOPIC,
            "Message": content if isinstance(content, str) else json.dumps(content),
            "Timestamp": stamp(datetime.now(UTC)),
            "SignatureVersion": version,
            "Signature": "",
            "SigningCertURL": CERTIFICATE,
        } | changes
        read = msgspec.convert(envelope, SnsMessage)
        signature = self.key.sign(string_to_sign(read), PKCS1v15(), _HASHES.get(version, hashes.SHA256()))
        return envelope | {"Signature": base64.b64encode(signature).decode()}

    def confirmation(self, **changes: Any) -> dict[str, Any]:
        asked = {"Type": "SubscriptionConfirmation", "SubscribeURL": SUBSCRIBE, "Token": "23364"}
        return self.message("You have chosen to subscribe.", **(asked | changes))


class Issuer:
    """Signs tokens with a key of its own, and publishes it."""

    def __init__(self, kid: str = "one") -> None:
        self.kid = kid
        self.key: RSAPrivateKey = generate_private_key(public_exponent=65537, key_size=2048)

    def published(self, *others: Issuer) -> bytes:
        keys = [
            json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(one.key.public_key()))
            | {"kid": one.kid, "use": "sig", "alg": "RS256"}
            for one in (self, *others)
        ]
        return json.dumps({"keys": keys}).encode()

    def token(self, claims: dict[str, Any], **changes: Any) -> str:
        """Good for an hour from now, unless `changes` say otherwise; None leaves a claim out."""
        now = datetime.now(UTC)
        said = {"iat": now, "exp": now + timedelta(hours=1)} | claims | changes
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, self.key, algorithm="RS256", headers={"kid": self.kid})


def forged(claims: dict[str, Any], *, algorithm: str, secret: str = "", kid: str = "one") -> str:
    """A token that no issuer signed."""
    header = {"alg": algorithm, "typ": "JWT", "kid": kid}
    parts = [json.dumps(part, default=lambda at: int(at.timestamp())).encode() for part in (header, claims)]
    body = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts).decode()
    if algorithm == "none":
        return f"{body}."
    key = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = key.sign(body.encode(), secret.encode())
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
