"""What the browser keeps is exactly what the offline page is made of."""

from __future__ import annotations

import re

from django.template.loader import render_to_string
from django.test import RequestFactory

from console.lib import offline


def test_the_worker_keeps_every_file_the_offline_page_asks_for() -> None:
    asked = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', render_to_string("offline.html")))
    assert asked <= set(offline.kept_files())


def test_the_worker_is_script_at_the_root_and_never_stale() -> None:
    answer = offline.worker(RequestFactory().get("/offline-worker.js"))
    assert answer["Content-Type"] == "text/javascript"
    assert answer["Cache-Control"] == "no-cache"
    assert all(name in answer.content.decode() for name in offline.kept_files()[:3])
