"""A closed month is recorded once more each time it is closed; nothing is overwritten."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.ledger.closing import last_closing, record_closing
from pipeline.model import Artefact

if TYPE_CHECKING:
    from pipeline.context import Context


def test_a_month_that_is_closed_again_gets_the_next_number(context: Context) -> None:
    ledger, now = context.ledger, context.now()
    first, second = Artefact("closing-01.arrow", "a" * 64, 10), Artefact("closing-02.arrow", "b" * 64, 1 << 40)
    assert last_closing(ledger, "2026-11") is None
    assert record_closing(ledger, "2026-11", first, now, actor="me", tariff_sha256="t1", profile_sha256="p1") == 1
    later = now + timedelta(days=1)
    assert record_closing(ledger, "2026-11", second, later, actor="you", tariff_sha256="t2", profile_sha256="p2") == 2
    assert record_closing(ledger, "2026-12", first, later, actor="me", tariff_sha256="t2", profile_sha256="p2") == 1
    found = last_closing(ledger, "2026-11")
    assert found is not None
    assert (found.month, found.number, found.actor, found.snapshot) == ("2026-11", 2, "you", second)
    assert (found.closed_at, found.tariff_sha256, found.profile_sha256) == (later, "t2", "p2")
    with ledger.reading() as connection:
        rows = connection.exec_driver_sql("SELECT month, number, sha256 FROM closing ORDER BY month, number").all()
        events = connection.exec_driver_sql("SELECT count(*) FROM event WHERE kind = 'closed'").scalar_one()
    assert [tuple(row) for row in rows] == [
        ("2026-11", 1, "a" * 64),
        ("2026-11", 2, "b" * 64),
        ("2026-12", 1, "a" * 64),
    ]
    assert events == 3
