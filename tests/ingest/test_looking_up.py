"""Machines that are only named are asked for at their provider: against a local double of EC2."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import boto3
import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.alerts import pipeline as alerting
from console.alerts.models import AlertEvent, AlertGroup
from console.feeds import lookups
from console.feeds.feed_settings import SenderSettings
from console.feeds.models import Feed, LookupPlace, MachineLookup
from console.feeds.pollers.aws_session import Refused
from console.feeds.pollers.ec2 import Access, Described, Ec2
from console.fleet.models import Machine, RunningInterval
from console.fleet.rule_changes import Draft, add_rule
from console.ingest import looking_up
from console.interruptions.models import Interruption
from console.interruptions.reattributing import follow_machines
from console.lib.sealing import seal
from tests.ingest.hearing import at, aws, hear
from tests.ingest.polling_double import KEY, KEY_ID, double
from tests.make_accounts import make_user
from tests.make_feeds import make_feed
from tests.make_fleet import make_service

ACCOUNT, REGION = "204816327500", "eu-central-1"
"""Of the captured warnings."""
ROLE = f"arn:aws:iam::{ACCOUNT}:role/spot-console"
DIES = """
import django, os, signal; django.setup()
from console.feeds import lookups
from console.ingest import looking_up
from tests.ingest.hearing import at
lookups.settle = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
looking_up.look_up(now=at(20))
"""
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with double() as address:
        yield address


@pytest.fixture
def cloud(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """EC2 with nothing in it, and a console that would ask it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setattr(looking_up, "_open", {})
    own = {"aws_access_key_id": KEY_ID, "aws_secret_access_key": KEY}
    sts = boto3.client("sts", endpoint_url=endpoint, region_name=REGION, **own)
    given = sts.assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    own = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"]}
    return boto3.client(
        "ec2", endpoint_url=endpoint, region_name=REGION, aws_session_token=given["SessionToken"], **own
    )


def launch(cloud: Any, count: int = 1, **tags: str) -> list[str]:
    said = cloud.run_instances(
        ImageId="ami-12c6146b", MinCount=count, MaxCount=count, InstanceType="m5.xlarge",
        Placement={"AvailabilityZone": f"{REGION}b"}, InstanceMarketOptions={"MarketType": "spot"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}]
        if tags else [],
    )  # fmt: skip
    return [one["InstanceId"] for one in said["Instances"]]


def feed_that_looks_up(*lookup: str) -> None:
    known = {"lookup": list(lookup or (ROLE,)), "access_key_id": KEY_ID}
    make_feed(kind="aws-eventbridge", settings=known, sealed={"secret_access_key": seal(KEY)})


def warn(*ids: str, seconds: float = 0) -> None:
    hear([aws("spot-warning-terminate", seconds, machine=one) for one in ids])


def look_up(seconds: float = 20, open_ec2: Callable[[Access], Any] | None = None) -> int:
    looked = looking_up.look_up(now=at(seconds), open_ec2=open_ec2)
    while follow_machines(now=at(seconds)):
        alerting.alert(now=at(seconds))
    return looked


# What it brings ----------------------------------------------------------------------------------
def test_a_machine_that_was_only_named_is_known_seconds_later_and_its_group_says_why(cloud: Any) -> None:
    feed_that_looks_up()
    checkout = make_service(slug="checkout", name="Checkout")
    add_rule(
        Draft(service="checkout", tags={"team": "shop"}),
        origin="live",
        actor=Actor.console("test"),
        now=at(-60),
    )
    first, second = launch(cloud, 2, team="shop")
    warn(first, second)
    assert look_up() == 2
    machine = Machine.objects.get(instance_id=first)
    assert (machine.instance_type, machine.zone, machine.vcpus) == ("m5.xlarge", f"{REGION}b", 4)
    assert (machine.tags, machine.service) == ({"team": "shop"}, checkout)
    assert set(RunningInterval.objects.values_list("lifecycle", flat=True)) == {"spot"}
    interruption = Interruption.objects.get(machine=machine)
    assert interruption.service == checkout
    assert interruption.pool is not None
    left = AlertEvent.objects.get(kind="left")
    assert left.text == f"2 attributed to Checkout by tags learnt at {at(20):%H:%M} UTC"
    opened = AlertEvent.objects.get(group__service=checkout, kind="triggered")
    assert opened.text == f"2 machines, 2 attributed here by tags learnt at {at(20):%H:%M} UTC"
    assert AlertGroup.objects.get(service=checkout).member_count == 2
    assert look_up(30) == 0


def test_what_is_known_in_full_and_what_no_feed_names_the_account_of_is_not_asked_for(cloud: Any) -> None:
    feed_that_looks_up("999988887777")
    (one,) = launch(cloud)
    warn(one)
    assert not MachineLookup.objects.exists()
    feed_that_looks_up()
    assert lookups.want_missed(now=at(30)) == 1, "an account named later is asked about what was missed"
    assert lookups.want_missed(now=at(30)) == 0
    assert look_up(40) == 1
    Machine.objects.update(tags={"a": "b"})
    MachineLookup.objects.all().delete()
    assert lookups.want_missed(now=at(50)) == 0


def test_a_machine_that_stopped_meanwhile_is_described_and_not_taken_for_running(cloud: Any) -> None:
    feed_that_looks_up()
    (one,) = launch(cloud, team="shop")
    cloud.terminate_instances(InstanceIds=[one])
    warn(one)
    assert look_up() == 1
    machine = Machine.objects.get(instance_id=one)
    assert (machine.instance_type, machine.listed_at) == ("m5.xlarge", None)
    assert not RunningInterval.objects.filter(ended_at=None).exists()


# What it does not bring --------------------------------------------------------------------------
def test_what_is_not_known_there_is_left_out_asked_again_twice_and_then_forgotten(cloud: Any) -> None:
    feed_that_looks_up()
    (one,) = launch(cloud)
    gone = "i-0fedcba9876543210"
    warn(one, gone)
    assert look_up(20) == 2
    answers = dict(MachineLookup.objects.values_list("machine__instance_id", "answer"))
    assert answers == {one: "found", gone: "unknown"}
    assert [look_up(seconds) for seconds in (30, 60, 100, 400, 4000)] == [0, 1, 0, 1, 0]
    assert lookups.want_missed(now=at(3000)) == 0
    assert LookupPlace.objects.get().reason == ""
    lookups.want_missed(now=at(3000) + lookups.KEPT + timedelta(days=1))
    assert not MachineLookup.objects.exists()


class Double:
    """EC2 that refuses as it is told, and counts."""

    def __init__(self, *refusals: tuple[str, str]) -> None:
        self.refusals = list(refusals)
        self.asked: list[Sequence[str]] = []

    def __call__(self, access: Access) -> Double:
        return self

    def describe(self, ids: Sequence[str], *, into: Described) -> None:
        self.asked.append(ids)
        into.calls += 1
        if self.refusals:
            raise Refused(*self.refusals.pop(0))
        into.unknown |= set(ids)


def test_a_refusal_is_told_rests_longer_each_time_and_loses_nothing() -> None:
    feed_that_looks_up()
    warn("i-0123456789abcdef0")
    double = Double(
        ("RequestLimitExceeded", "Too fast."), ("UnauthorizedOperation", "No."), ("Throttling", "Again.")
    )
    asked = [look_up(seconds, double) for seconds in (10, 10.5, 11, 12, 13, 16, 17)]
    assert asked == [1, 0, 1, 0, 1, 0, 1]
    assert look_up(18, double) == 0
    place = LookupPlace.objects.get()
    assert (place.reason, place.failure_count, place.asked_at) == ("", 0, at(17))
    assert len(double.asked) == 4


def test_why_it_cannot_be_asked_stands_on_the_feeds_page(cloud: Any, client: Any) -> None:
    feed_that_looks_up()
    warn("i-0123456789abcdef0")
    look_up(10, Double(("UnauthorizedOperation", "You are not authorized to perform ec2:DescribeInstances.")))
    place = LookupPlace.objects.get()
    assert "ec2:DescribeInstances" in place.reason
    assert place.failing_since == at(10)
    client.force_login(make_user(role=Role.VIEWER))
    page = client.get(f"/feeds/{Feed.objects.get(settings__has_key='lookup').slug}/").content.decode()
    assert f'Cannot look machines up in <code class="inline">{ACCOUNT} in {REGION}</code>' in page
    assert "You are not authorized to perform ec2:DescribeInstances." in page


# Pace and batches --------------------------------------------------------------------------------
def test_a_storm_is_asked_for_a_hundred_at_a_time_and_no_faster_than_the_pace() -> None:
    feed_that_looks_up()
    warn(*(f"i-{number:017x}" for number in range(950)))
    double = Double()
    assert looking_up.look_up(now=at(5), open_ec2=double) == 100
    LookupPlace.objects.update(paid_until=at(5) + lookups.PACE * (lookups.BURST - 2))
    asked = [looking_up.look_up(now=at(5), open_ec2=double) for _ in range(4)]
    assert asked == [100, 100, 100, 0], "the bucket is empty"
    assert [looking_up.look_up(now=at(5.25), open_ec2=double) for _ in range(2)] == [100, 0]
    assert {len(ids) for ids in double.asked} == {100}


def test_types_are_asked_for_once_and_ids_that_ec2_names_are_left_out(cloud: Any) -> None:
    client = Ec2(Access(ACCOUNT, REGION, SenderSettings(access_key_id=KEY_ID), ROLE, secret=KEY))
    ids, described = launch(cloud, 2), Described()
    client.describe([*ids, "i-0fedcba9876543210", "i-0fedcba9876543211"], into=described)
    assert {one.instance_id for one in described.found} == set(ids)
    assert described.unknown == {"i-0fedcba9876543210", "i-0fedcba9876543211"}
    again = Described()
    client.describe(ids, into=again)
    assert (again.calls, again.found[0].vcpus) == (1, 4)


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_the_answer_and_the_commit_loses_nothing(cloud: Any) -> None:
    feed_that_looks_up()
    (one,) = launch(cloud, team="shop")
    warn(one)
    url = make_conninfo(settings.DATABASE_URL, dbname=str(connection.settings_dict["NAME"]))
    killed = subprocess.run([sys.executable, "-c", DIES], env={**os.environ, "DATABASE_URL": url}, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert Machine.objects.get(instance_id=one).instance_type == ""
    assert looking_up.look_up(now=at(21)) == 1
    assert Machine.objects.get(instance_id=one).instance_type == "m5.xlarge"
