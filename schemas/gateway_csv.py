"""The contract of the gateway CSV in request direction: the layout's columns, text only, what may leave the house."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pandera.pandas as pa

from pipeline.core.kernels import msisdns, strings, texts
from schemas.profile import Column, Profile
from schemas.recipients import GATEWAY_FIELDS, ROW_NUMBER, whole


def column_name(number: int) -> str:
    """Name a column of the layout by its number, as the specification does."""
    return f"c{number:02d}"


def render(accepted: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Lay out accepted rows as the gateway wants them; columns nobody knows and fields the rows have not stay empty."""
    by_field = profile.layout.by_field
    fields = ["msisdn", "text", "smsid", *(field for field in GATEWAY_FIELDS if field in accepted)]
    sources = {by_field[field].number: field for field in fields if field in by_field}
    empty = pd.Series("", index=accepted.index, dtype="str")
    return pd.DataFrame(
        {name: accepted[sources[at]] if at in sources else empty for at, name in enumerate(_names(profile), 1)}
    )


def unconfirmed_in_a_row(accepted: pd.DataFrame, profile: Profile) -> tuple[Column, int] | None:
    """Return the first column of the layout that is not confirmed and would carry a value, with the value's row.

    None where there is none. A list that was checked as single sends may have one: the layout was not asked then.
    """
    for column in profile.layout.column:
        if column.confirmed is False and column.field in GATEWAY_FIELDS and column.field in accepted.columns:
            rows = accepted.loc[accepted[column.field] != "", ROW_NUMBER]
            if len(rows):
                return column, int(rows.iloc[0])
    return None


def _names(profile: Profile) -> list[str]:
    return [column_name(number) for number in range(1, profile.layout.columns.value + 1)]


def texts_of_the_layout(profile: Profile) -> Callable[[pd.DataFrame], bool]:
    """Return the check that a table has the layout's columns in their order, and nothing but texts in them.

    One check for all columns: each column of pandera's costs milliseconds, and there are 64 in every file.
    """
    names = _names(profile)

    def only_texts(table: pd.DataFrame) -> bool:
        columns = (table[name] for name in table.columns)
        return list(table.columns) == names and all(text.dtype == "str" and not text.hasnans for text in columns)

    return only_texts


def sample_row(profile: Profile) -> dict[int, str]:
    """Return a row as the profile lays it out, by column number: what stands where, without the empty columns.

    A field that is not confirmed is left out, as it is when sending.
    """
    unsent = {column.field for column in profile.layout.column if column.confirmed is False}
    given = {field: f"<{field}>" for field in GATEWAY_FIELDS if field not in {*unsent, "template_id"}}
    row = render(pd.DataFrame([{"msisdn": "<msisdn>", "text": "<text>", "smsid": "<smsid>", **given}]), profile)
    cells = zip(range(1, len(row.columns) + 1), row.iloc[0].tolist(), strict=True)
    return {number: value for number, value in cells if value}


def request_contract(profile: Profile, *, by_template: bool = False) -> pa.DataFrameSchema:
    """Return the contract of a payload: every column of the layout, at most one row per MSISDN, unique smsids.

    An upload is of one kind: each row has a text and no template id, or the other way round.
    """
    by_field = profile.layout.by_field
    checks = {
        by_field["msisdn"].number: [
            pa.Check(lambda column: whole(msisdns.is_canonical(strings.of(column))), name="canonical")
        ],
        by_field["text"].number: [pa.Check(lambda column: column == "", name="no_text")]
        if by_template
        else [
            pa.Check(lambda column: whole(~texts.has_forbidden(strings.of(column))), name="repertoire"),
            pa.Check(lambda column: whole(~texts.is_blank(strings.of(column))), name="not_blank"),
        ],
        by_field["smsid"].number: [pa.Check.str_length(1, profile.limits.smsid_characters.value)],
    }
    if by_template:
        checks[by_field["template_id"].number] = [pa.Check.str_matches(r"\A[0-9]+\Z", name="template_id")]
    unique = {by_field["msisdn"].number, by_field["smsid"].number}
    sendable = {
        column.number
        for column in profile.layout.column
        if column.direction != "result"
        and column.confirmed is not False
        and (by_template or column.field != "template_id")
    }
    unsent = [name for number, name in enumerate(_names(profile), 1) if number not in sendable]

    def empty(table: pd.DataFrame) -> bool:
        return not any(strings.sizes(strings.of(table[name])).any() for name in unsent)

    return pa.DataFrameSchema(
        {column_name(number): pa.Column("str", found, unique=number in unique) for number, found in checks.items()},
        checks=[pa.Check(texts_of_the_layout(profile), name="only_texts"), pa.Check(empty, name="empty")],
    )
