"""Calling hosts that others name: https, no private addresses, no redirects, everything bounded.

`fetch` reads a public document from a host that a rule allows; `post` tells a receiver something. Only hosts
that an administrator allowed may be private, or spoken to without TLS.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import SplitResult, urlsplit

TIMEOUT = 5.0
TOTAL_TIMEOUT = 15.0
"""Seconds until an answer is there, however slowly it drips."""
MOST_BYTES = 256 * 1024
MOST_OF_AN_ANSWER = 4 * 1024
_TLS = ssl.create_default_context()
_PORTS = {"https": 443, "http": 80}


class CannotFetch(Exception):
    """The document was not fetched; the message says why."""


class CannotPost(Exception):
    """No answer was heard. `may_have_arrived`: the request had been written, and may have been acted on."""

    def __init__(self, message: str, *, may_have_arrived: bool = False, is_forbidden: bool = False) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived
        self.is_forbidden = is_forbidden


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said, whatever its status; header names are lowercase."""

    status: int
    headers: Mapping[str, str]
    text: str


class _Pinned(HTTPConnection):
    """Connects to the very address that was looked at, under the name it was looked up by."""

    def __init__(self, parts: SplitResult, *, address: str) -> None:
        super().__init__(parts.hostname or "", _port(parts), timeout=TIMEOUT)
        self._address = address
        self._is_tls = parts.scheme == "https"

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), TIMEOUT)
        if self._is_tls:
            self.sock = _TLS.wrap_socket(self.sock, server_hostname=self.host)


def fetch(url: str, *, is_allowed: Callable[[str], bool]) -> bytes:
    """The body at `url`, an https address whose host `is_allowed`. Blocks: never call it on the event loop."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or parts.username or not is_allowed(host):
        raise CannotFetch(f"{host[:80] or 'no host'} is not a host that may be asked")
    return _ask(parts, address=public_address(host, port=_port(parts)))


def post(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    allowed_hosts: Collection[str] = (),
    most: int = MOST_OF_AN_ANSWER,
) -> Answer:
    """Tell `url` something, and hear its answer, at most so many bytes of it. Blocks: never on the event loop."""
    parts = urlsplit(url)
    try:
        address = _address_to_call(parts, allowed_hosts=allowed_hosts)
    except (CannotFetch, ValueError) as error:
        raise CannotPost(str(error), is_forbidden=isinstance(error, _Forbidden)) from error
    client = _Pinned(parts, address=address)
    ends_at = None
    try:
        client.connect()
        ends_at = time.monotonic() + TOTAL_TIMEOUT
        with _cut_after(TOTAL_TIMEOUT, client.sock):
            client.request("POST", _target(parts), body=body, headers=dict(headers))
            told = client.getresponse()
            text = told.read(most).decode(errors="replace")
        return Answer(told.status, {name.lower(): value for name, value in told.getheaders()}, text)
    except (OSError, HTTPException, ValueError) as error:
        words = f"{parts.hostname} {_in_words(error, ends_at=ends_at)}"
        raise CannotPost(words, may_have_arrived=ends_at is not None) from error
    finally:
        client.close()


def check_url(url: str, *, allowed_hosts: Collection[str] = ()) -> None:
    """Raise `CannotPost` where `post` never could, without asking any name server."""
    try:
        _must_be_callable(urlsplit(url), allowed_hosts=allowed_hosts)
    except (CannotFetch, ValueError) as error:
        raise CannotPost(str(error), is_forbidden=True) from error


class _Forbidden(CannotFetch):
    """The rules do not allow it, now or later."""


def _must_be_callable(parts: SplitResult, *, allowed_hosts: Collection[str]) -> None:
    host = parts.hostname or ""
    if not host or parts.scheme not in _PORTS:
        raise _Forbidden("Write a whole address that begins with https://")
    if parts.username or parts.password:
        raise _Forbidden("An address that holds a user name or password is not called")
    if host in allowed_hosts:
        return
    if parts.scheme != "https":
        raise _Forbidden(f"{host} is called by https only, unless an administrator allows the host")
    if _is_private(host):
        raise _Forbidden(f"{host} is a private address: an administrator has to allow the host")


def _address_to_call(parts: SplitResult, *, allowed_hosts: Collection[str]) -> str:
    host = parts.hostname or ""
    _must_be_callable(parts, allowed_hosts=allowed_hosts)
    if host in allowed_hosts:
        return _addresses(host, port=_port(parts))[0]
    return public_address(host, port=_port(parts))


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:  # a name: looked at once it is resolved
        return False


@contextmanager
def _cut_after(seconds: float, sock: socket.socket) -> Iterator[None]:
    """Cut the line when the time is up: a limit for each read does not bound the sum of many."""
    sock.settimeout(seconds + 1)
    timer = threading.Timer(seconds, _cut, [sock])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:  # it is gone already
        return


def _in_words(error: Exception, *, ends_at: float | None) -> str:
    if ends_at is None:
        return f"cannot be reached: {error}"
    if time.monotonic() >= ends_at:
        return f"did not answer within {TOTAL_TIMEOUT:.0f} s"
    return f"broke off before it answered: {error or type(error).__name__}"


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS.get(parts.scheme, 443)


def _target(parts: SplitResult) -> str:
    return f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"


def _ask(parts: SplitResult, *, address: str) -> bytes:
    host = parts.hostname
    client = _Pinned(parts, address=address)
    try:
        client.request("GET", _target(parts))
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
    found = _addresses(host, port=port)
    if not found or not all(ipaddress.ip_address(address).is_global for address in found):
        raise _Forbidden(f"{host} has an address that is not public")
    return found[0]


def _addresses(host: str, *, port: int) -> list[str]:
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise CannotFetch(f"{host} cannot be found: {error}") from error
