from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.config import load
from pipeline.errors import GuardStopped, TryLater, UsageError
from pipeline.ledger.engines import is_shared
from pipeline.model import MessageState
from pipeline.operations.backup import backup, restore
from pipeline.operations.place import stop_unless_known
from pipeline.operations.run import run, send_batch
from pipeline.stages.validate import Request
from tests.databases import BOTH, SQLITE

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


@pytest.mark.parametrize("database", BOTH)
def test_two_workspaces_with_one_ledger_work_on_a_campaign_one_after_the_other(house: House, context: Context) -> None:
    """Also where a link leads to its file. What one of them has checked the other does not send: it has no files."""
    source = house.recipients(3)
    batch = house.batch(context, source)
    others = [house.open(create=True, WORKSPACE_PATH="second")]
    if not is_shared(context.ledger.engine.dialect):
        (house.folder / "link.sqlite3").symlink_to(house.folder / "workspace" / "ledger.sqlite3")
        others.append(house.open(create=True, WORKSPACE_PATH="third", LEDGER_URL="sqlite:///link.sqlite3"))
    for other in others:
        assert other.workspace.root != context.workspace.root
        with context.campaign_lock("c"), pytest.raises(TryLater) as stopped:
            run(other, Request(source, "c"))
        assert stopped.value.code == "lock.held"
        with pytest.raises(GuardStopped) as missing:
            send_batch(other, batch.batch_id, confirm=None)
        assert missing.value.code == "artefact.missing"
    assert send_batch(context, batch.batch_id, confirm=None).messages == 3
    for text, other in enumerate(others):
        corrected = house.recipients(3, "b.csv", text=f"訂正{text}")
        assert run(other, Request(corrected, "c")).validated.batch.totals.already == 3


@pytest.mark.parametrize("database", [SQLITE])
def test_a_ledger_outside_the_workspace_has_its_locks_beside_it(house: House, context: Context) -> None:
    away = house.open(create=True, WORKSPACE_PATH="away", LEDGER_URL="sqlite:///own/ledger.sqlite3")
    assert house.sent(away, house.recipients(3)).messages == 3
    file = house.folder / "backup.sqlite3"
    backup(away.configuration, file)
    with away.campaign_lock("c"), context.campaign_lock("c"), pytest.raises(TryLater) as stopped:
        restore(away.configuration, file, away.now())
    assert stopped.value.code == "lock.held"
    restore(away.configuration, file, away.now())
