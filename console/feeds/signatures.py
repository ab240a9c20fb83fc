"""Whether a message comes from whom it says: signatures of SNS, bearer tokens of Google and Entra. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from console.feeds.layers import decode_base64
from console.feeds.normalised import Rejected
from console.feeds.times import required_time

MOST_AGE = timedelta(hours=24)
"""SNS tries for about an hour, longer where the topic says so. A copy that comes within 30 days is a repeat."""
MOST_AHEAD = timedelta(hours=2)
SKEW = timedelta(minutes=2)
MOST_TOKEN = 8192

_SNS_HOST = re.compile(r"sns\.[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}\.amazonaws\.com(?:\.cn)?")
_SNS_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem")
_HASHES: Mapping[str, type[hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation":
        ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation":
        ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}  # fmt: skip


class SnsMessage(msgspec.Struct, kw_only=True, rename="pascal"):
    """The envelope, as far as it is signed or says how."""

    type: str
    message_id: str
    topic_arn: str
    message: str
    timestamp: str
    signature: str
    signature_version: str
    signing_cert_url: str = msgspec.field(name="SigningCertURL")
    subject: str | None = None
    subscribe_url: str | None = msgspec.field(name="SubscribeURL", default=None)
    token: str | None = None


_SNS = msgspec.json.Decoder(SnsMessage)


def read_sns(body: bytes) -> SnsMessage:
    """The envelope, else a refusal of a sender that is nobody yet."""
    try:
        message = _SNS.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise _unauthenticated(
            "This is no signed SNS message. With raw delivery, send the feed's secret."
        ) from None
    if message.type not in _SIGNED:
        raise _unauthenticated(f"SNS signs no messages of type {message.type[:40]!r}.")
    return message


def is_sns_host(host: str) -> bool:
    return _SNS_HOST.fullmatch(host) is not None


def check_certificate_url(url: str) -> str:
    """Only AWS itself serves the certificates that SNS signs with."""
    parts = _parts(url)
    is_plain = parts is not None and parts.port in (None, 443) and not (parts.query or parts.username)
    if parts is None or parts.scheme != "https" or not is_plain or not is_sns_host(parts.hostname or ""):
        raise _unauthenticated("SigningCertURL: must be https at sns.<region>.amazonaws.com")
    if not _SNS_CERTIFICATE.fullmatch(parts.path):
        raise _unauthenticated("SigningCertURL: must name a certificate of SNS, a .pem")
    return url


def check_subscribe_url(url: str | None) -> str:
    parts = _parts(url or "")
    if (
        parts is None
        or parts.scheme != "https"
        or parts.port not in (None, 443)
        or parts.username
        or not is_sns_host(parts.hostname or "")
    ):
        raise Rejected("forbidden_sender", "SubscribeURL: must be https at sns.<region>.amazonaws.com")
    return url or ""


def _parts(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def string_to_sign(message: SnsMessage) -> bytes:
    """Name and value lines, in the order that AWS signs them."""
    values = msgspec.to_builtins(message)
    lines = [f"{name}\n{values[name]}\n" for name in _SIGNED[message.type] if values[name] is not None]
    return "".join(lines).encode()


def check_sns(message: SnsMessage, *, certificate: bytes, now: datetime) -> None:
    """Refuses what this certificate did not sign, or signed too long ago."""
    try:
        signed_by = x509.load_pem_x509_certificate(certificate)
    except ValueError:
        raise _unauthenticated("SigningCertURL: no certificate is there") from None
    if not signed_by.not_valid_before_utc <= now <= signed_by.not_valid_after_utc:
        raise _unauthenticated("The certificate that signed this is not valid now.")
    algorithm = _HASHES.get(message.signature_version)
    key = signed_by.public_key()
    if algorithm is None or not isinstance(key, RSAPublicKey):
        raise _unauthenticated("SignatureVersion: must be 1 or 2, signed with RSA")
    try:
        signature = decode_base64(message.signature, field="Signature")
        key.verify(signature, string_to_sign(message), PKCS1v15(), algorithm())
        sent_at = required_time(message.timestamp, field="Timestamp")
    except (InvalidSignature, Rejected):
        raise _unauthenticated("The signature does not fit the message.") from None
    if not now - MOST_AGE <= sent_at <= now + MOST_AHEAD:
        raise _unauthenticated(
            f"Timestamp: signed at {sent_at.isoformat()}, too far from now. Check the clock."
        )


# Bearer tokens ---------------------------------------------------------------------------------
def key_id(token: str) -> str:
    """Which key signed this. Only RS256: what a public key could forge (HS256) or nobody signed is refused."""
    if len(token) > MOST_TOKEN:
        raise _unauthenticated("The token is longer than any that is taken.")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise _unauthenticated("The bearer token is no JWT.") from None
    kid = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(kid, str) or not kid:
        raise _unauthenticated("The token must be signed with RS256 and name its key.")
    return kid


def keys_of(document: bytes) -> dict[str, RSAPublicKey]:
    """The RSA keys of a JWKS document by their ids; anything else in it is passed over."""
    keys: dict[str, RSAPublicKey] = {}
    try:
        listed = msgspec.json.decode(document)["keys"]
        for entry in listed:
            if entry.get("kty") == "RSA" and entry.get("use", "sig") == "sig":
                key = jwt.PyJWK(entry, algorithm="RS256").key
                if isinstance(key, RSAPublicKey):
                    keys[str(entry.get("kid"))] = key
    except (msgspec.MsgspecError, jwt.PyJWTError, KeyError, TypeError, AttributeError, ValueError):
        return keys
    return keys


def claims_of(token: str, *, key: RSAPublicKey, now: datetime) -> dict[str, Any]:
    """What the token says, if this key signed it and it holds now."""
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            options={
                "require": ["exp", "iat", "aud", "iss"],
                "verify_aud": False,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        ends, began = (datetime.fromtimestamp(float(claims[name]), UTC) for name in ("exp", "iat"))
    except (jwt.PyJWTError, TypeError, ValueError, OverflowError, OSError):
        raise _unauthenticated("The token's signature or form is wrong.") from None
    if ends + SKEW < now:
        raise _unauthenticated(f"The token expired at {ends.isoformat()}. Check the clocks.")
    if began - SKEW > now:
        raise _unauthenticated(f"The token is from {began.isoformat()}, which is to come. Check the clocks.")
    return dict(claims)


def check_audience(claims: Mapping[str, Any], *, issuers: tuple[str, ...], audience: str) -> None:
    said = claims["aud"]
    audiences = said if isinstance(said, list) else [said]
    if claims["iss"] not in issuers:
        raise _unauthenticated("The token's issuer is another than this feed expects.")
    if not audience or audience not in audiences:
        raise _unauthenticated("The token's audience is another than the feed's settings say.")


def _unauthenticated(detail: str) -> Rejected:
    return Rejected("unauthenticated", detail)
