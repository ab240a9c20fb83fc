"""Text from people is shown safely, and no value in it becomes markup or a second command."""

from __future__ import annotations

import re
import shlex
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.lib.markdown import not_variables_in, render, variables_in
from console.lib.shell_words import PLAIN, ShellText

EVIL = [
    "$(reboot)",
    "`reboot`",
    "a; reboot",
    "x' ; reboot '",
    'x" ; reboot "',
    "--all",
    "a\nreboot",
    "<b>",
    "a b",
]


def command(text: str, **values: str) -> str:
    """What the copy button of the one code block holds."""
    found = re.search(r'data-copy="([^"]*)"', render(f"```sh\n{text}\n```", values=values))
    assert found is not None
    return unescape(found[1])


def test_markdown_becomes_html_under_the_headings_of_the_page() -> None:
    html = render("# Title\n\nSome *text*, ~~old~~.\n\n1. one\n2. two")
    assert "<h4>Title</h4>" in html
    assert "<em>text</em>" in html
    assert "<s>old</s>" in html
    assert "<ol>\n<li>one</li>" in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
        "[a](JaVaScRiPt:alert(1))",
        "![a](https://example.com/x.png)",
        "<a href='https://example.com' onclick='alert(1)'>x</a>",
    ],
)
def test_html_scripts_and_pictures_of_the_writer_never_run(text: str) -> None:
    html = render(text)
    assert not re.search(r"<(script|img|iframe|style)", html)
    assert not re.search(r"<[^>]*\son\w+=", html)
    assert not re.search(r'href="\s*(javascript|data):', html, re.IGNORECASE)


def test_a_link_to_elsewhere_opens_a_new_page_that_cannot_reach_back() -> None:
    html = render("[docs](https://example.com/a) [here](/debug/)")
    assert '<a href="https://example.com/a" target="_blank" rel="noopener noreferrer">docs</a>' in html
    assert re.search(r'<a href="/debug/" rel="[^"]*">here</a>', html)


def test_a_value_is_text_where_text_stands() -> None:
    html = render("Look at {{ node_name }}.", values={"node_name": "**x** <b> [a](b) `c` {{ zone }}"})
    assert html == "<p>Look at **x** &lt;b&gt; [a](b) `c` {{ zone }}.</p>\n"


def test_a_value_is_percent_encoded_in_a_link() -> None:
    html = render("[logs](https://logs.example.com/?q={{ q }}#x)", values={"q": "a b&c=d/../<"})
    assert 'href="https://logs.example.com/?q=a%20b%26c%3Dd%2F..%2F%3C#x"' in html


@pytest.mark.parametrize(
    "value", ["javascript:alert(1)", "//evil.example", "data:text/html,x", "/\\evil.example"]
)
def test_a_value_that_begins_a_link_leads_nowhere_else(value: str) -> None:
    found = re.search(r'href="([^"]*)"', render("[group]({{ group_url }})", values={"group_url": value}))
    assert found is not None
    assert not re.match(r"(?i)(javascript|data):|//|/\\", found[1])


def test_an_address_may_begin_a_link() -> None:
    assert 'href="/alerts/7/"' in render("[group]({{ group_url }})", values={"group_url": "/alerts/7/"})


def test_what_is_not_known_shows_as_its_name_and_a_link_to_it_leads_nowhere() -> None:
    html = render("{{ zone }} [logs](https://x.example/{{ zone }}) `kubectl {{ zone }}`")
    assert '<span class="missing">‹zone›</span>' in html
    assert re.search(r"<a (?!href)[^>]*>logs</a>", html)
    assert "<code>kubectl ‹zone›</code>" in html


def test_a_plain_value_stands_in_a_command_as_it_is() -> None:
    text = 'aws ec2 describe-instances --filters "Name=id,Values={{ id }}" --region {{ region }}'
    assert command(text, id="i-0abc", region="eu-west-1") == (
        'aws ec2 describe-instances --filters "Name=id,Values=i-0abc" --region eu-west-1'
    )


@pytest.mark.parametrize("value", EVIL)
@pytest.mark.parametrize("text", ["kubectl drain {{ v }} --now", "run --name={{ v }}", "echo \\\n  {{ v }}"])
def test_a_hostile_value_stays_one_word_of_a_bare_command(text: str, value: str) -> None:
    made = command(text, v=value)
    prefix = re.split(r"\s", text.split("{{ v }}")[0])[-1]
    words = shlex.split(made)
    assert len(words) == len(shlex.split(text.replace("{{ v }}", "v"))) or "not safe to paste" in made
    if "not safe to paste" not in made:
        assert prefix + value in words


@pytest.mark.parametrize("value", ["$(reboot)", "a b", "x' ; reboot '", 'x" ; reboot "'])
@pytest.mark.parametrize(
    "text",
    [
        'echo "{{ v }}"',
        "echo '{{ v }}'",
        "bash -c 'drain {{ v }}'",
        "ssh host drain {{ v }}",
        "eval drain {{ v }}",
        "cat <<EOF\n{{ v }}\nEOF",
        "x=`drain {{ v }}`",
        "true # {{ v }}",
        "echo $(( {{ v }} ))",
        "echo \\{{ v }}x \\\\ \\",
    ],
)
def test_a_hostile_value_is_left_out_where_quoting_does_not_hold(text: str, value: str) -> None:
    made = command(text, v=value)
    assert value not in made


def test_braces_that_are_meant_stay_braces() -> None:
    assert command("docker inspect -f '\\{{ .State.Status }}' {{ id }}", id="c1") == (
        "docker inspect -f '{{ .State.Status }}' c1"
    )


def test_variables_are_found_and_told_from_what_only_looks_like_one() -> None:
    text = "{{ zone }} {{service}} {{ zone }} \\{{ .Name }} {{ .Bad }} {{ two words }} {{"
    assert variables_in(text) == ["zone", "service"]
    assert not_variables_in(text) == ["{{ .Bad }}", "{{ two words }}", "{{"]


def test_every_code_block_carries_its_own_copy_button() -> None:
    html = render("```\none\n```\n\n    two\n\n~~~sh\nthree & <four>\n~~~")
    assert [unescape(code) for code in re.findall(r'data-copy="([^"]*)"', html)] == [
        "one",
        "two",
        "three & <four>",
    ]


@given(st.text(max_size=300), st.text(max_size=60))
def test_no_text_and_no_value_brings_anything_that_runs(text: str, value: str) -> None:
    html = render(text + "{{ v }} `{{ v }}` [x](https://x.example/{{ v }})", values={"v": value})
    assert not re.search(r"(?i)<(script|img|style|iframe|object)", html)
    assert not re.search(r"(?i)<[^>\"']*\son\w+\s*=", html)
    assert not re.search(r'(?i)href="\s*(?:javascript|data|vbscript):', html)


@given(st.text(min_size=1, max_size=40))
def test_a_word_for_the_shell_is_one_word_or_none(value: str) -> None:
    shell = ShellText("kubectl drain ")
    shell.pass_over("kubectl drain ")
    word = shell.word(value)
    if word is not None:
        assert shlex.split(f"kubectl drain {word}") == ["kubectl", "drain", value]
        assert not value.startswith("-")
    else:
        assert not PLAIN.match(value)
