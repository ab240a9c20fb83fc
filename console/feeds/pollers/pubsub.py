"""Pub/Sub, pulled over its REST interface with a service account's key, or from `PUBSUB_EMULATOR_HOST`."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import quote, urlencode

import jwt
import msgspec

from console.feeds.pollers.source import HELD_FOR, CannotPoll, Message, Wanted

HOST = "pubsub.googleapis.com"
TOKEN_HOST = "oauth2.googleapis.com"  # noqa: S105
TOKEN_PATH = "/token"  # noqa: S105
SCOPE = "https://www.googleapis.com/auth/pubsub"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MOST = 100
WAITS_FOR = 95.0
"""Seconds. A pull is answered as soon as there is a message, and after at most a minute and a half."""
LIVES_FOR = 3600
RENEW_BEFORE = 300
_TLS = ssl.create_default_context()


class _Received(msgspec.Struct, rename="camel"):
    ack_id: str
    message: msgspec.Raw
    delivery_attempt: int = 1


class _Pulled(msgspec.Struct, rename="camel"):
    received_messages: list[_Received] = []


class ServiceAccountKey(msgspec.Struct):
    """The two fields of a key's file that are used; its addresses are not: a token is asked for at Google's own."""

    client_email: str
    private_key: str


class _Token(msgspec.Struct):
    access_token: str
    expires_in: int = LIVES_FOR


class Subscription:
    """One subscription. Messages keep the shape of a push, so that one parser reads both."""

    most = MOST

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._token = ""
        self._renew_at = 0.0

    def fetch(self) -> list[Message]:
        said = self._call("pull", {"maxMessages": MOST})
        try:
            pulled = msgspec.json.decode(said or b"{}", type=_Pulled)
        except msgspec.DecodeError as error:
            raise CannotPoll(f"Pub/Sub answered what is not understood: {error}") from error
        name = json.dumps(self._wanted.address).encode()
        return [
            Message(
                b'{"message":' + bytes(one.message) + b',"subscription":' + name + b"}",
                one.ack_id,
                one.delivery_attempt,
            )
            for one in pulled.received_messages
        ]

    def keep(self, messages: Sequence[Message]) -> None:
        self._call("modifyAckDeadline", {"ackIds": _handles(messages), "ackDeadlineSeconds": HELD_FOR})

    def release(self, messages: Sequence[Message]) -> None:
        self._call("modifyAckDeadline", {"ackIds": _handles(messages), "ackDeadlineSeconds": 0})

    def delete(self, messages: Sequence[Message]) -> None:
        self._call("acknowledge", {"ackIds": _handles(messages)})

    def _call(self, verb: str, body: Mapping[str, object]) -> bytes:
        path = f"/v1/{quote(self._wanted.address, safe='/')}:{verb}"
        emulator = os.environ.get("PUBSUB_EMULATOR_HOST", "")
        headers = {"Content-Type": "application/json"}
        if not emulator:
            headers["Authorization"] = f"Bearer {self._access_token()}"
        return _post(
            http.client.HTTPConnection(emulator, timeout=WAITS_FOR)
            if emulator
            else http.client.HTTPSConnection(HOST, timeout=WAITS_FOR, context=_TLS),
            path,
            msgspec.json.encode(body),
            headers,
        )

    def _access_token(self) -> str:
        """Asked for with an assertion that the key signed, and kept until shortly before it ends."""
        if time.monotonic() < self._renew_at:
            return self._token
        form = urlencode({"grant_type": GRANT, "assertion": self._assertion()}).encode()
        said = _post(
            http.client.HTTPSConnection(TOKEN_HOST, timeout=10, context=_TLS),
            TOKEN_PATH,
            form,
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        try:
            token = msgspec.json.decode(said, type=_Token)
        except msgspec.DecodeError as error:
            raise CannotPoll(f"{TOKEN_HOST} answered what is not understood: {error}") from error
        self._token = token.access_token
        self._renew_at = time.monotonic() + token.expires_in - RENEW_BEFORE
        return self._token

    def _assertion(self) -> str:
        key = self._key()
        now = int(time.time())
        claims = {
            "iss": key.client_email,
            "scope": SCOPE,
            "aud": f"https://{TOKEN_HOST}{TOKEN_PATH}",
            "iat": now,
            "exp": now + LIVES_FOR,
        }
        try:
            return jwt.encode(claims, key.private_key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise CannotPoll(
                "The service account's private key cannot be read. Enter the key again."
            ) from error

    def _key(self) -> ServiceAccountKey:
        text = self._wanted.secret("service_account_key")
        if not text:
            raise CannotPoll("The key of a service account is missing. Add it to the feed's settings.")
        try:
            return msgspec.json.decode(text, type=ServiceAccountKey)
        except msgspec.DecodeError as error:
            raise CannotPoll("The service account's key is no key file. Enter it again.") from error


def _handles(messages: Sequence[Message]) -> list[str]:
    return [one.handle for one in messages]


def _post(client: http.client.HTTPConnection, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    try:
        client.request("POST", path, body, dict(headers))
        answer = client.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise CannotPoll(f"{client.host} cannot be reached: {error}") from error
    finally:
        client.close()
    if answer.status != HTTPStatus.OK:
        raise CannotPoll(f"{client.host} answered {answer.status}: {_why(said)}")
    return said


def _why(said: bytes) -> str:
    try:
        error = json.loads(said)
        told = error.get("error_description") or error["error"]["message"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return said[:120].decode("utf-8", "replace")
    return str(told)[:200]
