from __future__ import annotations

import math
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.lib.rows import array_literal, fetch

pytestmark = pytest.mark.django_db

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(timezones=st.just(UTC) | OFFSETS).filter(lambda at: 1970 < at.year < 2200)
COLUMNS = {
    "text": st.lists(st.none() | TEXT),
    "bigint": st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)),
    "boolean": st.lists(st.none() | st.booleans()),
    "timestamptz": st.lists(st.none() | TIMES),
    "bytea": st.lists(st.none() | st.binary()),
    "float8": st.lists(st.none() | st.floats(allow_nan=False)),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_column_is_read_back_as_it_was_given(kind: str) -> None:
    @settings(max_examples=40, deadline=None)
    @given(COLUMNS[kind])
    def read_back(values: list[object]) -> None:
        rows = fetch(f"SELECT * FROM unnest(%s::{kind}[])", [array_literal(values, kind)])
        assert [bytes(v) if isinstance(v, memoryview) else v for (v,) in rows] == values

    read_back()


def test_what_is_not_a_number_is_kept() -> None:
    ((value,),) = fetch("SELECT * FROM unnest(%s::float8[])", [array_literal([math.nan], "float8")])
    assert math.isnan(value)


def test_texts_that_look_like_an_array_are_texts() -> None:
    values = ["NULL", "", "{}", "a,b", 'say "x"', "\\", '","', "line\nbreak"]
    rows = fetch("SELECT * FROM unnest(%s::text[])", [array_literal(values, "text")])
    assert [text for (text,) in rows] == values
