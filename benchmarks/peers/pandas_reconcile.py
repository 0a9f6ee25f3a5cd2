"""The same reconciliation with pandas merge: classes and amounts by status, carrier and day.

python benchmarks/peers/pandas_reconcile.py FOLDER OUT
"""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

CLICK, BILL = 2, 3
LATEST = pd.Timestamp("2026-12-08 15:00", tz="UTC") - pd.Timedelta(days=8)
NONE = np.iinfo(np.int64).max


def read(file: Path, columns: list[str]) -> pd.DataFrame:
    """Read a file with Arrow's own texts and categories."""
    table = pa.ipc.open_file(pa.memory_map(str(file))).read_all().select(columns)
    return table.to_pandas(types_mapper={pa.large_string(): pd.ArrowDtype(pa.large_string())}.get)


def main(source: str, out: str) -> None:
    """Reconcile the files of ``source``."""
    folder = Path(source)
    messages = read(folder / "messages.arrow", ["smsid", "characters", "double_byte", "sent_at"])
    results = read(folder / "results.arrow", ["smsid", "status", "status_time", "carrier", "parts_total"])
    statuses = pd.read_csv(folder / "statuses.csv").sort_values("label", ignore_index=True)
    prices = pd.read_csv(folder / "prices.csv", dtype={"yen": str})
    names = sorted(prices["carrier"].unique())
    ranks = np.select(
        [statuses["class"] == "pending", statuses["billable"] == 0, statuses["clicked"] == 1], [0, 1, 2], 3
    )
    # Categories are looked up once each; what decides is packed into one integer, as it is on our side.
    place = pd.Index(statuses["label"]).get_indexer(results["status"].cat.categories)[results["status"].cat.codes]
    number = pd.Index(names).get_indexer(results["carrier"].cat.categories)[results["carrier"].cat.codes]
    packed = results["status_time"].astype("int64").to_numpy() * 256 + place * 8 + number
    rank = ranks[place]
    decided = (
        pd.DataFrame(
            {
                "smsid": results["smsid"],
                "bill": np.where(rank == BILL, packed, NONE),
                "click": np.where(rank == CLICK, packed, NONE),
                "final": np.where(rank == 1, packed, -1),
                "waiting": np.where(rank == 0, packed, -1),
                "parts": results["parts_total"].fillna(0).astype("int64"),
            }
        )
        .groupby("smsid", sort=False)
        .agg({"bill": "min", "click": "min", "final": "max", "waiting": "max", "parts": "max"})
    )
    # Only the row's number is merged: what is missing makes floats of integers, and floats do not hold these.
    rows = pd.DataFrame({"smsid": decided.index, "row": np.arange(len(decided))})
    found = messages.merge(rows, on="smsid", how="left")
    row = found["row"].fillna(-1).to_numpy().astype("int64")
    bill, click, final, waiting, told = (
        np.where(row >= 0, decided[name].to_numpy()[row], missing)
        for name, missing in (("bill", NONE), ("click", NONE), ("final", -1), ("waiting", -1), ("parts", 0))
    )
    decides = np.select([bill != NONE, click != NONE, final != -1], [bill, click, final], waiting)
    known = decides >= 0
    place, number = np.where(known, decides // 8 % 32, 0), np.where(known, decides % 8, 0)
    status_class = np.where(known, statuses["class"].to_numpy(dtype=object)[place], "pending")
    late = np.where(found["sent_at"] < LATEST, "missing", "pending")
    wide, characters = found["double_byte"].to_numpy(), found["characters"].to_numpy()
    carrier = np.where(known, np.array(names, object)[number], "")
    more = np.select([~wide, number == names.index("Rakuten")], [153, 66], 67)
    computed = np.where(characters <= np.where(wide, 70, 160), 1, -(-characters // more))
    read_ = pd.DataFrame(
        {
            "class": np.where(status_class == "pending", late, status_class),
            "label": np.where(
                click != NONE, "リダイレクト", np.where(known, statuses["label"].to_numpy(dtype=object)[place], "")
            ),
            "carrier": carrier,
            "day": ((found["sent_at"].astype("int64") + 9 * 3_600_000_000) // 86_400_000_000).to_numpy(),
            "billed": (bill != NONE) | (click != NONE),
            "parts": np.where(told > 0, told, computed),
        }
    )
    counted = read_.value_counts(sort=False).rename("messages").reset_index()
    counted["day"] = pd.to_datetime(counted["day"], unit="D").dt.strftime("%Y-%m-%d")
    priced = counted.merge(prices, on=["carrier", "parts"], how="left")
    priced = priced[priced["yen"].isna() | ((priced["day"] >= priced["start"]) & (priced["day"] < priced["end"]))]
    bills = priced["messages"].where(priced["billed"], 0)
    amounts = [
        Decimal(int(count)) * Decimal(yen) if isinstance(yen, str) else Decimal("0.0")
        for count, yen in zip(bills, priced["yen"], strict=True)
    ]
    keys = ["class", "label", "carrier", "day"]
    summed = priced.assign(billable=bills, units=bills * priced["parts"], amount=amounts).groupby(keys)
    table = summed[["messages", "billable", "units", "amount"]].sum().reset_index()
    table.sort_values(keys).to_csv(out, index=False, header=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
