"""Posting to a subscriber: the address is looked at before it is connected to, redirects are not followed.

https to public addresses only, unless an administrator allowed this host to be private or to speak plain http.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from urllib.parse import SplitResult, urlsplit

from console.lib.outgoing import CannotFetch, public_address

TIMEOUT = 10.0
MOST_READ = 2_000
GONE = 410
REFUSED_FOR_GOOD = range(400, 500)
NOT_FOR_GOOD = (408, 425, 429)
_TLS = ssl.create_default_context()


class NotDelivered(Exception):
    """It was not taken, or nobody knows; it is tried again."""

    def __init__(self, message: str, *, is_about_event: bool = False) -> None:
        super().__init__(message[:300])
        self.is_about_event = is_about_event
        """The receiver is there and refuses this one: others may go through."""


class _Pinned(HTTPConnection):
    """Connects to the very address that was looked at, under the name it was looked up by."""

    def __init__(self, host: str, *, address: str, port: int, is_tls: bool) -> None:
        super().__init__(host, port, timeout=TIMEOUT)
        self._address = address
        self._is_tls = is_tls

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), TIMEOUT)
        self.sock = _TLS.wrap_socket(plain, server_hostname=self.host) if self._is_tls else plain


def check_url(url: str, *, may_be_private: bool) -> str:
    """Why this cannot be a subscriber's address; empty: it can."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "This is not an address."
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        return "Write an address that begins with https://."
    if parts.username or parts.password:
        return "Leave the password out of the address; deliveries are signed."
    if parts.scheme == "http" and not may_be_private:
        return "Only https, unless an administrator allows this host."
    return ""


def post(url: str, body: bytes, headers: Mapping[str, str], *, may_be_private: bool) -> int:
    """The receiver's 2xx. Raises NotDelivered."""
    if problem := check_url(url, may_be_private=may_be_private):
        raise NotDelivered(problem)
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    host = parts.hostname or ""
    address = _address(host, port=port, may_be_private=may_be_private)
    client = _Pinned(host, address=address, port=port, is_tls=is_tls)
    try:
        client.request("POST", _target(parts), body=body, headers=dict(headers))
        answer = client.getresponse()
        said = answer.read(MOST_READ).decode("utf-8", "replace").strip()
        status = answer.status
    except (OSError, HTTPException, ValueError) as error:
        raise NotDelivered(f"{host} cannot be reached: {error}") from error
    finally:
        client.close()
    if 200 <= status < 300:
        return status
    is_about_event = status in REFUSED_FOR_GOOD and status not in (*NOT_FOR_GOOD, GONE)
    raise NotDelivered(f"{host} answered {status} {said[:120]}".strip(), is_about_event=is_about_event)


def _address(host: str, *, port: int, may_be_private: bool) -> str:
    try:
        if not may_be_private:
            return public_address(host, port=port)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return str(found[0][4][0])
    except CannotFetch as error:
        raise NotDelivered(str(error)) from error
    except (OSError, IndexError) as error:
        raise NotDelivered(f"{host} cannot be found: {error}") from error


def _target(parts: SplitResult) -> str:
    return f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
