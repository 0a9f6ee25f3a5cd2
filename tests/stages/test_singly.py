from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.ledger.dispatches import list_dispatches
from pipeline.model import MessageState, Mode
from pipeline.stages.send import Sent, send
from tests.databases import BOTH
from tests.stages.conftest import SINGLE, SINGLE_RESULTS

if TYPE_CHECKING:
    from pipeline.context import Context
    from tests.stages.conftest import House

PLANNED, TAKEN = MessageState.PLANNED, MessageState.TAKEN
UNKNOWN, REFUSED = MessageState.UNKNOWN, MessageState.REFUSED


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> str:
    """Sending is tried with the ledger in either database."""
    return str(request.param)


def _requests(house: House, path: str = SINGLE) -> int:
    return house.gateway.requests.get(path, 0)


def test_every_accepted_row_goes_out_once_in_a_request_of_its_own(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(23))
    assert send(context, batch, mode=Mode.SINGLE) == Sent(23, 23, {TAKEN: 23})
    assert (_requests(house), house.uploads()) == (23, 0)
    assert sorted(house.copies()) == sorted(house.smsids(context, batch.batch_id))
    found = list_dispatches(context.ledger, batch.batch_id)
    assert {(one.messages, one.attempts, one.answer_code, one.is_unsettled) for one in found} == {(1, 1, "200", False)}
    folder = context.workspace.batch_folder(batch.batch_id)
    assert len(list(folder.glob("*.begun"))) == len(list(folder.glob("*.form"))) == 23
    assert send(house.open(), batch) == Sent(0, 0, {TAKEN: 23})
    assert _requests(house) == 23
