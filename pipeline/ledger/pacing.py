"""The pace of requests from an address that several hosts share: one row in PostgreSQL, by the server's clock."""

from __future__ import annotations

from sqlalchemy import text

from pipeline.ledger.explaining import explained, roll_back
from pipeline.ledger.opening import Ledger

_NOW = "extract(epoch FROM clock_timestamp())::float8"
#: one statement: it locks the row, so that no two turns are the same, and holds it for no longer than itself. A turn
#: far ahead is from another clock: a standby that took over.
_TAKE = f"""
    INSERT INTO pace (egress, turn) VALUES (:egress, {_NOW}::text)
    ON CONFLICT (egress) DO UPDATE SET turn = (CASE
        WHEN pace.turn::float8 - {_NOW} < :patience THEN greatest({_NOW}, pace.turn::float8 + :step)
        ELSE {_NOW} END)::text
    RETURNING turn::float8 - {_NOW}
"""  # noqa: S608 - our own words


def next_turn(ledger: Ledger, egress: str, step: float, patience: float) -> float | None:
    """Take the next turn of ``egress``, a ``step`` after the last; return in how many seconds it is.

    Turns are not worth a wait for the disk: after a crash of the server the last few may be given again.
    """
    with explained(), ledger.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL lock_timeout = '60s'")
        try:
            values = {"egress": egress, "step": step, "patience": patience}
            seconds = connection.execute(text(_TAKE), values).scalar_one()
        except BaseException:
            roll_back(connection)
            raise
        connection.exec_driver_sql("COMMIT")
    return float(seconds)
