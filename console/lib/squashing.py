"""One migration in place of many: all tables of a room at once, then what the steps did by hand, in their order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from types import ModuleType
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import CreateModel, RunPython, RunSQL
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class CreateModels(Operation):
    """Models that are drawn once for all of them; one by one, each would draw all before it anew.

    Of `by_hand` only the state is made here: their tables follow as SQL.
    """

    reversible = True

    def __init__(self, creations: Sequence[CreateModel], *, by_hand: Collection[str] = ()) -> None:
        self.creations = creations
        self.by_hand = by_hand

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.creations], {"by_hand": self.by_hand}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for creation in self.creations:
            creation.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for creation in self._with_tables():
            creation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for creation in reversed(self._with_tables()):
            creation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return f"Create {len(self.creations)} models"

    def _with_tables(self) -> list[CreateModel]:
        return [creation for creation in self.creations if creation.name not in self.by_hand]


def by_hand(*steps: ModuleType) -> list[Operation]:
    """The SQL and the rows of these steps; their tables and columns are made by the migration that stands for them."""
    return [
        operation
        for step in steps
        for operation in step.Migration.operations
        if isinstance(operation, RunSQL | RunPython)
    ]
