"""Listing and watching at a Kubernetes API server, over HTTPS with a service account's token.

The token and the certificate are files, read anew for each connection: the kubelet renews them in place. Only files
under a few roots are read, so that a feed's settings can never send some other file of this machine away.
"""

from __future__ import annotations

import http.client
import os
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlencode, urlsplit

import msgspec

from console.feeds.feed_settings import SenderSettings

IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CREDENTIALS = ("/var/run/secrets", "/run/secrets")
"""Where credentials are looked for; the directory that CONSOLE_CREDENTIALS names is another."""
PAGE = 500
CONNECT_WITHIN = 10.0
WATCH_FOR = 280
"""Seconds after which the server ends a watch by itself."""
SILENT_FOR = WATCH_FOR + 30.0
MOST_BYTES = 64 * 1024 * 1024
MOST_LINE = 8 * 1024 * 1024


class NotConfigured(Exception):
    """The feed does not say whom to ask, or its credentials cannot be read. The message says what to do."""


class ApiError(Exception):
    """The server refused. `status` is its HTTP status."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status


class Gone(Exception):
    """The version is too old to watch from: list again."""


@dataclass(frozen=True, slots=True)
class Access:
    """Whom to ask, and with which files."""

    server: str
    ca_file: str = ""
    token_file: str = ""
    roots: tuple[str, ...] = CREDENTIALS

    def read(self, path: str) -> str:
        """A credential's text, from under one of the roots alone."""
        real = os.path.realpath(path)
        if not any(Path(real).is_relative_to(os.path.realpath(root)) for root in self.roots):
            raise NotConfigured(
                f"{path} lies outside of {', '.join(self.roots)}: credentials are read from there alone."
            )
        try:
            return Path(real).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NotConfigured(f"{path} cannot be read: {error}") from error


def access_of(settings: SenderSettings, *, environ: Mapping[str, str]) -> Access:
    """From the feed's settings; where they name no server, that of the cluster the console runs in."""
    extra = environ.get("CONSOLE_CREDENTIALS")
    roots = (*CREDENTIALS, extra) if extra else CREDENTIALS
    if settings.api_server:
        return Access(settings.api_server.rstrip("/"), settings.ca_file, settings.token_file, roots)
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise NotConfigured("The feed names no API server, and the console runs in no cluster.")
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    return Access(
        server,
        settings.ca_file or str(IN_CLUSTER / "ca.crt"),
        settings.token_file or str(IN_CLUSTER / "token"),
        roots,
    )


def why(error: Exception, access: Access) -> str:
    """What stands in the way, and what to do, in words for the feed's page."""
    host = urlsplit(access.server).hostname or access.server
    if isinstance(error, ssl.SSLCertVerificationError):
        return _WRONG_CERTIFICATE.get(error.verify_code, error.verify_message or str(error)).format(host=host)
    if isinstance(error, ssl.SSLError):
        return f"{host} speaks no TLS that can be used: {error.reason or error}"
    if isinstance(error, ApiError) and error.status == http.HTTPStatus.UNAUTHORIZED:
        return f"{host} refuses the token. Check token_file, and whether the service account still exists."
    if isinstance(error, OSError | http.client.HTTPException):
        return f"{host} cannot be reached: {error or type(error).__name__}"
    return str(error) if isinstance(error, NotConfigured) else f"{host} answered {error}"


_UNKNOWN_CA = (
    "The certificate of {host} is signed by an authority that is not known here."
    " Set ca_file to the cluster's own certificate authority."
)
_OTHER_NAME = (
    "The certificate of {host} is for another name. Name the API server as its certificate does, or renew it."
)
_WRONG_CERTIFICATE: Mapping[int, str] = MappingProxyType(
    {
        7: _UNKNOWN_CA,
        9: "The certificate of {host} is not valid yet. Check the clocks.",
        10: "The certificate of {host} has expired. Renew it on the API server.",
        18: _UNKNOWN_CA,
        19: _UNKNOWN_CA,
        20: _UNKNOWN_CA,
        21: _UNKNOWN_CA,
        62: _OTHER_NAME,
        64: _OTHER_NAME,
    }
)
"""By OpenSSL's number for what it found. 7: the authority has the right name and another key, as clusters' all do."""


class _ListMeta(msgspec.Struct, frozen=True):
    version: str = msgspec.field(name="resourceVersion", default="")
    more: str = msgspec.field(name="continue", default="")


class _Page(msgspec.Struct, frozen=True):
    metadata: _ListMeta = _ListMeta()
    items: list[msgspec.Raw] | None = None


class _Line(msgspec.Struct, frozen=True):
    type: str
    object: msgspec.Raw


_PAGE = msgspec.json.Decoder(_Page)
_LINE = msgspec.json.Decoder(_Line)


@dataclass(frozen=True, slots=True)
class Listed:
    """A whole list, each entry as it was sent, and the version to watch from."""

    items: list[bytes]
    version: str


class Api:
    """One connection a request; a drop is the caller's to mend."""

    def __init__(
        self, access: Access, *, connect_within: float = CONNECT_WITHIN, silent_for: float = SILENT_FOR
    ):
        self._access = access
        self._connect_within = connect_within
        self._silent_for = silent_for

    def why(self, error: Exception) -> str:
        return why(error, self._access)

    def list(self, path: str) -> Listed:
        """Page by page; the version is that of the first page's moment."""
        items: list[bytes] = []
        asked = {"limit": str(PAGE)}
        while True:
            page = _PAGE.decode(self._get(path, asked))
            items += [bytes(item) for item in page.items or ()]
            if not page.metadata.more:
                return Listed(items, page.metadata.version)
            asked["continue"] = page.metadata.more

    def watch(self, path: str, *, version: str) -> Iterator[tuple[str, bytes]]:
        """(type, object) of each line, until the server ends the watch or the connection drops."""
        asked = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_FOR),
        }
        connection, response = self._ask(path, asked, timeout=self._silent_for)
        try:
            while line := response.readline(MOST_LINE):
                if not line.endswith(b"\n"):
                    raise http.client.IncompleteRead(line)
                if line.strip():
                    told = _LINE.decode(line)
                    yield told.type, bytes(told.object)
        finally:
            connection.close()

    def _get(self, path: str, asked: Mapping[str, str]) -> bytes:
        connection, response = self._ask(path, asked, timeout=self._connect_within * 3)
        try:
            body = response.read(MOST_BYTES + 1)
        finally:
            connection.close()
        if len(body) > MOST_BYTES:
            raise ApiError(response.status, f"a page of {path} is over {MOST_BYTES} bytes")
        return body

    def _ask(
        self, path: str, asked: Mapping[str, str], *, timeout: float
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        parts = urlsplit(self._access.server)
        headers = {"Accept": "application/json", "User-Agent": "spot-console"}
        if self._access.token_file:
            headers["Authorization"] = f"Bearer {self._access.read(self._access.token_file)}"
        connection = self._connect(parts.scheme, parts.hostname or "", parts.port)
        try:
            connection.connect()
            connection.sock.settimeout(timeout)
            connection.request("GET", f"{parts.path}{path}?{urlencode(asked)}", headers=headers)
            response = connection.getresponse()
            if response.status == http.HTTPStatus.GONE:
                raise Gone
            if response.status != http.HTTPStatus.OK:
                said = response.read(500).decode("utf-8", "replace")
                raise ApiError(response.status, f"{path} was refused: {said}")
        except BaseException:
            connection.close()
            raise
        return connection, response

    def _connect(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=self._connect_within)
        ca = self._access.read(self._access.ca_file) if self._access.ca_file else None
        try:
            context = ssl.create_default_context(cadata=ca)
        except ssl.SSLError as error:
            raise NotConfigured(f"{self._access.ca_file} holds no certificate: {error}") from error
        return http.client.HTTPSConnection(host, port, timeout=self._connect_within, context=context)
