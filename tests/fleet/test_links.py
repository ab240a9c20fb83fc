"""Links out are filled safely, and nonsense is refused when it is saved."""

from __future__ import annotations

import pytest

from console.fleet.links import BadTemplate, check, fill, values_of
from tests.make_fleet import NOON

VALUES = values_of(
    service="web", started_at=NOON, ended_at=NOON, interruption_key="aws:1:r:i-1:1", instance_id="a b&c=d/../"
)


def test_values_are_percent_encoded() -> None:
    url = fill(
        "https://logs.example/?q={{ instance_id }}&k={{interruption_key}}&f={{ started_at_ms }}", VALUES
    )
    assert url == "https://logs.example/?q=a%20b%26c%3Dd%2F..%2F&k=aws%3A1%3Ar%3Ai-1%3A1&f=1773230400000"


def test_times_are_iso_utc() -> None:
    assert fill("https://x.example/{{ started_at }}", VALUES).endswith("2026-03-11T12%3A00%3A00.000Z")


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("https://x.example/{{ nonsense }}", "nonsense }} is not known"),
        ("javascript:alert(1)//{{ service }}", "starts with https"),
        ("//x.example/", "starts with https"),
        ("https://{{ service }}.example/", "host is fixed"),
        ("https://user:secret@x.example/", "no user name"),
        ("https://x.example/{{ service", "no partner"),
        ("https://x.example/a b", "no spaces"),
    ],
)
def test_a_bad_template_is_refused_with_what_to_change(template: str, words: str) -> None:
    with pytest.raises(BadTemplate, match=words):
        check(template)


def test_a_good_template_is_taken() -> None:
    template = "https://x.example:3000/d/{{ service }}?from={{ started_at_ms }}#{{ node_name }}"
    check(template)
    assert fill(template, VALUES) == "https://x.example:3000/d/web?from=1773230400000#"
