"""Which detectors there are: every file of `detectors/` that holds a `DETECTOR`. A new one is a new file, no more."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from console.alerts import detectors
from console.alerts.detecting import Detector


@cache
def known() -> Mapping[str, Detector]:
    """By name, in the order of their names."""
    found: dict[str, Detector] = {}
    for module in sorted(iter_modules(detectors.__path__), key=lambda module: module.name):
        detector = getattr(import_module(f"{detectors.__name__}.{module.name}"), "DETECTOR", None)
        if isinstance(detector, Detector):
            found[detector.name] = detector
    return MappingProxyType(found)


def detector(name: str) -> Detector:
    return known()[name]
