"""The style guide in a real Chromium without a server: every request is answered from the project's files."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from playwright.sync_api import BrowserContext, Page, Route

from console.lib.styleguide import context as made_up_rows

HOST = "http://localhost:1"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'"
)
Answer = Callable[[Route], None]


def styleguide_html(**changes: object) -> str:
    return render_to_string("lib/styleguide.html", made_up_rows(datetime.now(UTC)) | changes)


class StyleGuide:
    """A page on the style guide. `asked` are the requests beyond it; `answers` say what they get, else 404."""

    def __init__(self, context: BrowserContext, html: str = "") -> None:
        self.html = html or styleguide_html()
        self.asked: list[tuple[str, str, str]] = []
        self.answers: dict[str, Answer] = {}
        self.refused: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", lambda told: self.hear(told.text))
        self.page.on("pageerror", lambda error: self.refused.append(str(error)))
        self.page.route("**/*", self.answer)

    def hear(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.refused.append(text)

    def answer(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        region = route.request.headers.get("hx-target", "")
        if path.startswith("/static/"):
            self.answer_file(route, path.removeprefix("/static/"))
        elif path == "/styleguide/" and not region:
            route.fulfill(
                body=self.html, content_type="text/html", headers={"Content-Security-Policy": POLICY}
            )
        else:
            self.asked.append((route.request.method, path, region))
            self.answers.get(region or path, lambda unknown: unknown.fulfill(status=404))(route)

    def answer_file(self, route: Route, name: str) -> None:
        found = finders.find(name)
        if not isinstance(found, str):
            route.fulfill(status=404)
            return
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        route.fulfill(body=Path(found).read_bytes(), content_type=kind)

    def open(self, query: str = "") -> Page:
        self.page.goto(f"{HOST}/styleguide/{query}")
        return self.page

    def refresh(self, region: str) -> None:
        self.page.evaluate("id => spot.refresh(document.getElementById(id))", region)


def text(body: str, **headers: str) -> Answer:
    return lambda route: route.fulfill(body=body, content_type="text/html", headers=headers)


def data(told: object) -> Answer:
    return lambda route: route.fulfill(json=told)


def events(*told: tuple[str, dict[str, object]]) -> Answer:
    lines = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in told)
    return lambda route: route.fulfill(body=lines, content_type="text/event-stream")
