"""Where counts are asked for: a Prometheus, or what speaks its query API."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from console.lib.sealing import seal, unseal


class PrometheusServer(models.Model):
    """An address with the key that opens it. The key is sealed, and never shown again."""

    name = models.CharField(max_length=80, unique=True)
    base_url = models.CharField(max_length=500)
    """Without `/api/v1/…`: https://prometheus.example.com or https://mimir.example.com/prometheus."""
    sealed_token = models.TextField(blank=True)
    """Sent as a bearer token. Empty: none is sent."""
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    def give_token(self, token: str) -> None:
        self.sealed_token = seal(token) if token else ""

    @property
    def token(self) -> str:
        """Raises `CannotUnseal` where it was sealed under a key that is not known any more."""
        return unseal(self.sealed_token) if self.sealed_token else ""

    @classmethod
    def made(cls, *, name: str, base_url: str, token: str, now: datetime) -> PrometheusServer:
        row = cls(name=name, base_url=base_url, created_at=now)
        row.give_token(token)
        return row
