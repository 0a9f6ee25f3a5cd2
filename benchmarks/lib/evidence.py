"""Make what a reconciliation is measured on: messages, results, statuses and prices, as Arrow and CSV files.

python benchmarks/lib/evidence.py --messages 1M FOLDER

1.3 results for each message, in no order: retries, clicks, what is still pending, numbers and carriers as in a results
CSV. No two results of a message have the same time, so that every tool can say which one was the first.
"""

from __future__ import annotations

import argparse
import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.core.evidence import MESSAGES, OBSERVATIONS, WORD

_BLOCK = 1_000_000
#: half an hour before prices change at midnight in Japan
_BEGIN = datetime(2026, 11, 30, 14, 30, tzinfo=UTC)
_PREFIX = "abc"
CARRIERS = ("Docomo", "SoftBank", "Rakuten", "au")
_SHARES = (0.42, 0.21, 0.08, 0.29)
_FAILED = ("au圏外・OFF", "ドコモ圏外・OFF", "ソフトバンク受信拒否", "無効", "403", "送信不可")
_PARTIAL, _CANCELLED, _PENDING = "長文一部受信", "キャンセル済", "処理中"
_SENT, _CLICKED = "送信済", "リダイレクト"
STATUSES = (_SENT, _CLICKED, _PENDING, _PARTIAL, _CANCELLED, *_FAILED)
_CENTRES = ("", "総務", "営業", "店舗")
#: the fates of messages: what their results say, one after the other, and how many of a thousand have it
_FATES = (
    ((_SENT,), 642),
    ((_PENDING, _SENT), 123),
    ((_SENT, _CLICKED), 90),
    (("F", _SENT), 45),
    (("F",), 40),
    (("F", "F"), 15),
    ((_PENDING,), 12),
    ((), 10),
    ((_PENDING, "F", _SENT, _CLICKED), 8),
    ((_PENDING, "F", "F"), 5),
    ((_PARTIAL,), 5),
    ((_CANCELLED,), 2),
    ((_SENT, "F"), 2),
    ((_SENT, _SENT), 1),
)
_FOREIGN = 0.005
_LONG, _WIDE = 0.15, 0.97


def make(count: int, folder: Path) -> None:
    """Write the files for ``count`` messages."""
    chance = np.random.default_rng(20261130)
    messages, numbers, sent, carrier, parts = _messages(chance, count)
    _tables(folder)
    _write(folder / "messages.arrow", messages)
    _write(
        folder / "results.arrow",
        _results(chance, smsid=messages["smsid"], msisdn=numbers, sent=sent, carrier=carrier, parts=parts),
    )


def _messages(chance: np.random.Generator, count: int) -> tuple[pa.Table, pa.Array, np.ndarray, np.ndarray, np.ndarray]:
    rows = np.arange(count)
    smsid = pa.array([f"{_PREFIX}bcdfghjkmn{row:07d}" for row in rows.tolist()], pa.large_string())
    numbers = chance.permutation(max(10000000, count))[:count] + 10_000_000
    lead = np.array(["080", "090", "070"])[chance.integers(0, 3, count)]
    msisdn = pa.array([f"{a}{b:08d}" for a, b in zip(lead.tolist(), numbers.tolist(), strict=True)], pa.large_string())
    # One dispatch after another, ten thousand messages each, a minute apart: some before midnight, most after it.
    sent = np.int64(_BEGIN.timestamp()) * 1_000_000 + rows // 10_000 * (min(60, 864_000_000 // count) * 1_000_000)
    sent = np.where(rows % 10 == 0, sent - 14 * 3_600_000_000, sent)
    long = chance.random(count) < _LONG
    characters = np.where(long, chance.integers(71, 300, count), chance.integers(12, 71, count)).astype(np.int32)
    wide = chance.random(count) < _WIDE
    carrier = chance.choice(len(CARRIERS), count, p=_SHARES)
    single, more = np.where(wide, 70, 160), np.where(wide, np.where(carrier == CARRIERS.index("Rakuten"), 66, 67), 153)
    parts = np.where(characters <= single, 1, -(-characters // more)).astype(np.int32)
    alike = np.zeros(count, np.int32)
    columns = {
        "row_number": pa.array(rows + 2),
        "smsid": smsid,
        "msisdn": msisdn,
        "batch_id": _words(alike, ("bcdfghjkmn",)),
        "campaign": _words(alike, ("冬のお知らせ",)),
        "cost_centre": _words(chance.integers(0, len(_CENTRES), count), _CENTRES),
        "state": _words(alike, ("taken",)),
        "reason": _words(alike, ("",)),
        "characters": pa.array(characters),
        "double_byte": pa.array(wide),
        "sent_at": pa.array(sent).cast(MESSAGES.field("sent_at").type),
    }
    return pa.table(columns, MESSAGES), msisdn, sent, carrier, parts


def _words(codes: np.ndarray, words: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(words, pa.string())).cast(WORD)


def _results(  # noqa: PLR0913 - what a result says
    chance: np.random.Generator,
    *,
    smsid: pa.ChunkedArray,
    msisdn: pa.Array,
    sent: np.ndarray,
    carrier: np.ndarray,
    parts: np.ndarray,
) -> pa.Table:
    count = len(sent)
    shares = np.array([share for _, share in _FATES]) / 1000
    fate = chance.choice(len(_FATES), count, p=shares)
    of_message, status, order = [], [], []
    for number, (fates, _) in enumerate(_FATES):
        own = np.flatnonzero(fate == number)
        for step, label in enumerate(fates):
            failed = STATUSES.index(_FAILED[0]) + chance.integers(0, len(_FAILED), len(own))
            of_message.append(own)
            status.append(failed if label == "F" else np.full(len(own), STATUSES.index(label)))
            order.append(np.full(len(own), step))
    at, code, step = (np.concatenate(each) for each in (of_message, status, order))
    shuffled = chance.permutation(len(at))
    at, code, step = at[shuffled], code[shuffled], step[shuffled]
    when = sent[at] + step * 600_000_000 + chance.integers(1, 500, len(at)) * 1_000_000
    own = smsid.combine_chunks().take(pa.array(at)).to_pylist()
    strangers = np.flatnonzero(chance.random(len(at)) < _FOREIGN)
    for place in strangers.tolist():
        own[place] = f"web{place:09d}"
    table = {
        "smsid": pa.array(own, pa.large_string()),
        "msisdn": msisdn.take(pa.array(at)),
        "status": _words(code, STATUSES),
        "status_time": pa.array(when).cast(OBSERVATIONS.field("status_time").type),
        "carrier": _words(carrier[at], CARRIERS),
        "parts_total": pa.array(parts[at], mask=parts[at] == 1),
        "registered_at": pa.array(sent[at] // 60_000_000 * 60_000_000).cast(OBSERVATIONS.field("registered_at").type),
        "received_at": pa.nulls(len(at), OBSERVATIONS.field("received_at").type),
    }
    return pa.table(table, OBSERVATIONS)


def _tables(folder: Path) -> None:
    """Write statuses (label, class, billable, clicked) and prices (carrier, parts, valid on [start, end), yen)."""
    classes = {
        _SENT: "delivered",
        _CLICKED: "delivered",
        _PENDING: "pending",
        _PARTIAL: "partial",
        _CANCELLED: "cancelled",
    }
    billed = (_SENT, _CLICKED)
    statuses = [
        (label, classes.get(label, "failed"), int(label in billed), int(label == _CLICKED)) for label in STATUSES
    ]
    prices = [
        (carrier, count, start, end, f"{tenths * count / 10:.1f}")
        for number, carrier in enumerate(CARRIERS)
        for start, end, tenths in (("2026-01-01", "2026-12-01", 81 + number), ("2026-12-01", "2030-01-01", 85 + number))
        for count in range(1, 11)
    ]
    for name, head, rows in (
        ("statuses.csv", ("label", "class", "billable", "clicked"), statuses),
        ("prices.csv", ("carrier", "parts", "start", "end", "yen"), prices),
    ):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *rows])


def _write(file: Path, table: pa.Table) -> None:
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=_BLOCK)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    make(arguments.messages, arguments.folder)


if __name__ == "__main__":
    main()
