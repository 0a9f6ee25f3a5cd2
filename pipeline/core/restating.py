"""What has changed in a closed month, by how much, and why: two snapshots of its messages compared.

A snapshot has one row per message. Its facts are what decides about the bill; its amount follows from them and the
tariff. Amounts are added up as ``Decimal``, value by value, so that the restatements add up to the difference of the
totals exactly.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.statuses import StatusTable
from pipeline.model import Cause, MessageClass, MessageLine, Reconciliation, RestatedSubject, Restatement

SNAPSHOT = pa.schema(
    [
        ("smsid", pa.large_string()),
        ("message_class", pa.string()),
        ("label", pa.string()),
        ("carrier", pa.string()),
        ("parts", pa.int32()),
        ("day", pa.date32()),
        ("kind", pa.string()),
        ("billable", pa.bool_()),
        ("amount", pa.string()),
    ]
)
#: what the meaning of a status decides, and what else does not change with it
_MEANING = ("message_class", "billable")
_OBSERVED = ("label", "carrier", "day", "kind")
#: how many messages a restatement names
_NAMED = 10
#: messages that are turned into columns at once
_CHUNK = 1 << 16

#: the metadata of a snapshot: what a month has beside its messages
_BESIDE = "mediasms"

_Mask = npt.NDArray[np.bool_]


def snapshot(lines: Iterable[MessageLine], value: Reconciliation | None = None) -> pa.Table:
    """Return the snapshot of a month's messages: a table of ``SNAPSHOT``, amounts as text, null without a price.

    What the month's ``value`` has beside its messages is the metadata: fees, tax and results that are not ours.
    """
    rest = iter(lines)
    chunks = iter(lambda: list(islice(rest, _CHUNK)), [])
    table = pa.Table.from_batches(map(_chunk, chunks), SNAPSHOT)
    beside = None if value is None else _beside(value)
    return table if beside is None else table.replace_schema_metadata({_BESIDE: json.dumps(beside)})


def _beside(value: Reconciliation) -> dict[str, object] | None:
    bill, foreign = value.bill, value.foreign
    if bill is None:
        return None
    return {
        "fees": [[fee.name, str(fee.amount)] for fee in bill.fees],
        "rates": sorted(str(line.rate.normalize()) for line in bill.taxes),
        "rounding": bill.rounding,
        "tax": str(bill.tax),
        "foreign": [foreign.billable_messages, foreign.billable_units, str(foreign.amount)],
        "foreign_rows": value.foreign_rows,
    }


def _chunk(lines: list[MessageLine]) -> pa.RecordBatch:
    columns = (
        [line.smsid for line in lines],
        [line.message_class for line in lines],
        [line.label for line in lines],
        [line.carrier for line in lines],
        [line.parts for line in lines],
        [line.day for line in lines],
        [line.kind for line in lines],
        [line.billable for line in lines],
        [None if line.amount is None else str(line.amount) for line in lines],
    )
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SNAPSHOT, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SNAPSHOT)


def restated(  # noqa: PLR0913 - whatever may be a cause
    before: pa.Table,
    after: pa.Table,
    *,
    statuses: StatusTable,
    tariff_changed: bool,
    profile_changed: bool,
    decided: Collection[str],
) -> tuple[Restatement, ...]:
    """Return what differs between two snapshots, by cause; nothing where nothing differs.

    ``decided`` are the smsids of messages that a person has decided about since. Of the others, facts differ for the
    profile's sake where it changed and only the meaning of the same status did (``statuses`` has them now), and for the
    tariff's sake where it changed and only parts did; else a result came. With the same facts, another amount is the
    tariff's doing.
    """
    beside = _restated_beside(before, after, tariff_changed=tariff_changed, profile_changed=profile_changed)
    before, after = (table.select(SNAPSHOT.names).cast(SNAPSHOT).combine_chunks() for table in (before, after))
    old, new, gone, came = _paired(before, after)
    differs = {name: _differs(old[name], new[name]) for name in SNAPSHOT.names if name not in {"smsid", "amount"}}
    differs["message_class"] = _differs(_timeless(old["message_class"]), _timeless(new["message_class"]))
    # A refusal is the same fact whatever its label says: one that a person decided used to have that person's name.
    differs["label"] &= ~(_refused(old) & _refused(new))
    facts = np.logical_or.reduce(list(differs.values()))
    changed = facts | _amount_differs(old["amount"], new["amount"])
    if profile_changed:
        differs["label"] &= ~_learnt(old, new, statuses)
    observed = np.logical_or.reduce([differs[name] for name in _OBSERVED])
    meaning = np.logical_or.reduce([differs[name] for name in _MEANING])
    by_person = facts & _among(new["smsid"], decided)
    by_profile = facts & meaning & ~observed & ~differs["parts"] & profile_changed
    by_tariff = ~facts | (differs["parts"] & ~meaning & ~observed & tariff_changed)
    causes = np.select([by_person, by_profile, by_tariff], [1, 2, 3], 0)
    found = []
    for number, cause in enumerate((Cause.RESULT, Cause.DECISION, Cause.PROFILE, Cause.TARIFF)):
        mine = pa.array(changed & (causes == number))
        olds, news = [old.filter(mine)], [new.filter(mine)]
        # A message that is new in the month, or gone from it, was moved by a result, or by a person.
        if cause in {Cause.RESULT, Cause.DECISION}:
            olds.append(_of_cause(gone, cause, decided))
            news.append(_of_cause(came, cause, decided))
        found.append(_restatement(cause, pa.concat_tables(olds), pa.concat_tables(news)))
    order = list(Cause)
    changes = [*(one for one in found if one.messages), *beside]
    return tuple(sorted(changes, key=lambda one: order.index(one.cause)))


def _learnt(old: pa.Table, new: pa.Table, statuses: StatusTable) -> _Mask:
    """Say which messages had a status without a meaning and are shown by the label now that it has."""
    was = pc.if_else(pc.equal(old["message_class"], MessageClass.UNMAPPED.value), old["label"], None)
    distinct = pc.unique(was).drop_null()
    meanings = [statuses.look_up(status) for status in distinct.to_pylist()]
    labels = pa.array([meaning.label if meaning else None for meaning in meanings], pa.string())
    known = labels.take(pc.index_in(was, value_set=distinct).combine_chunks())
    return _mask(pc.fill_null(pc.equal(known, new["label"]), fill_value=False))


def _restated_beside(
    before: pa.Table, after: pa.Table, *, tariff_changed: bool, profile_changed: bool
) -> Iterator[Restatement]:
    """Yield what differs beside our messages: fees, tax for its rate's sake, results that are not ours.

    Tax that follows from other amounts is no change of its own.
    """
    old, new = _stored(before), _stored(after)
    if old is None or new is None:
        return
    fees = [sorted((name, Decimal(amount)) for name, amount in one["fees"]) for one in (old, new)]
    if fees[0] != fees[1]:
        was, is_ = (sum((amount for _, amount in one), Decimal(0)) for one in fees)
        yield _beside_messages(RestatedSubject.FEE, Cause.TARIFF, was, is_)
    taxes = Decimal(old["tax"]), Decimal(new["tax"])
    rates = (old["rates"], old["rounding"]) != (new["rates"], new["rounding"])
    if tariff_changed and rates and taxes[0] != taxes[1]:
        yield _beside_messages(RestatedSubject.TAX, Cause.TARIFF, *taxes)
    (messages, units, was), (messages_now, units_now, is_) = old["foreign"], new["foreign"]
    same = (messages, units) == (messages_now, units_now)
    if not same or Decimal(was) != Decimal(is_):
        # With as many rows as before no result came: it is what they mean.
        none_came = old.get("foreign_rows") == new["foreign_rows"]
        other = Cause.PROFILE if profile_changed and none_came else Cause.RESULT
        cause = Cause.TARIFF if same and tariff_changed else other
        count = abs(messages_now - messages)
        yield _beside_messages(RestatedSubject.FOREIGN, cause, Decimal(was), Decimal(is_), count)


def _beside_messages(
    subject: RestatedSubject, cause: Cause, before: Decimal, after: Decimal, messages: int = 0
) -> Restatement:
    return Restatement(cause=cause, subject=subject, messages=messages, before=before, after=after, smsids=())


def _stored(table: pa.Table) -> dict[str, Any] | None:
    stored = (table.schema.metadata or {}).get(_BESIDE.encode())
    return json.loads(stored) if stored else None


def _paired(before: pa.Table, after: pa.Table) -> tuple[pa.Table, pa.Table, pa.Table, pa.Table]:
    """Return the messages that are in both, row by row, as they were and as they are, and those gone and come."""
    if before["smsid"].equals(after["smsid"]):
        # As a rule: nothing to look up.
        return before, after, before.slice(0, 0), after.slice(0, 0)
    at = pc.index_in(after["smsid"], value_set=before["smsid"])
    known = pc.is_valid(at)
    gone = before.filter(pc.invert(pc.is_in(before["smsid"], value_set=after["smsid"])))
    return before.take(at.filter(known)), after.filter(known), gone, after.filter(pc.invert(known))


def _refused(table: pa.Table) -> _Mask:
    return _mask(pc.equal(table["message_class"], MessageClass.REFUSED.value))


def _of_cause(table: pa.Table, cause: Cause, decided: Collection[str]) -> pa.Table:
    by_person = _among(table["smsid"], decided)
    return table.filter(pa.array(by_person if cause is Cause.DECISION else ~by_person))


def _restatement(cause: Cause, old: pa.Table, new: pa.Table) -> Restatement:
    # What changed is in both tables, what came in one, what went in the other.
    smsids = pc.unique(pa.chunked_array([*old["smsid"].chunks, *new["smsid"].chunks], pa.large_string()))
    first = pc.select_k_unstable(smsids, min(_NAMED, len(smsids)), sort_keys=[("smsid", "ascending")])
    return Restatement(
        cause=cause,
        messages=len(smsids),
        before=_sum(old["amount"]),
        after=_sum(new["amount"]),
        smsids=tuple(smsids.take(first).to_pylist()),
    )


def _sum(amounts: pa.ChunkedArray) -> Decimal:
    """Add up amounts exactly: there are few different ones."""
    counts = pc.value_counts(amounts.drop_null())
    return sum((Decimal(one["values"].as_py()) * one["counts"].as_py() for one in counts), Decimal(0))


def _amount_differs(old: pa.ChunkedArray, new: pa.ChunkedArray) -> _Mask:
    """Say where amounts differ as numbers: 8.5 is 8.50, and no price differs from none."""
    places = np.flatnonzero(_differs(old, new))
    differs = np.zeros(len(old), bool)
    pairs = zip(old.take(places).to_pylist(), new.take(places).to_pylist(), strict=True)
    differs[places] = [
        (before is None) != (after is None) or (before is not None and Decimal(before) != Decimal(after))
        for before, after in pairs
    ]
    return differs


def _differs(old: pa.ChunkedArray, new: pa.ChunkedArray) -> _Mask:
    unequal = pc.fill_null(pc.not_equal(old, new), fill_value=False)
    return _mask(pc.or_(unequal, pc.xor(pc.is_null(old), pc.is_null(new))))


def _timeless(classes: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return pending for missing: that nothing has come is one fact, before its deadline and after it."""
    missing = pc.equal(classes, MessageClass.MISSING.value)
    return pc.if_else(missing, MessageClass.PENDING.value, classes)


def _among(smsids: pa.ChunkedArray, decided: Collection[str]) -> _Mask:
    return _mask(pc.is_in(smsids, value_set=pa.array(sorted(decided), pa.large_string())))


def _mask(values: pa.ChunkedArray | pa.Array) -> _Mask:
    return np.asarray(values, bool)
