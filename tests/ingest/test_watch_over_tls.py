"""A cluster watched over TLS: with its own authority it works, and what is wrong stands on the feed's page in words."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.test import Client

from console.accounts.models import Role
from console.feeds.models import Delivery, Feed, PolledSource
from console.feeds.pollers import kubernetes_watch
from console.ingest import watch_standing, watching
from tests.ingest.cluster_double import TOKEN, ClusterDouble, event_object, serving
from tests.ingest.hearing import THE_NODE
from tests.ingest.test_kubernetes_watch import Watching, until
from tests.make_accounts import make_user

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Authority:
    """A cluster's own, made up for the test."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.crt")

    def server(self, *, address: str = "127.0.0.1", until: timedelta = timedelta(hours=1)) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        certificate = (
            _unsigned("kube-apiserver", self.certificate.subject, key, ends=NOW + until)
            .add_extension(names, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        path = self.folder / "server.pem"
        path.write_bytes(_pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def make_authority(folder: Path) -> Authority:
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    certificate = (
        _unsigned("kubernetes", name, key, ends=NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(folder, key, certificate)


def _unsigned(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=2))
        .not_valid_after(ends)
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "own")


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Feed]:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("CONSOLE_CREDENTIALS", str(tmp_path))
    monkeypatch.setattr(kubernetes_watch, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(kubernetes_watch, "LONGEST_WAIT", 0.2)
    monkeypatch.setattr(watching, "GATHER", 0.1)
    monkeypatch.setattr(watch_standing, "SAY_EVERY", timedelta())

    def make(cluster: ClusterDouble, *, ca_file: str, token: str = "token") -> Feed:
        known = {"api_server": cluster.url, "token_file": str(tmp_path / token), "ca_file": ca_file}
        return Feed.objects.create(slug="shop", name="Shop", kind="kubernetes-watch", settings=known)

    return make


@pytest.fixture
def cluster() -> ClusterDouble:
    double = ClusterDouble()
    double.put("Event", event_object(1, about=THE_NODE))
    return double


def reason() -> str:
    return "".join(PolledSource.objects.values_list("reason", flat=True))


def test_a_cluster_with_an_authority_of_its_own_is_watched(
    cluster: ClusterDouble, authority: Authority, watched: Callable[..., Feed], client: Client
) -> None:
    with serving(cluster, tls=authority.server()):
        feed = watched(cluster, ca_file=authority.ca_file)
        with Watching(feed):
            until(lambda: Delivery.objects.count() == 1)
            until(lambda: PolledSource.objects.filter(asked_at__isnull=False).exists())
    assert cluster.url.startswith("https://")
    client.force_login(make_user("alice", role=Role.ADMIN))
    page = client.get(f"/feeds/{feed.slug}/").content.decode()
    assert cluster.url in page
    assert "answered" in page


EXPIRED = "has expired. Renew it on the API server."
UNKNOWN = "is signed by an authority that is not known here. Set ca_file to the cluster's own"
OTHER_NAME = "is for another name. Name the API server as its certificate does"


@pytest.mark.parametrize(
    ("made", "is_own_ca", "words"),
    [
        ({"until": timedelta(hours=-1)}, True, EXPIRED),
        ({"address": "10.96.0.1"}, True, OTHER_NAME),
        ({}, False, UNKNOWN),
    ],
    ids=["expired", "another name", "another authority"],
)
def test_a_certificate_that_cannot_be_trusted_is_named_on_the_feed_s_page_and_nothing_is_sent(
    made: dict[str, timedelta | str], is_own_ca: bool, words: str, cluster: ClusterDouble,
    authority: Authority, watched: Callable[..., Feed], client: Client, tmp_path: Path,
) -> None:  # fmt: skip
    trusted = authority if is_own_ca else make_authority(tmp_path / "another")
    with serving(cluster, tls=authority.server(**made)):  # type: ignore[arg-type]
        feed = watched(cluster, ca_file=trusted.ca_file)
        with Watching(feed):
            until(lambda: words in reason())
    assert cluster.asked == [], "the token never left"
    assert not Delivery.objects.exists()
    assert Feed.objects.get().last_seen_at is None
    client.force_login(make_user("alice", role=Role.ADMIN))
    page = client.get(f"/feeds/{feed.slug}/").content.decode()
    assert "Cannot fetch from" in page
    assert words.replace("'", "&#x27;") in page


def test_what_is_mended_is_told_and_forgotten(
    cluster: ClusterDouble, authority: Authority, watched: Callable[..., Feed], tmp_path: Path
) -> None:
    (tmp_path / "renewed").write_text("a token that was revoked")
    with serving(cluster, tls=authority.server()), ExitStack() as running:
        running.enter_context(Watching(watched(cluster, ca_file=authority.ca_file, token="renewed")))
        until(lambda: "refuses the token" in reason())
        source = PolledSource.objects.get()
        assert source.failing_since is not None
        assert source.retry_at is not None
        (tmp_path / "renewed").write_text(TOKEN)
        until(lambda: reason() == "")
        until(lambda: Delivery.objects.count() == 1)
    assert PolledSource.objects.get().failing_since is None
