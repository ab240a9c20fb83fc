"""What a Node's `spec.providerID` says of its machine. Pure."""

from __future__ import annotations

import re

_AWS = re.compile(r"aws:///([a-z0-9-]+)/(?:[^/]+/)?(i-[0-9a-f]{8,17})")
_AWS_ZONE = re.compile(r"([a-z]{2}(?:-[a-z]+)+-\d+)[a-z]")
_GCE = re.compile(r"gce://([^/]+)/([a-z0-9-]+)/([^/]+)")
_AZURE = re.compile(r"azure://(/subscriptions/([^/]+)/\S+)", re.IGNORECASE)


def parts_of(provider_id: str) -> dict[str, str]:
    """Provider and whatever else it spells out, under the names that machines' facts have; empty if unknown.

    GCE names the VM, which is also its node's name: the numeric id is in the logs alone.
    """
    if found := _AWS.fullmatch(provider_id):
        region = _AWS_ZONE.fullmatch(found[1])
        parts = {"provider": "aws", "zone": found[1], "instance_id": found[2]}
        return parts | ({"region": region[1]} if region else {})
    if found := _GCE.fullmatch(provider_id):
        return {
            "provider": "gcp",
            "account": found[1],
            "region": found[2].rpartition("-")[0],
            "zone": found[2],
            "node_name": found[3],
        }
    if found := _AZURE.fullmatch(provider_id):
        return {"provider": "azure", "account": found[2], "instance_id": found[1]}
    return {}
