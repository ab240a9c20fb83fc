"""Keys outlive joins, splits and late messages."""

from __future__ import annotations

from console.interruptions.keys import Difference, Naming, Stored, reconcile
from console.interruptions.seen import Seen
from tests.interruptions.make_seen import HOUR, MINUTE, bare_notice, partitioned, proof, running, warning

AWS = Naming(provider="aws", account="123456789012", region="us-east-1", resource="i-0aa")
GCP = Naming(provider="gcp", account="shop-1", resource="4711")
AZURE = Naming(provider="azure", resource="/Subscriptions/S/vm-1", azure_resource="VM_1")


def reconciled(
    *told: Seen, naming: Naming = AWS, stored: tuple[Stored, ...] = (), last: int = 0
) -> Difference:
    return reconcile(partitioned(*told), stored=stored, naming=naming, last_ordinal=last)


def row(number: int, key: str, opener: Seen, **fields: object) -> Stored:
    return Stored(id=number, key=key, opened_by=opener.identity, ordinal=number, **fields)  # type: ignore[arg-type]


def test_keys_are_written_as_each_provider_allows() -> None:
    bare, native = bare_notice(0), proof(0, native_id="Op-1")

    assert reconciled(bare).opened[0].key == "aws:123456789012:us-east-1:i-0aa:1"
    assert reconciled(native).opened[0].key == "aws:123456789012:us-east-1:i-0aa:1"
    assert reconciled(bare, naming=GCP).opened[0].key == "gcp:shop-1:4711:1"
    assert reconciled(native, naming=GCP).opened[0].key == "gcp:shop-1:Op-1"
    assert reconciled(bare, naming=AZURE).opened[0].key == "azure:/subscriptions/s/vm-1:1"
    assert reconciled(native, naming=AZURE).opened[0].key == "azure:op-1:vm_1"
    nameless = Naming(resource="node-7")
    assert reconciled(bare, naming=nameless).opened[0].key == "-:-:-:node-7:1"


def test_an_earlier_witness_told_later_does_not_change_the_key() -> None:
    opener, earlier = warning(10), warning(0, feed_id=2)

    difference = reconciled(earlier, opener, stored=(row(1, "k1", opener),))

    assert [kept.stored.key for kept in difference.continued] == ["k1"]
    assert difference.opened == ()


def test_on_a_join_the_older_key_survives_and_the_other_becomes_its_alias() -> None:
    early, late = bare_notice(0), proof(5 * HOUR, native_id="op")
    link = bare_notice(10, native_id="op")
    newer, older = row(2, "k2", early, aliases=("k2b",)), row(1, "k1", late)

    difference = reconciled(early, late, link, stored=(newer, older))

    (kept,) = difference.continued
    assert (kept.stored, kept.absorbed, kept.new_aliases) == (older, (newer,), ("k2", "k2b"))


def test_on_a_split_the_part_with_the_opening_observation_keeps_the_key() -> None:
    first, second = warning(0), bare_notice(40 * MINUTE)
    held = row(1, "k1", first)

    difference = reconciled(first, second, running(20 * MINUTE), stored=(held,))

    assert [(kept.stored, kept.reclaim.opener) for kept in difference.continued] == [(held, first)]
    assert [new.key for new in difference.opened] == ["aws:123456789012:us-east-1:i-0aa:2"]


def test_it_is_the_later_part_that_keeps_the_key_if_that_was_told_first() -> None:
    first, second = warning(0), bare_notice(40 * MINUTE)

    difference = reconciled(first, second, running(20 * MINUTE), stored=(row(1, "k1", second),))

    assert [kept.reclaim.opener for kept in difference.continued] == [second]
    assert [new.reclaim.opener for new in difference.opened] == [first]


def test_a_number_is_never_given_twice() -> None:
    assert reconciled(warning(0), last=7).opened[0].key.endswith(":8")
    assert (
        reconciled(warning(0), warning(HOUR), stored=(row(3, "k3", warning(9 * HOUR)),)).opened[1].ordinal
        == 5
    )


def test_a_native_id_learnt_later_becomes_an_alias_once() -> None:
    notice, proven = bare_notice(0), proof(30, native_id="op")
    held = row(1, "gcp:shop-1:4711:1", notice)

    (kept,) = reconciled(notice, proven, naming=GCP, stored=(held,)).continued
    assert kept.new_aliases == ("gcp:shop-1:op",)

    again = row(1, held.key, notice, aliases=kept.new_aliases)
    assert reconciled(notice, proven, naming=GCP, stored=(again,)).continued[0].new_aliases == ()


def test_a_key_that_somebody_goes_by_is_not_given_to_another() -> None:
    notice, proven = bare_notice(0), proof(40 * MINUTE, native_id="op")
    named = row(1, "gcp:shop-1:op", notice)

    difference = reconciled(notice, running(20 * MINUTE), proven, naming=GCP, stored=(named,))

    assert [kept.stored.key for kept in difference.continued] == ["gcp:shop-1:op"]
    assert [new.key for new in difference.opened] == ["gcp:shop-1:4711:2"]


def test_an_opener_known_as_a_copy_still_finds_its_interruption() -> None:
    first = warning(0, event_id="e")
    copy = warning(0, event_id="e", machine_named="node-7")

    difference = reconciled(first, copy, stored=(row(1, "k1", copy),))

    assert [kept.stored.key for kept in difference.continued] == ["k1"]


def test_a_native_id_finds_what_lost_its_opener_and_else_it_has_vanished() -> None:
    lost, proven = warning(0), proof(0, native_id="op")
    found, gone = row(1, "k1", lost, native_id="op"), row(2, "k2", lost)

    difference = reconciled(proven, naming=GCP, stored=(found, gone))

    assert [kept.stored for kept in difference.continued] == [found]
    assert difference.vanished == (gone,)


def test_the_same_again_changes_nothing() -> None:
    first, second = warning(0), warning(HOUR)
    stored = (row(1, "k1", first), row(2, "k2", second))

    difference = reconciled(first, second, stored=stored)

    assert [kept.stored for kept in difference.continued] == list(stored)
    assert (difference.opened, difference.vanished) == ((), ())
    assert all(kept.new_aliases == kept.absorbed == () for kept in difference.continued)
