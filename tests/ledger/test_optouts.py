from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError

from pipeline.ledger import batches, optouts
from pipeline.ledger.optouts import add_optouts, list_optouts, opted_out, remove_optouts

if TYPE_CHECKING:
    from pipeline.context import Context

A, B, C, D = (f"0901111000{last}" for last in range(1, 5))


def _stored(context: Context) -> list[tuple[str, str, str]]:
    with context.ledger.reading() as connection:
        rows = connection.exec_driver_sql("SELECT msisdn, added_at, source FROM optout ORDER BY msisdn")
        return [(row.msisdn, row.added_at, row.source) for row in rows]


def test_numbers_are_added_once_and_keep_where_they_came_from(context: Context) -> None:
    ledger, now = context.ledger, context.now()
    assert add_optouts(ledger, [C, A, C], "first", now) == 2
    assert add_optouts(ledger, [A, B], "second", now) == 1
    assert list(list_optouts(ledger)) == [A, B, C]
    assert [source for _, _, source in _stored(context)] == ["first", "second", "first"]
    assert remove_optouts(ledger, [B, D, B], now) == 1
    assert remove_optouts(ledger, [], now) == 0
    assert list(list_optouts(ledger)) == [A, C]


@pytest.mark.parametrize("size", [2, 5_000])
def test_long_lists_are_cut_into_statements(context: Context, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(batches, "_SLICE", size)
    monkeypatch.setattr(batches, "_BLOCK", size)
    ledger, now = context.ledger, context.now()
    numbers = [f"0902{row:07d}" for row in range(11)]
    assert add_optouts(ledger, numbers, "x", now) == 11
    assert list(list_optouts(ledger)) == numbers
    assert opted_out(ledger, [*numbers, A, B]) == set(numbers)
    assert opted_out(ledger, numbers[:3]) == set(numbers[:3])
    assert remove_optouts(ledger, numbers[1:], now) == 10


def test_who_opted_out_is_found_in_short_and_long_lists(context: Context) -> None:
    assert opted_out(context.ledger, [A, B]) == set()
    assert opted_out(context.ledger, []) == set()
    add_optouts(context.ledger, [A, B, C], "x", context.now())
    assert opted_out(context.ledger, [B]) == {B}
    assert opted_out(context.ledger, [D]) == set()
    assert opted_out(context.ledger, [D, B, D, A, D, D]) == {A, B}


def test_events_count_and_never_name(context: Context) -> None:
    add_optouts(context.ledger, [A, B], "x", context.now())
    remove_optouts(context.ledger, [A, C], context.now())
    with context.ledger.reading() as connection:
        events = connection.exec_driver_sql(
            "SELECT kind, detail FROM event WHERE kind NOT IN ('machine', 'server') ORDER BY event_id"
        ).all()
    assert [(kind, json.loads(detail)) for kind, detail in events] == [
        ("opted_out", {"given": 2, "new": 2}),
        ("opted_in", {"given": 2, "removed": 1}),
    ]


def test_a_list_is_added_as_a_whole_or_not_at_all(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: object, **_named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(optouts, "record_event", fails)
    with pytest.raises(KeyboardInterrupt):
        add_optouts(context.ledger, [A, B], "x", context.now())
    assert _stored(context) == []


def test_a_number_stands_on_the_list_once(context: Context) -> None:
    add_optouts(context.ledger, [A], "x", context.now())
    with pytest.raises(IntegrityError), context.ledger.writing() as connection:
        connection.exec_driver_sql(f"INSERT INTO optout VALUES ('{A}', 't', 'x')")  # noqa: S608 - a constant of this test
