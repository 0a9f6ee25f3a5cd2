"""What one row says about the profile: where the profile is wrong, and never what the row holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.config import load_profile
from pipeline.core.calendar import JST
from pipeline.model import Observation, ObservationPath
from schemas.evidence import Entry, Probe, Verdict, about_notification, about_rows, about_upload, is_final, rows_of

PROFILE = load_profile("mediasms", Path())
NOW = datetime(2026, 11, 23, 9, 35, tzinfo=JST)
PROBE = Probe(
    smsid="bcd0001",
    msisdn="09012345678",
    fixed="動作確認",
    marker="probe-2026-11-23",
    begun_at=NOW - timedelta(minutes=5),
    as_single=False,
)
CONFIRMED, NOT_SEEN, CONTRADICTED = Verdict.CONFIRMED, Verdict.NOT_SEEN, Verdict.CONTRADICTED
CELLS = {
    1: "090-1234-5678",
    10: "動作確認 probe-2026-11-23",
    12: "送信済",
    13: "2026.11.23.09.31.00",
    17: "2026.11.23.09.30",
    18: "bcd0001",
    20: "Docomo",
    47: "1/1",
}


def row(**moved: str) -> list[str]:
    """Return a row of 64 columns; ``c18=""`` puts another cell into column 18."""
    cells = CELLS | {int(name[1:]): value for name, value in moved.items()}
    return [cells.get(number, "") for number in range(1, 65)]


def looked_at(*rows: list[str]) -> dict[str, Entry]:
    return {entry.key: entry for entry in about_rows(PROFILE, PROBE, rows, NOW)}


def test_a_row_as_the_profile_says_contradicts_nothing() -> None:
    found = looked_at(row())
    assert {entry.verdict for entry in found.values()} == {CONFIRMED, NOT_SEEN}
    assert {key for key, entry in found.items() if entry.verdict is NOT_SEEN} == {
        *(f"layout.column {number}" for number in (7, 17, 21, 24, 25, 30, 42, 44, 46, 53))
    }


@pytest.mark.parametrize(
    ("moved", "key", "column"),
    [
        pytest.param({"c18": "", "c22": "bcd0001"}, "layout.column 18", 22, id="smsid elsewhere"),
        pytest.param({"c18": "other"}, "layout.column 18", None, id="another smsid"),
        pytest.param({"c1": "", "c5": "+819012345678"}, "layout.column 1", 5, id="number elsewhere"),
        pytest.param({"c1": "090-1111-1111"}, "layout.column 1", None, id="another number"),
        pytest.param({"c10": "", "c11": CELLS[10]}, "layout.column 10", 11, id="text elsewhere"),
        pytest.param({"c10": "動作確認 {info1}"}, "layout.column 2", None, id="tag"),
        pytest.param({"c12": "受付完了"}, "layout.column 12", None, id="status"),
        pytest.param({"c13": "2026/11/23 9:31"}, "layout.column 13", None, id="form of the time"),
        pytest.param({"c13": "2026.11.23.00.31.00"}, "results.status_time_format", None, id="time of another zone"),
        pytest.param({"c17": "2026.11.22.09.30"}, "results.registered_time_format", None, id="registered"),
        pytest.param({"c20": "08011112222"}, "layout.column 20", None, id="carrier"),
        pytest.param({"c47": "1"}, "layout.column 47", None, id="parts"),
        pytest.param({"c21": "MediaSMS"}, "layout.column 21", None, id="sender"),
    ],
)
def test_what_stands_elsewhere_or_otherwise_is_contradicted(
    moved: dict[str, str], key: str, column: int | None
) -> None:
    entry = looked_at(row(**moved))[key]
    assert (entry.verdict, entry.column, entry.toml) == (CONTRADICTED, column, ())


def test_a_digit_that_could_be_anything_confirms_nothing() -> None:
    found = looked_at(row(c7="0", c21="08011112222", c42="3"))
    assert {
        (found[f"layout.column {number}"].verdict, *found[f"layout.column {number}"].toml) for number in (7, 21, 42)
    } == {(NOT_SEEN,)}


@pytest.mark.parametrize("number", [13, 17, 20, 47])
def test_an_empty_cell_proves_nothing(number: int) -> None:
    assert looked_at(row(**{f"c{number}": ""}))[f"layout.column {number}"].verdict is NOT_SEEN


def test_a_row_of_another_width_is_contradicted_and_read_all_the_same() -> None:
    found = looked_at(row()[:63])
    assert (found["layout.columns"].verdict, found["layout.columns"].came) == (CONTRADICTED, "63")
    assert found["layout.column 18"].verdict is CONFIRMED


def test_nothing_of_number_or_text_gets_out() -> None:
    odd = row(c12="09012345678", c20="090-1234-5678", c47="動作確認")
    said = " ".join(f"{entry.came} {entry.says}" for entry in looked_at(odd).values())
    assert not any(part in said for part in ("1234", "5678", "probe-"))


def test_rows_are_found_by_smsid_or_text_and_the_final_one_counts() -> None:
    other, pending = row(c18="x", c10="別件"), row(c12="処理中")
    assert rows_of(PROBE, [row(), other, pending], PROFILE) == [pending, row()]
    assert rows_of(PROBE, [row(c18=""), row(c10="動作確認 {info1}"), other], PROFILE) == [row(c10="動作確認 {info1}")]
    second = row(c18="", c10=f"{CELLS[10]}-2")
    assert rows_of(PROBE, [second, row(c18=""), other], PROFILE) == [row(c18="")]
    assert [is_final(one, PROFILE) for one in (row(), pending, row(c12="?"), ["short"])] == [True, False, False, False]


@pytest.mark.parametrize(
    ("code", "lines", "verdicts", "taken"),
    [
        pytest.param("200", ["code", "counts"], {"counts": CONFIRMED}, True, id="counts"),
        pytest.param("200", ["code", "csvid"], {"counts": CONTRADICTED}, True, id="none"),
        pytest.param("401", ["code"], {"counts": NOT_SEEN}, False, id="refused"),
        pytest.param(None, ["empty"], {"counts": NOT_SEEN}, False, id="empty, and nobody knows"),
        pytest.param(
            None, ["empty"], {"counts": NOT_SEEN, "empty_body_is_taken": CONTRADICTED}, True, id="empty, and taken"
        ),
    ],
)
def test_the_answer_to_an_upload(
    code: str | None,
    lines: list[str],
    verdicts: dict[str, Verdict],
    *,
    taken: bool,
) -> None:
    found = {entry.key: entry.verdict for entry in about_upload(PROFILE, code, lines, taken=taken)}
    assert found == {f"upload_answer.{name}": verdict for name, verdict in verdicts.items()}


def test_a_notification_bears_out_the_names_of_its_fields() -> None:
    seen = Observation(
        path=ObservationPath.NOTIFIED, smsid="bcd0001", msisdn="09012345678", status="送信済", status_time=None
    )
    found = {entry.key: entry.verdict for entry in about_notification(PROFILE, seen)}
    assert found == dict.fromkeys(("notification.smsid", "notification.msisdn", "notification.status"), CONFIRMED)
