"""What EC2 knows of machines: type, zone, tags, how they are paid for, and how many vCPUs they have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from console.feeds.feed_settings import SenderSettings
from console.feeds.pollers import aws_session
from console.feeds.pollers.aws_session import Opened, Refused

MOST = 100
"""Machines, or types, of one call."""
_NAMES_IDS = ("InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed")
_ID = re.compile(r"i-[0-9a-zA-Z-]+")
_ENDED = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")
_RUNS = ("pending", "running")


@dataclass(frozen=True, slots=True)
class Access:
    """The way into one account in one region. Two that are equal need no new client."""

    account: str
    region: str
    settings: SenderSettings
    role_arn: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class FoundMachine:
    """A machine as EC2 describes it; what it does not say is empty."""

    instance_id: str
    instance_type: str
    zone: str
    os: str
    is_spot: bool
    is_running: bool
    launched_at: datetime | None
    ended_at: datetime | None
    tags: Mapping[str, str]
    vcpus: int | None


@dataclass(slots=True)
class Described:
    """What one look-up brought. `calls` is what it cost."""

    found: list[FoundMachine] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    calls: int = 0


class Ec2:
    """One account in one region. Used by one thread at a time."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._client: Any = None
        self._renew_at: datetime | None = None
        self._vcpus: dict[str, int] = {}

    def describe(self, ids: Sequence[str], *, into: Described) -> None:
        """Ask for up to `MOST` machines; again without those that EC2 says it does not know.

        Raises CannotPoll. What it cost until then stands in `into` all the same.
        """
        asked = list(ids)
        while asked:
            into.calls += 1
            try:
                answer = aws_session.asking(partial(self._instances, asked))
            except Refused as refusal:
                bad = _named_in(refusal, asked)
                into.unknown |= bad
                asked = [one for one in asked if one not in bad]
                continue
            told = [one for each in answer["Reservations"] for one in each["Instances"]]
            self._learn_types({one["InstanceType"] for one in told if not _own_vcpus(one)}, into)
            into.found += [_found(one, self._vcpus) for one in told]
            into.unknown |= set(asked) - {one["InstanceId"] for one in told}
            return

    def _learn_types(self, names: set[str], into: Described) -> None:
        """A type never changes: it is asked for once, and one that nobody may ask for stays unknown."""
        missing = sorted(names - self._vcpus.keys())[:MOST]
        if not missing:
            return
        into.calls += 1
        try:
            answer = aws_session.asking(lambda: self._ec2().describe_instance_types(InstanceTypes=missing))
        except Refused as refusal:
            if refusal.is_throttle:
                raise
            return
        self._vcpus |= {
            one["InstanceType"]: one["VCpuInfo"]["DefaultVCpus"] for one in answer["InstanceTypes"]
        }

    def _instances(self, ids: Sequence[str]) -> Any:
        return self._ec2().describe_instances(InstanceIds=ids)

    def _ec2(self) -> Any:
        if self._client is None or (self._renew_at is not None and datetime.now(UTC) >= self._renew_at):
            opened = self._open()
            self._client, self._renew_at = opened.client("ec2", tries=1), opened.renew_at
        return self._client

    def _open(self) -> Opened:
        one = self._access
        return aws_session.open_session(
            one.settings, secret=one.secret, role_arn=one.role_arn, region=one.region
        )


def _named_in(refusal: Refused, asked: Sequence[str]) -> set[str]:
    """The machines a refusal is about. One that is about none of them is no answer."""
    bad = set(_ID.findall(refusal.said)) & set(asked) if refusal.code in _NAMES_IDS else set()
    if not bad:
        raise refusal
    return bad


def _own_vcpus(one: Mapping[str, Any]) -> int | None:
    """A machine may have been started with fewer than its type has."""
    said = one.get("CpuOptions") or {}
    return said["CoreCount"] * said["ThreadsPerCore"] if said.get("CoreCount") else None


def _found(one: Mapping[str, Any], vcpus: Mapping[str, int]) -> FoundMachine:
    ended = _ENDED.search(one.get("StateTransitionReason") or "")
    is_running = one.get("State", {}).get("Name") in _RUNS
    is_windows = "windows" in f"{one.get('Platform', '')}{one.get('PlatformDetails', '')}".lower()
    return FoundMachine(
        instance_id=one["InstanceId"],
        instance_type=one.get("InstanceType", ""),
        zone=one.get("Placement", {}).get("AvailabilityZone", ""),
        os="windows" if is_windows else "linux",
        is_spot=one.get("InstanceLifecycle") == "spot",
        is_running=is_running,
        launched_at=one.get("LaunchTime"),
        ended_at=_moment(ended.group(1)) if ended and not is_running else None,
        tags={tag["Key"]: tag.get("Value", "") for tag in one.get("Tags", ())},
        vcpus=_own_vcpus(one) or vcpus.get(one.get("InstanceType", "")),
    )


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
