"""Some reclaims of all vendors, in one stream: with repeats, and in no order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random

from tests.ingest.hearing import HOUR, Message, aws
from tests.reclaims import aws as amazon
from tests.reclaims import azure, gcp
from tests.reclaims.told import Reclaim, Told, chosen

REPEATED = 0.3
"""How many of the messages come twice."""


ALL = (5, 3, 2)
"""How many of ten are on AWS, Google Cloud and Azure."""


def stream(reclaims: int, *, seed: int, shares: tuple[int, int, int] = ALL) -> list[Told]:
    """What is heard of so many reclaims, shuffled."""
    chance = Random(seed)
    told: list[Told] = []
    for one in made_up(reclaims, chance, shares=shares):
        told += chosen(one) if isinstance(one, Reclaim) else [one]
    told += [one for one in told if chance.random() < REPEATED]
    chance.shuffle(told)
    return told


def made_up(reclaims: int, chance: Random, *, shares: tuple[int, int, int] = ALL) -> Iterator[Reclaim | Told]:
    numbers = count()
    number = next(numbers)
    while number < reclaims:
        begin = round(chance.uniform(0, 6 * HOUR), 3)
        left = reclaims - number
        make = chance.choices((_of_aws, _of_gcp, _of_azure), shares)[0]
        there = list(make(number, left, begin, chance))
        yield from there
        number += sum(isinstance(one, Reclaim) for one in there)


def _of_aws(number: int, left: int, begin: float, chance: Random) -> Iterator[Reclaim | Told]:
    """One machine; now and then two with one proof, or one that is stopped, started and taken again."""
    machine, node = _machine(chance), f"ip-10-{number // 250}-{number % 250}-7.eu-central-1.compute.internal"
    kind = chance.random()
    if kind < 0.1 and left > 1:
        yield from _a_pair(number, begin, chance, machines=[machine, _machine(chance)], node=node)
    elif kind < 0.2 and left > 1:
        for life in range(2):
            started = begin + life * 3 * HOUR
            if life:
                yield Told(aws("state-running", started - HOUR, machine=machine), {})
            yield amazon.reclaim(number + life, started, chance, machine=machine, node=node, life=life + 1)
    else:
        yield amazon.reclaim(number, begin, chance, machine=machine, node=node)


def _a_pair(
    number: int, begin: float, chance: Random, *, machines: list[str], node: str
) -> Iterator[Reclaim]:
    first, second = (
        amazon.reclaim(number + place, begin + place, chance, machine=machine, node=f"{place}.{node}")
        for place, machine in enumerate(machines)
    )
    amazon.evicted_together(first, second, machines)
    yield from (first, second)


def _of_gcp(number: int, left: int, begin: float, chance: Random) -> Iterator[Reclaim]:
    """One VM; now and then preempted three times."""
    machine, node = str(10**18 + chance.getrandbits(58)), f"gke-shop-spot-{number:06x}-x2vq"
    times = 3 if left > 2 and chance.random() < 0.1 else 1
    for life in range(times):
        yield gcp.reclaim(
            number + life, begin + life * 3 * HOUR, chance, machine=machine, node=node, life=life
        )


def _of_azure(number: int, left: int, begin: float, chance: Random) -> Iterator[Reclaim]:
    """One to three machines of a scale set; now and then an index that is used again."""
    scale_set, many = f"aks-spot-{10**7 + number}-vmss", min(left, chance.choice([1, 1, 2, 3]))
    indexes = chance.sample(range(1, 2_000), many)
    yield from azure.together(
        list(range(number, number + many)), begin, chance, scale_set=scale_set, indexes=indexes
    )
    if left > 2 * many and chance.random() < 0.15:
        again = list(range(number + many, number + 2 * many))
        yield from azure.together(again, begin + 3 * HOUR, chance, scale_set=scale_set, indexes=indexes)


def _machine(chance: Random) -> str:
    return f"i-{chance.getrandbits(68):017x}"


def messages(told: list[Told]) -> list[Message]:
    return [one.message for one in told]
