"""Which machine a message speaks of, decided on names alone. Pure: no database, no clock.

A machine has names: an instance id (of a provider and account), node names (of a cluster, each life
told apart by the node's uid), a provider id, the claim that Karpenter made it for. Messages give some of
them, often with parts missing. A name leads to a machine unless something the message says contradicts
what the machine is known by: another instance id, another uid of the same node name, another cluster,
account or provider. A node name alone is only believed within `NAME_LIFE` of when the machine was seen:
names are used again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from console.fleet.azure_names import is_arm_id, node_of_resource, resource_name, resource_of_node

NAME_LIFE = timedelta(days=14)


class Identity(NamedTuple):
    """The names one message gives. Unknown is the empty string."""

    provider: str
    account: str
    instance_id: str
    cluster: str
    node_name: str
    node_uid: str
    provider_id: str
    node_claim: str = ""


class Name(NamedTuple):
    """One row of `MachineAlias`. Unknown provider is None, other unknown parts are empty."""

    kind: str
    value: str
    provider: str | None
    scope: str
    uid: str


def look_ups(who: Identity) -> list[tuple[str, str]]:
    """Every (kind, value) under which the machine of a message may be known, what says most first.

    An Azure machine is also known by its resource's name, and an AKS node by its scale set and index.
    """
    found = [("instance", who.instance_id)]
    if who.provider == "azure" and who.instance_id:
        name = resource_name(who.instance_id)
        found += [("instance", name), ("node", node_of_resource(name) or "")]
    found += [("provider_id", who.provider_id), ("claim", who.node_claim)]
    if who.node_name:
        found += [("node", who.node_name), ("instance", resource_of_node(who.node_name) or "")]
    return [pair for pair in dict.fromkeys(found) if pair[1]]


def names_of(identity: Identity) -> list[Name]:
    """The names to keep: what was said, and the loose form that a message with less would use.

    The loose form also makes two workers that learn of one machine at once meet on a unique key.
    """
    who = identity
    names: list[Name] = []
    if who.instance_id:
        names.append(Name("instance", who.instance_id, None, "", ""))
        if who.provider or who.account:
            names.append(Name("instance", who.instance_id, who.provider or None, who.account, ""))
        if who.provider == "azure" and is_arm_id(who.instance_id):
            names.append(Name("instance", resource_name(who.instance_id), None, "", ""))
    if who.node_name:
        names.append(Name("node", who.node_name, None, "", ""))
        if who.cluster or who.node_uid:
            names.append(Name("node", who.node_name, None, who.cluster, who.node_uid))
    if who.provider_id:
        names.append(Name("provider_id", who.provider_id, None, "", ""))
    if who.node_claim:
        names.append(Name("claim", who.node_claim, None, "", ""))
        if who.cluster:
            names.append(Name("claim", who.node_claim, None, who.cluster, ""))
    return names


@dataclass(slots=True, eq=False)
class Known:
    """A machine and everything it is known by. New machines have no id yet."""

    id: int | None
    first_seen_at: datetime
    last_seen_at: datetime
    instances: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Instance id to the (provider, account) pairs it came with; unknown parts are empty."""
    nodes: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Node name to its (cluster, uid) pairs."""
    claims: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """NodeClaim to its (cluster, "") pairs: a claim is one machine for as long as it lives."""
    provider_ids: set[str] = field(default_factory=set)
    names: set[Name] = field(default_factory=set)
    learnt: list[Name] = field(default_factory=list)
    merged_into: Known | None = None

    def final(self) -> Known:
        """The machine that this one has become."""
        found = self
        while found.merged_into is not None:
            found = found.merged_into
        return found

    def hold(self, name: Name) -> None:
        """Take in one name that is this machine's."""
        self.names.add(name)
        if name.kind == "instance":
            self.instances.setdefault(name.value, set()).add((name.provider or "", name.scope))
        elif name.kind == "node":
            self.nodes.setdefault(name.value, set()).add((name.scope, name.uid))
        elif name.kind == "claim":
            self.claims.setdefault(name.value, set()).add((name.scope, ""))
        else:
            self.provider_ids.add(name.value)

    def contradicts(self, who: Identity) -> bool:
        """Whether the message speaks of another machine than this. An instance id decides alone:
        a machine that was started again is a node with another uid, and still the same machine.
        """
        if who.instance_id and self.instances:
            homes = self._homes(who.instance_id)
            return homes is None or not _agree(who.provider, who.account, homes)
        if self.instances and (who.provider or who.account) and not self._is_at(who):
            return True
        if who.node_name and (lives := self.nodes.get(who.node_name)):
            return not _agree(who.cluster, _telling_uid(who), lives)
        if who.node_claim and (homes := self.claims.get(who.node_claim)):
            return not _agree(who.cluster, "", homes)
        return False

    def _homes(self, instance_id: str) -> set[tuple[str, str]] | None:
        """Where this id is at home. An ARM id and its resource's name are one, two ARM ids are not."""
        homes = self.instances.get(instance_id)
        if homes is not None or not is_arm_id(instance_id) or any(map(is_arm_id, self.instances)):
            return homes
        return self.instances.get(resource_name(instance_id))

    def _is_at(self, who: Identity) -> bool:
        """A name means a machine of its own account: two projects may use one name."""
        return any(_agree(who.provider, who.account, homes) for homes in self.instances.values())

    def may_be(self, other: Known) -> bool:
        """Whether two machines may be one: neither instance ids nor node lives disagree."""
        if self.instances and other.instances:
            return any(
                _agree(provider, account, other.instances[shared])
                for shared in self.instances.keys() & other.instances.keys()
                for provider, account in self.instances[shared]
            )
        for name in self.nodes.keys() & other.nodes.keys():
            mine = {uid for _, uid in self.nodes[name] if uid}
            theirs = {uid for _, uid in other.nodes[name] if uid}
            if mine and theirs and not mine & theirs and not resource_of_node(name):
                return False
        return True

    def lived_at(self, at: datetime) -> bool:
        return self.first_seen_at - NAME_LIFE <= at <= self.last_seen_at + NAME_LIFE


def _telling_uid(who: Identity) -> str:
    """The uid, where it tells one machine of this node name from another. An AKS node is named after its place in
    the scale set, which is the machine to Azure: a new uid there is another life of it, and events decide.
    """
    return "" if resource_of_node(who.node_name) else who.node_uid


def _agree(first: str, second: str, pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether the two parts fit what is known of each; what is unknown on either side fits."""
    firsts = {one for one, _ in pairs if one}
    seconds = {two for _, two in pairs if two}
    return (not first or not firsts or first in firsts) and (not second or not seconds or second in seconds)


class Register:
    """The machines that a batch may speak of, found by name; it grows while the batch is read."""

    def __init__(self) -> None:
        self.by_name: dict[tuple[str, str], list[Known]] = defaultdict(list)
        self.taken: dict[Name, Known | None] = {}
        """Whose each stored name is; None where its machine is long gone and the name is free to move."""
        self.machines: list[Known] = []
        self.merges: list[tuple[Known, Known]] = []

    def add(self, machine: Known, names: Iterable[Name]) -> None:
        self.machines.append(machine)
        for name in names:
            self._give(machine, name)

    def recall(self, machine: Known, *, node_name: str, cluster: str) -> None:
        """Let a stored machine be found by the node name in its row: several may have borne it."""
        if node_name and node_name not in machine.nodes:
            machine.nodes[node_name] = {(cluster, "")}
            self.by_name["node", node_name].append(machine)

    def _give(self, machine: Known, name: Name) -> None:
        machine.hold(name)
        self.taken[name] = machine
        found = self.by_name[name.kind, name.value]
        if machine not in found:
            found.append(machine)

    def find(self, who: Identity, *, at: datetime) -> Known:
        """The machine of these names, made or joined together as needed, and taught the new ones."""
        found = [
            machine
            for kind, value in look_ups(who)
            if (machine := self._best(kind, value, who, at)) is not None
        ]
        machine = found[0] if found else self._new(at)
        for other in found[1:]:
            machine = self._join(machine, other)
        machine.first_seen_at = min(machine.first_seen_at, at)
        machine.last_seen_at = max(machine.last_seen_at, at)
        self._teach(machine, who)
        return machine

    def _best(self, kind: str, value: str, who: Identity, at: datetime) -> Known | None:
        listed = self.by_name.get((kind, value))
        if not listed:
            return None
        fits = {one for each in listed if not (one := each.final()).contradicts(who)}
        if kind == "node":
            fits = {one for one in fits if one.lived_at(at) or _shares_life(one, who)}
        if len(fits) < 2:
            return next(iter(fits), None)
        return max(fits, key=lambda one: _likelihood(one, kind, who, at))

    def _new(self, at: datetime) -> Known:
        machine = Known(None, at, at)
        self.machines.append(machine)
        return machine

    def _join(self, one: Known, other: Known) -> Known:
        if one is other or not one.may_be(other):
            return one
        kept, merged = (one, other) if _age(one) <= _age(other) else (other, one)
        merged.merged_into = kept
        self.merges.append((kept, merged))
        for name in merged.names:
            self._give(kept, name)
        kept.learnt += merged.learnt
        kept.first_seen_at = min(kept.first_seen_at, merged.first_seen_at)
        kept.last_seen_at = max(kept.last_seen_at, merged.last_seen_at)
        return kept

    def _teach(self, machine: Known, who: Identity) -> None:
        for name in names_of(who):
            if name in machine.names:
                continue
            holder = self.taken.get(name)
            is_loose = name.provider is None and not name.scope and not name.uid
            if is_loose and holder is not None and holder.final() is not machine:
                machine.hold(name)  # the loose form stays with whoever had it first
                self.by_name[name.kind, name.value].append(machine)
                continue
            self._give(machine, name)
            machine.learnt.append(name)


def _age(machine: Known) -> tuple[int, datetime]:
    """Older machines sort first; those without an id are the youngest."""
    return (machine.id if machine.id is not None else 1 << 62, machine.first_seen_at)


def _shares_life(machine: Known, who: Identity) -> bool:
    if who.instance_id and who.instance_id in machine.instances:
        return True
    return bool(who.node_uid) and any(uid == who.node_uid for _, uid in machine.nodes.get(who.node_name, ()))


def _likelihood(
    machine: Known, kind: str, who: Identity, at: datetime
) -> tuple[bool, bool, bool, datetime, int]:
    """Same life first, then the same place, then alive at the time, then the newest."""
    if kind == "instance":
        same_place = (who.provider, who.account) in machine.instances.get(who.instance_id, ())
    else:
        lives = machine.nodes.get(who.node_name, ())
        same_place = bool(who.cluster) and any(scope == who.cluster for scope, _ in lives)
    return (
        _shares_life(machine, who),
        same_place,
        machine.first_seen_at <= at,
        machine.first_seen_at,
        machine.id or 0,
    )
