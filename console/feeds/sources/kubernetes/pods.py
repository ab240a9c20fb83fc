"""Whose pod an event is about: its owner, told by the exporter, or read from the pod's name."""

from __future__ import annotations

import re
from typing import Any

from console.feeds.normalised import Rejected

_REPLICA_SET = re.compile(r"(.+)-[bcdf-hj-np-tv-z2456789]{5,10}")
"""The hash a Deployment gives its replica sets, in the letters Kubernetes uses for it."""
_DIGITS = re.compile(r"(.+)-\d{8,12}")
"""The minute a CronJob gives its jobs."""


def labels_of(pod: dict[str, Any]) -> dict[str, str]:
    """`namespace` and `pod`, and as far as is known `pod_uid`, `owner`, `owner_uid` and `workload`.

    `owner` is what makes the pods of one set kin: the owner's name, which is also the start of theirs.
    """
    name, namespace = _word(pod, "name"), _word(pod, "namespace")
    if not name:
        return {}
    owner = _owner(pod)
    owner_name = _word(owner, "name") or name.rpartition("-")[0] or name
    labels = {
        "namespace": namespace,
        "pod": name,
        "pod_uid": _word(pod, "uid"),
        "owner": owner_name,
        "owner_uid": _word(owner, "uid"),
        "workload": _workload(owner_name, kind=_word(owner, "kind")),
    }
    return {key: value for key, value in labels.items() if value}


def _owner(pod: dict[str, Any]) -> dict[str, Any]:
    """The controlling owner, else the first."""
    listed = pod.get("ownerReferences")
    if listed is None:
        return {}
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Rejected("invalid_field", "involvedObject.ownerReferences: must be a list of objects")
    return next((one for one in listed if one.get("controller") is True), listed[0] if listed else {})


def _workload(owner: str, *, kind: str) -> str:
    if kind in ("", "ReplicaSet") and (found := _REPLICA_SET.fullmatch(owner)):
        return found[1]
    if kind in ("", "Job") and (found := _DIGITS.fullmatch(owner)):
        return found[1]
    return owner


def _word(source: dict[str, Any], name: str) -> str:
    value = source.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Rejected("invalid_field", f"involvedObject.{name}: must be text")
    return value.strip()
