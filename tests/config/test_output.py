"""One readable line for people, one JSON object for collectors."""

from __future__ import annotations

import json

from console.config.output import as_json, as_text

LINE = (
    '{"at": "2026-03-11T14:31:40.000Z", "level": "warning", "logger": "console.feeds", '
    '"event": "feed.silent", "feed": "aws"}'
)


def test_our_own_log_lines_become_readable() -> None:
    assert as_text("web", LINE, is_coloured=False) == (
        "web      warning 2026-03-11T14:31:40.000Z console.feeds feed.silent feed=aws"
    )


def test_other_lines_pass_as_they_are() -> None:
    assert as_text("web", '{"at" is broken', is_coloured=False) == 'web      {"at" is broken'
    assert as_text("worker", "hello", is_coloured=False) == "worker   hello"


def test_as_json_every_line_is_an_object_with_its_process() -> None:
    assert json.loads(as_json("web", LINE)) == {"process": "web", **json.loads(LINE)}
    plain = json.loads(as_json("worker", "hello"))
    assert (plain["process"], plain["level"], plain["event"]) == ("worker", "info", "hello")
