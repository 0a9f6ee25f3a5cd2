"""The same reconciliation as DuckDB SQL: classes and amounts by status, carrier and day.

python benchmarks/peers/duckdb_reconcile.py FOLDER OUT [THREADS]
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pyarrow as pa

AS_OF = "2026-12-08 15:00:00+00"


def main(source: str, out: str, threads: str = "2") -> None:
    """Reconcile the files of ``source``."""
    folder = Path(source)
    duck = duckdb.connect()
    duck.execute(f"SET threads = {int(threads)}")
    duck.execute("SET TimeZone = 'UTC'")
    for name in ("messages", "results"):
        duck.register(name, pa.ipc.open_file(pa.memory_map(str(folder / f"{name}.arrow"))).read_all())
    for name in ("statuses", "prices"):
        duck.execute(f"CREATE TEMP TABLE {name} AS FROM read_csv('{folder / name}.csv', header = true)")
    # The time of what decides, packed with its label and carrier: cheaper than comparing structs or arg_max.
    duck.execute("""
        CREATE TEMP TABLE ranked AS
        SELECT label, class, billable::BOOLEAN AS billable, clicked::BOOLEAN AS clicked,
               row_number() OVER (ORDER BY label) AS place,
               CASE WHEN class = 'pending' THEN 0 WHEN NOT billable::BOOLEAN THEN 1
                    WHEN clicked::BOOLEAN THEN 2 ELSE 3 END AS rank
        FROM statuses
    """)
    duck.execute("""
        CREATE TEMP TABLE carriers AS
        SELECT carrier, row_number() OVER (ORDER BY carrier) AS number FROM (SELECT DISTINCT carrier FROM prices)
    """)
    duck.execute(f"""
        COPY (
            WITH decided AS (
                SELECT smsid,
                       min(epoch_us(status_time) << 8 | place << 3 | number) FILTER (rank = 3) AS bill,
                       min(epoch_us(status_time) << 8 | place << 3 | number) FILTER (rank = 2) AS click,
                       max(epoch_us(status_time) << 8 | place << 3 | number) FILTER (rank = 1) AS final,
                       max(epoch_us(status_time) << 8 | place << 3 | number) FILTER (rank = 0) AS waiting,
                       max(parts_total) AS parts
                FROM results JOIN ranked ON status = label JOIN carriers USING (carrier)
                GROUP BY smsid
            ), read AS (
                SELECT characters, double_byte, sent_at, parts, click, bill IS NOT NULL OR click IS NOT NULL AS billed,
                       coalesce(bill, click, final, waiting) AS packed
                FROM messages LEFT JOIN decided USING (smsid)
            ), named AS (
                SELECT CASE WHEN class = 'pending' OR class IS NULL
                           THEN CASE WHEN sent_at < TIMESTAMPTZ '{AS_OF}' - INTERVAL 8 DAY
                                THEN 'missing' ELSE 'pending' END
                           ELSE class END AS class,
                       coalesce(CASE WHEN click IS NOT NULL THEN 'リダイレクト' ELSE label END, '') AS label,
                       coalesce(carrier, '') AS carrier,
                       (sent_at::TIMESTAMP + INTERVAL 9 HOUR)::DATE AS day,
                       billed,
                       coalesce(parts, CASE
                           WHEN characters <= CASE WHEN double_byte THEN 70 ELSE 160 END THEN 1
                           ELSE ceil(characters / CASE
                               WHEN NOT double_byte THEN 153 WHEN carrier = 'Rakuten' THEN 66 ELSE 67 END)
                       END)::INTEGER AS parts
                FROM read LEFT JOIN ranked ON place = packed >> 3 & 31 LEFT JOIN carriers ON number = packed & 7
            ), counted AS (
                SELECT class, label, carrier, day, billed, parts, count(*) AS messages FROM named GROUP BY ALL
            )
            SELECT class, label, counted.carrier, day, sum(messages)::BIGINT,
                   coalesce(sum(messages) FILTER (billed), 0)::BIGINT,
                   coalesce(sum(messages * counted.parts) FILTER (billed), 0)::BIGINT,
                   coalesce(sum(messages * yen::DECIMAL(18, 1)) FILTER (billed), 0.0)::DECIMAL(18, 1)
            FROM counted LEFT JOIN prices
            ON prices.carrier = counted.carrier AND prices.parts = counted.parts AND day >= start AND day < "end"
            GROUP BY ALL ORDER BY ALL
        ) TO '{out}' (HEADER false)
    """)  # noqa: S608 - this file's own words


if __name__ == "__main__":
    main(*sys.argv[1:])
