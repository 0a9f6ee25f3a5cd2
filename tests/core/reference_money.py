"""GATEWAY section 7 read a second time, naively: the csv module, dict and ``Decimal``, no code of the product.

``read`` returns everything a reconciliation says, as plain texts and numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Row = dict[str, str]
#: when it began, whether its registration is known, which of those alike it is, whether a verdict, number, and rows
Group = tuple[datetime, bool, int, bool, str, list[Row]]
APRIL = date(2026, 4, 1)


@dataclass
class Rules:
    """What decides: the statuses, prices and dates of the world."""

    table: dict[str, tuple[str, str, bool, bool]]
    yen: dict[str, tuple[int, int]]
    abroad: tuple[Decimal, ...]
    checks: dict[str, Decimal]
    checked: tuple[Decimal, ...]
    then_sent: tuple[str, ...]
    as_of: datetime
    deadline: timedelta
    margin: timedelta
    prefix: str

    def label(self, row: Row) -> str:
        numbers = {number: label for label, (number, *_) in self.table.items()}
        return row["status"] if row["status"] in self.table else numbers.get(row["status"], "")

    def means(self, row: Row) -> str:
        label = self.label(row)
        return self.table[label][1] if label else "unmapped"

    def bills(self, row: Row) -> bool:
        return bool(self.label(row)) and self.table[self.label(row)][2]

    def clicks(self, row: Row) -> bool:
        return bool(self.label(row)) and self.table[self.label(row)][3]

    def price(self, carrier: str, parts: int, day: date, kind: str) -> Decimal | None:
        if kind == "check":
            return self.checks.get(carrier) if parts == 1 else None
        if kind == "check_then_send":
            return self.checked[parts - 1] if parts <= len(self.checked) else None
        if kind == "overseas":
            return self.abroad[parts - 1] if parts <= len(self.abroad) else None
        if carrier not in self.yen or parts > 3:
            return None
        return Decimal(self.yen[carrier][day >= APRIL] * parts) / 10

    def highest(self, message: Row, day: date, kind: str) -> Decimal | None:
        """What a message without an outcome costs at most; None where nobody knows its text, or nothing has a price."""
        alone, characters = max(self.checks.values()), int(message["characters"])
        if kind == "check":
            return alone
        costs = [
            yen
            for carrier in self.yen
            if (yen := self.price(carrier, parts(characters, bool(message["double_byte"]), carrier), day, kind))
            is not None
        ]
        if not characters or not costs:
            return None
        return max(*costs, alone) if kind == "check_then_send" else max(costs)


@dataclass
class Result:
    """Everything a reconciliation says."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    breaks: Counter[tuple[str, str, int | None, str, Decimal | None]] = field(default_factory=Counter)
    foreign: dict[str, Any] = field(default_factory=dict)
    terms: dict[str, int] = field(default_factory=dict)
    tax: Decimal = Decimal(0)


def read(  # one pass, rule by rule
    files: tuple[str, str],
    rules: Rules,
    registered: dict[str, datetime],
    month: str | None,
    *,
    delivered: bool,
    by_number: bool,
) -> Result:
    """Reconcile two CSV files."""
    messages, rows = (list(csv.DictReader(io.StringIO(text))) for text in files)
    result = Result()
    of_message: dict[str, list[Row]] = {message["smsid"]: [] for message in messages}
    strangers: list[Row] = []
    for row in rows:
        of_message.get(row["smsid"], strangers).append(row)
    if by_number:
        strangers = assign_by_number(messages, strangers, of_message, rules)
    counts: Counter[str] = Counter()
    for message in messages:
        own = of_message[message["smsid"]]
        said = one_message(message, own, rules, registered[message["batch_id"]], delivered=delivered)
        said["by_number"] = by_number and any(not row["smsid"] for row in own)
        if month is not None and said["day"].isoformat()[:7] != month:
            counts["messages elsewhere"] += 1
            counts["other_months"] += len(own)
            continue
        counts["matched"] += len(own)
        result.messages[message["smsid"]] = said
        for kind, detail, at_risk in said.pop("breaks"):
            result.breaks[kind, message["smsid"], int(message["row_number"]), detail, at_risk] += 1
        if said["amount"] is not None:
            result.tax += said["amount"] * (Decimal("0.10") if said["day"] >= APRIL else Decimal("0.08"))
    lost = [row for row in strangers if row["smsid"].startswith(rules.prefix)]
    for row in lost:
        moment = since(row)
        if month is None or (moment and jst(moment).isoformat()[:7] == month):
            counts["orphan"] += 1
            result.breaks["orphan_result", row["smsid"], None, row["status"], None] += 1
        else:
            counts["other_months"] += 1
    others = [row for row in strangers if not row["smsid"].startswith(rules.prefix)]
    result.foreign = foreign(others, rules, month, counts, delivered=delivered, by_number=by_number)
    if result.foreign["unpriced"]:
        result.breaks["unpriced", "", None, str(result.foreign["unpriced"]), None] += 1
    result.terms = dict(counts)
    return result


def assign_by_number(
    messages: list[Row], strangers: list[Row], of_message: dict[str, list[Row]], rules: Rules
) -> list[Row]:
    """Give rows without smsid to the messages of their number, in the order of their times; return what is left."""
    windows: dict[str, list[datetime]] = defaultdict(list)
    taken = [message for message in messages if message["state"] == "taken" and message["sent_at"]]
    for message in taken:
        windows[message["batch_id"]].append(at(message["sent_at"]))
    groups: dict[tuple[str, str, int, bool], list[Row]] = defaultdict(list)
    for which, row in repeated(strangers):
        if not row["smsid"]:
            groups[digits(row["msisdn"]), row["registered_at"], which, rules.means(row) == "verdict"].append(row)
    waiting = sorted(begun(groups), key=lambda each: each[:4])
    taken.sort(key=lambda each: at(each["sent_at"]))
    gone = [message for message in taken if message["answered"] and not ended(of_message[message["smsid"]], rules)]
    named = [message for message in taken if of_message[message["smsid"]] and message not in gone]
    others = [message for message in taken if message not in named and message not in gone]
    # What an smsid names is there: it has the first row since it was sent. What was cancelled has a row that says so.
    # Then the others, then what is left of these.
    sure = [*((each, "named") for each in named), *((each, "gone") for each in gone)]
    for message, why in [*sure, *((each, "") for each in others + named + gone)]:
        if any(not row["smsid"] for row in of_message[message["smsid"]]):
            continue
        sent = windows[message["batch_id"]]
        first = (min(sent) - rules.margin).replace(second=0, microsecond=0)
        last = (max(sent) + rules.margin).replace(second=0, microsecond=0) + timedelta(minutes=1)
        if why == "named":
            first = max(first, at(message["sent_at"]).replace(second=0, microsecond=0))
        of_number = [each for each in waiting if each[4] == message["msisdn"] and may_be(message["check"], each, rules)]
        for begin, _, _, is_verdict, _, group in of_number:
            fits = why != "gone" or any(rules.means(row) == "cancelled" for row in group)
            if first <= begin < last and fits:
                # A verdict and what became of the text are registered together.
                moment = group[0]["registered_at"]
                beside = [each[5] for each in of_number if each[3] != is_verdict]
                beside = [each for each in beside if each[0]["registered_at"] == moment]
                for own in [group, *beside[:1]]:
                    of_message[message["smsid"]] += own
                    waiting = [each for each in waiting if each[5] is not own]
                break
    given = {id(row) for own in of_message.values() for row in own}
    return [row for row in strangers if id(row) not in given]


def ended(rows: list[Row], rules: Rules) -> bool:
    """Say whether a text has been sent, in part or whole, or has failed."""
    return any(rules.means(row) in {"delivered", "partial", "failed"} for row in rows)


def may_be(check: str, group: Group, rules: Rules) -> bool:
    """Say whether what happened at the gateway may have happened to a message of which this check was asked."""
    _, _, _, is_verdict, _, rows = group
    if is_verdict:
        return check != "none"
    return check != "only" or not ended(rows, rules)


def repeated(rows: list[Row]) -> Iterator[tuple[int, Row]]:
    """Yield rows, each with how many like it came before it: the same number, times and status without an smsid."""
    before: Counter[tuple[str, ...]] = Counter()
    for row in sorted(rows, key=lambda row: (row["carrier"], int(row["parts_total"] or 0))):
        alike = (digits(row["msisdn"]), row["registered_at"], row["status"], row["status_time"])
        yield 0 if row["smsid"] else before[alike], row
        before[alike] += not row["smsid"]


def begun(groups: dict[tuple[str, str, int, bool], list[Row]]) -> Iterator[Group]:
    """Yield the groups; of which it is not known when they began, that are before everything else."""
    for (number, moment, which, is_verdict), group in groups.items():
        times = [at(row["status_time"]) for row in group if row["status_time"]]
        begin = at(moment) if moment else min(times, default=datetime.min.replace(tzinfo=UTC))
        yield begin, bool(moment), which, is_verdict, number, group


def one_message(  # noqa: C901, PLR0912, PLR0915 - rule by rule
    message: Row, rows: list[Row], rules: Rules, registered: datetime, *, delivered: bool
) -> dict[str, Any]:
    breaks: list[tuple[str, str, Decimal | None]] = []
    others = [row for row in rows if row["msisdn"] and digits(row["msisdn"]) != message["msisdn"]]
    if others:
        breaks.append(("phone_mismatch", "", None))
    if message["state"] != "taken":  # may be somebody else's, who has the same smsid
        rows = [row for row in rows if row not in others]
    unmapped = sorted({row["status"] for row in rows if rules.means(row) == "unmapped"})
    breaks += [("unmapped_status", status, None) for status in unmapped]
    final = [row for row in rows if rules.means(row) in {"delivered", "failed", "partial", "cancelled"}]
    final.sort(key=lambda row: (row["status_time"] or "0", rules.bills(row), rules.label(row), row["carrier"]))
    billed = sorted((row for row in final if rules.bills(row)), key=lambda row: not row["status_time"])
    open_ = [row for row in rows if rules.means(row) in {"pending", "verdict"}]
    # A verdict tells more than that a message waits.
    open_.sort(
        key=lambda row: (
            rules.means(row) == "verdict",
            row["status_time"] or "0",
            rules.label(row),
            row["carrier"],
        )
    )
    verdict = rules.label(open_[-1]) if open_ and rules.means(open_[-1]) == "verdict" else ""
    check = message["check"]
    no_text = bool(verdict) and (check == "only" or (check == "then-send" and verdict not in rules.then_sent))
    charged = [row for row in open_ if check != "none" and rules.means(row) == "verdict" and rules.bills(row)]
    charged.sort(key=lambda row: (row["status_time"] or "9", row["carrier"]))
    witness: Row | None = None
    if billed:
        witness = next((row for row in billed if not rules.clicks(row)), billed[0])
        clicked = any(rules.clicks(row) for row in billed)
        found, label = "delivered", "リダイレクト" if clicked else rules.label(witness)
        if billed[0]["status_time"] and not rules.bills(final[-1]):
            breaks.append(("contradiction", rules.label(final[-1]), None))
    elif final:
        witness = final[-1]
        found, label = rules.means(witness), rules.label(witness)
    elif no_text:
        witness = open_[-1]
        found, label = "checked", verdict
    elif unmapped:
        found, label = "unmapped", unmapped[0]
    else:
        found, label = without_result(message, rules)
        if message["answered"] and found == "cancelled":
            open_ = []
        if open_:
            witness, label = open_[-1], rules.label(open_[-1])
    if found == "missing":
        breaks.append(("missing_result", "", None))
    state = message["state"]
    agreed = state == "cancelled" and found == "cancelled" and final
    if rows and state in {"planned", "refused", "cancelled"} and not agreed:
        breaks.append(("contradiction", state, None))
    elif message["reason"] in {"observed:refused", "answered:refused"}:
        breaks.append(("contradiction", "refused", None))
    told = message["answered"] or any(rules.means(row) == "cancelled" for row in final)
    known = "contradiction" in {each for each, *_ in breaks}
    if (final or found == "checked") and told and found != "cancelled" and not known:
        breaks.append(("contradiction", "cancelled", None))
    if check == "only" and billed:
        breaks.append(("contradiction", label, None))
    if check == "then-send" and billed and no_text:
        breaks.append(("contradiction", verdict, None))
    kind = "normal" if message["msisdn"].startswith("0") else "overseas"
    if check == "only" or (check == "then-send" and not billed and (charged or (no_text and found == "checked"))):
        kind = "check"
    elif check == "then-send":
        kind = "check_then_send"
    payer = witness if billed or not charged else charged[0]
    carrier = (payer["carrier"] if payer else "") or max((row["carrier"] for row in rows), default="")
    computed = parts(int(message["characters"]), bool(message["double_byte"]), carrier)
    counted = max((int(row["parts_total"]) for row in rows if row["parts_total"]), default=None)
    if kind == "check":
        counted, computed = None, 1
    if counted is not None and counted != computed:
        breaks.append(("segment_mismatch", f"{counted} {computed}", None))
    paid = [row for row in (witness if billed else None, *charged[:1]) if row]
    paid.sort(key=lambda row: row["status_time"] or "9")
    day = day_of(message, rows, paid[0] if paid else None, registered, delivered=delivered)
    amount = rules.price(carrier, counted or computed, day, kind) if paid else None
    if paid and amount is None:
        breaks.append(("unpriced", f"{carrier} {counted or computed}", None))
    highest = rules.highest(message, day, "check_then_send" if paid else kind)
    bills = {row["status_time"] for row in billed if not rules.clicks(row)} - {""}
    if len(bills) > 1:
        at_risk = amount * (len(bills) - 1) if amount is not None else None
        breaks.append(("duplicate_billable", "", at_risk))
    return {
        "class": found,
        "label": label,
        "carrier": carrier,
        "parts": counted or computed,
        "day": day,
        "kind": kind,
        "billable": bool(paid),
        "amount": amount,
        "more": None if highest is None else highest - (amount or 0),
        "observed_at": time(witness["status_time"]) if witness else None,
        "breaks": breaks,
        **{
            name: message[name]
            for name in ("state", "reason", "campaign", "cost_centre", "batch_id", "msisdn", "sent_at")
        },
    }


def without_result(message: Row, rules: Rules) -> tuple[str, str]:
    state = message["state"]
    if state == "taken" and message["answered"]:
        return "cancelled", ""
    if state == "taken":
        late = message["sent_at"] and at(message["sent_at"]) + rules.deadline < rules.as_of
        return ("missing" if late else "pending"), ""
    if state == "refused":
        return state, "person" if message["reason"].startswith("person:") else message["reason"].split(":")[-1]
    return ("unknown" if state == "in_flight" else state), ""


def parts(characters: int, wide: bool, carrier: str) -> int:  # noqa: FBT001 - as the columns of the file
    single, more = (70, 66 if carrier == "Rakuten" else 67) if wide else (160, 153)
    count = 1
    if characters > single:
        while count * more < characters:
            count += 1
    return count


def day_of(message: Row, rows: list[Row], bill: Row | None, registered: datetime, *, delivered: bool) -> date:
    sent, billed = time(message["sent_at"]), time(bill["status_time"]) if bill else None
    moment = (billed or sent) if delivered else (sent or billed)
    if moment is None and bill and not sent:
        moment = min((at(row["registered_at"]) for row in rows if row["registered_at"]), default=None)
    return jst(moment or registered)


def foreign(
    rows: list[Row], rules: Rules, month: str | None, counts: Counter[str], *, delivered: bool, by_number: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {"messages": 0, "billable": 0, "units": 0, "amount": Decimal(0), "unpriced": 0}
    alike: Counter[tuple[str, int, Decimal | None]] = Counter()
    groups: dict[tuple[str, str, str, int], list[Row]] = defaultdict(list)
    for which, row in repeated(rows):
        smsid, registered = row["smsid"], registration(row, rows)
        if by_number and smsid and not registered and (registered := by_its_number(row, rows)):
            smsid = ""
        groups[smsid, row["msisdn"], registered, which].append(row)
    for of, group in groups.items():
        group.sort(
            key=lambda row: (row["status_time"] or "9", row["carrier"], int(row["parts_total"] or 0), row["status"])
        )
        billed = [row for row in group if rules.bills(row)]
        first = billed[0] if billed else group[0]
        entered = time(of[2]) or min(filter(None, map(since, group)), default=None)
        happened = time(first["status_time"])
        moment = (happened or entered) if delivered and billed else entered
        day = jst(moment or rules.as_of)
        if month is not None and day.isoformat()[:7] != month:
            counts["other_months"] += len(group)
            continue
        counts["foreign"] += len(group)
        found["messages"] += 1
        if billed:
            texts = [row for row in billed if rules.means(row) != "verdict"]
            shown = texts[0] if texts else first
            kind = "normal" if digits(first["msisdn"]).startswith("0") else "overseas"
            if len(texts) < len(billed):
                kind = "check_then_send" if texts else "check"
            count = int(shown["parts_total"] or 1)
            price = rules.price(shown["carrier"], count, day, kind)
            found["billable"] += 1
            found["units"] += count
            found["unpriced"] += price is None
            found["amount"] += price or 0
            alike[shown["carrier"], count, price] += 1
    return {**found, "groups": alike}


def registration(row: Row, rows: list[Row]) -> str:
    """Return when the message of a row was registered: the last one of its smsid and number before it."""
    if row["registered_at"] or not row["smsid"]:
        return row["registered_at"]
    return last_before(row, [other for other in rows if other["smsid"] == row["smsid"]])


def by_its_number(row: Row, rows: list[Row]) -> str:
    """Return the last registration before a row of what went to its number without an smsid."""
    return last_before(row, [other for other in rows if not other["smsid"]])


def last_before(row: Row, rows: list[Row]) -> str:
    known = sorted({other["registered_at"] for other in rows if other["msisdn"] == row["msisdn"]} - {""})
    before = [each for each in known if (moment := since(row)) and at(each) <= moment]
    return before[-1] if before else min(known, default="")


def since(row: Row) -> datetime | None:
    return time(row["registered_at"]) or time(row["status_time"]) or time(row["received_at"])


def grouped(messages: Iterable[dict[str, Any]], name: str) -> dict[str, tuple[int, int, int, int, int, Decimal, int]]:
    """Add up by one dimension."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for message in messages:
        groups[str(message[name])].append(message)
    return {
        key: (
            len(group),
            sum(each["class"] == "delivered" for each in group),
            sum(each["class"] == "failed" for each in group),
            sum(each["billable"] for each in group),
            sum(each["parts"] for each in group if each["billable"]),
            sum((each["amount"] or Decimal(0) for each in group), Decimal(0)),
            sum(each["billable"] and each["amount"] is None for each in group),
        )
        for key, group in groups.items()
    }


def digits(number: str) -> str:
    return re.sub("[^0-9]", "", number)


def at(cell: str) -> datetime:
    return datetime.fromisoformat(cell)


def time(cell: str) -> datetime | None:
    return at(cell) if cell else None


def jst(moment: datetime) -> date:
    return (moment + timedelta(hours=9)).date()
