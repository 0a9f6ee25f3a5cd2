"""Matching: every message, everything observed about it, one class. Rules of GATEWAY section 7."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, permutations
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from pipeline.config import load_profile
from pipeline.core.kernels import matching as kernel
from pipeline.core.matching import Deadlines, match
from pipeline.core.observed import CLASSES
from pipeline.core.statuses import StatusMeaning, StatusTable
from pipeline.model import BreakKind, MessageClass, MessageState, NumberCheck, Observation, StatusClass
from tests.core.naive import Sent, batch_of, evidence_of, match_message, observed

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEANINGS: Final = {
    str(status.number): StatusMeaning(status.label or str(status.number), status.means, status.billable, status.clicked)
    for status in load_profile("mediasms", Path()).status
}
#: as an account with the option of checks may have them
_VERDICTS: Final = [
    StatusMeaning(label, StatusClass.VERDICT, billable=billable, clicked=False, then_sent=then_sent)
    for label, billable, then_sent in (("本人", True, True), ("他人", True, False), ("判定不可", False, True))
]
STATUSES: Final = StatusTable({meaning.label: meaning for meaning in (*_MEANINGS.values(), *_VERDICTS)}, _MEANINGS)
SENT_AT: Final = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
DEADLINES: Final = Deadlines(SENT_AT + timedelta(days=1), timedelta(days=8))
DELIVERED, FAILED, PENDING = MessageClass.DELIVERED, MessageClass.FAILED, MessageClass.PENDING


class Seen(NamedTuple):
    """What matching found about one message; ``duplicates`` is 0 but for several bills."""

    message_class: MessageClass
    label: str
    billable: bool
    billed_at: datetime | None
    only_check: bool
    checked_text: bool
    duplicates: int
    carrier: str
    observed_parts: int | None
    observed_at: datetime | None
    breaks: list[tuple[BreakKind, str]]


def message(state: MessageState = MessageState.TAKEN, *, reason: str = "", sent_at: datetime | None = SENT_AT) -> Sent:
    return Sent(state=state, reason=reason, sent_at=sent_at)


def row(
    status: str,
    minute: int | None = 0,
    *,
    msisdn: str = "090-1111-2222",
    carrier: str = "au",
    parts: int | None = None,
) -> Observation:
    time = None if minute is None else SENT_AT + timedelta(minutes=minute)
    return observed("a1", msisdn, status, time, carrier=carrier, parts_total=parts)


def all_matched(
    messages: Sequence[Sent], rows: Sequence[Observation], deadlines: Deadlines = DEADLINES, chunks: int = 0
) -> list[Seen]:
    """Match by the column; with ``chunks`` the tables come in pieces of that size."""
    checks = {"b": NumberCheck.NONE} | {message.batch_id: message.check for message in messages}
    batches = [replace(batch_of(name, registered=SENT_AT), number_check=check) for name, check in checks.items()]
    evidence = evidence_of(messages, rows, *batches, chunks=chunks)
    found = match(evidence, STATUSES, deadlines)
    breaks: list[list[tuple[BreakKind, str]]] = [[] for _ in messages]
    for each in found.breaks:
        for place, at in enumerate(each.at.tolist()):
            breaks[at].append((each.kind, each.details[place] if each.details else ""))
    return [
        Seen(
            CLASSES[found.classes[at]],
            found.label_names[found.labels[at]],
            bool(found.billable[at]),
            kernel.moment(int(found.billed_at[at])),
            bool(found.checks[at]),
            bool(found.checked_texts[at]),
            found.duplicates.get(at, 0),
            found.carrier_names[found.carriers[at]],
            None if found.parts[at] < 0 else int(found.parts[at]),
            kernel.moment(int(found.observed_at[at])),
            sorted(breaks[at]),
        )
        for at in range(len(messages))
    ]


def matched(*rows: Observation, of: Sent | None = None, deadlines: Deadlines = DEADLINES) -> Seen:
    (found,) = all_matched([of or message()], rows, deadlines)
    return found


def naive(rows: Sequence[Observation], of: Sent, deadlines: Deadlines = DEADLINES) -> Seen:
    found = match_message(of, rows, STATUSES, deadlines)
    return Seen(
        found.message_class,
        found.label,
        found.billable,
        found.billed_at,
        found.only_check,
        found.checked_text,
        found.bills if found.bills > 1 else 0,
        found.carrier,
        found.observed_parts,
        found.deciding.status_time if found.deciding else None,
        sorted(found.breaks),
    )


@pytest.mark.parametrize(
    ("status", "label", "message_class", "billable"),
    [
        ("送信済", "送信済", DELIVERED, True),
        ("送信済　", "送信済", DELIVERED, True),
        ("1", "送信済", DELIVERED, True),
        ("リダイレクト", "リダイレクト", DELIVERED, True),
        ("ﾘﾀﾞｲﾚｸﾄ", "リダイレクト", DELIVERED, True),
        ("ドコモ　圏外・ＯＦＦ", "ドコモ圏外・OFF", FAILED, False),
        ("403", "403", FAILED, False),
        ("5", "403", FAILED, False),
        ("22", "ソフトバンク受信拒否", FAILED, False),
        ("ドコモ一部受信", "ドコモ一部受信", MessageClass.PARTIAL, False),
        ("キャンセル済", "キャンセル済", MessageClass.CANCELLED, False),
        ("処理中", "処理中", PENDING, False),
        ("24", "送信前", PENDING, False),
        ("44", "44", MessageClass.UNMAPPED, False),
        ("01", "01", MessageClass.UNMAPPED, False),
        ("再送 待機", "再送待機", MessageClass.UNMAPPED, False),
        ("-", "", PENDING, False),
        ("33", "", PENDING, False),
        ("26", "", PENDING, False),
    ],
)
def test_one_row(status: str, label: str, message_class: MessageClass, *, billable: bool) -> None:
    found = matched(row(status))
    assert (found.label, found.message_class, found.billable) == (label, message_class, billable)
    unmapped = [(BreakKind.UNMAPPED_STATUS, status)] if message_class is MessageClass.UNMAPPED else []
    assert found.breaks == unmapped


STORIES: Final = {
    "retry": (
        [row("au圏外・OFF", 1), row("送信中", 0), row("送信済", 9)],
        (DELIVERED, "送信済", 1, []),
    ),
    "two failures": ([row("au圏外・OFF", 1), row("au未払", 9), row("処理中", 20)], (FAILED, "au未払", 0, [])),
    "click": (
        [row("送信済", 1), row("リダイレクト", 9), row("リダイレクト", 99)],
        (DELIVERED, "リダイレクト", 1, []),
    ),
    "click without time": ([row("送信済", 1), row("リダイレクト", None)], (DELIVERED, "リダイレクト", 1, [])),
    "two bills": (
        [row("送信済", 1), row("送信済", 9), row("リダイレクト", 10)],
        (DELIVERED, "リダイレクト", 2, [(BreakKind.DUPLICATE_BILLABLE, "")]),
    ),
    "the same row three times": ([row("送信済", 1)] * 3, (DELIVERED, "送信済", 1, [])),
    "contradiction": (
        [row("送信済", 1), row("au圏外・OFF", 9), row("処理中", 20)],
        (DELIVERED, "送信済", 1, [(BreakKind.CONTRADICTION, "au圏外・OFF")]),
    ),
    "partial after delivery": (
        [row("送信済", 1), row("ドコモ一部受信", 9)],
        (DELIVERED, "送信済", 1, [(BreakKind.CONTRADICTION, "ドコモ一部受信")]),
    ),
    "failed between delivery and click": (
        [row("送信済", 1), row("au圏外・OFF", 9), row("リダイレクト", 20)],
        (DELIVERED, "リダイレクト", 1, []),
    ),
    "cancelled, then delivered": (
        [row("キャンセル済", 1), row("送信済", 9)],
        (DELIVERED, "送信済", 1, [(BreakKind.CONTRADICTION, "cancelled")]),
    ),
    "unmapped beside delivery": (
        [row("再送待機", 20), row("送信済", 9), row("送信中", 30)],
        (DELIVERED, "送信済", 1, [(BreakKind.UNMAPPED_STATUS, "再送待機")]),
    ),
    "unmapped beside failure": (
        [row("再送待機", 20), row("失敗", 9)],
        (FAILED, "失敗", 0, [(BreakKind.UNMAPPED_STATUS, "再送待機")]),
    ),
    "unmapped beside pending": (
        [row("再送待機", 1), row("処理中", 9)],
        (MessageClass.UNMAPPED, "再送待機", 0, [(BreakKind.UNMAPPED_STATUS, "再送待機")]),
    ),
    "pending": ([row("処理中", 1), row("送信中", 9), row("-", 20)], (PENDING, "送信中", 0, [])),
    "final without time": (
        [row("失敗", None), row("au未払", 1), row("送信中", 9)],
        (FAILED, "au未払", 0, []),
    ),
    "partial, then delivered at an unknown time": (
        [row("ドコモ一部受信", 1), row("送信済", None)],
        (DELIVERED, "送信済", 1, []),
    ),
    "contradiction with the bill told twice, once without its time": (
        [row("送信済", 1), row("送信済", None), row("au圏外・OFF", 9)],
        (DELIVERED, "送信済", 1, [(BreakKind.CONTRADICTION, "au圏外・OFF")]),
    ),
    "at one moment": ([row("送信済", 5), row("失敗", 5)], (DELIVERED, "送信済", 1, [])),
}


@pytest.mark.parametrize(("rows", "expected"), STORIES.values(), ids=STORIES)
def test_row_order_means_nothing(
    rows: list[Observation], expected: tuple[MessageClass, str, int, list[tuple[BreakKind, str]]]
) -> None:
    for order in permutations(rows):
        found = matched(*order)
        message_class, label, bills, breaks = expected
        assert (found.message_class, found.label, found.breaks) == (message_class, label, breaks)
        assert found.duplicates == (bills if bills > 1 else 0)
        assert found.billable is (found.message_class is DELIVERED)


ONE_OF_EACH: Final = ["送信済", "リダイレクト", "失敗", "ドコモ一部受信", "キャンセル済", "処理中", "-", "?"]


@pytest.mark.unmeasured
@pytest.mark.parametrize("statuses", list(combinations(ONE_OF_EACH, 3)), ids="-".join)
def test_every_message_gets_the_same_class_in_every_order_of_time(statuses: tuple[str, ...]) -> None:
    """Whatever the times, a billable row delivers and only what is after it contradicts."""
    for times in permutations(range(3)):
        rows = [row(status, time) for status, time in zip(statuses, times, strict=True)]
        results = [matched(*order) for order in permutations(rows)]
        assert all(result == results[0] for result in results)
        billable = {"送信済", "リダイレクト"} & set(statuses)
        assert (results[0].message_class is DELIVERED) is bool(billable) is results[0].billable
        assert not results[0].duplicates
        final = [entry for entry in rows if entry.status not in {"処理中", "-", "?"}]
        last = max(final, key=lambda entry: entry.status_time or SENT_AT) if final else None
        contradicts = bool(billable and last and last.status not in billable)
        contradicts |= "キャンセル済" in statuses and results[0].message_class is not MessageClass.CANCELLED
        assert (BreakKind.CONTRADICTION in {kind for kind, _ in results[0].breaks}) is contradicts
        if final and not billable and last:
            assert results[0].label == last.status


def test_the_first_bill_decides_and_a_click_never_moves_it() -> None:
    first, again, click = row("送信済", 5), row("送信済", 9, carrier="Docomo"), row("リダイレクト", 1)
    for order in permutations([first, again, click]):
        found = matched(*order)
        assert (found.observed_at, found.carrier, found.duplicates) == (first.status_time, "au", 2)


@pytest.mark.parametrize("years", [0, 9999])
def test_a_bill_with_a_time_decides_over_one_without(years: int) -> None:
    """The same delivery is told by a row of results with its time and by a notification without it."""
    timed, timeless = row("送信済", 5), row("送信済", None, carrier="")
    far = [observed("a1", "09011112222", "処理中", datetime(years, 1, 2, tzinfo=UTC))] if years else []
    for order in permutations([timed, timeless, *far]):
        found = matched(*order)
        assert (found.observed_at, found.carrier, found.duplicates) == (timed.status_time, "au", 0)
    assert matched(timeless, *far).observed_at is None


def test_clicks_alone_bill_once_from_the_first() -> None:
    first = row("リダイレクト", 5)
    found = matched(row("リダイレクト", 9), first)
    assert (found.observed_at, found.duplicates, found.billable) == (first.status_time, 0, True)
    assert found.breaks == []


def test_another_phone_is_a_break_however_it_is_written() -> None:
    assert matched(row("送信済", msisdn="819011112222")).breaks == []
    assert matched(row("送信済", msisdn="09011112222")).breaks == []
    assert matched(row("送信済", msisdn="")).breaks == []
    found = matched(row("送信済", msisdn="090-1111-2223"))
    assert found.breaks == [(BreakKind.PHONE_MISMATCH, "")]
    assert found.message_class is DELIVERED
    assert matched(row("送信済", msisdn="?")).breaks == [(BreakKind.PHONE_MISMATCH, "")]


@pytest.mark.parametrize("state", [MessageState.UNKNOWN, MessageState.IN_FLIGHT, MessageState.REFUSED])
def test_a_result_for_another_phone_says_nothing_of_a_message_that_may_never_have_left(state: MessageState) -> None:
    """Somebody else's message may have the same smsid."""
    of = message(state)
    found, without = matched(row("送信済", msisdn="090-1111-2223"), of=of), matched(of=of)
    assert (found.message_class, found.label, found.billable) == (without.message_class, without.label, False)
    assert found.breaks == [(BreakKind.PHONE_MISMATCH, "")]
    assert matched(row("送信済", msisdn="090-1111-2223"), row("送信済"), of=of).billable


def test_every_unmapped_status_is_named_once() -> None:
    found = matched(row("い"), row("あ"), row("い", 5))
    assert found.breaks == [(BreakKind.UNMAPPED_STATUS, "あ"), (BreakKind.UNMAPPED_STATUS, "い")]


def test_carrier_and_parts_come_from_any_row_that_has_them() -> None:
    found = matched(row("送信済", carrier=""), row("送信中", carrier="Rakuten", parts=3))
    assert (found.carrier, found.observed_parts) == ("Rakuten", 3)
    found = matched(row("送信中", carrier="Rakuten"), row("送信済", carrier="au", parts=2))
    assert (found.carrier, found.observed_parts) == ("au", 2)
    found = matched()
    assert (found.carrier, found.observed_parts, found.observed_at) == ("", None, None)


@pytest.mark.parametrize(
    ("beyond", "message_class"),
    [
        (timedelta(0), PENDING),
        (timedelta(microseconds=1), MessageClass.MISSING),
        (timedelta(seconds=-1), PENDING),
    ],
)
def test_a_message_is_missing_only_after_its_deadline(beyond: timedelta, message_class: MessageClass) -> None:
    result = timedelta(days=8)
    deadlines = Deadlines(SENT_AT + result + beyond, result)
    for rows in ([], [row("処理中")], [row("-")]):
        found = matched(*rows, deadlines=deadlines)
        assert found.message_class is message_class
        missing = [(BreakKind.MISSING_RESULT, "")] if message_class is MessageClass.MISSING else []
        assert found.breaks == missing
    for rows in ([row("失敗")], [row("送信済")], [row("?")]):
        assert matched(*rows, deadlines=deadlines).message_class is not MessageClass.MISSING


def test_a_message_taken_at_an_unknown_time_is_pending() -> None:
    late = Deadlines(SENT_AT + timedelta(days=999), timedelta(days=8))
    assert matched(of=message(sent_at=None), deadlines=late).message_class is PENDING


@pytest.mark.parametrize(
    ("state", "message_class"),
    [
        (MessageState.PLANNED, MessageClass.PLANNED),
        (MessageState.IN_FLIGHT, MessageClass.UNKNOWN),
        (MessageState.UNKNOWN, MessageClass.UNKNOWN),
        (MessageState.REFUSED, MessageClass.REFUSED),
        (MessageState.CANCELLED, MessageClass.CANCELLED),
        (MessageState.TAKEN, MessageClass.PENDING),
    ],
)
def test_without_a_result_the_state_is_the_class(state: MessageState, message_class: MessageClass) -> None:
    late = Deadlines(SENT_AT + timedelta(days=999), timedelta(days=8))
    assert matched(of=message(state)).message_class is message_class
    if state is not MessageState.TAKEN:
        assert matched(of=message(state), deadlines=late).message_class is message_class
    assert matched(of=message(state)).breaks == []


@pytest.mark.parametrize("state", [MessageState.REFUSED, MessageState.PLANNED, MessageState.CANCELLED])
def test_a_result_of_what_we_believe_unsent_contradicts(state: MessageState) -> None:
    found = matched(row("送信済"), of=message(state))
    assert found.message_class is DELIVERED
    assert found.breaks == [(BreakKind.CONTRADICTION, state.value)]
    assert matched(row("処理中"), of=message(state)).breaks == [(BreakKind.CONTRADICTION, state.value)]


def test_a_cancellation_that_the_gateway_confirms_is_no_contradiction() -> None:
    found = matched(row("キャンセル済"), of=message(MessageState.CANCELLED))
    assert found.message_class is MessageClass.CANCELLED
    assert found.breaks == []


def test_what_the_gateway_answered_to_have_cancelled_is_cancelled_whatever_came_before_and_however_late() -> None:
    answered = Sent(sent_at=SENT_AT, answered=True)
    late = Deadlines(SENT_AT + timedelta(days=999), timedelta(days=8))
    for rows in ([], [row("送信前")], [row("キャンセル済", 1)]):
        found = matched(*rows, of=answered, deadlines=late)
        assert (found.message_class, found.breaks) == (MessageClass.CANCELLED, [])
    assert matched(row("送信前"), of=answered).label == ""
    assert matched(row("送信前"), of=Sent(state=MessageState.UNKNOWN, answered=True)).message_class is (
        MessageClass.UNKNOWN
    )


@pytest.mark.parametrize("status", ["送信済", "リダイレクト", "ドコモ一部受信", "失敗"])
def test_what_is_said_to_be_cancelled_and_ends_otherwise_contradicts(status: str) -> None:
    contradiction = [(BreakKind.CONTRADICTION, "cancelled")]
    by_answer = matched(row(status, 9), of=Sent(sent_at=SENT_AT, answered=True))
    assert (by_answer.label, by_answer.breaks) == (status, contradiction)
    by_result = matched(row("キャンセル済", 1), row(status, 9))
    assert (by_result.label, by_result.breaks) == (status, contradiction)
    # One contradiction is said once.
    assert matched(row("キャンセル済", 1), row(status, 9), of=message(MessageState.CANCELLED)).breaks == contradiction


def test_a_cancellation_after_the_bill_is_one_contradiction() -> None:
    found = matched(row("送信済", 1), row("キャンセル済", 9), of=Sent(sent_at=SENT_AT, answered=True))
    assert (found.message_class, found.breaks) == (DELIVERED, [(BreakKind.CONTRADICTION, "キャンセル済")])


@pytest.mark.parametrize("state", [MessageState.IN_FLIGHT, MessageState.UNKNOWN, MessageState.TAKEN])
def test_a_result_of_what_may_have_been_taken_contradicts_nothing(state: MessageState) -> None:
    assert matched(row("送信済"), of=message(state)).breaks == []


@pytest.mark.parametrize(
    ("reason", "label"), [("answer:560", "560"), ("560", "560"), ("", ""), ("reject:CSV1:585", "585")]
)
def test_a_refused_message_shows_the_code_of_its_refusal(reason: str, label: str) -> None:
    assert matched(of=message(MessageState.REFUSED, reason=reason)).label == label


STATES: Final = [*MessageState, *[MessageState.TAKEN] * 4]
WORDS: Final = [*ONE_OF_EACH, "1", "403", "au未払", "送信中", "再送待機", "送信済　", "本人", "他人", "判定不可"]
SENT: Final = [None, SENT_AT, SENT_AT - timedelta(days=7), SENT_AT - timedelta(days=7, microseconds=1)]
REASONS: Final = ["", "answer:560", "observed:refused", "answered:in_flight", "observed:unknown", "opted_out"]


def random_messages(chance: random.Random) -> tuple[list[Sent], list[Observation]]:
    """Messages with rows that tie in every way: few times, or none, the same rows again, numbers however written."""
    messages: list[Sent] = []
    rows: list[Observation] = []
    for number in range(chance.randint(0, 15)):
        check = chance.choice([NumberCheck.NONE, *NumberCheck])
        sent = Sent(
            smsid=f"a{number}",
            row_number=number + 2,
            batch_id=check.value,
            check=check,
            msisdn=chance.choice([f"0901{number:07d}", f"1415{number:07d}", "9012345678"]),
            state=chance.choice(STATES),
            reason=chance.choice(REASONS),
            sent_at=chance.choice(SENT),
            answered=chance.random() < 0.2,
        )
        messages.append(sent)
        for _ in range(chance.choice([0, 1, 1, 2, 3, 5])):
            written = [
                sent.msisdn,
                f"{sent.msisdn[:3]}-{sent.msisdn[3:7]}-{sent.msisdn[7:]}",
                "81" + sent.msisdn[1:],
                "?",
            ]
            minute = chance.choice([None, 0, 1, 2, 600_000])
            time = None if minute is None else SENT_AT + timedelta(minutes=minute)
            rows.append(
                observed(
                    sent.smsid,
                    chance.choice(written) if chance.random() < 0.4 else sent.msisdn,
                    chance.choice(WORDS),
                    time,
                    carrier=chance.choice(["", "Docomo", "au"]),
                    parts_total=chance.choice([None, None, 0, 1, 2]),
                )
            )
    rows += [observed("nobody", "09012345678", "送信済", SENT_AT)] * chance.choice([0, 0, 3])
    rows += chance.sample(rows, len(rows) // 4)
    chance.shuffle(rows)
    return messages, rows


@pytest.mark.unmeasured
@pytest.mark.parametrize("seed", range(150))
def test_columns_say_what_one_message_after_the_other_says(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - worlds must come back by their seed
    messages, rows = random_messages(chance)
    deadlines = Deadlines(SENT_AT + timedelta(days=1), timedelta(days=8))
    found = all_matched(messages, rows, deadlines)
    for sent, seen in zip(messages, found, strict=True):
        assert seen == naive([each for each in rows if each.smsid == sent.smsid], sent, deadlines)
    chance.shuffle(rows)
    assert all_matched(messages, rows * 2, deadlines, chunks=chance.randint(1, 5)) == found


@pytest.mark.parametrize("year", [1, 9999])
def test_times_too_far_apart_to_be_packed_are_still_compared(year: int) -> None:
    wrong = observed("a1", "09011112222", "au未払", datetime(year, 1, 2, tzinfo=UTC), carrier="au")
    rows = [row("失敗"), wrong, *(row("送信中", minute) for minute in range(3)), observed("a1", "", "処理中", None)]
    found = matched(*rows)
    assert found == naive(rows, message())
    assert found.label == ("失敗" if year == 1 else "au未払")
