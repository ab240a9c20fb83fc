"""What a browser keeps in order to say, in the console's own words, that the console cannot be reached."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.http import require_GET

STYLES = ("tokens", "base", "layout", "components", "tables", "forms", "charts", "print")
SCRIPTS = ("theme", "clock", "toasts", "times", "copy", "offline")
OTHERS = ("vendor/lucide-sprite.svg", "vendor/inter/inter-latin-wght-normal.woff2", "img/icon.svg")


def kept_files() -> list[str]:
    """The addresses of everything the offline page is made of."""
    styles = [static(f"css/{name}.css") for name in STYLES]
    return styles + [static(f"js/{name}.js") for name in SCRIPTS] + [static(name) for name in OTHERS]


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "offline.html")


@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker; it lies at the root because its place decides which pages it serves."""
    files = kept_files()
    made_of = render_to_string("offline.html") + "".join(files)
    version = hashlib.blake2b(made_of.encode(), digest_size=6).hexdigest()
    answer = render(
        request,
        "lib/offline_worker.js",
        {"files": files, "version": version},
        content_type="text/javascript",
    )
    answer["Cache-Control"] = "no-cache"
    return answer
