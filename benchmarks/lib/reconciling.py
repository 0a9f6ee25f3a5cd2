"""Our side of ``benchmarks/reconcile.py``: the whole reconciliation of a batch, every line, price and break.

python benchmarks/lib/reconciling.py FOLDER OUT [LEDGER]

With a ledger, messages and results are read from it instead of from the Arrow files.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from pipeline.core.billing import Price, Tariff, TaxRate
from pipeline.core.evidence import Evidence
from pipeline.core.lines import MessageLines
from pipeline.core.matching import Deadlines
from pipeline.core.reconciling import reconcile
from pipeline.core.segments import Steps
from pipeline.core.statuses import StatusMeaning, StatusTable
from pipeline.model import Batch, MonthBy, Reconciliation, RowTotals, StatusClass

#: a part of the messages without a result is missing by then, the others are pending
BATCH = "bcdfghjkmn"
AS_OF = datetime(2026, 12, 8, 15, 0, tzinfo=UTC)


def main(source: str, out: str, ledger: str = "") -> None:
    """Reconcile the files of ``source`` and write messages, units and yen by class, status, carrier and day."""
    value, lines = reconciled(Path(source), ledger)
    assert all(equation.holds for equation in value.equations)
    write(Path(out), lines)


def reconciled(folder: Path, ledger: str = "") -> tuple[Reconciliation, MessageLines]:
    """Reconcile the files of ``folder``, or what a ledger holds of them."""
    return reconcile(
        from_ledger(ledger) if ledger else from_files(folder),
        statuses=statuses(folder),
        tariff=tariff(folder),
        deadlines=Deadlines(AS_OF, timedelta(days=8)),
        month_by=MonthBy.TAKEN,
        provenance={},
    )


def the_batch(messages: int) -> Batch:
    """Return the batch that all messages are of."""
    return Batch(
        batch_id=BATCH,
        campaign="冬のお知らせ",
        run_date=date(2026, 11, 30),
        source_name="list.csv",
        content_sha256="",
        fingerprint="",
        totals=RowTotals(messages, messages, 0, 0),
        repaired=0,
        artefacts=(),
        registered_at=AS_OF - timedelta(days=9),
    )


def from_files(folder: Path) -> Evidence:
    """Take messages and results from Arrow files."""
    messages, results = (read(folder / f"{name}.arrow") for name in ("messages", "results"))
    batch = the_batch(len(messages))
    return Evidence(messages=messages, observations=results, batches=(batch,), observed=len(results), prefix="abc")


def from_ledger(file: str) -> Evidence:
    """Read messages and results from a ledger."""
    from pipeline.ledger import open_ledger  # noqa: PLC0415 - the files need no database
    from pipeline.ledger.batches import get_batch  # noqa: PLC0415 - only where it is asked for
    from pipeline.ledger.evidence import batch_evidence  # noqa: PLC0415 - only where it is asked for

    ledger = open_ledger(f"sqlite:///{file}")
    margin = timedelta(days=30)
    return batch_evidence(ledger, get_batch(ledger, BATCH), AS_OF - margin, AS_OF + margin)


def read(file: Path) -> pa.Table:
    """Map a file into memory."""
    return pa.ipc.open_file(pa.memory_map(str(file))).read_all()


def statuses(folder: Path) -> StatusTable:
    """Read the statuses."""
    with (folder / "statuses.csv").open(encoding="utf-8", newline="") as file:
        return StatusTable(
            {
                row["label"]: StatusMeaning(
                    row["label"], StatusClass(row["class"]), row["billable"] == "1", row["clicked"] == "1"
                )
                for row in csv.DictReader(file)
            },
            {},
        )


def tariff(folder: Path) -> Tariff:
    """Read the prices; parts as the Japanese carriers count them."""
    yen: dict[tuple[str, date, date], list[Decimal]] = defaultdict(list)
    with (folder / "prices.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            period = date.fromisoformat(row["start"]), date.fromisoformat(row["end"])
            yen[row["carrier"], *period].append(Decimal(row["yen"]))
    return Tariff(
        "bench",
        "",
        tuple(Price(carrier, start, end, tuple(steps)) for (carrier, start, end), steps in yen.items()),
        {"*": Steps(70, 67, 160, 153), "Rakuten": Steps(70, 66, 160, 153)},
        (TaxRate(Decimal("0.10"), date(2019, 10, 1), None),),
    )


def write(out: Path, lines: MessageLines) -> None:
    """Add up the cells that differ in nothing that the peers divide by, and write them in order."""
    found: dict[tuple[str, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 4)
    for cell in lines.cells:
        key = (cell.message_class.value, cell.label, cell.carrier, cell.day.isoformat())
        bills = cell.messages if cell.billable else 0
        one = (cell.messages, bills, bills * cell.parts, cell.messages * (cell.amount or 0))
        found[key] = [a + b for a, b in zip(found[key], one, strict=True)]
    with out.open("w", encoding="utf-8", newline="") as file:
        rows = ((*key, *map(int, sums[:3]), f"{sums[3]:.1f}") for key, sums in sorted(found.items()))
        csv.writer(file, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
