"""A page and its regions are one URL, one view and one template."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

T = TypeVar("T")
DIGEST = "X-Region-Digest"
FORM_SECRET = re.compile(r'(name="csrfmiddlewaretoken" value=")[^"]*')
"""Masked anew in every answer; a region that differs in nothing else is the same region."""


def once(value: Callable[[], T]) -> T:
    """Computed when the template comes to it, and only then: a region pays for itself, not for the page."""
    return cast(T, SimpleLazyObject(value))


def render_region(
    request: HttpRequest,
    template: str,
    region: str,
    context: dict[str, Any] | None = None,
    *,
    status: int = 200,
    is_all_region: bool = False,
    elsewhere: Mapping[str, str] = MappingProxyType({}),
) -> HttpResponse:
    """The whole page, or, when htmx asks for it by the target's id, only the region named so.

    A region whose digest the browser already holds is answered 204: nothing differs, nothing moves.
    `region` may be a list of names separated by spaces; the request's target must be one of them, or several
    separated by spaces: those that differ are then answered as JSON, `{name: {"digest", "html"}}`.
    `is_all_region`: the template holds that region and nothing else, whatever its id.
    `elsewhere`: the template of each region that another one than the page's defines.
    """
    targets = request.headers.get("HX-Target", "").split()
    is_region = (
        request.headers.get("HX-Request") == "true" and targets and set(targets) <= set(region.split())
    )
    if not is_region:
        response = HttpResponse(render_to_string(template, context, request), status=status)
    else:
        parts = {
            name: render_to_string(
                template if is_all_region else f"{elsewhere.get(name, template)}#{name}", context, request
            )
            for name in targets
        }
        response = _answer_regions(request, parts, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    response.setdefault("Cache-Control", "no-store")
    return response


def _answer_regions(request: HttpRequest, parts: Mapping[str, str], *, status: int) -> HttpResponse:
    """Those of these that differ from what the browser holds; it says so in the same order as it asks."""
    digests = {name: _digest(html) for name, html in parts.items()}
    held = request.headers.get(DIGEST, "").split() if request.method == "GET" else []
    known = dict(zip(parts, held, strict=False))
    differing = {name: html for name, html in parts.items() if known.get(name) != digests[name]}
    if not differing:
        response = HttpResponse(status=204)
    elif len(parts) == 1:
        (html,) = differing.values()
        response = HttpResponse(html, status=status)
    else:
        told = {name: {"digest": digests[name], "html": html} for name, html in differing.items()}
        response = JsonResponse(told, status=status)
    response[DIGEST] = " ".join(digests.values())
    return response


def _digest(html: str) -> str:
    masked = FORM_SECRET.sub(r"\1", html).encode()
    return hashlib.blake2b(masked, digest_size=12).hexdigest()
