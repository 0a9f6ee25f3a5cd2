from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text as sql

from pipeline.adapters.gateway import Exchange, GatewayClient
from pipeline.errors import GatewayRefused, GuardStopped, InputUnusable, TryLater
from pipeline.ledger.logins import auth_failures
from pipeline.ledger.results import open_windows
from pipeline.messages import Language
from pipeline.model import MessageState
from pipeline.simulator import Knobs
from pipeline.stages.pull import Pulled, pull, read_results
from pipeline.stages.reconcile import reconcile

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.context import Context
    from tests.stages.conftest import House

WRONG = "wrong-one"


def _line(number: str = "090-1000-0000", status: str = "送信済", smsid: str = "abc", **cells: str) -> list[str]:
    row = [""] * 64
    row[0], row[11], row[12], row[17], row[19] = number, status, "2026.11.23.09.31.05", smsid, "au"
    row[16] = "2026.11.23.09.30"
    for name, value in cells.items():
        row[int(name.removeprefix("c")) - 1] = value
    return row


def _file(folder: Path, *rows: list[str]) -> Path:
    path = folder / "results.csv"
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    return path


def _observations(context: Context) -> int:
    with context.ledger.reading() as connection:
        return int(connection.execute(sql("SELECT count(*) FROM observation")).scalar_one())


def test_a_second_pull_adds_nothing(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(12))
    house.sent(context, house.folder / "list.csv")
    house.clock.advance(timedelta(days=3))
    first = pull(context, batch.batch_id)
    assert first.rows == first.new >= 12
    second = pull(context)
    assert second == Pulled(second.files, first.rows, 0, {})
    assert set(second.files).isdisjoint(first.files)
    assert _observations(context) == first.rows
    with context.ledger.reading() as connection:
        pulls = connection.execute(sql("SELECT rows, new_rows FROM pull ORDER BY pull_id")).all()
    assert [tuple(row) for row in pulls] == [(first.rows, first.rows), (first.rows, 0)]


def test_rows_given_twice_count_once(house: House, context: Context) -> None:
    house.sent(context, house.recipients(5))
    house.gateway.knobs = Knobs(duplicate_results=True)
    house.clock.advance(timedelta(days=3))
    got = pull(context)
    assert got.rows == 2 * got.new


def test_nothing_is_asked_when_nothing_is_open(house: House, context: Context) -> None:
    assert pull(context) == Pulled((), 0, 0, {})
    house.sent(context, house.recipients(5))
    house.clock.advance(timedelta(days=9))
    assert pull(context).files == ()
    assert house.pulls() == 0
    batch = house.batch(context, house.folder / "list.csv")
    assert pull(context, batch.batch_id).rows >= 5
    assert house.pulls() == 1


def test_batches_far_apart_are_asked_for_one_by_one(house: House, context: Context) -> None:
    house.sent(context, house.recipients(5))
    house.clock.advance(timedelta(hours=5))
    house.sent(context, house.recipients(5, "b.csv", 50), "d")
    steps: list[tuple[str, int, int]] = []
    context.progress = lambda *step: steps.append(step)
    assert len(pull(context).files) == 2
    assert steps == [("pull", 1, 2), ("pull", 2, 2)]
    assert len(open_windows(context.ledger, context.now() - timedelta(hours=1))) == 1


def test_by_period(house: House, context: Context) -> None:
    start = context.now()
    house.sent(context, house.recipients(5))
    house.clock.advance(timedelta(days=3))
    day = timedelta(days=1)
    assert pull(context, period=(start - 2 * day, start - day)).rows == 0
    assert pull(context, period=(start, start + day)).rows >= 5


def test_a_period_that_is_asked_for_is_widened_by_the_margin(house: House, context: Context) -> None:
    start = context.now()
    house.sent(context, house.recipients(5))
    house.clock.advance(timedelta(days=3))
    day, before = timedelta(days=1), context.pull_margin - timedelta(minutes=1)
    assert pull(context, period=(start - day, start - before)).rows >= 5  # a click has a row of its own
    assert pull(context, period=(start - day, start - context.pull_margin - timedelta(minutes=2))).rows == 0


def test_results_of_others_are_foreign_and_of_a_lost_ledger_orphans(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(foreign=6)
    source = house.recipients(5)
    house.sent(context, source)
    with context.ledger.writing() as connection:
        connection.execute(sql("DELETE FROM message WHERE row_number = 2"))
        connection.execute(sql("UPDATE batch SET rows = 4, accepted = 4"))
    house.clock.advance(timedelta(days=3))
    pull(context)
    done = reconcile(context, house.batch(context, source))
    assert done.value.foreign.messages == 6
    kinds = {kind.value for kind in done.value.breaks_by_kind}
    assert "orphan_result" in kinds
    assert all(equation.holds for equation in done.value.equations)


def test_what_nothing_knows_is_kept(house: House, context: Context) -> None:
    row = _line("+81-90-1000-0000", c14="謎", c64="最後", c47="1/3")
    found = next(read_results(_file(house.folder, row), context.profile))
    assert json.loads(found.extra) == {"14": "謎", "64": "最後"}
    assert (found.parts_delivered, found.parts_total, found.line) == (1, 3, 1)
    assert (found.msisdn, found.smsid, found.carrier) == ("09010000000", "abc", "au")
    assert found.status_time is not None
    assert found.registered_at is not None


def test_lines_are_counted_as_an_editor_does(house: House, context: Context) -> None:
    path = _file(house.folder, _line(c10="一\n二\n三"), _line(smsid="x", c13=""), _line(smsid="y"))
    found = list(read_results(path, context.profile))
    assert [row.line for row in found] == [1, 4, 5]
    assert found[1].status_time is None
    assert list(read_results(_file(house.folder), context.profile)) == []


@pytest.mark.parametrize(
    ("tail", "code", "line"),
    [
        (b"a,b\n", "results.columns", 3),
        (b"\xff\xfe\n", "results.encoding", 3),
        (b"090,cut", "results.cut_off", 3),
        (b'"open\n', "results.not_csv", 3),
        (b"x" + b"," * 63 + b"\n", "results.contract", 3),
        (b"09011112222" + b"," * 63 + b"\n", "results.contract", 3),
    ],
)
def test_a_damaged_file_is_unusable_as_a_whole(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, tail: bytes, code: str, line: int
) -> None:
    good = _file(house.folder, _line(), _line(smsid="d")).read_bytes()
    house.sent(context, house.recipients(5))

    def answer(_client: object, _start: object, _end: object, into: io.BytesIO) -> Exchange:
        into.write(good + tail)
        return Exchange(0, 200, good, "")

    monkeypatch.setattr(GatewayClient, "results", answer)
    with pytest.raises(InputUnusable) as stopped:
        pull(context)
    assert stopped.value.code == code
    assert stopped.value.facts["line"] == line
    assert _observations(context) == 0


def test_a_gateway_that_cannot_be_reached_is_for_later(house: House, context: Context) -> None:
    house.sent(context, house.recipients(5))
    house.gateway.__exit__(None, None, None)
    try:
        with pytest.raises(TryLater) as stopped:
            pull(house.open())
        assert stopped.value.code == "results.unreachable"
        assert f"from {house.gateway.url}/api4/ (" in str(stopped.value)
        assert list(context.workspace.pulls_folder().iterdir()) == []
    finally:
        house.gateway.__enter__()


def test_a_wrong_password_is_refused_and_counted(house: House, context: Context) -> None:
    house.sent(context, house.recipients(5))
    for language in (Language.EN, Language.JA):
        with pytest.raises(GatewayRefused) as stopped:
            pull(house.open(language=language, GATEWAY_PASSWORD=WRONG))
        assert stopped.value.facts["code"] == "401"
    assert auth_failures(context.ledger, house.gateway.url) == 2
    assert pull(context).rows == 5
    assert auth_failures(context.ledger, house.gateway.url) == 0


def test_after_three_wrong_passwords_no_request_is_made(house: House, context: Context) -> None:
    house.sent(context, house.recipients(5))
    wrong = house.open(GATEWAY_PASSWORD=WRONG)
    for _ in range(3):
        with pytest.raises(GatewayRefused):
            pull(wrong)
    with pytest.raises(GuardStopped) as stopped:
        pull(context)
    assert stopped.value.code == "guard.auth_failures"
    assert house.pulls() == 3


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(200, b"503\n", "503"), (500, b"<html>", "500"), (200, b" 999 ", "999"), (502, b"", "502")],
)
def test_a_code_instead_of_results_is_for_later(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, code: str
) -> None:
    house.sent(context, house.recipients(5))
    monkeypatch.setattr(GatewayClient, "results", lambda *_arguments: Exchange(0, status, body, ""))
    with pytest.raises(TryLater) as stopped:
        pull(context)
    assert stopped.value.facts["code"] == code
    assert list(context.workspace.pulls_folder().iterdir()) == []


def test_two_pulls_in_one_second_keep_two_files(house: House, context: Context) -> None:
    house.sent(context, house.recipients(5))
    names = [*pull(context).files, *pull(context).files]
    assert len(set(names)) == 2


def test_a_result_makes_a_refused_message_taken(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = house.recipients(5)
    house.gateway.knobs = Knobs(refuse_code="596")
    with pytest.raises(GatewayRefused):
        house.sent(context, source)
    batch = house.batch(context, source)
    smsid = house.smsids(context, batch.batch_id)[0]
    good = _file(house.folder, _line(house.number(0), smsid=smsid)).read_bytes()

    def answer(_client: object, _start: object, _end: object, into: io.BytesIO) -> Exchange:
        into.write(good)
        return Exchange(0, 200, good, "")

    monkeypatch.setattr(GatewayClient, "results", answer)
    assert pull(context, batch.batch_id).settled == {MessageState.REFUSED: 1}
    monkeypatch.undo()
    assert house.sent(context, source).states == {MessageState.TAKEN: 5}
    assert smsid not in house.copies()
    assert len(house.copies()) == 4


def test_the_last_warning_before_the_address_is_blocked_is_no_reason_to_try_again(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.sent(context, house.recipients(2))
    monkeypatch.setattr(GatewayClient, "results", lambda *_arguments: Exchange(0, 200, b"666", ""))
    with pytest.raises(GatewayRefused) as stopped:
        pull(context)
    assert stopped.value.hint(Language.EN).startswith("The last warning before the address is blocked.")
    assert auth_failures(context.ledger, context.settings.gateway.base_url) == 1
