"""Markdown from people as safe HTML: no HTML of their own, safe links, code that can be copied.

`{{ name }}` stands for a value. Values are put in after the text was read, each as its place demands: as
text, percent-encoded in a link, as a shell word in code. So no value can become Markdown, HTML or a second
command. A value that is not known shows as ‹name›. `\\{{` is a literal `{{`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import count
from typing import Any
from urllib.parse import quote

import nh3
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from console.lib.shell_words import ShellText

Values = Mapping[str, str]

VARIABLE = re.compile(
    r"(?P<literal>\\\{\{)|\{\{\s*(?P<name>[A-Za-z_]\w*)\s*\}\}|(?P<odd>\{\{[^{}\n]{0,80}(?:\}\})?)"
)
FIRST_HEADING = 4
"""Texts stand inside a page whose own headings reach the third level."""

TAGS = {"a", "blockquote", "br", "em", "hr", "p", "s", "span", "strong", "h4", "h5", "h6"}
TAGS |= {"code", "pre", "li", "ol", "ul", "table", "tbody", "td", "th", "thead", "tr"}
ATTRIBUTES = {"a": {"href", "title", "target"}, "pre": {"data-n"}, "span": {"class"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}


def variables_in(text: str) -> list[str]:
    """The names of the variables in a text, in order, each once."""
    found = (match["name"] for match in VARIABLE.finditer(text))
    return list(dict.fromkeys(name for name in found if name))


def not_variables_in(text: str) -> list[str]:
    """What begins like a variable and is none, such as `{{ .Status }}`."""
    found = (match["odd"] for match in VARIABLE.finditer(text))
    return list(dict.fromkeys(odd.strip() for odd in found if odd))


def render(text: str, *, values: Values | None = None) -> SafeString:
    """`text` as HTML that may be shown as it is. Without `values` every variable shows as its name."""
    marks = _Marks(text)
    tokens = _READER.parse(marks.text)
    filling = _Filling(marks, values or {})
    filling.blocks(tokens)
    codes: list[str] = []
    html = _READER.renderer.render(tokens, _READER.options, {"codes": codes})
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer",
        strip_comments=True,
    )
    return mark_safe(_HELD_CODE.sub(lambda found: _code(codes[int(found[1])]), clean))  # noqa: S308


class _Marks:
    """The text with each variable replaced by a word that occurs nowhere else and means nothing."""

    def __init__(self, text: str) -> None:
        text = text.replace("\x00", "")
        self.stem = next(stem for n in count() if (stem := f"variable{n}q") not in text)
        self.names: list[str | None] = []
        self.text = VARIABLE.sub(self._mark, text)
        self.pattern = re.compile(rf"{self.stem}(\d+)z")

    def _mark(self, found: re.Match[str]) -> str:
        if found["odd"]:
            return found["odd"]
        self.names.append(found["name"])
        return f"{self.stem}{len(self.names) - 1}z"

    def split(self, text: str) -> Iterator[tuple[str, str | None]]:
        """Pairs of text and the variable behind it; a literal `{{` is text."""
        said = ""
        end = 0
        for found in self.pattern.finditer(text):
            said += text[end : found.start()]
            end = found.end()
            name = self.names[int(found[1])]
            if name is None:
                said += "{{"
            else:
                yield said, name
                said = ""
        yield said + text[end:], None


class _Filling:
    """Puts the values into the tokens of a text."""

    def __init__(self, marks: _Marks, values: Values) -> None:
        self._marks = marks
        self._values = values

    def blocks(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            if token.type in ("fence", "code_block"):
                token.content = self._command(token.content)
            elif token.type == "inline":
                token.children = [made for child in token.children or [] for made in self._inline(child)]
            elif token.type in ("heading_open", "heading_close"):
                token.tag = f"h{min(6, int(token.tag[1]) + FIRST_HEADING - 1)}"

    def _inline(self, token: Token) -> Iterator[Token]:
        if token.type == "text":
            yield from self._text(token.content)
            return
        if token.type == "code_inline":
            token.content = self._command(token.content)
        elif token.type == "link_open":
            self._link(token)
        yield token

    def _text(self, content: str) -> Iterator[Token]:
        for said, name in self._marks.split(content):
            yield Token("text", "", 0, content=said)
            if name is None:
                continue
            if value := self._values.get(name):
                yield Token("text", "", 0, content=value)
            else:
                yield Token("html_inline", "", 0, content=f'<span class="missing">‹{escape(name)}›</span>')

    def _command(self, command: str) -> str:
        shell = ShellText(command)
        made = ""
        for said, name in self._marks.split(command):
            shell.pass_over(said)
            made += said
            if name is None:
                continue
            value = self._values.get(name, "")
            made += shell.word(value) or (f"‹{name}: not safe to paste›" if value else f"‹{name}›")
        return made

    def _link(self, token: Token) -> None:
        address = self._address(str(token.attrGet("href") or ""))
        if title := token.attrGet("title"):
            token.attrSet("title", self._plain(str(title)))
        if address is None:
            token.attrs.pop("href", None)
            return
        token.attrSet("href", address)
        if re.match(r"https?:|//", address):
            token.attrSet("target", "_blank")

    def _plain(self, content: str) -> str:
        parts = self._marks.split(content)
        return "".join(said + (self._values.get(name) or f"‹{name}›" if name else "") for said, name in parts)

    def _address(self, address: str) -> str | None:
        """The link with its values, or None when one of them is not known or would lead elsewhere."""
        made = ""
        for said, name in self._marks.split(address):
            made += said
            if name is None:
                continue
            if not (value := self._values.get(name)):
                return None
            made += quote(value, safe="") if made else _whole_address(value)
        return made


def _whole_address(value: str) -> str:
    """A value that is itself an address may begin a link; any other is only a word in one."""
    is_address = value.startswith(("https://", "http://")) or re.match(r"/(?![/\\])", value)
    return quote(value, safe="/:?#[]@!$&'()*+,;=%-._~") if is_address else quote(value, safe="")


_HELD_CODE = re.compile(r'<pre data-n="(\d+)"></pre>')


def _hold_code(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: dict[str, Any]
) -> str:
    env["codes"].append(tokens[index].content.rstrip("\n"))
    return f'<pre data-n="{len(env["codes"]) - 1}"></pre>\n'


def _code(code: str) -> str:
    button = render_to_string(
        "components/_copy.html", {"text": code, "label": "the command", "is_icon": True}
    )
    return format_html(
        '<div class="code"><pre tabindex="0" role="group" aria-label="Command">{}</pre>{}</div>',
        code,
        mark_safe(button),  # noqa: S308
    )


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
    reader.disable(["image", "html_block", "html_inline", "reference"])
    reader.add_render_rule("fence", _hold_code)
    reader.add_render_rule("code_block", _hold_code)
    return reader


_READER = _reader()
