"""What a file may do to what is there: once, as a whole, and to a closed month only when a person agreed."""

from __future__ import annotations

import gzip
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from django.db import connection
from django.db.models import Sum

from console.accounts.models import AuditEntry
from console.costs.models import BillingImport, Charge, ImportState, Mode, Restatement
from tests.make_costs import NOW, bring_in, bring_in_rows, bring_in_text, focus_csv, focus_row

AFTER_CLOSING = datetime(2026, 12, 10, tzinfo=UTC)


def billed() -> Decimal | None:
    return Charge.objects.counted(origin="live").aggregate(n=Sum("billed"))["n"]


@pytest.mark.django_db
def test_the_same_file_again_changes_nothing_in_either_mode(tmp_path: Path) -> None:
    bring_in_rows(tmp_path, [focus_row()])
    for mode in Mode:
        assert bring_in_rows(tmp_path, [focus_row()], mode=mode).state == ImportState.UNCHANGED
    assert billed() == Decimal("1.5")
    assert bring_in_rows(tmp_path, [focus_row()], origin="test").state == ImportState.DONE
    assert AuditEntry.objects.filter(action="billing.import").count() == 2


@pytest.mark.django_db
def test_a_snapshot_replaces_its_account_and_month_alone_and_the_older_is_kept(tmp_path: Path) -> None:
    others = [
        focus_row(BillingAccountId="999988887777", BilledCost="10"),
        focus_row(BillingPeriodStart="2026-10-01", ChargePeriodStart="2026-10-03", BilledCost="100"),
        focus_row(ProviderName="Oracle", BilledCost="1000"),
    ]
    bring_in_rows(tmp_path, [focus_row(), *others])
    row = bring_in_rows(tmp_path, [focus_row(BilledCost="2")], mode=Mode.REPLACE)

    assert (row.state, row.replaced_count) == (ImportState.DONE, 1)
    assert billed() == Decimal("1112")
    assert Charge.objects.get(replaced_by=row).billed == Decimal("1.5")


@pytest.mark.django_db
def test_files_given_together_are_one_snapshot(tmp_path: Path) -> None:
    paths = [tmp_path / "part-1.csv", tmp_path / "part-2.csv"]
    for at, path in enumerate(paths):
        path.write_text(focus_csv(focus_row(BilledCost=str(at + 1))))
    bring_in_rows(tmp_path, [focus_row()])
    bring_in(*paths, mode=Mode.REPLACE)
    assert billed() == Decimal(3)

    paths[1].write_text("BilledCost\n")
    paths[0].write_text(focus_csv(focus_row(BilledCost="7")))
    first, second = bring_in(*paths, mode=Mode.REPLACE)
    assert {first.state, second.state} == {ImportState.REFUSED}
    assert billed() == Decimal(3)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("invoice", "now", "is_closed"),
    [
        ("", NOW, False),
        ("INV-1", NOW, True),
        ("", datetime(2026, 12, 9, 23, 59, tzinfo=UTC), False),
        ("", AFTER_CLOSING, True),
    ],
)
def test_a_closed_month_changes_only_when_confirmed(
    tmp_path: Path, invoice: str, now: datetime, is_closed: bool
) -> None:
    bring_in_rows(tmp_path, [focus_row(InvoiceId=invoice)])
    newer = [focus_row(InvoiceId=invoice, BilledCost="2")]
    row = bring_in_rows(tmp_path, newer, mode=Mode.REPLACE, now=now)
    assert row.state == (ImportState.TO_CONFIRM if is_closed else ImportState.DONE)
    assert billed() == (Decimal("1.5") if is_closed else Decimal(2))
    if not is_closed:
        assert not Restatement.objects.exists()
        return
    assert "AWS account 111122223333 2026-11, billed 1.5 → 2 USD" in row.message

    bring_in_rows(tmp_path, newer, mode=Mode.REPLACE, now=now, is_restatement_confirmed=True)
    restated = Restatement.objects.get()
    assert (restated.billed_before, restated.billed_after) == (Decimal("1.5"), Decimal(2))
    assert restated.restated_at == now
    assert billed() == Decimal(2)


@pytest.mark.django_db
def test_a_snapshot_that_was_replaced_can_be_put_back(tmp_path: Path) -> None:
    for cost in ("1", "2", "1"):
        assert (
            bring_in_rows(tmp_path, [focus_row(BilledCost=cost)], mode=Mode.REPLACE).state == ImportState.DONE
        )
    assert billed() == Decimal(1)
    assert Charge.objects.count() == 3


FEED = (
    "#Version: 1.0\n"
    "#Fields: Timestamp UsageType Operation InstanceID MyBidID MyMaxPrice MarketPrice Charge Version\n"
)
RECORD = "2026-11-09 07:13:47 UTC\tUSE2-SpotUsage:c7a.medium\tRunInstances:SV050\t{}\tsir\t0.05 USD\t0.01 USD\t0.01 USD\t1\n"


@pytest.mark.django_db
def test_records_of_the_spot_data_feed_count_once_across_files_and_replace_no_bill(tmp_path: Path) -> None:
    bring_in_rows(tmp_path, [focus_row()])
    name = "111122223333.2026-11-09-07.{}.abc"
    bring_in_text(tmp_path, FEED + RECORD.format("i-1"), name=name.format("001"), mode=Mode.REPLACE)
    row = bring_in_text(
        tmp_path,
        FEED + RECORD.format("i-1") + RECORD.format("i-2"),
        name=name.format("002"),
        mode=Mode.REPLACE,
    )
    assert "1 rows were there from another file" in row.message
    assert billed() == Decimal("1.52")


HOSTILE = {
    "an empty file": (b"", "is empty"),
    "only a heading": (focus_csv(focus_row()).split("\n")[0].encode(), "holds no row"),
    "UTF-16": (focus_csv(focus_row()).encode("utf-16"), "is UTF-16"),
    "Latin-1": (focus_csv(focus_row(RegionId="é")).encode("latin-1"), "is not UTF-8"),
    "a letter cut in two": (
        focus_csv(focus_row(RegionId="é")).encode().partition(b"\xa9")[0],
        "middle of a letter",
    ),
    "NUL bytes": (b"a,b\n\0,1\n", "NUL bytes"),
    "gzip cut off": (gzip.compress(focus_csv(*[focus_row()] * 99).encode())[:-20], "ends early"),
    "gzip damaged": (b"\x1f\x8b\x08\x00" + b"rubbish" * 9, "damaged"),
    "another delimiter in the rows": (
        focus_csv(focus_row()).encode() + focus_csv(focus_row(), delimiter=";").encode().split(b"\n")[1],
        "cannot be read at line 3",
    ),
    "a quote that never ends": (
        focus_csv(focus_row()).encode() + b'"' + b"x,\n" * 50,
        "is never closed",
    ),
    "a row cut off": (focus_csv(focus_row(), focus_row())[:-180].encode(), "never closed"),
    "a row cut off between values": (
        b"a,BilledCost,ChargeCategory,ChargePeriodStart\n1,2,Usage",
        "at line 2",
    ),
    "no bill": (b"a,b,c\n1,2,3\n", "columns of no bill"),
    "one column": (b"hello\nworld\n", "no columns"),
    "renamed columns": (focus_csv(focus_row()).replace("BilledCost", "Cost").encode(), "lacks billedcost"),
    "a column twice": (focus_csv(focus_row()).replace("ListCost", "billed_cost").encode(), "more than once"),
    "Parquet cut off": (b"PAR1" + b"\0" * 50, "damaged Parquet"),
    "next year": (focus_csv(focus_row(ChargePeriodStart="2027-11-01")).encode(), "lies in the future"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("case", HOSTILE)
def test_a_file_that_cannot_be_taken_says_why_and_leaves_nothing(tmp_path: Path, case: str) -> None:
    content, told = HOSTILE[case]
    row = bring_in_text(tmp_path, content)
    assert row.state == ImportState.REFUSED
    assert told in row.message
    assert not Charge.objects.exists()


@pytest.mark.django_db
def test_renamed_parquet_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    duckdb.sql(
        f"COPY (SELECT 1 AS cost_total, 'Usage' AS ChargeCategory, now() AS ChargePeriodStart) TO '{path}'"
    )
    (row,) = bring_in(path)
    assert row.state == ImportState.REFUSED
    assert "looks like FOCUS and lacks billedcost" in row.message


TAKEN = {
    "a byte order mark": "\ufeff" + focus_csv(focus_row()),
    "semicolons": focus_csv(focus_row(), delimiter=";"),
    "tabs": focus_csv(focus_row(), delimiter="\t"),
    "Windows line ends": focus_csv(focus_row()).replace("\n", "\r\n"),
    "a quoted line break": focus_csv(focus_row(ChargeDescription='two\nlines, "quoted"')),
    "small letters": focus_csv({name.lower(): value for name, value in focus_row().items()}),
    "an impossible letter in tags": focus_csv(focus_row(Tags='{"a": "\\u0000b"}')),
}


@pytest.mark.django_db
@pytest.mark.parametrize("case", TAKEN)
def test_a_file_that_is_written_otherwise_is_taken(tmp_path: Path, case: str) -> None:
    row = bring_in_text(tmp_path, TAKEN[case])
    assert (row.state, row.message, row.row_count) == (ImportState.DONE, "", 1)
    assert billed() == Decimal("1.5")


REJECTED = {
    "BilledCost": ["", "1,5", "NaN", "Infinity", "1e999", "$1", "0x10", "1 000"],
    "BillingCurrency": ["", "EURO", "€"],
    "ChargeCategory": ["", "Rent"],
    "ChargePeriodStart": ["", "yesterday", "13/13/2026", "2026-02-30"],
    "ProviderName": ["", "(null)"],
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("column", "value"), [(name, value) for name in REJECTED for value in REJECTED[name]]
)
def test_a_row_that_cannot_be_counted_is_kept_with_its_reason_beside_those_that_can(
    tmp_path: Path, column: str, value: str
) -> None:
    row = bring_in_rows(tmp_path, [focus_row(), focus_row(**{column: value})])
    rejected = row.rejected_rows.get()
    assert (row.state, row.row_count, row.rejected_count, rejected.line) == (ImportState.DONE, 2, 1, 3)
    assert column in rejected.reason
    assert rejected.raw.get(column, "") == value
    assert billed() == Decimal("1.5")


@pytest.mark.django_db
def test_negative_and_zero_amounts_are_amounts(tmp_path: Path) -> None:
    bring_in_rows(
        tmp_path, [focus_row(BilledCost="-2"), focus_row(BilledCost="0"), focus_row(BilledCost="+5e-1")]
    )
    assert billed() == Decimal("-1.5")


@pytest.mark.django_db
def test_a_currency_that_changes_is_a_defect_and_said(tmp_path: Path) -> None:
    row = bring_in_rows(tmp_path, [focus_row(), focus_row(BillingCurrency="eur")])
    assert row.defect_counts == {"currency_changes": 1}
    assert "2 currencies: EUR, USD" in row.message
    assert row.defects.get().raw == {"before": "USD", "now": "EUR"}


@pytest.mark.django_db
def test_an_optional_value_that_cannot_be_read_is_left_out_and_counted(tmp_path: Path) -> None:
    row = bring_in_rows(tmp_path, [focus_row(ListCost="n/a")])
    assert row.defect_counts == {"value_not_readable": 1}
    assert Charge.objects.get().list is None


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_count_it_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(focus_csv(*[focus_row(BilledCost=str(n)) for n in range(200)]))

    def import_it() -> None:
        try:
            bring_in(tmp_path / "a.csv", mode=Mode.REPLACE)
        finally:
            connection.close()

    threads = [threading.Thread(target=import_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    states = sorted(BillingImport.objects.values_list("state", flat=True))
    assert states == ["done", "unchanged", "unchanged", "unchanged"]
    assert billed() == Decimal(199 * 100)
