"""What differs is shown by step, whatever was moved, reworded, added or removed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.runbooks.differences import compare
from console.runbooks.models import Step


def step(title: str, body: str = "", *, is_required: bool = True) -> Step:
    return Step(title=title, body=body, is_required=is_required)


def kinds(old: list[Step], new: list[Step]) -> list[tuple[str, str]]:
    return [(row.title, row.kind) for row in compare(old, new)]


def test_the_same_steps_are_the_same() -> None:
    assert kinds([step("A"), step("B")], [step("A"), step("B")]) == [("A", "same"), ("B", "same")]


def test_a_new_step_does_not_make_the_later_ones_moved() -> None:
    found = kinds([step("A"), step("B")], [step("A"), step("New", "x"), step("B")])
    assert found == [("A", "same"), ("New", "added"), ("B", "same")]


def test_a_removed_step_stands_where_it_was() -> None:
    found = kinds([step("A"), step("B", "text"), step("C")], [step("A"), step("C")])
    assert found == [("A", "same"), ("B", "removed"), ("C", "same")]


def test_the_one_step_that_was_moved_is_the_one_that_says_so() -> None:
    old = [step(name, name * 9) for name in "ABCD"]
    new = [old[3], *old[:3]]
    assert kinds(old, new) == [("D", "moved"), ("A", "same"), ("B", "same"), ("C", "same")]


def test_a_reworded_line_is_shown_with_what_it_was() -> None:
    (row,) = compare([step("Drain", "one\ntwo\nthree")], [step("Drain", "one\n2\nthree")])
    assert row.kind == "changed"
    assert [(line.kind, line.text) for line in row.lines][2:] == [
        ("same", "one"),
        ("removed", "two"),
        ("added", "2"),
        ("same", "three"),
    ]


def test_a_new_title_over_the_same_text_is_a_reworded_step() -> None:
    assert kinds([step("Old", "a\nb\nc\nd")], [step("New", "a\nb\nc\nd")]) == [("New", "changed")]


def test_a_step_that_became_optional_is_a_change() -> None:
    (row,) = compare([step("A")], [step("A", is_required=False)])
    assert ("added", "(Optional)") in [(line.kind, line.text) for line in row.lines]


STEPS = st.lists(
    st.builds(step, st.sampled_from("ABCDE"), st.sampled_from(["", "x", "x\ny"]), is_required=st.booleans()),
    max_size=7,
)


@given(STEPS, STEPS)
def test_every_step_of_both_versions_is_shown_once(old: list[Step], new: list[Step]) -> None:
    found = compare(old, new)
    assert [row.new_number for row in found if row.new_number] == list(range(1, len(new) + 1))
    assert sorted(row.old_number for row in found if row.old_number) == list(range(1, len(old) + 1))
    assert all(row.is_same for row in found) == (old == new)
