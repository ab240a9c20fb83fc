"""Every console has a default runbook: the five steps of a spot incident, published as version 1."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

from console.runbooks.default_runbook import install


def install_default(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    runbook, version = apps.get_model("runbooks", "Runbook"), apps.get_model("runbooks", "RunbookVersion")
    install(runbook.objects, version.objects, now=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("runbooks", "0003_published_versions_and_marks_are_frozen")]

    operations = [migrations.RunPython(install_default, migrations.RunPython.noop)]
