"""A payload holds what is sent, byte for byte."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import GuardStopped
from pipeline.ledger import engines
from pipeline.ledger.batches import count_states, get_batch
from pipeline.ledger.dispatches import adopt_in_flight, list_dispatches
from pipeline.model import MessageState
from pipeline.stages import planning
from tests.stages.test_send_repeats import registered

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.context import Context
    from pipeline.model import Artefact, Batch
    from tests.stages.conftest import House

ROWS = [("09011110001", 'a,"b"\n続き'), ("09011110002", "二～ﾎﾟ"), ("09011110003", "NA")]
MIDDLE = "," * 8
END = "," * 46


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_a_payload_is_laid_out_by_columns(house: House, encoding: str) -> None:
    context = house.open(create=True)
    if encoding == "cp932":
        upload = context.profile.upload
        changed = upload.model_copy(update={"encoding": upload.encoding.model_copy(update={"value": "cp932"})})
        profile = context.profile.model_copy(update={"upload": changed})
        object.__setattr__(context.configuration, "profile", profile)
    batch = registered(context, ROWS, repeats=False, info1=["", "甲,乙", ""], memo=["", "", 'm"'])
    planning.plan(context, batch)
    smsids = house.smsids(context, batch.batch_id)
    wanted = (
        f'09011110001,,,,,,,,,"a,""b""\n続き"{MIDDLE}{smsids[0]}{END}\r\n'
        f'09011110002,"甲,乙",,,,,,,,二～ﾎﾟ{MIDDLE}{smsids[1]}{END}\r\n'
        f'09011110003,,,,,"m""",,,,NA{MIDDLE}{smsids[2]}{END}\r\n'
    ).encode(encoding)
    payload = list_dispatches(context.ledger, batch.batch_id)[0].payload
    assert (context.workspace.batch_folder(batch.batch_id) / payload.name).read_bytes() == wanted
    assert (payload.sha256, payload.size) == (hashlib.sha256(wanted).hexdigest(), len(wanted))


def test_a_plan_that_fails_half_way_leaves_nothing_in_the_ledger(house: House, context: Context) -> None:
    registered(context, [(house.number(row), "一") for row in range(6, 9)], "dddddddddd", repeats=False)
    planning.plan(context, get_batch(context.ledger, "dddddddddd"))
    second = registered(context, [(house.number(row), "一") for row in range(8)], repeats=False)
    with pytest.raises(GuardStopped) as stopped:
        planning.plan(context, second)
    assert stopped.value.code == "batch.outdated"
    assert list_dispatches(context.ledger, second.batch_id) == []
    assert get_batch(context.ledger, second.batch_id).planned_at is None
    assert count_states(context.ledger, "dddddddddd") == {MessageState.PLANNED: 3}


def test_the_ledger_is_free_for_others_while_payloads_are_laid_out(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = registered(context, [(house.number(row), "一") for row in range(13)], repeats=False)
    other = house.open()
    lay_out = planning._payload
    laid_out = []

    def meanwhile(context: Context, batch: Batch, number: int, accepted: pd.DataFrame) -> Artefact:
        assert adopt_in_flight(other.ledger, "another", other.now()) == 0
        laid_out.append(number)
        return lay_out(context, batch, number, accepted)

    monkeypatch.setattr(engines, "_BUSY_SECONDS", 0)
    monkeypatch.setattr(planning, "_payload", meanwhile)
    planning.plan(context, batch)
    assert laid_out == [1, 2, 3]


def test_messages_and_dispatches_are_those_of_the_accepted_rows(house: House, context: Context) -> None:
    rows = [(house.number(row), f"本文{row}") for row in range(13)]
    batch = registered(context, rows, repeats=False)
    planning.plan(context, batch)
    assert [found.messages for found in list_dispatches(context.ledger, batch.batch_id)] == [5, 5, 3]
    with context.ledger.reading() as connection:
        found = connection.exec_driver_sql(
            "SELECT row_number, msisdn, message_key, characters, double_byte, state, reason, sent_at, "
            "substr(dispatch_id, -4) FROM message ORDER BY row_number"
        ).all()
    assert [tuple(row) for row in found] == [
        (at + 2, number, number, len(text), 1, "planned", "", None, f"{at // 5 + 1:04d}")
        for at, (number, text) in enumerate(rows)
    ]
