from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.adapters.marks import Mark
from pipeline.errors import Exit, GatewayRefused, GuardStopped, UsageError
from pipeline.messages import Language
from pipeline.operations.doctor import Health, examine_installation

if TYPE_CHECKING:
    from pipeline.context import Context
    from tests.stages.conftest import House

WRONG = "wrong-one"


def test_refused_logins_are_counted_until_they_are_forgotten(house: House, context: Context) -> None:
    assert examine_installation(context, reset_auth=False) == Health((), (), 0)
    with pytest.raises(GatewayRefused) as refused:
        house.sent(house.open(GATEWAY_PASSWORD=WRONG), house.recipients(3))
    assert "`mediasms doctor --reset-auth`" in refused.value.hint(Language.JA)
    assert examine_installation(context, reset_auth=False).auth_failures == 1
    assert examine_installation(context, reset_auth=True).auth_failures == 0


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"GATEWAY_BASE_URL": "http://example.invalid"}, "gateway.not_https"),
        ({"GATEWAY_BASE_URL": "127.0.0.1:8025"}, "gateway.base_url"),
        ({"GATEWAY_BASE_URL": "http://example.invalid", "GATEWAY_USERNAME": ""}, "gateway.not_https"),
        ({"GATEWAY_PASSWORD": "x"}, "gateway.credential_length"),
    ],
)
def test_what_no_run_could_work_with_is_found(
    house: House, context: Context, settings: dict[str, Any], code: str
) -> None:
    assert examine_installation(context, reset_auth=False) == Health((), (), 0)
    with pytest.raises(UsageError) as stopped:
        examine_installation(house.open(**settings), reset_auth=False)
    assert (stopped.value.code, stopped.value.exit) == (code, Exit.USAGE)


def test_a_marker_nobody_knows_is_found(context: Context) -> None:
    (context.workspace.batch_folder("lost")).mkdir(parents=True)
    context.workspace.mark_begun(Mark("lost", 1, 1, context.now(), "dispatch-0001.csv"))
    with pytest.raises(GuardStopped) as stopped:
        examine_installation(context, reset_auth=True)
    assert stopped.value.code == "ledger.went_back"
