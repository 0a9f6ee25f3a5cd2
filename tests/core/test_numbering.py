"""Results without smsids: which message each is about does not depend on which batches are asked about."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from pipeline.core.kernels import matching as kernel
from pipeline.core.numbering import ByNumber, leave_to_others, pair_by_number
from pipeline.model import MessageState, NumberCheck
from tests.core.naive import Sent, batch_of, evidence_of, messages_table, observations_table, observed
from tests.core.test_matching import STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from pipeline.model import Batch, Observation

START: Final = datetime(2026, 11, 30, 14, tzinfo=UTC)
MARGIN: Final = timedelta(minutes=10)
BY_NUMBER: Final = ByNumber(MARGIN, STATUSES)
NAMES: Final = ["b3", "b1", "b2"]  # in an order of their own
NONE, ONLY, THEN_SEND = NumberCheck
VERDICTS: Final = {"本人", "他人"}
OF_TEXTS: Final = {"送信済", "失敗"}


def _batches(checks: dict[str, NumberCheck]) -> list[Batch]:
    return [replace(batch_of(name, registered=START), number_check=check) for name, check in checks.items()]


def _paired(
    messages: Sequence[Sent], rows: pa.Table, checks: dict[str, NumberCheck] | None = None
) -> Counter[tuple[str, str]]:
    """Return the status of each row with the smsid of the message that it is about."""
    table = messages_table(messages)
    batches = _batches(checks or {message.batch_id: NONE for message in messages})
    may = np.ones(len(messages), bool)
    cancelled = frozenset(message.smsid for message in messages if message.answered)
    found = pair_by_number(table, rows, may, kernel.times(table["sent_at"]), BY_NUMBER, batches, cancelled)
    statuses = rows["status"].to_pylist()
    return Counter((status, messages[at].smsid) for status, at in zip(statuses, found.tolist(), strict=True) if at >= 0)


def _world(chance: random.Random) -> tuple[list[Sent], list[Observation], dict[str, NumberCheck]]:
    """Batches close to each other, to few numbers, at few moments; rows have their own statuses, or are alike."""
    checks = {name: chance.choice([NONE, *NumberCheck]) for name in NAMES}
    messages = [
        Sent(
            smsid=f"{batch}-{number}",
            batch_id=batch,
            row_number=number,
            msisdn=f"0901111222{chance.randint(0, 2)}",
            sent_at=START + timedelta(minutes=chance.choice([0, 5, 5, 12, 40])),
            answered=chance.random() < 0.3,
        )
        for batch in NAMES
        for number in range(chance.randint(1, 4))
    ]
    rows: list[Observation] = []
    for number in range(chance.randint(0, 12)):
        registered = START + timedelta(minutes=chance.randint(-5, 45))
        to = f"090-1111-222{chance.randint(0, 2)}"
        rows += [
            observed("", to, status, registered + timedelta(minutes=again), registered_at=registered)
            for again in range(chance.randint(1, 2))
            for status in [chance.choice(["キャンセル済", "処理中", *VERDICTS, *OF_TEXTS, f"{number} {again}"])]
        ]
    rows += [row for row in rows if chance.random() < 0.3]
    named = [one for one in messages if chance.random() < 0.3]
    rows += [observed(one.smsid, one.msisdn, chance.choice(["", "送信済", "キャンセル済"]), None) for one in named]
    return messages, rows, checks


@pytest.mark.parametrize("seed", range(60))
def test_a_result_is_of_the_same_message_whichever_batches_are_asked_about(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - worlds must come back by their seed
    messages, rows, checks = _world(chance)
    whole = _paired(messages, observations_table(rows), checks)
    wanted = set(chance.sample(NAMES, chance.randint(1, 2)))
    ours = [message for message in messages if message.batch_id in wanted]
    others = [message for message in messages if message.batch_id not in wanted]
    theirs = {message.smsid for message in others}
    cancelled = frozenset(message.smsid for message in others if message.answered)
    beyond = [row for row in rows if row.smsid in theirs]
    rows = [row for row in rows if row.smsid not in theirs]
    batches = _batches(checks)
    evidence = evidence_of(ours, rows, *(batch for batch in batches if batch.batch_id in wanted))
    found = leave_to_others(evidence, messages_table(others), observations_table(beyond), batches, BY_NUMBER, cancelled)
    own = Counter({key: count for key, count in whole.items() if key[1].partition("-")[0] in wanted})
    assert _paired(ours, found.observations, checks) == own
    assert found.observed == len(found.observations) == len(rows) - (whole - own).total()


@pytest.mark.parametrize("seed", range(60))
def test_checks_take_no_result_of_a_text_and_texts_no_verdict_in_whatever_order_rows_come(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - worlds must come back by their seed
    messages, rows, checks = _world(chance)
    table = messages_table(messages)
    may = np.ones(len(messages), bool)
    gone = frozenset(message.smsid for message in messages if message.answered)
    told: list[Counter[tuple[str, str]]] = []
    for _ in range(3):
        chance.shuffle(rows)
        observations = observations_table(rows)
        sent_at = kernel.times(table["sent_at"])
        found = pair_by_number(table, observations, may, sent_at, BY_NUMBER, _batches(checks), gone).tolist()
        pairs = [(row, messages[at]) for row, at in zip(rows, found, strict=True) if at >= 0]
        registered: dict[str, set[datetime | None]] = {}
        for row, message in pairs:
            assert row.msisdn.replace("-", "") == message.msisdn
            assert checks[message.batch_id] is not ONLY or row.status not in OF_TEXTS
            assert checks[message.batch_id] is not NONE or row.status not in VERDICTS
            registered.setdefault(message.smsid, set()).add(row.registered_at)
        assert all(len(times) == 1 for times in registered.values())
        told.append(Counter((row.status, message.smsid) for row, message in pairs))
    assert told == [told[0]] * 3


A, B, C = (
    Sent(smsid=name, sent_at=START + timedelta(minutes=minute)) for name, minute in (("a", 0), ("b", 5), ("c", 6))
)


@pytest.mark.parametrize(
    ("named", "minutes", "expected"),
    [
        # m1's row is nowhere: the only one is of the message that a notification names
        ([B], {"x": 5}, {"x": "b"}),
        ([B], {"x": 8}, {"x": "b"}),
        # what was registered before a message was sent is not its result, while another waits for it
        ([B], {"x": 0}, {"x": "a"}),
        ([B], {"x": 4}, {"x": "a"}),
        ([B, C], {"x": 1, "y": 7}, {"x": "a", "y": "b"}),
        # nor is it needed where other rows tell what became of a message
        ([A], {"x": -1}, {"x": "b"}),
        ([A, B, C], {"x": -1}, {"x": "a"}),
        ([B], {"x": 0, "y": 5}, {"x": "a", "y": "b"}),
        ([A], {"x": 0, "y": 5}, {"x": "a", "y": "b"}),
        ([A, C], {"x": 0, "y": 5, "z": 6}, {"x": "a", "y": "b", "z": "c"}),
        ([], {"x": 5}, {"x": "a"}),
    ],
)
def test_what_smsids_name_has_its_row_first(
    named: list[Sent], minutes: dict[str, int], expected: dict[str, str]
) -> None:
    rows = [
        observed("", A.msisdn, status, None, registered_at=START + timedelta(minutes=minute))
        for status, minute in minutes.items()
    ]
    rows += [observed(one.smsid, one.msisdn, "", None) for one in named]
    assert _paired([A, B, C], observations_table(rows)) == Counter(expected.items())


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({"送信済": 5}, {"送信済": "b"}),
        ({"送信済": 0}, {"送信済": "b"}),
        ({"キャンセル済": 5}, {"キャンセル済": "a"}),
        ({"キャンセル済": 0, "送信済": 5}, {"キャンセル済": "a", "送信済": "b"}),
        ({"失敗": 0, "送信済": 5, "403": 6}, {"失敗": "b", "送信済": "c", "403": "a"}),
    ],
)
def test_what_the_gateway_cancelled_leaves_other_rows_to_the_corrected_message(
    statuses: dict[str, int], expected: dict[str, str]
) -> None:
    rows = [
        observed("", A.msisdn, status, None, registered_at=START + timedelta(minutes=minute))
        for status, minute in statuses.items()
    ]
    messages = [replace(A, answered=True), B, C]
    assert _paired(messages, observations_table(rows)) == Counter(expected.items())


@pytest.mark.parametrize(
    ("answered", "named", "minutes", "expected"),
    [
        # that it was cancelled is what the notification said, too
        ([A], {A: "キャンセル済"}, {"送信済": 5}, {"送信済": "b"}),
        ([A], {A: "キャンセル済"}, {"キャンセル済": 0, "送信済": 5}, {"キャンセル済": "a", "送信済": "b"}),
        ([A], {A: "処理中"}, {"送信済": 5}, {"送信済": "b"}),
        # the gateway was wrong about it
        ([A], {A: "送信済"}, {"送信済": 0}, {"送信済": "a"}),
        # before the message that has it was sent, by our clock
        ([A], {B: "送信済"}, {"送信済": 4}, {"送信済": "b"}),
        ([A, B], {B: "送信済"}, {"送信済": 4}, {"送信済": "b"}),
    ],
)
def test_what_the_gateway_cancelled_comes_last_whatever_names_it(
    answered: list[Sent], named: dict[Sent, str], minutes: dict[str, int], expected: dict[str, str]
) -> None:
    rows = [
        observed("", A.msisdn, status, None, registered_at=START + timedelta(minutes=minute))
        for status, minute in minutes.items()
    ]
    rows += [observed(one.smsid, one.msisdn, status, None) for one, status in named.items()]
    messages = [replace(one, answered=one in answered) for one in (A, B)]
    assert _paired(messages, observations_table(rows)) == Counter(expected.items())


@pytest.mark.parametrize(
    ("checks", "minutes", "expected"),
    [
        ((ONLY, NONE), {"送信済": 5}, {"送信済": "b"}),
        ((ONLY, NONE), {"失敗": 1}, {"失敗": "b"}),
        ((ONLY, NONE), {"本人": 5}, {"本人": "a"}),
        ((ONLY, NONE), {"本人": 0, "送信済": 5}, {"本人": "a", "送信済": "b"}),
        ((ONLY, NONE), {"送信済": 0, "本人": 5}, {"本人": "a", "送信済": "b"}),
        ((NONE, ONLY), {"送信済": 0, "本人": 5}, {"送信済": "a", "本人": "b"}),
        # within one minute
        ((ONLY, NONE), {"本人": 0, "送信済": 0}, {"本人": "a", "送信済": "b"}),
        ((ONLY, NONE), {"本人": 0, "処理中": 0}, {"本人": "a", "処理中": "a"}),
        # what says neither goes by its time
        ((ONLY, NONE), {"処理中": 0, "送信済": 5}, {"処理中": "a", "送信済": "b"}),
        ((ONLY, NONE), {"謎": 0, "送信済": 5}, {"謎": "a", "送信済": "b"}),
        ((ONLY, NONE), {"他人": 0, "本人": 5}, {"他人": "a"}),
        ((ONLY, ONLY), {"他人": 0, "本人": 5}, {"他人": "a", "本人": "b"}),
        # a text that a check comes before has both
        ((ONLY, THEN_SEND), {"本人": 5, "送信済": 5, "他人": 0}, {"他人": "a", "本人": "b", "送信済": "b"}),
        ((THEN_SEND, ONLY), {"本人": 0, "送信済": 0, "他人": 5}, {"本人": "a", "送信済": "a", "他人": "b"}),
        ((THEN_SEND, NONE), {"本人": 0, "送信済": 5}, {"本人": "a", "送信済": "b"}),
        ((NONE, NONE), {"本人": 0, "送信済": 5}, {"送信済": "a"}),
    ],
)
def test_a_check_takes_verdicts_and_a_text_what_only_texts_get(
    checks: tuple[NumberCheck, NumberCheck], minutes: dict[str, int], expected: dict[str, str]
) -> None:
    rows = [
        observed("", A.msisdn, status, None, registered_at=START + timedelta(minutes=minute))
        for status, minute in minutes.items()
    ]
    messages = [replace(one, batch_id=one.smsid) for one in (A, B)]
    found = _paired(messages, observations_table(rows), dict(zip("ab", checks, strict=True)))
    assert found == Counter(expected.items())


def test_rows_that_are_alike_are_about_as_many_messages() -> None:
    delivered = observed("", A.msisdn, "送信済", START + MARGIN, registered_at=START)
    pending = observed("", A.msisdn, "処理中", START, registered_at=START)
    one, other = {("送信済", "a"): 1, ("処理中", "a"): 1}, {("送信済", "b"): 1}
    assert _paired([A, B], observations_table([delivered, pending])) == one
    assert _paired([A, B], observations_table([delivered, pending, delivered])) == one | other
    rows = [delivered, pending, delivered, pending, delivered]
    assert _paired([A, B], observations_table(rows)) == one | other | {("処理中", "b"): 1}


def test_rows_beyond_the_evidence_are_given_away_and_not_kept() -> None:
    ours, theirs = Sent(smsid="a", sent_at=START), Sent(smsid="b", sent_at=START - MARGIN, batch_id="other")
    rows = [observed("", ours.msisdn, "送信済", START, registered_at=START)]
    batches = _batches({"other": NONE, "b": NONE})
    before = [observed("", ours.msisdn, "失敗", START - MARGIN, registered_at=START - MARGIN)]
    evidence = evidence_of([ours], rows, batch_of(registered=START))
    for beyond, kept in ((before, 1), ([], 0)):
        tables = messages_table([theirs]), observations_table(beyond)
        assert len(leave_to_others(evidence, *tables, batches, BY_NUMBER).observations) == kept


def test_what_was_not_taken_takes_no_result() -> None:
    refused = Sent(smsid="b", sent_at=START, batch_id="other", state=MessageState.REFUSED)
    rows = [observed("", refused.msisdn, "送信済", START, registered_at=START)]
    evidence = evidence_of([Sent(sent_at=START)], rows, batch_of(registered=START))
    tables = messages_table([refused]), observations_table([])
    assert leave_to_others(evidence, *tables, _batches({"other": NONE, "b": NONE}), BY_NUMBER) == evidence
