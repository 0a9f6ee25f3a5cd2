"""The rules of ``validate`` as polars expressions.

python benchmarks/peers/polars_rules.py FILE FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import rules


def number() -> pl.Expr:
    """Clean a number that is not written in one of the two usual ways."""
    unwrapped = (
        pl.col("number")
        .str.extract(f"(?s){rules.WRAPPED}")
        .str.replace_many(list(rules.FULL_WIDTH), list(rules.HALF_WIDTH))
    )
    bare = unwrapped.str.replace(rules.POINT_ZERO, "").str.replace_all(rules.SEPARATORS, "")
    return (
        pl.when(unwrapped.str.contains(rules.SCIENTIFIC))
        .then(pl.lit(""))
        .otherwise(bare)
        .str.replace(rules.INTERNATIONAL, "0$1")
        .str.replace(rules.LOST_ZERO, "0$1")
    )


def expanded() -> pl.Expr:
    """Fill in the tags of a text."""
    text = pl.col("text")
    for name in rules.TAGS:
        text = text.str.replace_all(f"{{{name}}}", pl.col(name), literal=True)
    return text


def main(source: str, folder: str) -> None:
    """Check ``source`` and write what is accepted and what is rejected into ``folder``."""
    usual = pl.col("number").str.contains(rules.USUAL)
    touched = pl.col("text").str.contains(rules.TOUCHED)
    rows = (
        pl.scan_csv(
            source, infer_schema=False, empty_string_is_null=False, row_index_name="row_number", row_index_offset=2
        )
        .rename({rules.NUMBER: "number", rules.TEXT: "text"})
        .collect(engine="streaming")
    )
    # Branches of when/then are computed for every row: the few rows that need the long way take it apart.
    numbers = rows.lazy().filter(~usual).select("row_number", msisdn=number())
    texts = (
        rows.lazy()
        .filter(touched)
        .select(
            "row_number",
            changed=expanded().str.replace_many(rules.REPAIRS, leftmost=True),
            wrong=pl.col("text").str.replace_all(rules.KNOWN_TAG, "").str.contains(rules.BRACE)
            | ~pl.col("text").str.contains(rules.GATEWAY_TAG) & expanded().str.contains(rules.GATEWAY_TAG),
        )
    )
    checked = (
        rows.lazy()
        .join(numbers, on="row_number", how="left", maintain_order="left")
        .join(texts, on="row_number", how="left", maintain_order="left")
        .select(
            "row_number",
            pl.coalesce("msisdn", pl.col("number").str.replace_all("-", "", literal=True)).alias("msisdn"),
            pl.coalesce("changed", "text").alias("text"),
            pl.col("wrong").fill_null(value=False),
        )
        .with_columns(
            characters=pl.col("text").str.len_chars() + pl.col("text").str.count_matches("\n", literal=True),
            wide=pl.col("text").str.len_chars() - pl.col("text").str.count_matches(rules.NARROW),
        )
        .with_columns(bytes=pl.col("characters") + pl.col("wide"))
        .with_columns(
            fine=pl.col("msisdn").str.contains(rules.DOMESTIC)
            & ~pl.col("wrong")
            & pl.col("text").str.contains(rules.SOMETHING)
            & ~pl.col("text").str.contains(rules.cannot_be_sent(folder))
            & (pl.col("bytes") <= rules.BYTES)
            & ((pl.col("characters") <= rules.CHARACTERS) | ~pl.col("text").str.contains(rules.DOUBLE_BYTE))
        )
        .collect(engine="streaming")
    )
    first = checked.lazy().filter("fine").filter(pl.col("msisdn").is_first_distinct()).collect()
    out = Path(folder)
    first.select("row_number", "msisdn", "text", "characters", "bytes").write_csv(out / "accepted.csv")
    checked.select("row_number").join(first, on="row_number", how="anti", maintain_order="left").write_csv(
        out / "rejected.csv"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
