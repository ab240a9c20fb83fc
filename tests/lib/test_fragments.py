"""Rows whose markup is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import timezone

from console.lib import fragments

AT = datetime(2026, 3, 11, 14, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    url: str = "/interruptions/1/"
    service: str = "checkout"
    state: str = "noticed"
    state_label: str = "Noticed"
    impact: str = ""
    impact_tone: str = ""
    tone: str = ""
    pool: str = "m7i.large"
    stage_index: int = 0
    stage_label: str = "Noticed"
    witnesses: int = 1
    witness_names: str = ""
    owner: str = "Payments"
    notice_at: datetime = AT
    deadline_at: datetime = AT
    ended_at: datetime | None = None


def shown(*rows: Row) -> str:
    page = Template('{% load console_tags %}{% rows items "components/_interruption_row.html" %}')
    return page.render(Context({"items": rows}))


def test_a_row_that_did_not_change_is_not_rendered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fragments._rendered.cache_clear()
    first = shown(Row(1), Row(2))

    before = fragments._rendered.cache_info().misses
    again = shown(Row(1), replace(Row(2), witnesses=2), Row(3))

    assert fragments._rendered.cache_info().misses == before + 2
    assert first.partition("interruption-2")[0] == again.partition("interruption-2")[0]


def test_a_row_that_changed_has_another_version() -> None:
    def version(row: Row) -> str:
        return shown(row).partition('data-version="')[2].partition('"')[0]

    assert version(Row(1)) == version(Row(1)) != ""
    assert version(Row(1)) != version(replace(Row(1), ended_at=AT))


def test_text_in_a_row_is_escaped() -> None:
    assert "&lt;script&gt;" in shown(replace(Row(1), service="<script>"))


def test_markup_is_kept_for_each_time_zone_apart() -> None:
    page = Template('{% load console_tags %}{% rows items "components/_group_row.html" "group" %}')

    @dataclass(frozen=True)
    class Group:
        id: int = 1
        url: str = "/alerts/1/"
        title: str = "Reclaims of checkout"
        status: str = "triggered"
        severity: str = "error"
        opened_at: datetime = AT
        deadline_at: datetime | None = None
        notice_at: datetime | None = None
        ended_at: datetime | None = None

    with timezone.override(ZoneInfo("UTC")):
        utc = page.render(Context({"items": [Group()]}))
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        tokyo = page.render(Context({"items": [Group()]}))

    assert "14:02 UTC" in utc
    assert "23:02" in tokyo
