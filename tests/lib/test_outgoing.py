"""Fetching from elsewhere: only hosts that a rule allows, only public addresses, over https."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from console.lib.outgoing import CannotFetch, fetch, public_address


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/a.pem",
        "https://evil.example/a.pem",
        "https://user@allowed.example/",
        "file:///etc/passwd",
        "https:///a",
    ],
)
def test_what_the_rule_does_not_allow_is_never_looked_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **more: pytest.fail("looked up"))
    with pytest.raises(CannotFetch, match="not a host that may be asked"):
        fetch(url, is_allowed=lambda host: host == "allowed.example")


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.7"],
        ["169.254.169.254"],
        ["::1"],
        ["fd00::1"],
        ["::ffff:10.0.0.7"],
        ["8.8.8.8", "10.0.0.7"],
        [],
    ],
)
def test_an_address_that_is_not_public_is_refused(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = [(0, 0, 0, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **more: found)
    with pytest.raises(CannotFetch, match="not public"):
        public_address("allowed.example", port=443)


def test_a_public_address_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **more: [(0, 0, 0, "", ("8.8.8.8", 443))])
    assert public_address("allowed.example", port=443) == "8.8.8.8"


def test_a_name_that_is_not_found_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*words: object, **more: object) -> None:
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(CannotFetch, match="cannot be found"):
        public_address("allowed.example", port=443)
