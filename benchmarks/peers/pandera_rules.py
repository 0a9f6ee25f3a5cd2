"""The rules of ``validate`` as vectorised pandas and a pandera schema.

python benchmarks/peers/pandera_rules.py FILE FOLDER
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd
import rules
from pandera.pandas import Check, Column, DataFrameSchema

_REPAIR = re.compile("|".join(map(re.escape, rules.REPAIRS)))


def numbers(given: pd.Series) -> pd.Series:
    """Clean a column of numbers; the few that are not written in a usual way take the long one."""
    cleaned = given.str.replace("-", "", regex=False)
    others = given[~given.str.match(rules.USUAL)]
    unwrapped = others.str.extract(f"(?s){rules.WRAPPED}", expand=False)
    unwrapped = unwrapped.str.translate(str.maketrans(rules.FULL_WIDTH, rules.HALF_WIDTH))
    bare = unwrapped.str.replace(rules.POINT_ZERO, "", regex=True).str.replace(rules.SEPARATORS, "", regex=True)
    domestic = bare.str.replace(rules.INTERNATIONAL, r"0\1", regex=True).str.replace(
        rules.LOST_ZERO, r"0\1", regex=True
    )
    cleaned[others.index] = domestic.mask(unwrapped.str.match(rules.SCIENTIFIC), "")
    return cleaned


def texts(frame: pd.DataFrame) -> pd.Series:
    """Fill in the tags of each text and repair it; pandas has no replacement that differs by row."""
    text = frame[rules.TEXT].copy()
    touched = frame[text.str.contains(rules.TOUCHED)]
    (first, second, third, fourth) = (f"{{{name}}}" for name in rules.TAGS)
    filled = [
        text.replace(first, a).replace(second, b).replace(third, c).replace(fourth, d)
        for text, a, b, c, d in touched[[rules.TEXT, *rules.TAGS]].to_numpy(dtype=object)
    ]
    text[touched.index] = [_REPAIR.sub(lambda found: rules.REPAIRS[found[0]], value) for value in filled]
    return text


def wide(text: pd.Series) -> pd.Series:
    """Count the characters of two bytes."""
    return text.str.len() - text.str.count(rules.NARROW)


def schema(folder: str) -> DataFrameSchema:
    """Return what an acceptable row is."""
    cannot_be_sent = rules.cannot_be_sent(folder)
    return DataFrameSchema(
        {
            "msisdn": Column(str, Check.str_matches(rules.DOMESTIC)),
            "wrong_tag": Column(bool, Check.eq(value=False)),
            "text": Column(
                str,
                [
                    Check(lambda text: text.str.contains(rules.SOMETHING)),
                    Check(lambda text: ~text.str.contains(cannot_be_sent)),
                ],
            ),
            "bytes": Column(int, Check.le(rules.BYTES)),
        },
        checks=Check(
            lambda frame: (frame["characters"] <= rules.CHARACTERS) | ~frame["text"].str.contains(rules.DOUBLE_BYTE)
        ),
        drop_invalid_rows=True,
    )


def main(source: str, folder: str) -> None:
    """Check ``source`` and write what is accepted and what is rejected into ``folder``."""
    frame = pd.read_csv(source, dtype="str", keep_default_na=False, na_filter=False)
    template, text = frame[rules.TEXT], texts(frame)
    tagged = template[template.str.contains(rules.BRACE)]
    characters = text.str.len() + text.str.count("\n")
    rows = pd.DataFrame(
        {
            "row_number": frame.index + 2,
            "msisdn": numbers(frame[rules.NUMBER]),
            "text": text,
            "characters": characters,
            "bytes": characters + wide(text),
            "wrong_tag": False,
        }
    )
    rows.loc[tagged.index, "wrong_tag"] = tagged.str.replace(rules.KNOWN_TAG, "", regex=True).str.contains(
        rules.BRACE
    ) | (~tagged.str.contains(rules.GATEWAY_TAG) & text[tagged.index].str.contains(rules.GATEWAY_TAG))
    fine = schema(folder).validate(rows, lazy=True)
    unique = DataFrameSchema(
        {"msisdn": Column(str, unique=True, report_duplicates="exclude_first")}, drop_invalid_rows=True
    )
    accepted = unique.validate(fine, lazy=True)
    out = Path(folder)
    accepted.drop(columns="wrong_tag").to_csv(out / "accepted.csv", index=False)
    rows.loc[rows.index.difference(accepted.index), ["row_number"]].to_csv(out / "rejected.csv", index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
