"""Random worlds: what was sent and what came back, as two CSV files that both the product and a reference read."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from pipeline.core.billing import ANY_CARRIER, Price, Tariff, TaxRate
from pipeline.core.matching import Deadlines
from pipeline.core.reconciling import reconcile
from pipeline.core.segments import Steps
from pipeline.core.statuses import StatusMeaning, StatusTable
from pipeline.model import (
    Batch,
    MessageKind,
    MessageLine,
    MessageState,
    MonthBy,
    NumberCheck,
    Reconciliation,
    StatusClass,
)
from tests.core.naive import Sent, batch_of, evidence_of, observed

#: midnight in Japan, and the month and the tariff change
BORDER: Final = datetime(2026, 3, 31, 15, 0, tzinfo=UTC)
AS_OF: Final = BORDER + timedelta(days=10)
RESULT: Final = timedelta(days=8)
MARGIN: Final = timedelta(minutes=10)
PREFIX: Final = "own"
#: label: (number, class, billable, clicked)
TABLE: Final = {
    "送信済": ("1", "delivered", True, False),
    "リダイレクト": ("3", "delivered", True, True),
    "失敗": ("0", "failed", False, False),
    "403": ("5", "failed", False, False),
    "一部": ("32", "partial", False, False),
    "取消": ("34", "cancelled", False, False),
    "処理中": ("11", "pending", False, False),
    "送信前": ("24", "pending", False, False),
    "-": ("33", "no_verdict", False, False),
    "本人": ("51", "verdict", True, False),
    "他人": ("52", "verdict", True, False),
    "判定不可": ("53", "verdict", False, False),
}
#: the verdicts after which a text goes out
THEN_SENT: Final = ("本人", "判定不可")
_MEANINGS: Final = {
    label: StatusMeaning(label, StatusClass(means), billable, clicked, then_sent=label in THEN_SENT)
    for label, (_, means, billable, clicked) in TABLE.items()
}
STATUSES: Final = StatusTable(_MEANINGS, {TABLE[label][0]: meaning for label, meaning in _MEANINGS.items()})
#: (carrier, yen per part before April, from April), in tenths; up to three parts
YEN: Final = {"Docomo": (81, 85), "au": (83, 87), "Rakuten": (71, 75)}
#: yen of an overseas message of one part and of two
ABROAD: Final = (Decimal("25.5"), Decimal(51))
#: yen of a check alone by its carrier, and of one with a text of one part and of two
CHECKS: Final = {"Docomo": Decimal("12.0"), "au": Decimal("12.5")}
CHECKED: Final = (Decimal("21.5"), Decimal("30.2"))
_APRIL: Final = date(2026, 4, 1)
TARIFF: Final = Tariff(
    "naive",
    "0" * 64,
    (
        Price(ANY_CARRIER, date(2026, 1, 1), None, ABROAD, MessageKind.OVERSEAS),
        Price(ANY_CARRIER, date(2026, 1, 1), None, CHECKED, MessageKind.CHECK_THEN_SEND),
        *(Price(carrier, date(2026, 1, 1), None, (yen,), MessageKind.CHECK) for carrier, yen in CHECKS.items()),
        *(
            Price(carrier, start, end, tuple(Decimal(tenths * count) / 10 for count in (1, 2, 3)))
            for carrier, (old, new) in YEN.items()
            for start, end, tenths in ((date(2026, 1, 1), _APRIL, old), (_APRIL, None, new))
        ),
    ),
    {"*": Steps(70, 67, 160, 153), "Rakuten": Steps(70, 66, 160, 153)},
    (TaxRate(Decimal("0.08"), date(2014, 4, 1), _APRIL), TaxRate(Decimal("0.10"), _APRIL, None)),
)
_SENT: Final = (
    "smsid msisdn state reason characters double_byte sent_at row_number batch_id campaign cost_centre answered check"
)
_SIZES: Final = (1, 70, 71, 133, 134, 135, 160, 161, 201)
_ROWS: Final = "smsid msisdn status status_time carrier parts_total registered_at received_at"


@dataclass
class World:
    """Rows of cells as the reference reads them; ``prefix`` begins the smsids of this ledger."""

    by_number: bool = False
    messages: list[dict[str, str]] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)

    def files(self) -> tuple[str, str]:
        """Return messages and observations as CSV."""
        return _csv(_SENT, self.messages), _csv(_ROWS, self.rows)


def _csv(names: str, rows: list[dict[str, str]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, names.split())
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def random_world(seed: int) -> World:
    """Messages of three batches of two campaigns, one of them sent at midnight, and everything that may come back."""
    chance = random.Random(seed)  # noqa: S311 - worlds must come back by their seed
    world = World(by_number=seed % 5 == 0)
    begins = [BORDER - timedelta(days=3), BORDER - timedelta(minutes=2), BORDER + timedelta(days=1)]
    for number, begin in enumerate(begins):
        check = chance.choice([NumberCheck.NONE, *NumberCheck])
        for _ in range(chance.randint(0, 14)):
            _add_message(chance, world, number, begin, check)
        accepted = sum(message["batch_id"] == f"b{number}" for message in world.messages)
        registered = begin - timedelta(minutes=chance.choice([1, 2 * 24 * 60]))
        batch = batch_of(
            f"b{number}",
            registered=registered,
            accepted=accepted,
            campaign="c1" if number == 1 else "c0",
            rejected=chance.randint(0, 2),
            already=chance.randint(0, 2),
        )
        world.batches.append(replace(batch, number_check=check))
    for message in world.messages:
        _add_results(chance, world, message)
    _add_strangers(chance, world)
    chance.shuffle(world.rows)
    return world


def _add_message(chance: random.Random, world: World, batch: int, begin: datetime, check: NumberCheck) -> None:
    number = len(world.messages)
    state = chance.choice([MessageState.TAKEN] * 6 + list(MessageState))
    sent_at = ""
    if state in {MessageState.TAKEN, MessageState.UNKNOWN, MessageState.IN_FLIGHT} and chance.random() < 0.95:
        moments = [begin + timedelta(seconds=chance.randint(0, 240)), BORDER, BORDER - timedelta(microseconds=1)]
        moment = chance.choice(moments) if batch == 1 else moments[0]
        if chance.random() < 0.1:
            moment = AS_OF - RESULT + timedelta(microseconds=chance.choice([-1, 0, 1]))
        sent_at = moment.isoformat()
    reasons = ["", "answer:560", "person:0", "observed:refused", "answered:refused", "observed:unknown"]
    reason = "opted_out" if state is MessageState.CANCELLED and chance.random() < 0.5 else chance.choice(reasons)
    same = world.by_number and world.messages and chance.random() < 0.3
    msisdn = world.messages[-1]["msisdn"] if same else f"090{10000000 + number:08d}"
    if chance.random() < 0.1:
        msisdn = f"1415{5550000 + number}"
    world.messages.append(
        {
            "smsid": f"{PREFIX}{batch}x{number:03d}",
            "msisdn": msisdn,
            "state": state.value,
            "reason": reason,
            "characters": "0" if check is NumberCheck.ONLY else str(chance.choice(_SIZES)),
            "double_byte": chance.choice(["1", "1", ""]),
            "sent_at": sent_at,
            "row_number": str(number + 2),
            "batch_id": f"b{batch}",
            "campaign": "c1" if batch == 1 else "c0",
            "cost_centre": chance.choice(["", "総務", "A"]),
            "answered": chance.choice(["", "", "", "", "1"]),
            "check": check.value,
        }
    )


def _add_results(chance: random.Random, world: World, message: dict[str, str]) -> None:
    sent_at = datetime.fromisoformat(message["sent_at"]) if message["sent_at"] else BORDER
    carrier = chance.choice([*YEN, "Unheard", ""])
    parts = chance.choice(["", "", "", "1", "2", "3", "4"])
    registered = (sent_at + timedelta(seconds=chance.randint(0, 90))).replace(second=0, microsecond=0).isoformat()
    if chance.random() < 0.1:
        registered = ""
    for _ in range(chance.choice([0, 1, 1, 2, 3, 5])):
        moment = sent_at + timedelta(minutes=chance.choice([1, 2, 3, 50, 5000]))
        time = chance.choice(["", *[moment.isoformat()] * 9])
        phone = message["msisdn"]
        if not world.by_number and chance.random() < 0.1:
            phone = chance.choice(["09099999999", ""])  # asked for by its smsid, a result names no number
        domestic = phone.startswith("0")
        notified = chance.random() < 0.2  # by number, these alone name their smsid
        world.rows.append(
            {
                "smsid": "" if world.by_number and not notified else message["smsid"],
                "msisdn": f"{phone[:3]}-{phone[3:7]}-{phone[7:]}" if domestic else phone,
                "status": _status(chance),
                "status_time": time,
                "carrier": chance.choice([carrier, carrier, ""]),
                "parts_total": chance.choice([parts, ""]),
                "registered_at": registered,
                "received_at": "",
            }
        )
    if chance.random() < 0.2 and world.rows:
        world.rows.append(dict(world.rows[-1]))


def _add_strangers(chance: random.Random, world: World) -> None:
    """Add results of others: an smsid may be of several messages, and a row may not say when its was registered."""
    for number in range(chance.randint(0, 8)):
        smsid = chance.choice(["", f"other{number}", f"{PREFIX}lost{number}"])
        moments = [(BORDER + timedelta(minutes=minute)).isoformat() for minute in (-1, 0, 45)]
        used = chance.sample(["", *moments], chance.choice([1, 1, 2, 3]))
        for minute in chance.sample(range(-60, 200), chance.randint(1, 5)):
            registered = chance.choice(used)
            nameless = world.by_number and chance.random() < 0.5
            world.rows.append(
                {
                    "smsid": "" if nameless else smsid,
                    "msisdn": chance.choice([f"080{number + 10000000:08d}", f"4479{number:07d}"]),
                    "status": _status(chance),
                    "status_time": chance.choice(["", (BORDER + timedelta(minutes=minute)).isoformat()]),
                    "carrier": chance.choice([*YEN, "Unheard"]),
                    "parts_total": chance.choice(["", "1", "2", "9"]),
                    "registered_at": registered,
                    "received_at": "" if registered else (BORDER + timedelta(minutes=minute + 1)).isoformat(),
                }
            )


def _status(chance: random.Random) -> str:
    label = chance.choice([*TABLE, "送信済", "送信済", "未知", "謎"])
    return TABLE[label][0] if label in TABLE and chance.random() < 0.3 else label


def reconciled(
    world: World, month: str | None = None, month_by: MonthBy = MonthBy.TAKEN, *, chunks: int = 0
) -> tuple[Reconciliation, list[MessageLine]]:
    """Let the product reconcile a world: a month of it, or without one its first batch alone."""
    messages = [
        Sent(
            **{  # type: ignore[arg-type]  # fields of it
                **{name: cell for name, cell in message.items() if name != "check"},
                "state": MessageState(message["state"]),
                "characters": int(message["characters"]),
                "double_byte": bool(message["double_byte"]),
                "sent_at": _moment(message["sent_at"]),
                "row_number": int(message["row_number"]),
                "answered": bool(message["answered"]),
            }
        )
        for message in world.messages
    ]
    rows = [
        observed(
            row["smsid"],
            row["msisdn"],
            row["status"],
            _moment(row["status_time"]),
            carrier=row["carrier"],
            parts_total=int(row["parts_total"]) if row["parts_total"] else None,
            registered_at=_moment(row["registered_at"]),
            received_at=_moment(row["received_at"]),
        )
        for row in world.rows
    ]
    value, lines = reconcile(
        evidence_of(messages, rows, *world.batches, prefix=PREFIX, chunks=chunks),
        month,
        statuses=STATUSES,
        tariff=TARIFF,
        deadlines=Deadlines(AS_OF, RESULT, by_number=MARGIN if world.by_number else None),
        month_by=month_by,
        provenance={"k": "v"},
    )
    read = list(lines)
    assert read == list(lines)
    assert len(read) == len(lines)
    return value, read


def _moment(cell: str) -> datetime | None:
    return datetime.fromisoformat(cell) if cell else None


def batch_world(world: World) -> World:
    """Return the world of its second batch alone; results of the others are then of nobody."""
    messages = [message for message in world.messages if message["batch_id"] == "b1"]
    others = {message["smsid"] for message in world.messages} - {message["smsid"] for message in messages}
    rows = [row for row in world.rows if row["smsid"] not in others]
    return World(world.by_number, messages, rows, world.batches[1:2])
