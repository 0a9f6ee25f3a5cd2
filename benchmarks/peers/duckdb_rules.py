"""The rules of ``validate`` as DuckDB SQL.

python benchmarks/peers/duckdb_rules.py FILE FOLDER
"""

from __future__ import annotations

import sys
from functools import reduce
from pathlib import Path

import duckdb
import rules


def sql(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"


def replaced(expression: str, pairs: dict[str, str]) -> str:
    """Replace one text after another."""
    return reduce(lambda inner, pair: f"replace({inner}, {sql(pair[0])}, {sql(pair[1])})", pairs.items(), expression)


def number() -> str:
    """Clean a number; CASE computes a branch only for the rows that need it."""
    unwrapped = (
        f"translate(regexp_extract(number, {sql(rules.WRAPPED)}, 1, 's'),"
        f" {sql(rules.FULL_WIDTH)}, {sql(rules.HALF_WIDTH)})"
    )
    bare = f"regexp_replace(regexp_replace({unwrapped}, {sql(rules.POINT_ZERO)}, ''), {sql(rules.SEPARATORS)}, '', 'g')"
    domestic = (
        f"regexp_replace(regexp_replace({bare}, {sql(rules.INTERNATIONAL)}, '0\\1'), {sql(rules.LOST_ZERO)}, '0\\1')"
    )
    return f"""CASE
        WHEN regexp_matches(number, {sql(rules.USUAL)}) THEN replace(number, '-', '')
        WHEN regexp_matches({unwrapped}, {sql(rules.SCIENTIFIC)}) THEN ''
        ELSE {domestic}
    END"""


def text() -> str:
    """Fill in the tags of a text and repair it."""
    expanded = reduce(lambda inner, name: f"replace({inner}, '{{{name}}}', \"{name}\")", rules.TAGS, "text")
    lines = replaced(expanded, {"\r\n": "\n", "\r": "\n", "\t": " "})
    twins = f"translate({lines}, {sql(''.join(rules.TWINS))}, {sql(''.join(rules.TWINS.values()))})"
    return f"""CASE
        WHEN regexp_matches(text, {sql(rules.MARKS)}) THEN {replaced(twins, rules.COMPOSED)}
        WHEN regexp_matches(text, {sql(rules.TOUCHED)}) THEN {twins}
        ELSE text
    END"""


def wide() -> str:
    """Count the characters of two bytes; without rare ones each has three bytes in UTF-8, others one."""
    return f"""CASE
        WHEN regexp_matches(text, {sql(rules.RARE)}) THEN length(regexp_replace(text, {sql(rules.NARROW)}, '', 'g'))
        ELSE (strlen(text) - length(text)) // 2
    END"""


def main(source: str, folder: str) -> None:
    """Check ``source`` and write what is accepted and what is rejected into ``folder``."""
    out = Path(folder)
    columns = ", ".join(f'"{name}"' for name in rules.TAGS)
    duck = duckdb.connect()
    # S608: the words are this file's own, and DuckDB takes no parameters where most of them stand.
    duck.execute(f"""
        CREATE TEMP TABLE rows AS
        SELECT "{rules.NUMBER}" AS number, "{rules.TEXT}" AS text, {columns}
        FROM read_csv(
            {sql(source)}, header = true, delim = ',', quote = '"', escape = '"', nullstr = '\\N',
            auto_detect = false, columns = {columns_of(source)}
        )
    """)  # noqa: S608
    duck.execute(f"""
        CREATE TEMP TABLE checked AS
        WITH filled AS (
            SELECT rowid + 2 AS row_number, {number()} AS msisdn, {text()} AS text,
                   contains(text, '{{') OR contains(text, '}}') AS tagged, text AS template
            FROM rows
        ), measured AS (
            SELECT *, length(text) + length(text) - length(replace(text, chr(10), '')) AS characters, {wide()} AS wide
            FROM filled
        )
        SELECT row_number, msisdn, text, characters, characters + wide AS bytes,
               regexp_matches(msisdn, {sql(rules.DOMESTIC)})
               AND CASE WHEN tagged THEN
                   NOT regexp_matches(regexp_replace(template, {sql(rules.KNOWN_TAG)}, '', 'g'), {sql(rules.BRACE)})
                   AND (regexp_matches(template, {sql(rules.GATEWAY_TAG)})
                        OR NOT regexp_matches(text, {sql(rules.GATEWAY_TAG)}))
                   ELSE true END
               AND regexp_matches(text, {sql(rules.SOMETHING)})
               AND NOT regexp_matches(text, {sql(rules.cannot_be_sent(folder))})
               AND characters + wide <= {rules.BYTES}
               AND (characters <= {rules.CHARACTERS} OR strlen(text) = length(text)) AS fine
        FROM measured
    """)  # noqa: S608
    duck.execute("""
        CREATE TEMP TABLE first AS SELECT min(row_number) AS row_number FROM checked WHERE fine GROUP BY msisdn
    """)
    # The joins do not keep the order of rows; to sort them again would take a quarter of the time.
    duck.execute(f"""
        COPY (SELECT row_number, msisdn, text, characters, bytes FROM checked SEMI JOIN first USING (row_number))
        TO {sql(str(out / "accepted.csv"))} (HEADER)
    """)  # noqa: S608
    duck.execute(f"""
        COPY (SELECT row_number FROM checked ANTI JOIN first USING (row_number))
        TO {sql(str(out / "rejected.csv"))} (HEADER)
    """)  # noqa: S608


def columns_of(source: str) -> str:
    """Return the columns of a list as SQL, all of them texts."""
    with Path(source).open(encoding="utf-8") as file:
        names = file.readline().rstrip("\n").split(",")
    return "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in names) + "}"


if __name__ == "__main__":
    main(*sys.argv[1:])
