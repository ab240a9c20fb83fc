"""The laws of the house that no tool holds: who may point at whom, what a file may weigh, what a template may say."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import CharField, Model

ROOT = Path(__file__).parents[1]
CONSOLE = ROOT / "console"
MOST_LINES = 400
HEAVY = {"apprise", "boto3", "botocore", "duckdb", "matplotlib", "weasyprint"}
"""Optional libraries that may be imported inside a function, at one seam a room."""


def layers() -> list[set[str]]:
    """The rooms from the highest to the lowest, as the import contract lists them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (contract,) = settings["tool"]["importlinter"]["contracts"]
    return [{name.strip(" ()") for name in line.split("|")} for line in contract["layers"]]


def height(room: str) -> int:
    (found,) = (place for place, rooms in enumerate(reversed(layers())) if room in rooms)
    return found


def our_models() -> list[type[Model]]:
    ours = [config for config in apps.get_app_configs() if config.name.startswith("console.")]
    return [model for config in ours for model in config.get_models()]


def python_files() -> list[Path]:
    return sorted(path for path in CONSOLE.rglob("*.py") if "migrations" not in path.parts)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_room_has_its_place_in_the_import_law() -> None:
    rooms = {path.parent.name for path in CONSOLE.glob("*/__init__.py")}

    assert rooms <= set.union(*layers())


def test_foreign_keys_point_downwards_or_stay_in_their_room() -> None:
    upwards = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in our_models()
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and isinstance(field.related_model, type)
        if not _may_point(model._meta.app_label, field.related_model)
    ]

    assert upwards == []


def _may_point(room: str, target: type[Model]) -> bool:
    if not target.__module__.startswith("console."):
        return True
    other = target._meta.app_label
    return other == room or height(other) < height(room)


@pytest.mark.parametrize("path", python_files(), ids=named)
def test_no_file_outgrows_four_hundred_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_templates_styles_and_scripts_do_not_outgrow_their_sizes() -> None:
    folders = [
        (ROOT / "templates", "*.html", 200),
        (ROOT / "static/css", "*.css", MOST_LINES),
        (ROOT / "static/js", "*.js", 160),
    ]

    too_long = [
        f"{named(path)}: {lines}"
        for folder, pattern, most in folders
        for path in folder.rglob(pattern)
        if (lines := len(path.read_text().splitlines())) > most
    ]

    assert too_long == []


def test_nothing_of_ours_is_imported_inside_a_function() -> None:
    hidden = [
        f"{named(path)}:{line} imports {name}"
        for path in python_files()
        for line, name in _inner_imports(ast.parse(path.read_text()))
        if name.partition(".")[0] not in HEAVY
    ]

    assert hidden == []


def _inner_imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.ImportFrom):
                yield node.lineno, node.module or ""
            elif isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)


@pytest.mark.django_db
def test_every_column_of_known_words_is_checked_by_the_database() -> None:
    checked = _checked_columns()

    unchecked = [
        f"{model._meta.label}.{field.name}"
        for model in our_models()
        for field in model._meta.local_fields
        if isinstance(field, CharField)
        and field.choices
        and (model._meta.db_table, field.column) not in checked
    ]

    assert unchecked == []


def _checked_columns() -> set[tuple[str, str]]:
    """Asked of the database itself: partitioned tables are made by hand, and Django knows nothing of their checks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.conrelid::regclass::text, a.attname FROM pg_constraint c"
            " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) WHERE c.contype = 'c'"
        )
        return set(cursor.fetchall())


def test_no_model_orders_itself() -> None:
    assert [model._meta.label for model in our_models() if model._meta.ordering] == []


def test_every_relation_is_named_from_its_other_end() -> None:
    unnamed = [
        f"{model._meta.label}.{field.name}"
        for model in our_models()
        for field in model._meta.get_fields()
        if field.is_relation
        and field.concrete
        and not field.auto_created
        and model.__module__.startswith("console.")
        if field in model._meta.local_fields and field.remote_field.related_name is None
    ]

    assert unnamed == []


def test_every_migration_is_named_by_what_it_is_for() -> None:
    migrations = [path.stem for path in CONSOLE.glob("*/migrations/[0-9]*.py")]

    unnamed = [
        name
        for name in migrations
        if re.search(r"_auto_|_merge_|^\d{4}_(initial|alter|add|remove|delete)_", name)
    ]

    assert unnamed == []


def test_migrations_form_one_line_in_every_room() -> None:
    graph = MigrationLoader(None).graph

    ends = [app for app, _ in graph.leaf_nodes() if app in apps.app_configs]

    assert len(ends) == len(set(ends))


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=named)
def test_templates_hold_no_style_script_or_handler_of_their_own(path: Path) -> None:
    text = re.sub(r"{%\s*comment\s*%}.*?{%\s*endcomment\s*%}|{#.*?#}", "", path.read_text(), flags=re.DOTALL)
    tags = re.findall(r"<[a-zA-Z][^<>]*>", text)

    assert not [tag for tag in tags if re.search(r"\s(style|on[a-z]+)\s*=", tag)]
    assert not [tag for tag in tags if tag.lower().startswith(("<style", "<script")) and not _is_loaded(tag)]


def _is_loaded(tag: str) -> bool:
    """A script that is fetched, or data that is never run."""
    return " src=" in tag or 'type="application/json"' in tag
