"""A ledger and its gateway: whom another one served has got nothing from this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import Exit, GuardStopped, TryLater
from pipeline.ledger.gateways import adopt_gateway, other_gateway
from pipeline.model import MessageState
from pipeline.operations.doctor import examine_installation
from pipeline.operations.run import run
from pipeline.stages.pull import pull
from pipeline.stages.rehearse import rehearse
from pipeline.stages.send import send
from pipeline.stages.validate import Request
from tests.databases import BOTH

if TYPE_CHECKING:
    from pipeline.context import Context
    from tests.stages.conftest import House

TAKEN = MessageState.TAKEN
REAL = "https://sms.example.invalid"


@pytest.mark.parametrize("database", BOTH)
def test_whom_another_gateway_served_is_not_taken_for_served(house: House, context: Context) -> None:
    source = house.recipients(3)
    assert house.sent(context, source).states == {TAKEN: 3}
    real = house.open(GATEWAY_BASE_URL=REAL)
    outcome = run(real, Request(source, "c"))
    assert isinstance(outcome.stopped_by, GuardStopped)
    assert (outcome.stopped_by.code, outcome.exit) == ("ledger.other_gateway", Exit.GUARD)
    facts = outcome.stopped_by.facts
    assert (facts["before"], facts["now"]) == ("localhost", "sms.example.invalid")
    with pytest.raises(GuardStopped, match=r"ledger\.other_gateway"):
        examine_installation(real, reset_auth=False)
    assert [error.code for error in rehearse(real, outcome.validated.batch).stopped_by] == ["ledger.other_gateway"]
    pull(context)
    # Where it is as before, nothing holds it up.
    assert house.sent(context, source).states == {TAKEN: 3}


def test_a_person_says_that_it_is_the_same_account(house: House, context: Context) -> None:
    house.sent(context, house.recipients(3))
    moved = house.open(GATEWAY_BASE_URL=REAL)
    left = adopt_gateway(moved.ledger, moved.now(), REAL, actor="me", because="a new address")
    assert left is not None
    assert (left.host, other_gateway(moved.ledger, REAL)) == ("localhost", None)
    assert adopt_gateway(moved.ledger, moved.now(), REAL, actor="me", because="once more") is None
    with pytest.raises(GuardStopped, match=r"ledger\.other_gateway"):
        house.sent(context, house.recipients(3, "more.csv", first=10))


def test_another_port_or_name_of_this_machine_is_no_other_gateway(house: House, context: Context) -> None:
    house.sent(context, house.recipients(3))
    for address in ("http://127.0.0.1:9", "http://LOCALHOST:8080", "https://localhost./x", "http://[::1]:8080/"):
        assert other_gateway(context.ledger, address) is None


@pytest.mark.parametrize("address", ["", "https://", "http://[::1", "http://"])
def test_without_a_host_nothing_is_known(house: House, context: Context, address: str) -> None:
    house.sent(context, house.recipients(3))
    assert other_gateway(context.ledger, address) is None


def test_a_gateway_that_nothing_was_sent_to_is_left_freely(house: House, context: Context) -> None:
    """A typing error in the address is no gateway."""
    batch = house.batch(context, house.recipients(3))
    wrong = house.open(GATEWAY_BASE_URL="https://localhost.invalid")
    with pytest.raises(TryLater):
        send(wrong, batch)
    assert house.sent(context, house.folder / "list.csv").states == {TAKEN: 3}
