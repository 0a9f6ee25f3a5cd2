"""The same reconciliation as polars expressions: classes and amounts by status, carrier and day.

python benchmarks/peers/polars_reconcile.py FOLDER OUT
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

CLICK, BILL = 2, 3
LATEST = datetime(2026, 12, 8, 15, 0, tzinfo=UTC) - timedelta(days=8)


def main(source: str, out: str) -> None:
    """Reconcile the files of ``source``."""
    folder = Path(source)
    messages = pl.scan_ipc(folder / "messages.arrow").select("smsid", "characters", "double_byte", "sent_at")
    results = pl.scan_ipc(folder / "results.arrow").select(
        "smsid", pl.col("status").cast(pl.String), "status_time", pl.col("carrier").cast(pl.String), "parts_total"
    )
    statuses = pl.read_csv(folder / "statuses.csv").with_row_index("place")
    prices = pl.read_csv(folder / "prices.csv", schema_overrides={"yen": pl.Decimal(18, 1)}, try_parse_dates=True)
    carriers = prices.select(pl.col("carrier").unique().sort()).with_row_index("number")
    rank = (
        pl.when(pl.col("class") == "pending")
        .then(0)
        .when(pl.col("billable") == 0)
        .then(1)
        .otherwise(3 - pl.col("clicked"))
    )
    ranked = statuses.with_columns(rank=rank)
    packed = pl.col("status_time").to_physical() * 256 + pl.col("place") * 8 + pl.col("number")
    decided = (
        results.join(ranked.lazy(), left_on="status", right_on="label")
        .join(carriers.lazy(), on="carrier")
        .with_columns(packed=packed)
        .group_by("smsid")
        .agg(
            bill=pl.col("packed").filter(pl.col("rank") == BILL).min(),
            click=pl.col("packed").filter(pl.col("rank") == CLICK).min(),
            final=pl.col("packed").filter(pl.col("rank") == 1).max(),
            waiting=pl.col("packed").filter(pl.col("rank") == 0).max(),
            parts=pl.col("parts_total").max(),
        )
    )
    decides = pl.coalesce("bill", "click", "final", "waiting")
    clicked = pl.col("click").is_not_null()
    more = pl.when(~pl.col("double_byte")).then(153).when(pl.col("carrier") == "Rakuten").then(66).otherwise(67)
    single = pl.when(pl.col("double_byte")).then(70).otherwise(160)
    computed = pl.when(pl.col("characters") <= single).then(1).otherwise((pl.col("characters") + more - 1) // more)
    late = pl.when(pl.col("sent_at") < LATEST).then(pl.lit("missing")).otherwise(pl.lit("pending"))
    counted = (
        messages.join(decided, on="smsid", how="left")
        .with_columns(place=(decides // 8 % 32).cast(pl.UInt32), number=(decides % 8).cast(pl.UInt32))
        .join(ranked.select("place", "class", "label").lazy(), on="place", how="left")
        .join(carriers.lazy(), on="number", how="left")
        .select(
            pl.when(pl.col("class").is_null() | (pl.col("class") == "pending"))
            .then(late)
            .otherwise("class")
            .alias("class"),
            pl.when(clicked).then(pl.lit("リダイレクト")).otherwise(pl.col("label").fill_null("")).alias("label"),
            pl.col("carrier").fill_null(""),
            (pl.col("sent_at") + pl.duration(hours=9)).dt.date().alias("day"),
            (pl.col("bill").is_not_null() | clicked).alias("billed"),
            pl.coalesce(pl.col("parts").cast(pl.Int64), computed.cast(pl.Int64)).alias("parts"),
        )
        .group_by("class", "label", "carrier", "day", "billed", "parts")
        .agg(messages=pl.len().cast(pl.Int64))
        .collect()
    )
    priced = counted.join(prices, on=["carrier", "parts"], how="left").filter(
        pl.col("yen").is_null() | ((pl.col("day") >= pl.col("start")) & (pl.col("day") < pl.col("end")))
    )
    bills = pl.col("messages").filter("billed")
    (
        priced.group_by("class", "label", "carrier", "day")
        .agg(
            pl.col("messages").sum(),
            bills.sum().alias("billable"),
            (pl.col("messages") * pl.col("parts")).filter("billed").sum().alias("units"),
            (pl.col("messages").cast(pl.Decimal(18, 0)) * pl.col("yen"))
            .filter("billed")
            .sum()
            .cast(pl.Decimal(18, 1))
            .alias("amount"),
        )
        .sort("class", "label", "carrier", "day")
        .write_csv(out, include_header=False)
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
