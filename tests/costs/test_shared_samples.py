"""Every published bill beside the project gives its published totals, to the digit."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, F, QuerySet, Sum

from console.costs.models import BillingImport, Charge, ImportState, Mode
from tests.make_costs import bring_in

SHARED = Path(os.environ.get("CONSOLE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
COSTS = SHARED / "costs"
EXPECTED: dict[str, Any] = (
    json.loads((COSTS / "expected.json").read_text()) if (COSTS / "expected.json").exists() else {}
)
FOCUS = [name for name in EXPECTED.get("files", {}) if name.startswith("focus")]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not EXPECTED, reason=f"no published samples at {COSTS}"),
]
COLUMNS = {
    "provider": "provider",
    "pricing": "pricing_category",
    "region": "region",
    "charge": "charge_category",
}


def sums(charges: QuerySet[Charge], *by: str) -> dict[Any, dict[str, Any]]:
    found = charges.values(*by).annotate(
        rows=Count("pk"), billed_sum=Sum("billed"), effective_sum=Sum("effective"), list_sum=Sum("list")
    )
    return {each[by[0]] or "(none)" if by else "": each for each in found}


def assert_sums(found: dict[str, Any], told: dict[str, Any]) -> None:
    assert found["rows"] == told["rows"]
    for name in ("billed", "effective", "list"):
        assert found[f"{name}_sum"] == Decimal(told[name]), name


@pytest.mark.parametrize("name", FOCUS)
def test_a_focus_file_gives_its_rows_defects_and_sums_by_each_dimension(name: str) -> None:
    told = EXPECTED["files"][name]
    (row,) = bring_in(COSTS / name)
    charges = Charge.objects.counted(origin="live")

    assert (row.state, row.row_count, row.rejected_count) == (
        ImportState.DONE,
        told["rows"],
        told["rejected"],
    )
    assert row.defect_counts == told["soft"]
    assert_sums(sums(charges.values("origin"), "origin")["live"], told["all"])
    for dimension, column in COLUMNS.items():
        found = sums(charges, column)
        assert set(found) == set(told["by"][dimension])
        for key, values in told["by"][dimension].items():
            assert_sums(found[key], values)


@pytest.mark.parametrize("name", FOCUS)
def test_a_focus_file_gives_its_spot_rows_cost_baseline_and_gross(name: str) -> None:
    told = EXPECTED["files"][name]["spot"]
    bring_in(COSTS / name)
    spot = Charge.objects.filter(is_spot=True)

    assert spot.count() == told["rows"]
    if not told["rows"]:
        return
    total = spot.aggregate(
        billed_sum=Sum("billed"),
        raw=Sum("effective"),
        cost=Sum("spot_cost"),
        base=Sum("baseline"),
        gross=Sum(F("baseline") - F("spot_cost")),
    )
    assert total == {
        "billed_sum": Decimal(told["billed"]),
        "raw": Decimal(told["effective_raw"]),
        "cost": Decimal(told["spot_cost"]),
        "base": Decimal(told["baseline_list"]),
        "gross": Decimal(told["gross_savings"]),
    }
    assert round(total["gross"] / total["base"], 6) == Decimal(told["gross_rate"])
    assert spot.filter(is_repaired=True).count() == told["repaired"]
    by_region = {
        each["region"]: {"rows": each["n"], "spot_cost": each["cost"], "list": each["base"]}
        for each in spot.values("region").annotate(n=Count("pk"), cost=Sum("spot_cost"), base=Sum("baseline"))
    }
    assert by_region == {
        region: {"rows": each["rows"], "spot_cost": Decimal(each["spot_cost"]), "list": Decimal(each["list"])}
        for region, each in told["by_region"].items()
    }


@pytest.mark.parametrize("name", EXPECTED.get("corrections_without_defaults", {}))
def test_a_file_without_provider_and_currency_is_rejected_row_by_row_unless_they_are_supplied(
    name: str,
) -> None:
    told = EXPECTED["corrections_without_defaults"][name]
    (row,) = bring_in(COSTS / "corrections" / name)
    assert (row.state, row.row_count, row.rejected_count) == (
        ImportState.REFUSED,
        told["rows"],
        told["rejected"],
    )
    assert row.rejected_rows.count() == told["rejected"]
    assert not Charge.objects.exists()

    (again,) = bring_in(COSTS / "corrections" / name, provider="Example", currency="USD")
    assert again.state == ImportState.DONE
    assert_sums(sums(Charge.objects.all(), "origin")["live"], EXPECTED["files"][f"corrections/{name}"]["all"])


@pytest.mark.parametrize("told", EXPECTED.get("import_sequences", []))
def test_files_one_after_another_end_in_the_published_sums(told: dict[str, Any]) -> None:
    for name in told["files"]:
        bring_in(
            COSTS / "corrections" / name,
            mode=Mode(told["mode"]),
            provider="Example",
            currency="USD",
            is_restatement_confirmed=True,
        )
    charges = Charge.objects.counted(origin="live")
    result = told["result"]
    for field, name in (("billed", "billed"), ("effective", "effective"), ("list", "list")):
        if name in result:
            assert charges.aggregate(n=Sum(field))["n"] == Decimal(result[name])
    if "pricing_quantity" in result:
        assert charges.aggregate(n=Sum("quantity"))["n"] == Decimal(result["pricing_quantity"])
    by_resource = {
        each["resource"]: {"billed": each["b"], "list": each["l"]}
        for each in charges.values("resource").annotate(b=Sum("billed"), l=Sum("list"))
    }
    for resource, values in result.get("by_resource", {}).items():
        assert by_resource[resource] == {key: Decimal(value) for key, value in values.items()}
    _assert_months(charges, result)


def _assert_months(charges: QuerySet[Charge], result: dict[str, Any]) -> None:
    if "by_billing_period" not in result:
        return
    billing: dict[str, Decimal] = defaultdict(Decimal)
    charged: dict[str, Decimal] = defaultdict(Decimal)
    for charge in charges:
        billing[f"{charge.billing_month:%Y-%m}"] += charge.billed
        charged[f"{charge.charge_started_at:%Y-%m}"] += charge.billed
    assert billing == {key: Decimal(each["billed"]) for key, each in result["by_billing_period"].items()}
    assert charged == {key: Decimal(each["billed"]) for key, each in result["by_charge_month"].items()}
    corrections = charges.filter(charge_class="Correction")
    assert corrections.count() == result["charge_class_correction_rows"]


def test_the_azure_file_gives_its_sums_and_no_saving() -> None:
    told = EXPECTED["files"]["azure-ea-actual-cad.csv"]
    (row,) = bring_in(COSTS / "azure-ea-actual-cad.csv")
    charges = Charge.objects.all()

    assert (row.format, row.row_count, row.rejected_count) == ("azure_actual", told["rows"], told["rejected"])
    assert charges.aggregate(n=Sum("billed"))["n"] == Decimal(told["total_cost"])
    assert list(charges.values_list("currency", flat=True).distinct()) == told["currency"]
    by_pricing = sums(charges, "pricing_category")
    for model, category in (("OnDemand", "Standard"), ("Spot", "Dynamic")):
        assert by_pricing[category]["rows"] == told["by_pricing_model"][model]["rows"]
        assert by_pricing[category]["billed_sum"] == Decimal(told["by_pricing_model"][model]["cost"])
    assert {key: (each["rows"], each["billed_sum"]) for key, each in sums(charges, "region").items()} == {
        key: (each["rows"], Decimal(each["cost"])) for key, each in told["by_region"].items()
    }
    spot = charges.filter(is_spot=True)
    assert spot.aggregate(hours=Sum("quantity"), cost=Sum("spot_cost")) == {
        "hours": Decimal(told["spot"]["hours"]),
        "cost": Decimal(told["spot_savings"]["spot_spend_without_baseline"]),
    }
    assert sorted(spot.values_list("instance_type", "baseline")) == [
        ("DS4 v2", None),
        ("L4s", None),
        ("L4s", None),
    ]


def test_the_legacy_cost_and_usage_report_gives_its_sums_and_no_spot() -> None:
    told = EXPECTED["files"]["aws-cur-legacy-nospot.csv"]
    (row,) = bring_in(COSTS / "aws-cur-legacy-nospot.csv")
    charges = Charge.objects.all()

    assert (row.format, row.row_count, row.rejected_count) == ("aws_cur", told["rows"], told["rejected"])
    assert charges.aggregate(n=Sum("billed"))["n"] == Decimal(told["total_unblended"])
    by_type = sums(charges, "charge_category")
    for kind, each in told["by_line_item_type"].items():
        assert by_type[kind]["rows"] == each["rows"]
        assert by_type[kind]["billed_sum"] == Decimal(each["unblended"])
        assert by_type[kind]["list_sum"] == Decimal(each["public_on_demand"])
    assert {key: (each["rows"], each["billed_sum"]) for key, each in sums(charges, "region").items()} == {
        key: (each["rows"], Decimal(each["unblended"])) for key, each in told["by_region"].items()
    }
    assert charges.filter(is_spot=True).count() == told["spot_rows"]


@pytest.mark.parametrize("name", EXPECTED.get("spot_data_feed", {}))
def test_a_spot_data_feed_gives_account_hour_machine_and_price(name: str) -> None:
    told = EXPECTED["spot_data_feed"][name]
    (row,) = bring_in(COSTS / name)
    charge = Charge.objects.get()

    assert (row.format, row.row_count) == ("aws_spot_feed", told["rows"])
    assert charge.instance_type == told["instance_type"]
    assert (charge.region, charge.currency) == (told["region"], told["currency"])
    assert charge.spot_cost == Decimal(told["charge"])
    assert Decimal(charge.extra["x_MaxPrice"].split()[0]) == Decimal(told["max_price"])
    if "hour" in told:
        assert charge.charge_started_at.isoformat() == told["hour"].replace("Z", "+00:00")
        assert charge.account == told["account"]


def test_the_command_imports_prints_a_report_and_fails_where_a_file_was_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("import_billing", str(COSTS / "focus-1.0-aws-dynamic.csv"))
    said = capsys.readouterr().out
    assert "FOCUS, 300 rows, 0 rejected" in said
    assert "USD: billed 99.970821736, effective 77" in said
    assert "6 spot rows" in said

    with pytest.raises(CommandError, match="ProviderName is missing"):
        call_command("import_billing", str(COSTS / "corrections" / "open-previous-1-original.csv"))
    assert BillingImport.objects.filter(state=ImportState.REFUSED).count() == 1
