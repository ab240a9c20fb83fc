"""Each provider's own bill, as its documentation draws it, in the words of FOCUS."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from console.costs.models import Charge, ImportState
from tests.make_costs import bring_in_text, focus_csv, focus_row

pytestmark = pytest.mark.django_db

CUR2 = (
    "bill_payer_account_id,bill_billing_period_start_date,line_item_usage_account_id,line_item_line_item_type,"
    "line_item_usage_start_date,line_item_usage_end_date,line_item_product_code,line_item_usage_type,"
    "line_item_availability_zone,line_item_usage_amount,line_item_currency_code,line_item_unblended_cost,"
    "line_item_line_item_description,line_item_resource_id,product_region_code,pricing_public_on_demand_cost,"
    "pricing_unit,reservation_effective_cost,savings_plan_savings_plan_effective_cost,resource_tags\n"
)
CUR2_START = "111122223333,2026-11-01T00:00:00.000Z,444455556666,"
CUR2_HOUR = ",2026-11-02T03:00:00.000Z,2026-11-02T04:00:00.000Z,AmazonEC2,"


def cur2(*rows: str) -> str:
    return CUR2 + "".join(f"{row}\n" for row in rows)


SPOT_ROW = (
    f"{CUR2_START}Usage{CUR2_HOUR}USE2-SpotUsage:m5.large,us-east-2a,1,USD,0.0367,m5.large spot,i-1,us-east-2,"
    '0.096,Hrs,,,"{""user_app"": ""checkout""}"'
)
BARE_SPOT_ROW = (
    f"{CUR2_START}Usage{CUR2_HOUR}SpotUsage,us-east-1a,1,USD,0.007,m1.small Linux/UNIX Spot Instance-hour,i-2,"
    "us-east-1,0.044,Hrs,,,"
)
BOX_ROW = f"{CUR2_START}Usage{CUR2_HOUR}BoxUsage:m5.large,us-east-1a,1,USD,0.096,on demand,i-3,us-east-1,0.096,Hrs,,,"
PLAN_ROW = (
    f"{CUR2_START}SavingsPlanCoveredUsage{CUR2_HOUR}BoxUsage:m5.large,us-east-1a,1,USD,0.096,covered,i-4,us-east-1,"
    "0.096,Hrs,,0.06,"
)


def test_cur_2_tells_spot_on_demand_and_committed_apart(tmp_path: Path) -> None:
    row = bring_in_text(tmp_path, cur2(SPOT_ROW, BARE_SPOT_ROW, BOX_ROW, PLAN_ROW))
    found = {charge.resource: charge for charge in Charge.objects.all()}

    assert (row.format, row.row_count, row.rejected_count) == ("aws_cur", 4, 0)
    assert [(key, found[key].is_spot, found[key].instance_type) for key in sorted(found)] == [
        ("i-1", True, "m5.large"),
        ("i-2", True, "m1.small"),
        ("i-3", False, "m5.large"),
        ("i-4", False, "m5.large"),
    ]
    assert (found["i-1"].spot_cost, found["i-1"].baseline) == (Decimal("0.0367"), Decimal("0.096"))
    assert found["i-1"].tags == {"app": "checkout"}
    assert (found["i-4"].effective, found["i-4"].pricing_category) == (Decimal("0.06"), "Committed")
    assert row.defect_counts == {"untagged": 3}


AZURE = (
    "SubscriptionId,ResourceLocation,Date,ProductName,MeterCategory,MeterName,UnitOfMeasure,Quantity,"
    "CostInBillingCurrency,ResourceId,Tags,ChargeType,PricingModel,BillingAccountId,BillingCurrencyCode,"
    "BillingPeriodStartDate,ServiceFamily\n"
    "sub,WestUS2,11/2/2026,VM,Virtual Machines,D2 v3,1 Hour,1,0.08,vm1,,Usage,Reservation,b,EUR,11/1/2026,Compute\n"
    "sub,WestUS2,11/2/2026,VM,Virtual Machines,D2 v3 Low Priority,1 Hour,1,0.02,vm2,,Usage,OnDemand,b,EUR,"
    "11/1/2026,Compute\n"
    "sub,WestUS2,11/2/2026,SQL,SQL Database,vCore Spot,1 Hour,1,0.5,db,,Usage,OnDemand,b,EUR,11/1/2026,Databases\n"
)


def test_azure_amortized_bills_nothing_for_committed_use_and_only_machines_are_spot(tmp_path: Path) -> None:
    row = bring_in_text(tmp_path, AZURE, name="cost-Amortized.csv")
    found = {charge.resource: charge for charge in Charge.objects.all()}

    assert row.format == "azure_amortized"
    assert (found["vm1"].billed, found["vm1"].effective) == (Decimal(0), Decimal("0.08"))
    assert {key: found[key].is_spot for key in found} == {"vm1": False, "vm2": True, "db": False}
    assert (found["vm2"].instance_type, found["vm2"].baseline) == ("D2 v3", None)

    bring_in_text(tmp_path, AZURE + "\n", name="cost-actual.csv", origin="test")
    assert Charge.objects.get(origin="test", resource="vm1").billed == Decimal("0.08")


GCP_FLAT = (
    "billing_account_id,service.description,sku.description,usage_start_time,usage_end_time,project.id,"
    "location.region,location.zone,cost,currency,usage.amount_in_pricing_units,usage.pricing_unit,invoice.month,"
    "cost_type,credits,labels\n"
)
GCP_HOUR = "2026-11-02 03:00:00 UTC,2026-11-02 04:00:00 UTC,proj,us-central1,us-central1-a"
GCP_CREDIT = '"[{""name"": ""Sustained use"", ""amount"": -0.5}]"'
GCP_LABELS = '"[{""key"": ""app"", ""value"": ""checkout""}]"'


@pytest.mark.parametrize(
    ("sku", "is_spot"),
    [
        ("Spot Preemptible N2 Instance Core running in Iowa", True),
        ("Preemptible N1 Instance Ram running in Iowa", True),
        ("Nvidia T4 GPU attached to Spot Preemptible VMs running in Iowa", True),
        ("N2 Instance Core running in Iowa", False),
        ("Commitment v1: N2 Cpu in Iowa", False),
    ],
)
def test_google_cloud_tells_spot_by_its_sku(tmp_path: Path, sku: str, is_spot: bool) -> None:
    line = f"acct,Compute Engine,{sku},{GCP_HOUR},2,USD,4,hour,202611,regular,{GCP_CREDIT},{GCP_LABELS}\n"
    row = bring_in_text(tmp_path, GCP_FLAT + line)
    charge = Charge.objects.get()

    assert (row.format, charge.is_spot, charge.baseline) == ("gcp_export", is_spot, None)
    assert (charge.billed, charge.effective) == (Decimal(2), Decimal("1.5"))
    assert (charge.account, charge.region, charge.tags) == ("proj", "us-central1", {"app": "checkout"})
    assert charge.spot_cost == (Decimal(2) if is_spot else None)


def test_googles_nested_export_reads_like_the_flat_one(tmp_path: Path) -> None:
    path = tmp_path / "export.parquet"
    duckdb.sql(
        "COPY (SELECT 'acct' AS billing_account_id, {'id': '1', 'description': 'Compute Engine'} AS service,"
        " {'id': '2', 'description': 'Spot Preemptible N2 Instance Core'} AS sku,"
        " TIMESTAMPTZ '2026-11-02 03:00:00+00' AS usage_start_time, {'id': 'proj'} AS project,"
        " {'region': 'us-central1', 'zone': 'us-central1-a'} AS location, 0.25::DECIMAL(18, 6) AS cost,"
        " 'USD' AS currency, {'month': '202611'} AS invoice, 'regular' AS cost_type,"
        f" [{{'key': 'app', 'value': 'checkout'}}] AS labels) TO '{path}' (FORMAT parquet)"
    )
    row = bring_in_text(tmp_path, path.read_bytes(), name="export.parquet")
    charge = Charge.objects.get()

    assert (row.state, row.format) == (ImportState.DONE, "gcp_export")
    assert (charge.is_spot, charge.billed) == (True, Decimal("0.25"))
    assert charge.charge_started_at.isoformat() == "2026-11-02T03:00:00+00:00"
    assert (charge.account, charge.region, charge.tags) == ("proj", "us-central1", {"app": "checkout"})


def test_parquet_gzip_and_csv_of_the_same_rows_are_the_same_charges(tmp_path: Path) -> None:
    rows = [focus_row(BilledCost="0.123456789012345678"), focus_row()]
    text = focus_csv(*rows)
    (tmp_path / "a.csv").write_text(text)
    duckdb.sql(
        f"COPY (SELECT * REPLACE (BilledCost::DECIMAL(30, 18) AS BilledCost, MAP {{'app': 'checkout'}} AS Tags)"
        f" FROM read_csv('{tmp_path / 'a.csv'}', all_varchar = true)) TO '{tmp_path / 'a.parquet'}' (FORMAT parquet)"
    )
    bring_in_text(tmp_path, text, name="bill.csv")
    bring_in_text(tmp_path, gzip.compress(text.encode()), name="bill.csv.gz", origin="test")
    bring_in_text(tmp_path, (tmp_path / "a.parquet").read_bytes(), name="bill.parquet", origin="drill")

    def charges(origin: str) -> list[dict[str, Any]]:
        left_out = {"id", "origin", "billing_import_id", "file_sha256"}
        found = Charge.objects.filter(origin=origin).order_by("line").values()
        return [{key: value for key, value in each.items() if key not in left_out} for each in found]

    assert charges("live")[0]["billed"] == Decimal("0.123456789012345678")
    assert charges("live") == charges("test") == charges("drill")
    assert json.dumps(charges("live")[0]["tags"]) == '{"app": "checkout"}'


def test_a_later_focus_names_the_provider_otherwise(tmp_path: Path) -> None:
    row = bring_in_text(tmp_path, focus_csv(focus_row()).replace("ProviderName", "ServiceProviderName"))
    assert (row.state, Charge.objects.get().provider) == (ImportState.DONE, "AWS")


@pytest.mark.parametrize(
    ("fields", "is_spot"),
    [
        ({}, True),
        ({"ChargeDescription": "Amazon EC2"}, True),
        ({"PricingCategory": "dynamic", "ChargeCategory": "USAGE", "ServiceCategory": "COMPUTE"}, True),
        ({"ServiceCategory": "Storage"}, True),
        ({"ServiceCategory": "Storage", "ChargeDescription": "EBS"}, False),
        ({"ServiceCategory": "Databases", "ServiceName": "Amazon RDS"}, False),
        ({"ChargeCategory": "Credit"}, False),
        ({"PricingCategory": "Standard", "ChargeDescription": "m5.large"}, False),
        (
            {"PricingCategory": "Standard", "ChargeDescription": "x", "x_UsageType": "EU-SpotUsage:m5.large"},
            True,
        ),
        ({"ProviderName": "Oracle"}, False),
        ({"ProviderName": "Google", "ChargeDescription": "Dynamic compute"}, False),
        ({"ProviderName": "Microsoft", "x_PricingSubcategory": "Spot"}, True),
        ({"ProviderName": "Microsoft", "SkuMeter": "D4s v5 Spot"}, True),
        ({"ProviderName": "Microsoft", "SkuMeter": "D4s v5"}, False),
    ],
)
def test_which_row_is_spot_compute(tmp_path: Path, fields: dict[str, str], is_spot: bool) -> None:
    bring_in_text(tmp_path, focus_csv(focus_row(**fields)))
    assert Charge.objects.get().is_spot is is_spot


@pytest.mark.parametrize(
    ("billed", "effective", "listed", "cost", "is_repaired", "baseline"),
    [
        ("1.5", "1.5", "4", "1.5", False, "4"),
        ("1.5", "0", "4", "1.5", True, "4"),
        ("1.5", "1.5074", "4", "1.5074", False, "4"),
        ("1.5", "1.5076", "4", "1.5", True, "4"),
        ("0.0000001", "0", "1", "0", False, "1"),
        ("1.5", "1.5", "0", "1.5", False, None),
        ("1.5", "1.5", "0.74", "1.5", False, None),
        ("1.5", "1.5", "0.75", "1.5", False, "0.75"),
        ("1.5", "1.5", "", "1.5", False, None),
        ("1.5", "", "4", "1.5", False, "4"),
        ("-1.5", "-1.5", "4", "-1.5", False, "4"),
    ],
)
def test_what_a_spot_row_cost_and_what_it_is_measured_against(
    tmp_path: Path,
    billed: str,
    effective: str,
    listed: str,
    cost: str,
    is_repaired: bool,
    baseline: str | None,
) -> None:
    bring_in_text(tmp_path, focus_csv(focus_row(BilledCost=billed, EffectiveCost=effective, ListCost=listed)))
    charge = Charge.objects.get()
    assert (charge.spot_cost, charge.is_repaired) == (Decimal(cost), is_repaired)
    assert charge.baseline == (None if baseline is None else Decimal(baseline))
