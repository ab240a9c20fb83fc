"""Whose a charge is: the first tag that says so, else its account, else nobody's (`metrics.md` 5.3)."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.text import slugify

from console.costs.models import AccountService
from console.fleet.models import UNATTRIBUTED

TAG_KEYS = ("service", "app", "application", "app.kubernetes.io/name", "k8s-app")
"""In this order, in any case."""


class Attribution:
    """The rules of one origin, read once for a whole file."""

    def __init__(self, *, origin: str) -> None:
        found = AccountService.objects.filter(origin=origin).values_list("cloud", "account", "service")
        self._accounts = {(cloud, account): service for cloud, account, service in found}

    def service_of(self, tags: Mapping[str, str], *, cloud: str, account: str) -> str:
        """A slug; one that names no service of the console stays visible as it is."""
        by_key = {name.lower(): value for name, value in tags.items()}
        for key in TAG_KEYS:
            if slug := slugify(by_key.get(key, ""))[:64]:
                return slug
        return self._accounts.get((cloud, account), UNATTRIBUTED)
