"""A rehearsal finds what sending would find, and changes nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from pipeline.adapters.marks import Mark
from pipeline.core.forecast import CostRange
from pipeline.errors import MediasmsError
from pipeline.ledger.batches import get_batch
from pipeline.ledger.cancelling import stop_batch
from pipeline.ledger.logins import note_auth
from pipeline.ledger.optouts import add_optouts
from pipeline.model import MessageState
from pipeline.simulator import Knobs
from pipeline.stages.guards import Late, Permission
from pipeline.stages.rehearse import rehearse
from pipeline.stages.send import send

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pipeline.context import Context
    from pipeline.model import Batch
    from tests.stages.conftest import House

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
LATE = Late("aoki", "the holidays")


def snapshot(context: Context) -> tuple[object, ...]:
    """Return all that the ledger and the workspace hold."""
    with context.ledger.reading() as connection:
        tables = [name for (name,) in connection.exec_driver_sql(_TABLES)]
        held = [sorted(map(repr, connection.exec_driver_sql(f'SELECT * FROM "{name}"'))) for name in sorted(tables)]  # noqa: S608 - names of the ledger's own
    files = sorted((path.name, path.stat().st_mtime_ns) for path in context.workspace.batches_folder().rglob("*"))
    return (*held, files)


def sent_or_stopped(context: Context, batch: Batch, **choices: Any) -> str | None:  # noqa: ANN401 - of sending
    try:
        send(context, batch, permission=Permission(**choices))
    except MediasmsError as error:
        return error.code
    return None


def rehearsed(context: Context, batch: Batch, **choices: Any) -> list[str]:  # noqa: ANN401 - of sending
    """Return what would stop sending; nothing may have changed by asking."""
    before = snapshot(context)
    found = rehearse(context, batch, permission=Permission(**choices))
    assert snapshot(context) == before
    return [error.code for error in found.stopped_by]


def test_nothing_is_sent_planned_or_written(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    before = snapshot(context)
    found = rehearse(context, batch)
    assert snapshot(context) == before
    assert (found.forecast.messages, found.opted_out, found.stopped_by) == (7, 0, ())
    assert found.forecast.cost == CostRange(7 * Decimal("8.5"), 7 * Decimal("9.2"))
    assert (house.uploads(), get_batch(context.ledger, batch.batch_id).planned_at) == (0, None)


def test_neither_address_nor_password_is_needed(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(2))
    alone = house.open(GATEWAY_BASE_URL="", GATEWAY_USERNAME="", GATEWAY_PASSWORD="")
    assert rehearsed(alone, batch) == []


def test_what_was_sent_does_not_go_out_again(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    send(context, batch)
    found = rehearse(context, get_batch(context.ledger, batch.batch_id), permission=Permission(max_cost=Decimal(0)))
    assert (found.forecast.messages, found.stopped_by) == (0, ())


def test_what_is_left_of_a_batch_is_what_is_forecast(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(refuse_code="596")
    batch = house.batch(context, house.recipients(7))
    assert sent_or_stopped(context, batch) == "gateway.refused"
    states = house.states(context, batch.batch_id)
    waiting = 7 - states.get(MessageState.TAKEN, 0)
    assert waiting >= 5
    found = rehearse(context, get_batch(context.ledger, batch.batch_id))
    assert (found.forecast.messages, found.forecast.cost.lowest) == (waiting, waiting * Decimal("8.5"))


def test_who_opted_out_is_not_counted(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    add_optouts(context.ledger, [house.number(1), house.number(2)], source="t", now=context.now())
    found = rehearse(context, batch)
    assert (found.forecast.messages, found.opted_out) == (5, 2)
    assert send(context, batch).opted_out == 2
    found = rehearse(context, get_batch(context.ledger, batch.batch_id))
    assert (found.forecast.messages, found.opted_out) == (0, 2)


def same_content(house: House, context: Context) -> tuple[Batch, dict[str, object]]:
    house.sent(context, house.recipients(3), "before")
    return house.batch(context, house.folder / "list.csv"), {}


def repeated(house: House, context: Context) -> tuple[Batch, dict[str, object]]:
    house.sent(context, house.recipients(3), "before")
    return house.batch(context, house.recipients(4, "more.csv")), {}


def late(house: House, context: Context) -> tuple[Batch, dict[str, object]]:
    batch = house.batch(context, house.recipients(3))
    house.clock.advance(timedelta(days=3))
    return batch, {}


def dear(house: House, context: Context) -> tuple[Batch, dict[str, object]]:
    return house.batch(context, house.recipients(3)), {"max_cost": 3 * Decimal("9.2") - Decimal("0.1")}


def unpriced(house: House, context: Context) -> tuple[Batch, dict[str, object]]:
    return house.batch(context, house.recipients(3)), {"max_cost": Decimal(1000)}


def cancelled(house: House, context: Context) -> tuple[Batch, dict[str, object]]:
    batch = house.batch(context, house.recipients(3))
    stop_batch(context.ledger, batch.batch_id, context.now(), actor="aoki")
    return batch, {}


def unknown(house: House, context: Context) -> tuple[Batch, dict[str, object]]:
    house.gateway.knobs = Knobs(html_200=True, faults=1, results_delay=3600)
    batch = house.batch(context, house.recipients(3))
    assert sent_or_stopped(context, batch) == "send.unknown"
    house.gateway.knobs = Knobs()
    return get_batch(context.ledger, batch.batch_id), {}


def went_back(house: House, context: Context) -> tuple[Batch, dict[str, object]]:
    batch = house.batch(context, house.recipients(3))
    context.workspace.mark_begun(Mark(batch.batch_id, 1, 1, context.now(), "dispatch-0001.csv"))
    return batch, {}


def logins(house: House, context: Context) -> tuple[Batch, dict[str, object]]:
    for _ in range(3):
        note_auth(context.ledger, context.settings.gateway.base_url, context.now(), failed=True)
    return house.batch(context, house.recipients(3)), {}


def scheduled(house: House, context: Context) -> tuple[Batch, dict[str, object]]:
    rows: list[list[str]] = [["電話番号", "本文", "senddatetime"], [house.number(1), "あ", "202611231000"]]
    batch = house.batch(context, house.write("s.csv", rows))
    house.clock.advance(timedelta(hours=1))
    return batch, {}


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (same_content, "guard.same_content"),
        (repeated, "guard.repeated_text"),
        (late, "guard.late"),
        (dear, "guard.max_cost"),
        (unpriced, "guard.unpriced"),
        (cancelled, "send.cancelled"),
        (unknown, "send.unknown"),
        (went_back, "ledger.went_back"),
        (logins, "guard.auth_failures"),
        (scheduled, "guard.scheduled_passed"),
    ],
)
def test_what_would_stop_sending_is_found(
    prepare: Callable[[House, Context], tuple[Batch, dict[str, Any]]], code: str, house: House
) -> None:
    """The first thing that is found is what sending is stopped by."""
    if prepare is scheduled:
        house.environment["MEDIASMS_GATEWAY_PROFILE"] = _confirmed(house)
    if prepare is unpriced:
        house.environment["MEDIASMS_TARIFF_FILE"] = _without_prices(house)
    context = house.open(create=True)
    batch, choices = prepare(house, context)
    uploads = house.uploads()
    assert rehearsed(context, batch, **choices)[:1] == [code]
    assert sent_or_stopped(context, batch, **choices) == code
    assert house.uploads() == uploads


def test_what_shift_jis_has_not_is_found(house: House, context: Context) -> None:
    memos = ("ok", "𠮷")
    rows = [
        ["電話番号", "本文", "memo"],
        *([house.number(row), "お知らせです", memo] for row, memo in enumerate(memos)),
    ]
    batch = house.batch(context, house.write("m.csv", rows))
    in_shift_jis = house.open(SEND_ENCODE="shiftjis")
    assert rehearsed(in_shift_jis, batch) == ["send.encode"]
    assert sent_or_stopped(in_shift_jis, batch) == "send.encode"
    assert rehearsed(context, batch) == []


def _confirmed(house: House) -> str:
    """Write a profile whose scheduled times are confirmed."""
    text = (files("schemas") / "profiles" / "mediasms.toml").read_text("utf-8")
    before, after = text.split('field = "scheduled"', 1)
    after = after.replace("confirmed = false", "confirmed = true", 1)
    (house.folder / "own.toml").write_text(f'{before}field = "scheduled"{after}', encoding="utf-8")
    return "own.toml"


def _without_prices(house: House) -> str:
    """Write a tariff that has no prices yet."""
    text = (files("schemas") / "tariffs" / "example.toml").read_text("utf-8")
    (house.folder / "own.toml").write_text(text.replace("from = 2024-04-01", "from = 2099-04-01"), encoding="utf-8")
    return "own.toml"


def test_several_reasons_are_all_told_and_a_person_s_word_takes_them_back(house: House, context: Context) -> None:
    house.sent(context, house.recipients(3), "before")
    batch = house.batch(context, house.folder / "list.csv")
    house.clock.advance(timedelta(days=2))
    assert rehearsed(context, batch, max_cost=Decimal(1)) == ["guard.late", "guard.same_content", "guard.max_cost"]
    assert rehearsed(context, batch, late=LATE, again=True, max_cost=Decimal(100)) == []
