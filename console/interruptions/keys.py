"""What interruptions are called, and which stored one each new one continues (`feeds.md` section 3).

`reconcile` compares the stored interruptions of a machine with its new partition and says what to write.
An interruption keeps its key as long as it holds the observation that opened it. Where two become one the
older key survives and the other becomes an alias; where one becomes two the part with the opening
observation keeps the key. The number in a key is a label only, and is never given twice.

Where there is room: among stored interruptions that end up in one, the older is the one created first. A
split part gets a new key even if it once had one of its own, for that one is an alias by now. A stored
interruption whose opening observation is not among those given is found by its native id; failing that it
has vanished, and the caller decides (it cannot happen while observations are kept).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from console.interruptions.partition import Partition, Reclaim


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine's keys are made of. `resource` is the instance id, the numeric id, the ARM id, or
    the node name where no more is known; `azure_resource` is the name under which an EventId lists it."""

    provider: str = ""
    account: str = ""
    region: str = ""
    resource: str = ""
    azure_resource: str = ""

    def numbered(self, ordinal: int) -> str:
        if self.provider == "azure":
            return f"azure:{self.resource.lower() or '-'}:{ordinal}"
        if self.provider == "gcp":
            return f"gcp:{self.account or '-'}:{self.resource or '-'}:{ordinal}"
        place = f"{self.account or '-'}:{self.region or '-'}"
        return f"{self.provider or '-'}:{place}:{self.resource or '-'}:{ordinal}"

    def native(self, native_id: str | None) -> str | None:
        """The key by the provider's own id of the interruption, where there is one."""
        if not native_id:
            return None
        if self.provider == "azure":
            return f"azure:{native_id.lower()}:{(self.azure_resource or self.resource).lower() or '-'}"
        if self.provider == "gcp":
            return f"gcp:{self.account or '-'}:{native_id}"
        return None


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An interruption as it was last written."""

    id: int
    """In the order of creation."""
    key: str
    opened_by: str
    ordinal: int
    native_id: str = ""
    aliases: tuple[str, ...] = ()


class Continued(msgspec.Struct, frozen=True, kw_only=True):
    stored: Stored
    reclaim: Reclaim
    new_aliases: tuple[str, ...] = ()
    """Keys by which it can be found from now on: its native one, and those of what it absorbed."""
    absorbed: tuple[Stored, ...] = ()
    """Stored interruptions that turned out to be this one: their history, groups and notes come along."""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    ordinal: int
    reclaim: Reclaim


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    continued: tuple[Continued, ...] = ()
    opened: tuple[Opened, ...] = ()
    vanished: tuple[Stored, ...] = ()


def reconcile(
    partition: Partition, *, stored: Sequence[Stored], naming: Naming, last_ordinal: int = 0
) -> Difference:
    """The difference between what is stored and what is now known.

    `stored` are the interruptions that hold any of the partitioned observations. `last_ordinal` is the
    highest ordinal that the machine's interruptions ever had, absorbed ones included.
    """
    heirs, vanished = _heirs(partition, sorted(stored, key=lambda row: row.id))
    taken = {key for row in stored for key in (row.key, *row.aliases)}
    ordinals = _unused(last_ordinal, stored)
    continued, opened = [], []
    for index, reclaim in enumerate(partition.interruptions):
        if index in heirs:
            continued.append(_continue(heirs[index], reclaim, naming=naming, taken=taken))
        else:
            opened.append(_open(reclaim, naming=naming, taken=taken, ordinal=next(ordinals)))
    return Difference(continued=tuple(continued), opened=tuple(opened), vanished=tuple(vanished))


def _heirs(partition: Partition, stored: Sequence[Stored]) -> tuple[dict[int, list[Stored]], list[Stored]]:
    """Which stored interruptions each new one continues, the oldest first, and those it cannot be said of."""
    if not stored:
        return {}, []
    homes, native_homes = _homes(partition)
    heirs: dict[int, list[Stored]] = {}
    vanished = []
    for row in stored:
        index = homes.get(row.opened_by)
        if index is None:
            index = native_homes.get(row.native_id)
        if index is None:
            vanished.append(row)
        else:
            heirs.setdefault(index, []).append(row)
    return heirs, vanished


def _homes(partition: Partition) -> tuple[dict[str, int], dict[str, int]]:
    """The place of each interruption by the identities and by the native ids that it holds."""
    homes: dict[str, int] = {}
    native_homes: dict[str, int] = {}
    for index, reclaim in enumerate(partition.interruptions):
        for member in reclaim.members:
            homes[member.identity] = index
        if reclaim.native_id:
            native_homes[reclaim.native_id] = index
    for copy, original in partition.repeats:
        if original.identity in homes:
            homes.setdefault(copy.identity, homes[original.identity])
    return homes, native_homes


def _unused(last_ordinal: int, stored: Sequence[Stored]) -> Iterator[int]:
    ordinal = max([last_ordinal, *(row.ordinal for row in stored)])
    while True:
        ordinal += 1
        yield ordinal


def _continue(rows: Sequence[Stored], reclaim: Reclaim, *, naming: Naming, taken: set[str]) -> Continued:
    survivor, *absorbed = rows
    inherited = [key for row in absorbed for key in (row.key, *row.aliases)]
    return Continued(
        stored=survivor,
        reclaim=reclaim,
        new_aliases=(*inherited, *_native_alias(reclaim, naming=naming, taken=taken)),
        absorbed=tuple(absorbed),
    )


def _open(reclaim: Reclaim, *, naming: Naming, taken: set[str], ordinal: int) -> Opened:
    """By its native id, unless another interruption already goes by that key."""
    native = _native_alias(reclaim, naming=naming, taken=taken)
    key = native[0] if native else naming.numbered(ordinal)
    return Opened(key=key, ordinal=ordinal, reclaim=reclaim)


def _native_alias(reclaim: Reclaim, *, naming: Naming, taken: set[str]) -> tuple[str, ...]:
    """Its native key, if nobody goes by that yet."""
    native = naming.native(reclaim.native_id)
    if native is None or native in taken:
        return ()
    taken.add(native)
    return (native,)
