from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.config import load
from pipeline.errors import GuardStopped, UsageError
from pipeline.model import MessageState
from pipeline.operations.place import stop_unless_known
from tests.databases import BOTH

if TYPE_CHECKING:
    from pipeline.context import Context
    from tests.stages.conftest import House


@pytest.mark.parametrize("database", BOTH)
def test_an_empty_ledger_is_made_only_where_nothing_was_ever_sent(house: House) -> None:
    file = house.folder / "mediasms.toml"
    configuration = load(file, house.environment, required=False)
    with pytest.raises(GuardStopped) as stopped:
        stop_unless_known(configuration, file)
    assert (stopped.value.code, stopped.value.facts["config"]) == ("ledger.first_use", file)
    house.open(create=True)
    stop_unless_known(configuration, file)


@pytest.mark.parametrize("source", ["file", "credential"])
def test_the_password_may_stand_in_a_file(house: House, context: Context, source: str) -> None:
    password = house.environment.pop("MEDIASMS_GATEWAY_PASSWORD")
    secret = house.folder / "mediasms-password"
    secret.write_text(f"{password}\n")
    if source == "file":
        house.environment["MEDIASMS_GATEWAY_PASSWORD_FILE"] = secret.name
    else:
        house.environment["CREDENTIALS_DIRECTORY"] = str(house.folder)
    assert context.settings.send.max_rows == 5
    assert house.sent(house.open(), house.recipients(3)).states == {MessageState.TAKEN: 3}


def test_validation_needs_no_gateway_but_sending_does(house: House, context: Context) -> None:
    house.environment = {"CREDENTIALS_DIRECTORY": str(house.folder / "none")}
    bare = house.open()
    source = house.recipients(3)
    assert house.batch(bare, source).totals.accepted == 3
    with pytest.raises(UsageError) as stopped:
        house.sent(bare, source)
    assert stopped.value.facts == {"keys": "gateway.base_url, gateway.username, gateway.password"}
    assert house.sent(context, source).states == {MessageState.TAKEN: 3}


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [("USERNAME", "x", 1), ("USERNAME", "x" * 21, 21), ("PASSWORD", "short", 5), ("PASSWORD", "demo-password" * 2, 26)],
)
def test_credentials_of_a_length_that_no_account_has_do_not_leave(
    house: House, context: Context, key: str, value: str, found: int
) -> None:
    house.environment[f"MEDIASMS_GATEWAY_{key}"] = value
    with pytest.raises(UsageError) as stopped:
        house.sent(house.open(), house.recipients(3))
    assert (stopped.value.code, stopped.value.facts["found"]) == ("gateway.credential_length", found)
    assert value not in str(stopped.value.facts)
    assert house.gateway.requests == {}
    assert context.settings.gateway.username


def test_a_certificate_authority_is_relative_to_the_configuration(house: House, context: Context) -> None:
    with pytest.raises(OSError, match="No such file"):
        _ = house.open(GATEWAY_CA_FILE="ca.pem").gateway
    assert context.gateway is context.gateway
