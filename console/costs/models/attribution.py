"""Whose a charge is, where its tags do not say."""

from __future__ import annotations

from django.db import models

from console.costs.models.charge import Cloud
from console.lib.origin import is_known_origin, origin_field


class AccountService(models.Model):
    """Charges of this account that no tag attributes belong to this service."""

    origin = origin_field()
    cloud = models.CharField(max_length=8, choices=Cloud)
    account = models.CharField(max_length=128)
    service = models.CharField(max_length=64)
    """Its slug."""

    class Meta:
        constraints = [
            is_known_origin("costs", "accountservice"),
            models.CheckConstraint(
                condition=models.Q(cloud__in=Cloud.values), name="costs_accountservice_cloud_is_known"
            ),
            models.UniqueConstraint(
                fields=["origin", "cloud", "account"], name="costs_accountservice_one_per_account"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cloud} {self.account}: {self.service}"
