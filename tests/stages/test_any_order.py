"""Pulled and notified results of the same messages: whichever comes first, the reconciliation is the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pipeline.config import load
from pipeline.ledger.tracing import observations_about
from pipeline.model import MessageClass, Observation, ObservationPath
from pipeline.operations.notifications import record
from pipeline.simulator import EmbeddedGateway, VirtualClock
from pipeline.stages.pull import pull
from pipeline.stages.reconcile import Reconciled, reconcile
from tests.stages.conftest import START, House

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.context import Context
    from pipeline.model import Batch

#: what lies in the files of one installation only
_OWN = {"artifacts", "provenance"}


def notified(context: Context, batch: Batch) -> list[Observation]:
    """Return what the gateway would notify of a batch: a status for each message, without time and carrier."""
    smsids = House.smsids(context, batch.batch_id)
    rows = [seen.observation for smsid in smsids for seen in observations_about(context.ledger, smsid)]
    return [
        replace(
            row,
            path=ObservationPath.NOTIFIED,
            status_time=None,
            registered_at=None,
            carrier="",
            parts_delivered=None,
            parts_total=None,
        )
        for row in rows
    ]


def installed(folder: Path, gateway: EmbeddedGateway, steps: Sequence[Callable[[Context, Batch], None]]) -> Reconciled:
    """Send a list from an installation of its own, let results come, and reconcile."""
    house = House(folder, gateway, "sqlite:///workspace/ledger.sqlite3")
    folder.mkdir()
    context = house.open(create=True)
    with context.ledger.writing() as connection:  # the same smsids, and so the same fates, in every installation
        connection.exec_driver_sql("UPDATE identity SET prefix = 'ord'")
    house.close()
    context = house.open(SEND_MAX_ROWS="150")
    source = house.recipients(150)
    house.sent(context, source)
    batch = house.batch(context, source)
    house.clock.advance(timedelta(days=3))
    for step in steps:
        step(context, batch)
    done = reconcile(context, batch)
    house.close()
    return done


def figures(done: Reconciled) -> dict[str, Any]:
    return {name: value for name, value in done.document.items() if name not in _OWN}


def test_the_order_of_arrival_never_matters(tmp_path: Path) -> None:
    def ignore(_error: object) -> None:
        raise AssertionError

    def run(name: str, *steps: Callable[[Context, Batch], None]) -> Reconciled:
        profile = load(tmp_path / "none.toml", {}, required=False).profile
        with EmbeddedGateway(profile, seed=7, clock=VirtualClock(START, ticking=False)) as gateway:
            return installed(tmp_path / name, gateway, steps)

    rows: list[Observation] = []

    def remember(context: Context, batch: Batch) -> None:
        pull(context)
        rows.extend(notified(context, batch))

    alone = run("alone", remember)
    assert rows
    assert {MessageClass.DELIVERED, MessageClass.FAILED} <= alone.value.classes.keys()

    def pulled(context: Context, _batch: Batch) -> None:
        pull(context)

    def told(chosen: Sequence[Observation]) -> Callable[[Context, Batch], None]:
        return lambda context, _batch: record(context, chosen, ignore)

    first = run("told-first", told(rows), pulled)
    last = run("told-last", pulled, told(rows[::-1]))
    between = run("told-between", told(rows[::2]), pulled, told(rows[1::2]), told(rows))
    assert figures(first) == figures(last) == figures(between)
    # A second witness of the same changes no class, no bill and no yen.
    assert (first.value.classes, figures(first)["amount"]) == (alone.value.classes, figures(alone)["amount"])
