"""Rebuilds `static/vendor/` from npm packages: `python -m console.lib.vendoring path/to/node_modules`.

Fetch the packages first, anywhere outside the project, without running their scripts:
`npm install --ignore-scripts plotly.js-basic-dist-min@4.1.1 idiomorph@0.8.0 lucide-static@1.62.0
@fontsource-variable/inter@5.3.0`. plotly.js must be the version the Python package carries.
htmx is not here: django-htmx ships it as a static file.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[2] / "static" / "vendor"

ICONS = [
    "activity",
    "archive",
    "archive-x",
    "arrow-down-to-line",
    "arrow-up-right",
    "arrow-up-to-line",
    "ban",
    "bell",
    "bell-off",
    "bell-ring",
    "book-open-check",
    "bookmark",
    "boxes",
    "bug",
    "calendar",
    "chart-line",
    "check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "chevrons-up-down",
    "circle-alert",
    "circle-check",
    "circle-dashed",
    "circle-dot",
    "circle-question-mark",
    "circle-slash",
    "circle-user",
    "circle-x",
    "clock",
    "command",
    "copy",
    "database",
    "download",
    "droplets",
    "ellipsis",
    "eye",
    "external-link",
    "file-text",
    "filter",
    "flag",
    "flask-conical",
    "gauge",
    "hard-drive",
    "history",
    "hourglass",
    "info",
    "key-round",
    "keyboard",
    "layers",
    "layout-dashboard",
    "link",
    "list-checks",
    "loader-circle",
    "lock",
    "log-out",
    "mail",
    "menu",
    "message-square",
    "minus",
    "monitor",
    "moon",
    "octagon-alert",
    "pause",
    "pencil",
    "play",
    "plug",
    "plus",
    "power",
    "power-off",
    "printer",
    "radio",
    "refresh-cw",
    "repeat",
    "route",
    "scroll-text",
    "search",
    "server",
    "settings",
    "shield-check",
    "siren",
    "skip-forward",
    "square-check",
    "sun",
    "table-2",
    "timer",
    "timer-off",
    "trash-2",
    "trending-up",
    "triangle-alert",
    "undo-2",
    "upload",
    "user-check",
    "users",
    "wifi-off",
    "x",
    "zap",
]


@dataclass(frozen=True)
class Package:
    """One npm package and the files taken from it, as (path in the package, path under static/vendor)."""

    name: str
    licence: str
    purpose: str
    copies: tuple[tuple[str, str], ...]
    made: tuple[str, ...] = ()


PACKAGES = (
    Package(
        "plotly.js-basic-dist-min",
        "MIT",
        "Charts in the browser",
        (("plotly-basic.min.js", "plotly/plotly-basic.min.js"), ("LICENSE", "plotly/LICENSE")),
        ("plotly/plotly.css",),
    ),
    Package(
        "idiomorph",
        "0BSD",
        "Merges a refreshed region into the page without moving what is under the pointer",
        (("dist/idiomorph.min.js", "idiomorph/idiomorph.min.js"), ("LICENSE", "idiomorph/LICENSE")),
    ),
    Package(
        "lucide-static",
        "ISC",
        "Icons, as one sprite of the ones that are used",
        (("LICENSE", "lucide/LICENSE"),),
        ("lucide-sprite.svg",),
    ),
    Package(
        "@fontsource-variable/inter",
        "OFL-1.1",
        "The typeface, weights 100 to 900, Latin and Latin extended",
        (
            ("files/inter-latin-wght-normal.woff2", "inter/inter-latin-wght-normal.woff2"),
            ("files/inter-latin-ext-wght-normal.woff2", "inter/inter-latin-ext-wght-normal.woff2"),
            ("LICENSE", "inter/LICENSE"),
        ),
    ),
)


def sprite(icons: Path) -> str:
    """One SVG with a symbol per icon; stroke and size come from the `.icon` class."""
    symbols = []
    for name in ICONS:
        text = (icons / f"{name}.svg").read_text()
        body = re.search(r"<svg[^>]*>(.*)</svg>", text, re.DOTALL)
        if body is None:
            raise SystemExit(f"{name}.svg holds no <svg> element.")
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{"".join(body[1].split(chr(10)))}</symbol>')
    inner = "\n".join(re.sub(r" {2,}", "", symbol) for symbol in symbols)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{inner}\n</svg>\n'


def plotly_rules(script: str) -> str:
    """The rules plotly.js would insert at run time, as a stylesheet, so that no inline style is needed."""
    start = script.index('{"X,X div":')
    pairs = re.findall(r'"([^"]*)":(?:"([^"]*)"|\'([^\']*)\')', script[start : script.index("}", start)])
    lines = []
    for selector, double, single in pairs:
        scoped = selector.replace("X", ".js-plotly-plot .plotly").replace("Y", ".plotly-notifier")
        lines.append(f"{scoped} {{ {double or single} }}")
    return "/* Taken out of plotly.js (MIT); see manifest.json. */\n" + "\n".join(lines) + "\n"


def describe(package: Package, source: Path) -> dict[str, object]:
    names = [target for _, target in package.copies] + list(package.made)
    return {
        "name": package.name,
        "version": json.loads((source / "package.json").read_text())["version"],
        "licence": package.licence,
        "purpose": package.purpose,
        "files": {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name in sorted(names)},
    }


def rebuild(modules: Path) -> None:
    shutil.rmtree(VENDOR, ignore_errors=True)
    for package in PACKAGES:
        for origin, target in package.copies:
            (VENDOR / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(modules / package.name / origin, VENDOR / target)
    (VENDOR / "lucide-sprite.svg").write_text(sprite(modules / "lucide-static" / "icons"))
    script = (VENDOR / "plotly/plotly-basic.min.js").read_text()
    (VENDOR / "plotly/plotly.css").write_text(plotly_rules(script))
    manifest = {
        "rebuild": "python -m console.lib.vendoring path/to/node_modules",
        "elsewhere": {"htmx 2": "static files of the Python package django-htmx"},
        "packages": [describe(package, modules / package.name) for package in PACKAGES],
    }
    (VENDOR / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    rebuild(Path(sys.argv[1]))
