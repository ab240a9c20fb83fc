"""What is vendored is listed, unchanged, licensed and the same version as its Python half."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from plotly.offline import get_plotlyjs_version

from console.lib.vendoring import ICONS

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text())


def listed_files() -> dict[str, str]:
    return {name: digest for package in MANIFEST["packages"] for name, digest in package["files"].items()}


def test_every_vendored_file_has_the_checksum_of_the_manifest() -> None:
    for name, digest in listed_files().items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_no_vendored_file_is_missing_from_the_manifest() -> None:
    found = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert found - {"manifest.json"} == set(listed_files())


def test_every_package_states_its_licence_and_brings_its_text() -> None:
    for package in MANIFEST["packages"]:
        assert package["licence"]
        assert any(name.endswith("LICENSE") for name in package["files"]), package["name"]


def test_the_browser_draws_with_the_plotly_that_python_describes() -> None:
    versions = {package["name"]: package["version"] for package in MANIFEST["packages"]}
    assert versions["plotly.js-basic-dist-min"] == get_plotlyjs_version()


def test_the_sprite_holds_exactly_the_icons_of_the_list() -> None:
    drawn = re.findall(r'<symbol id="([^"]+)"', (VENDOR / "lucide-sprite.svg").read_text())
    assert drawn == list(ICONS)


def test_every_icon_a_template_names_is_in_the_sprite() -> None:
    named: set[str] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        named |= set(re.findall(r'{% icon "([a-z0-9-]+)"', text))
        named |= set(re.findall(r'_icon\.html" with name="([a-z0-9-]+)"', text))
    assert named
    assert named <= set(ICONS), named - set(ICONS)
