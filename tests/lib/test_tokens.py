"""Every text colour can be read on every surface, in light and in dark (WCAG 2.2 AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css").read_text()
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", CSS)
}
SURFACES = ("bg", "surface", "surface-2", "surface-3", "overlay")
TEXTS = ("text", "text-2", "text-3", "accent", "danger", "warn", "ok", "info")
MARKS = ("danger-mark", "warn-mark", "ok-mark", "info-mark", "neutral-mark", "line-control")


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_text_colour_reaches_4_5_on_every_surface_and_on_its_own_ground(text: str, theme: int) -> None:
    grounds = [*SURFACES, *([f"{text}-soft"] if f"{text}-soft" in COLOURS else [])]
    for ground in grounds:
        assert contrast(COLOURS[text][theme], COLOURS[ground][theme]) >= 4.5, ground


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("fill", ["accent-fill", "accent-fill-hover", "danger-fill"])
def test_white_can_be_read_on_filled_buttons(fill: str, theme: int) -> None:
    assert contrast("#ffffff", COLOURS[fill][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_reaches_3_on_a_panel(mark: str, theme: int) -> None:
    assert contrast(COLOURS[mark][theme], COLOURS["surface"][theme]) >= 3
