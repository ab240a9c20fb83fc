"""What spot saved: every figure is the sum of the rows it opens, and nothing is claimed that no price supports."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Count, Sum
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from console.accounts.models import Role
from console.costs.models import AccountService, Charge, DailyCost, Mode
from tests.make_accounts import make_user
from tests.make_costs import bring_in_rows, bring_in_text, focus_row
from tests.make_fleet import make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user("viewer", role=Role.VIEWER))
    return client


def text(response: Any) -> str:
    return response.content.decode()  # type: ignore[no-any-return]


def table(client: Client, page: str = "cost_overview", **query: str) -> list[dict[str, str]]:
    answer = client.get(reverse(f"costs:{page}"), {"format": "csv", **query})
    return list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))  # type: ignore[attr-defined]


ROWS = [
    focus_row(),
    focus_row(BilledCost="6", EffectiveCost="6", ListCost="5"),
    focus_row(Tags='{"APP": "Search API"}', RegionId="us-east-1", AvailabilityZone="", SubAccountId="2"),
    focus_row(Tags="{}", SubAccountId="3", ListCost=""),
    focus_row(Tags="{}", SubAccountId="4", ChargePeriodStart="2026-10-31T23:00:00Z"),
    focus_row(Tags="{}", BillingCurrency="EUR", BillingAccountId="eur"),
    focus_row(ChargeCategory="Tax", BilledCost="9", Tags="{}"),
]


def test_gross_by_service_keeps_losses_apart_currencies_and_rows_without_a_price(
    client: Client, tmp_path: Path
) -> None:
    bring_in_rows(tmp_path, ROWS)
    found = {(line["currency"], line["key"]): line for line in table(client)}

    assert set(found) == {
        ("EUR", "unattributed"),
        ("USD", "checkout"),
        ("USD", "search-api"),
        ("USD", "unattributed"),
    }
    checkout = found["USD", "checkout"]
    assert [Decimal(checkout[name]) for name in ("spot_cost", "baseline", "billed")] == [
        Decimal("7.5"),
        Decimal(9),
        Decimal("7.5"),
    ]
    assert Decimal(checkout["gross"]) == Decimal("1.5")
    nobody = found["USD", "unattributed"]
    assert (nobody["gross_rate"], nobody["rows_without_baseline"]) == ("", "1")
    assert Decimal(nobody["cost_without_baseline"]) == Decimal("1.5")
    assert Decimal(nobody["billed"]) == Decimal("10.5")
    assert round(Decimal(nobody["spot_share"]), 6) == round(Decimal("1.5") / Decimal("10.5"), 6)
    html = text(client.get(reverse("costs:cost_overview")))
    assert "without a known on-demand price" in html
    assert html.index("In EUR") < html.index("In USD")


@pytest.mark.parametrize("by", ["service", "team", "provider", "region", "account", "period"])
def test_every_figure_is_the_sum_of_the_rows_it_opens(client: Client, tmp_path: Path, by: str) -> None:
    make_service(name="Checkout", slug="checkout")
    bring_in_rows(tmp_path, ROWS)
    lines = table(client, by=by, month="all")
    assert sum(int(line["rows"]) for line in lines) == len(ROWS)
    for line in lines:
        narrowed = {"month" if by == "period" else by: line["key"], "currency": line["currency"]}
        rows = table(client, "charge_list", **{"month": "all"} | narrowed)
        assert len(rows) == int(line["rows"])
        assert sum(Decimal(row["billed"]) for row in rows) == Decimal(line["billed"])
        gross = sum(Decimal(row["gross"]) for row in rows if row["gross"])
        assert gross == Decimal(line["gross"])
        for spot, column in (("priced", "spot_cost"), ("unpriced", "cost_without_baseline")):
            opened = table(client, "charge_list", **{"month": "all", "spot": spot} | narrowed)
            assert sum(Decimal(row["spot_cost"]) for row in opened) == Decimal(line[column])


def test_months_by_use_and_by_bill(client: Client, tmp_path: Path) -> None:
    bring_in_rows(tmp_path, ROWS)
    by_use = table(client, by="period", month="2026-10")
    assert [(line["key"], line["rows"]) for line in by_use] == [("2026-10", "1")]
    by_bill = table(client, by="period", month="2026-11", view="billing")
    assert sorted((line["currency"], line["rows"]) for line in by_bill) == [("EUR", "1"), ("USD", "6")]


def test_an_account_names_the_service_where_no_tag_does(tmp_path: Path) -> None:
    AccountService.objects.create(cloud="aws", account="111122223333", service="billing")
    bring_in_rows(tmp_path, [focus_row(Tags="{}"), focus_row(), focus_row(Tags="{}", SubAccountId="9")])
    found = Charge.objects.order_by("line").values_list("service", flat=True)
    assert list(found) == ["billing", "checkout", "unattributed"]


def test_daily_sums_are_those_of_the_rows_in_force_whatever_came_after(tmp_path: Path) -> None:
    bring_in_rows(tmp_path, ROWS)
    bring_in_rows(tmp_path, [focus_row(BilledCost="70")], mode=Mode.REPLACE)
    counted = Charge.objects.counted(origin="live")
    days = DailyCost.objects.filter(origin="live")
    assert days.aggregate(n=Sum("rows"))["n"] == counted.aggregate(n=Count("pk"))["n"]
    for currency in ("USD", "EUR"):
        mine = [found.filter(currency=currency) for found in (days, counted)]
        assert mine[0].aggregate(n=Sum("billed")) == mine[1].aggregate(n=Sum("billed"))
        baselines = [each.aggregate(n=Sum("baseline"))["n"] or 0 for each in mine]
        assert baselines[0] == baselines[1]


FEED = (
    "#Version: 1.0\n"
    "#Fields: Timestamp UsageType Operation InstanceID MyBidID MyMaxPrice MarketPrice Charge Version\n"
    "2026-11-01 07:13:47 UTC\tSpotUsage:m5.large\tx\ti-1\tsir\t0.05 USD\t0.01 USD\t0.25 USD\t1\n"
)


def test_the_spot_data_feed_counts_until_the_bill_is_there(client: Client, tmp_path: Path) -> None:
    bring_in_text(tmp_path, FEED, name="111122223333.2026-11-01-07.001.x")
    assert [Decimal(line["billed"]) for line in table(client)] == [Decimal("0.25")]
    bring_in_rows(tmp_path, [focus_row()])
    assert sum(Decimal(line["billed"]) for line in table(client)) == Decimal("1.5")
    assert len(table(client, "charge_list")) == 1


def test_a_bill_without_spot_says_so_and_shows_no_rate(client: Client, tmp_path: Path) -> None:
    bring_in_rows(tmp_path, [focus_row(PricingCategory="Standard", ChargeDescription="m5.large")])
    html = text(client.get(reverse("costs:cost_overview")))
    assert "No spot rows in these bills" in html
    assert "0.0 %" not in html


def test_pages_without_a_bill_say_what_to_do_and_read_one_origin(client: Client, tmp_path: Path) -> None:
    bring_in_rows(tmp_path, ROWS, origin="sample")
    assert "No charges here" in text(client.get(reverse("costs:cost_overview")))
    assert "In USD" in text(client.get(reverse("costs:cost_overview"), {"origin": "sample"}))
    assert "No rows" in text(client.get(reverse("costs:charge_list")))


@pytest.mark.parametrize("query", ["month=2026-99", "month=x&by=y&view=z", "cursor=rubbish", "team=nobody"])
def test_an_address_that_cannot_be_read_still_opens(client: Client, tmp_path: Path, query: str) -> None:
    bring_in_rows(tmp_path, ROWS)
    for page in ("cost_overview", "charge_list"):
        assert client.get(f"{reverse(f'costs:{page}')}?{query}").status_code == 200


@pytest.mark.parametrize("count", [1, 40])
def test_the_pages_cost_the_same_however_much_there_is(
    client: Client, tmp_path: Path, count: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    bring_in_rows(
        tmp_path, [focus_row(Tags=f'{{"app": "a{at}"}}', BilledCost=str(at)) for at in range(count)]
    )
    for page in ("cost_overview", "charge_list"):
        with django_assert_max_num_queries(16):
            client.get(reverse(f"costs:{page}"))
