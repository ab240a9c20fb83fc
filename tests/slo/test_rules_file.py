"""The rule file is one that Prometheus takes, and its alerts ring when the console's rules do."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from console.accounts.models import Role, Scope
from console.slo.models import Objective, PrometheusServer
from console.slo.rules_file import of_origin, rules_file
from tests.make_accounts import make_token, make_user
from tests.make_fleet import NOON, make_service
from tests.make_slo import make_objective

pytestmark = pytest.mark.django_db
with_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
GOOD = 'sum(increase(http_requests_total{code!~"5.."}[1m]))'
TOTAL = "sum(increase(http_requests_total[1m]))"


def asked(**fields: Any) -> Objective:
    server, _ = PrometheusServer.objects.get_or_create(
        name="main", defaults={"base_url": "https://p.example.com", "created_at": NOON}
    )
    known = {
        "source": "prometheus",
        "server": server,
        "good_query": GOOD,
        "total_query": TOTAL,
        "slug": "answers",
    }
    return make_objective(**(known | fields))


def written() -> str:
    return rules_file(of_origin("live"))


def promtool(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)


def fill() -> None:
    asked(service=make_service(slug="web", name='Web "front"', criticality="user_facing"))
    asked(
        service=make_service(slug="etl", criticality="batch"), target_percent=99, planned_burn=2.0,
        good_query='sum(\n  increase(jobs_total{state="done"}[1m])\n)', total_query="sum(increase(jobs_total[1m]))",
    )  # fmt: skip
    make_objective(service=make_service(slug="api", name="Api\nservice"))


@with_promtool
def test_promtool_takes_the_file(tmp_path: Path) -> None:
    fill()
    (tmp_path / "rules.yml").write_text(written())
    told = promtool(tmp_path, "check", "rules", "rules.yml")
    assert told.returncode == 0, told.stderr
    assert "22 rules found" in told.stdout


@with_promtool
def test_a_file_without_objectives_is_taken_too(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(written())
    told = promtool(tmp_path, "check", "rules", "rules.yml")
    assert told.returncode == 0, told.stderr


def test_it_says_what_it_leaves_out() -> None:
    fill()
    text = written()
    assert "# Left out, its counts are pushed to the console: Api service: Answers" in text
    assert text.count("- alert:") == 8
    assert text.count('severity: "page"') == 2
    Objective.objects.filter(service__slug="etl").update(target_percent=90)
    assert "# The fast rule is left out: at 90 % it could never fire." in written()


CASES = [
    # bad in a thousand a minute from minute 0, until minute, asked at, which alerts ring
    ("everything is well", 0, 120, "90m", []),
    ("just above the limit of fast", 14.5, 120, "90m", ["Eviction", "Fast", "Medium"]),
    ("below fast and above medium", 6.1, 420, "400m", ["Eviction", "Medium"]),
    ("above the pace of the eviction rule", 3.1, 120, "90m", ["Eviction"]),
    ("over, and kept for a quarter of an hour", 20, 100, "110m", ["Eviction", "Fast", "Medium"]),
]


@with_promtool
@pytest.mark.parametrize(("name", "bad", "until", "at", "rings"), CASES, ids=[case[0] for case in CASES])
def test_its_alerts_ring_when_the_rules_here_do(
    tmp_path: Path, name: str, bad: float, until: int, at: str, rings: list[str]
) -> None:
    asked(service=make_service(slug="web", criticality="user_facing"))
    (tmp_path / "rules.yml").write_text(written())
    # Ten thousand requests a minute, so that the bad ones are whole numbers; nothing fails after `until`.
    good, failing = 10_000 - bad * 10, bad * 10
    series = [
        {
            "series": 'http_requests_total{code="200"}',
            "values": f"0+{good:g}x{until} {good * until:g}+10000x60",
        },
        {
            "series": 'http_requests_total{code="500"}',
            "values": f"0+{failing:g}x{until} {failing * until:g}+0x60",
        },
    ]
    rules = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": series,
                "promql_expr_test": [
                    {
                        "expr": f'count by (alertname) (ALERTS{{alertstate="firing",alertname="ErrorBudgetBurn{one}"}})',
                        "eval_time": at,
                        "exp_samples": [{"labels": f'{{alertname="ErrorBudgetBurn{one}"}}', "value": 1}]
                        if one in rings
                        else [],
                    }
                    for one in ("Eviction", "Fast", "Medium")
                ],
            }
        ],
    }
    (tmp_path / "tests.yml").write_text(json.dumps(rules))
    told = promtool(tmp_path, "test", "rules", "tests.yml")
    assert told.returncode == 0, told.stdout + told.stderr


def test_people_and_programs_download_it() -> None:
    fill()
    client = Client()
    client.force_login(make_user(role=Role.VIEWER))
    answer = client.get("/slo/rules.yml")
    assert answer["Content-Disposition"] == 'attachment; filename="spot-console-slo.rules.yml"'
    assert answer.content.decode() == written()
    _, secret = make_token(Scope.READ)
    told = Client().get("/api/v1/objectives/prometheus-rules", headers={"Authorization": f"Bearer {secret}"})
    assert (told.status_code, told.content.decode()) == (200, written())
