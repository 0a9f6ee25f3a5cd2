"""Answers of the CSV send as evidence: every row of the table of GATEWAY section 2."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Final

import pytest

from pipeline.config import load_profile
from pipeline.core.answers import Answer, Counts, Reading, Verdict, judge, parse_answer
from pipeline.model import MessageState, Proof, RunAction

TAKEN, REFUSED, UNKNOWN = MessageState.TAKEN, MessageState.REFUSED, MessageState.UNKNOWN
GO_ON, STOP = RunAction.GO_ON, RunAction.STOP

# The shipped profile is data under test as well: what matters is what the table and the code say together.
DOCUMENTED: Final = {entry.code: Reading(entry.proves, entry.run) for entry in load_profile("mediasms", Path()).answer}
SENT: Final = {"09011112222": "a1", "08033334444": "b2", "07055556666": "c3", "14155550123": "d4"}


def read(
    body: bytes | str,
    http_status: int = 200,
    *,
    empty: bool = False,
    expected: bool = True,
    repeated: bool = False,
) -> Verdict:
    raw = body.encode() if isinstance(body, str) else body
    answer = parse_answer(http_status, raw, DOCUMENTED, empty_is_taken=empty)
    return judge(answer, SENT, DOCUMENTED, counts_expected=expected, repeated=repeated)


def outcome(verdict: Verdict) -> tuple[MessageState, RunAction, dict[str, MessageState]]:
    return verdict.others, verdict.run, {smsid: state for smsid, (state, _) in verdict.named.items()}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "lines",
    [
        ["200", "4|0|4"],
        ["200", "CSV20261123000001", "4|0|4"],
        ["200", "4|0|4", "CSV20261123000001"],
        ["200", "", "4|0|4", ""],
        [" 200 ", " 4|0|4 "],
    ],
)
def test_200_with_matching_counts_is_taken(lines: list[str], line_end: str) -> None:
    verdict = read(line_end.join(lines))
    assert outcome(verdict) == (TAKEN, GO_ON, {})
    assert verdict.code == "200"
    assert verdict.csvid == ("CSV20261123000001" if len([line for line in lines if line]) == 3 else None)


def test_a_byte_order_mark_does_not_hide_the_code() -> None:
    assert outcome(read(b"\xef\xbb\xbf200\n4|0|4\n")) == (TAKEN, GO_ON, {})


@pytest.mark.parametrize("http_status", [200, 201, 299])
def test_taken_needs_any_2xx(http_status: int) -> None:
    assert read("200\n4|0|4", http_status).others is TAKEN


@pytest.mark.parametrize("http_status", [199, 300, 302, 400, 401, 404, 500, 502, 503])
def test_200_in_the_body_of_any_other_http_status_proves_nothing(http_status: int) -> None:
    assert outcome(read("200\n4|0|4", http_status)) == (UNKNOWN, STOP, {})
    assert outcome(read('{"result":"200"}', http_status, expected=False)) == (UNKNOWN, STOP, {})


@pytest.mark.parametrize(
    "counts", ["3|0|3", "5|0|5", "4|0|3", "4|1|3", "4|1|4", "4|4|0", "0|0|0", "40|0|40", "3|0|4", "4|0|5"]
)
def test_counts_that_do_not_agree_with_the_upload_prove_nothing(counts: str) -> None:
    assert outcome(read(f"200\n{counts}")) == (UNKNOWN, STOP, {})
    assert outcome(read(f"200\n{counts}", expected=False)) == (UNKNOWN, STOP, {})


def test_absent_counts_prove_only_where_the_account_has_none() -> None:
    assert outcome(read("200")) == (UNKNOWN, STOP, {})
    assert outcome(read("200\nCSV20261123000001")) == (UNKNOWN, STOP, {})
    assert outcome(read("200", expected=False)) == (TAKEN, GO_ON, {})
    assert outcome(read("200\n4|0|4", expected=False)) == (TAKEN, GO_ON, {})


def test_without_counts_reject_lines_still_name_rows() -> None:
    assert outcome(read("200\n090-1111-2222,560", expected=False)) == (TAKEN, GO_ON, {"a1": REFUSED})


@pytest.mark.parametrize("number", ["09011112222", "090-1111-2222", '"090-1111-2222"', "819011112222", "+819011112222"])
def test_a_reject_line_names_its_row_in_every_spelling(number: str) -> None:
    verdict = read(f"200\n4|1|3\n{number},560")
    assert outcome(verdict) == (TAKEN, GO_ON, {"a1": REFUSED})
    assert verdict.named["a1"][1] == "560"


def test_a_reject_line_names_an_overseas_number() -> None:
    assert outcome(read("200\n4|1|3\n14155550123,562")) == (TAKEN, GO_ON, {"d4": REFUSED})
    assert outcome(read('200\n4|1|3\n+14155550123,"562"')) == (TAKEN, GO_ON, {"d4": REFUSED})


def test_every_row_may_be_rejected() -> None:
    lines = "\n".join(f"{number},560" for number in SENT)
    verdict = read(f"200\n4|4|0\n{lines}")
    assert verdict.named == dict.fromkeys(SENT.values(), (REFUSED, "560"))
    assert verdict.count(REFUSED, 4) == 4
    assert verdict.count(TAKEN, 4) == 0


def test_a_reject_line_that_matches_no_row_makes_the_unexplained_unknown() -> None:
    verdict = read("200\n4|2|2\n090-1111-2222,560\n090-9999-9999,560")
    assert outcome(verdict) == (UNKNOWN, STOP, {"a1": REFUSED})
    assert (verdict.count(REFUSED, 4), verdict.count(UNKNOWN, 4)) == (1, 3)


def test_fewer_reject_lines_than_failed_make_the_unexplained_unknown() -> None:
    assert outcome(read("200\n4|2|2\n090-1111-2222,560")) == (UNKNOWN, STOP, {"a1": REFUSED})


def test_more_reject_lines_than_failed_make_the_unexplained_unknown() -> None:
    verdict = read("200\n4|1|3\n090-1111-2222,560\n080-3333-4444,560")
    assert outcome(verdict) == (UNKNOWN, STOP, {"a1": REFUSED, "b2": REFUSED})


def test_a_row_rejected_twice_does_not_stand_for_two() -> None:
    verdict = read("200\n4|2|2\n090-1111-2222,560\n09011112222,560")
    assert (verdict.others, verdict.run) == (UNKNOWN, STOP)
    assert verdict.named.keys() == {"a1"}


@pytest.mark.parametrize("code", ["587", "624"])
def test_a_repeated_smsid_in_a_reject_line_never_proves_refusal(code: str) -> None:
    body = f"200\n4|1|3\n090-1111-2222,{code}"
    assert outcome(read(body)) == (TAKEN, STOP, {"a1": UNKNOWN})
    assert outcome(read(body, repeated=True)) == (TAKEN, GO_ON, {"a1": TAKEN})
    assert read(body, repeated=True).named["a1"] == (TAKEN, code)


@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("code", ["587", "624"])
def test_a_repeated_smsid_as_the_answer_never_proves_refusal(code: str, *, repeated: bool) -> None:
    verdict = read(code, repeated=repeated)
    assert verdict.others is not REFUSED
    assert (verdict.run, verdict.code) == (STOP, code)


@pytest.mark.parametrize("code", ["402", "503", "550", "666", "200", "999"])
def test_a_reject_line_with_a_code_that_proves_nothing_leaves_its_row_open(code: str) -> None:
    assert outcome(read(f"200\n4|1|3\n090-1111-2222,{code}")) == (TAKEN, STOP, {"a1": UNKNOWN})


def test_the_order_of_the_lines_means_nothing() -> None:
    lines = ["CSV20261123000001", "4|2|2", "090-1111-2222,560", "080-3333-4444,587"]
    verdicts = [read("\n".join(["200", *order])) for order in permutations(lines)]
    assert all(verdict == verdicts[0] for verdict in verdicts)
    assert outcome(verdicts[0]) == (TAKEN, STOP, {"a1": REFUSED, "b2": UNKNOWN})


@pytest.mark.parametrize(
    "strange", ["warning", "4|0", "4|0|4|0", "090-xxxx-xxxx,560", "560", "090-1111-2222,5600", "4|0|4"]
)
def test_a_line_of_no_known_form_makes_the_answer_unreadable(strange: str) -> None:
    assert outcome(read(f"200\n4|0|4\n{strange}")) == (UNKNOWN, STOP, {})


def test_only_one_csvid_is_one() -> None:
    verdict = read("200\nCSV20261123000001\nCSV20261123000002\n4|0|4")
    assert outcome(verdict) == (UNKNOWN, STOP, {})
    assert verdict.csvid == "CSV20261123000001"


NOTHING_TAKEN_STOP: Final = ("401", "555", "596")
NOTHING_TAKEN_GO_ON: Final = ("414", "560", "562", "568", "577", "579", "580", "585", "590", "595", "598")


@pytest.mark.parametrize("http_status", [200, 400, 500])
@pytest.mark.parametrize("code", [*NOTHING_TAKEN_STOP, *NOTHING_TAKEN_GO_ON])
def test_refusals_in_the_body_with_any_http_status(code: str, http_status: int) -> None:
    run = STOP if code in NOTHING_TAKEN_STOP else GO_ON
    for body in (code, f"{code}\n", f"{code}\r\nsome text", f'{{"result":"{code}"}}'):
        verdict = read(body, http_status)
        assert (*outcome(verdict), verdict.code) == (REFUSED, run, {}, code)


@pytest.mark.parametrize("code", ["401", "414", "560"])
@pytest.mark.parametrize("body", ["", "<html>no</html>"])
def test_refusals_as_the_http_status(code: str, body: str) -> None:
    verdict = read(body, int(code))
    assert (verdict.others, verdict.code) == (REFUSED, code)


@pytest.mark.parametrize(
    "body",
    [
        "402",
        "502",
        "503",
        "550",
        "666",
        "999",
        "000",
        "",
        "   \r\n ",
        "20",
        "2000",
        "200 OK",
        "OK\n200",
        "<html><body>200</body></html>",
        "<!DOCTYPE html>\n200",
        '{"result":200}',
        '{"result":"20"}',
        '{"result":["200"]}',
        '{"result":null}',
        '{"status":"200"}',
        '{"result":"200"',
        '["200"]',
        "{",
        "２００",
        b"\xff\xfe2\x000\x000\x00",
    ],
)
def test_what_proves_nothing_stops_the_batch(body: bytes | str) -> None:
    for repeated in (False, True):
        verdict = read(body, expected=False, repeated=repeated)
        assert outcome(verdict) == (UNKNOWN, STOP, {})


@pytest.mark.parametrize("http_status", [301, 302, 307, 400, 403, 404, 500, 502, 503, 504])
@pytest.mark.parametrize("body", ["", "<html>Service Unavailable</html>"])
def test_an_http_status_that_is_no_refusal_stops_the_batch(http_status: int, body: str) -> None:
    assert outcome(read(body, http_status, empty=True)) == (UNKNOWN, STOP, {})


def test_an_empty_body_is_taken_only_where_the_profile_says_so() -> None:
    assert outcome(read("", empty=True, expected=False)) == (TAKEN, GO_ON, {})
    assert outcome(read(" \n", empty=True, expected=False)) == (TAKEN, GO_ON, {})
    assert outcome(read("", empty=False, expected=False)) == (UNKNOWN, STOP, {})
    assert outcome(read("<html>", empty=True, expected=False)) == (UNKNOWN, STOP, {})
    assert outcome(read("", empty=True, expected=True)) == (UNKNOWN, STOP, {})


def test_json_is_taken_where_the_account_has_no_counts() -> None:
    assert outcome(read('{"result":"200"}', expected=False)) == (TAKEN, GO_ON, {})
    assert outcome(read('{\n "result" : "200"\n}\n', expected=False)) == (TAKEN, GO_ON, {})
    assert outcome(read('{"result":"200"}')) == (UNKNOWN, STOP, {})


def test_the_shape_of_an_answer() -> None:
    body = b'200\nCSV20261123000001\n10|2|8\n090-1111-2222,560\n"080-3333-4444","585"\n???\n'
    assert parse_answer(200, body, DOCUMENTED, empty_is_taken=False) == Answer(
        "200",
        "CSV20261123000001",
        Counts(10, 2, 8),
        (("090-1111-2222", "560"), ("080-3333-4444", "585")),
        strange=1,
    )


def test_a_profile_may_make_a_code_prove_another_thing() -> None:
    documented = {"777": Reading(Proof.NOTHING_TAKEN, RunAction.WAIT)}
    answer = parse_answer(200, b"777", documented, empty_is_taken=False)
    verdict = judge(answer, SENT, documented, counts_expected=True, repeated=False)
    assert (verdict.others, verdict.run, verdict.count(REFUSED, 4)) == (REFUSED, RunAction.WAIT, 4)
