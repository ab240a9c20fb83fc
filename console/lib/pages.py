"""A page and its regions are one URL, one view and one template."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponse
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
) -> HttpResponse:
    """The whole page, or, when htmx asks for it by the target's id, only the region named so.

    A region whose digest the browser already holds is answered 204: nothing differs, nothing moves.
    `region` may be a list of names separated by spaces; the request's target must be one of them.
    `is_all_region`: the template holds that region and nothing else, whatever its id.
    """
    target = request.headers.get("HX-Target", "")
    is_region = request.headers.get("HX-Request") == "true" and target in region.split()
    if not is_region:
        response = HttpResponse(render_to_string(template, context, request), status=status)
    else:
        part = template if is_all_region else f"{template}#{target}"
        html = render_to_string(part, context, request)
        digest = hashlib.blake2b(FORM_SECRET.sub(r"\1", html).encode(), digest_size=12).hexdigest()
        if request.headers.get(DIGEST) == digest and request.method == "GET":
            response = HttpResponse(status=204)
        else:
            response = HttpResponse(html, status=status)
        response[DIGEST] = digest
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    response.setdefault("Cache-Control", "no-store")
    return response
