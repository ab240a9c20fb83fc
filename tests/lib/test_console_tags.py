"""What the design system's tags write, with a clock that is always an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.db.models import TextChoices
from django.template import Context, Template
from django.utils import timezone

from console.alerts.models import Decision
from console.interruptions.models import HookOutcome
from console.lib.durations import in_words
from console.lib.navigation import PAGES
from console.lib.origin import Origin
from console.lib.tones import LOOKS, look_of
from console.lib.vendoring import ICONS

NOON = datetime(2026, 7, 1, 12, 2, 5, tzinfo=UTC)


def render(source: str, **context: object) -> str:
    return Template("{% load console_tags %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.25, "250 ms"),
        (31.9, "31 s"),
        (125, "2 min 05 s"),
        (605, "10 min"),
        (11_520, "3 h 12 min"),
        (446_400, "5 d 4 h"),
        (-14, "−14 s"),
    ],
)
def test_a_length_of_time_is_written_in_at_most_two_units(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
    assert in_words(timedelta(seconds=seconds)) == words


def test_a_state_without_a_look_is_grey_and_never_green() -> None:
    assert look_of("something new").tone == "muted"


def test_every_look_uses_an_icon_that_the_sprite_holds() -> None:
    assert {look.icon for look in LOOKS.values()} <= set(ICONS)


def test_a_badge_is_an_icon_and_a_word_and_escapes_its_label() -> None:
    html = render("{% badge 'triggered' label %}", label="<b>")
    assert 'data-tone="danger"' in html
    assert "#bell-ring" in html
    assert "&lt;b&gt;" in html


def test_a_time_prints_local_and_utc_with_the_zone() -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        html = render("{% time at 'clock' %}", at=NOON)
    assert ">14:02 CEST · 12:02Z</time>" in html
    assert 'datetime="2026-07-01T12:02:05.000Z"' in html


def test_a_time_says_utc_and_never_gmt() -> None:
    winter = NOON.replace(month=1)
    with timezone.override(ZoneInfo("Europe/London")):
        assert ">12:02 UTC</time>" in render("{% time at 'clock' %}", at=winter)
    with timezone.override(ZoneInfo("Etc/GMT-3")):
        assert "UTC+03" in render("{% time at 'clock' %}", at=winter)


def test_a_missing_time_is_said_and_grey() -> None:
    assert render("{% time at %}", at=None) == '<span class="missing">not reported</span>'


def test_a_countdown_without_script_states_the_deadline() -> None:
    html = render("{% countdown at start %}", at=NOON, start=NOON - timedelta(seconds=120))
    assert "until 12:02:05Z" in html
    assert 'data-start="2026-07-01T12:00:05.000Z"' in html


@pytest.mark.parametrize(
    ("seconds", "words"), [(-31, "31 s to spare"), (14, "overran by 14 s"), (0, "0 s to spare")]
)
def test_a_countdown_that_ended_states_its_margin(seconds: int, words: str) -> None:
    html = render("{% countdown at start end %}", at=NOON, start=None, end=NOON + timedelta(seconds=seconds))
    assert words in html


def test_a_stepper_names_the_stage_it_reached() -> None:
    html = render("{% stepper 2 %}")
    assert 'data-stage="2"' in html
    assert ">Draining</span>" in html
    assert ">Not started</span>" in render("{% stepper index %}", index=None)


def test_the_page_one_is_on_is_marked_in_the_navigation() -> None:
    request = SimpleNamespace(path="/alerts/7/")
    assert render("{% current '/alerts/' %}", request=request) == "page"
    assert render("{% current '/oncall/' %}", request=request) == "false"
    assert render("{% current '/oncall/' %}") == "false"


@pytest.mark.parametrize("words", [HookOutcome, Decision, Origin], ids=lambda words: words.__name__)
def test_every_word_that_pages_show_as_a_badge_has_a_look(words: type[TextChoices]) -> None:
    assert [word for word in words.values if word not in LOOKS and word != Origin.LIVE] == []


def test_no_two_pages_share_a_key() -> None:
    keys = [page.key for page in PAGES if page.key]
    assert len(keys) == len(set(keys))
