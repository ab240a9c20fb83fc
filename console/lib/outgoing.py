"""Fetching a public document from a host that a rule allows: no redirects, no private addresses, bounded."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

TIMEOUT = 5.0
MOST_BYTES = 256 * 1024
_TLS = ssl.create_default_context()


class CannotFetch(Exception):
    """The document was not fetched; the message says why."""


class _Pinned(HTTPSConnection):
    """Connects to the very address that was looked at, under the name it was looked up by."""

    def __init__(self, host: str, *, address: str, port: int) -> None:
        super().__init__(host, port, timeout=TIMEOUT)
        self._address = address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), TIMEOUT)
        self.sock = _TLS.wrap_socket(plain, server_hostname=self.host)


def fetch(url: str, *, is_allowed: Callable[[str], bool]) -> bytes:
    """The body at `url`, an https address whose host `is_allowed`. Blocks: never call it on the event loop."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or parts.username or not is_allowed(host):
        raise CannotFetch(f"{host[:80] or 'no host'} is not a host that may be asked")
    port = parts.port or 443
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return _ask(host, target, address=public_address(host, port=port), port=port)


def _ask(host: str, target: str, *, address: str, port: int) -> bytes:
    client = _Pinned(host, address=address, port=port)
    try:
        client.request("GET", target)
        answer = client.getresponse()
        if answer.status != HTTPStatus.OK:
            raise CannotFetch(f"{host} answered {answer.status}")
        body = answer.read(MOST_BYTES + 1)
    except (OSError, HTTPException, ValueError) as error:
        raise CannotFetch(f"{host} cannot be reached: {error}") from error
    finally:
        client.close()
    if len(body) > MOST_BYTES:
        raise CannotFetch(f"{host} answered more than {MOST_BYTES} bytes")
    return body


def public_address(host: str, *, port: int) -> str:
    """An address of `host`, if all it has are public."""
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise CannotFetch(f"{host} cannot be found: {error}") from error
    if not found or not all(ipaddress.ip_address(address).is_global for address in found):
        raise CannotFetch(f"{host} has an address that is not public")
    return found[0]
