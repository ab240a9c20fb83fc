"""CSV uploads: the same rows as the API takes, judged the same way, taken by a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from console.accounts.audit import Actor, record
from console.fleet.inventory import InventoryRow, check_inventory, take_inventory
from console.fleet.service_changes import ServiceRow, check_services, save_services
from console.fleet.workloads import WorkloadRow, check_workloads, take_workloads
from console.lib.csv_file import NotCsv, read_csv
from console.lib.pushed import MAX_ROWS, Batch, from_text, judge


@dataclass(frozen=True, slots=True)
class Upload:
    """One kind of file: its columns, and the page where the result is seen."""

    what: str
    title: str
    row: type[msgspec.Struct]
    mappings: tuple[str, ...]
    seen_at: str
    example: str

    @property
    def columns(self) -> tuple[str, ...]:
        return self.row.__struct_fields__

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(field.name for field in msgspec.structs.fields(self.row) if field.required)


UPLOADS = {
    upload.what: upload
    for upload in (
        Upload(
            "services",
            "Services",
            ServiceRow,
            (),
            "fleet:service_list",
            "slug,name,team,kind,criticality,statefulness,replicas_wanted\n"
            "checkout-workers,Checkout workers,payments,queue_workers,user_facing,stateless,12",
        ),
        Upload(
            "inventory",
            "Inventory",
            InventoryRow,
            ("tags",),
            "fleet:instance_list",
            "provider,account,region,zone,instance_id,instance_type,lifecycle,started_at,tags\n"
            "aws,111122223333,eu-west-1,eu-west-1a,i-0abc,m7i.large,spot,2026-03-11T08:00:00Z,app=checkout;env=prod",
        ),
        Upload(
            "workloads",
            "Workloads",
            WorkloadRow,
            ("by_zone",),
            "fleet:service_list",
            "cluster,namespace,workload,at,wanted,ready,pending,by_zone\n"
            "prod,checkout,worker,2026-03-11T08:00:00Z,12,11,1,eu-west-1a=6;eu-west-1b=5",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Read:
    """A file as it would be taken."""

    upload: Upload
    batch: Batch[Any]
    sample: list[list[str]]
    columns: list[str]
    content: str
    row_count: int


SAMPLE_ROWS = 5


def read_upload(upload: Upload, content: bytes, *, origin: str, now: datetime) -> Read:
    """Judge every row of a file; nothing is stored."""
    columns, rows = read_csv(content, max_rows=MAX_ROWS)
    unknown = [name for name in columns if name and name not in upload.columns]
    if unknown:
        raise NotCsv(f"The column {unknown[0]} is not known. Known are: {', '.join(upload.columns)}.")
    missing = [name for name in upload.required if name not in columns]
    if missing:
        raise NotCsv(f"The column {missing[0]} is missing.")
    if not rows:
        raise NotCsv("The file names its columns and holds no row.")
    batch = judge(from_text(rows, mappings=upload.mappings), upload.row, is_text=True)
    if upload.what == "services":
        check_services(batch, origin=origin)  # type: ignore[arg-type]
    elif upload.what == "inventory":
        check_inventory(batch, now=now)  # type: ignore[arg-type]
    else:
        check_workloads(batch, now=now)  # type: ignore[arg-type]
    sample = [[row.get(name, "") for name in columns] for row in rows[:SAMPLE_ROWS]]
    return Read(upload, batch, sample, columns, content.decode("utf-8-sig"), len(rows))


@transaction.atomic
def take_upload(read: Read, *, origin: str, actor: Actor, now: datetime) -> int:
    """Store the good rows of a file; how many changed something. One audit entry for the file."""
    what = read.upload.what
    if what == "services":
        rows = [row for _, row in read.batch.rows]
        saved = save_services(rows, origin=origin, actor=actor, now=now)
        stored = sum(each.is_changed for each in saved)
    elif what == "inventory":
        stored = take_inventory(read.batch, origin=origin, now=now).stored
    else:
        stored = take_workloads(read.batch, origin=origin)
    after = {"rows": read.row_count, "stored": stored, "refused": len(read.batch.errors), "origin": origin}
    record(actor, action=f"{what}.import", subject_kind="import", subject_label=what, after=after, now=now)
    return stored
