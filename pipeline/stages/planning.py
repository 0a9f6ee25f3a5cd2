"""Planning: accepted rows become payloads on disk, messages and dispatches in the ledger, all before a byte leaves."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

import pandas as pd

from pipeline.adapters.files import write_durable
from pipeline.context import Context
from pipeline.core import ids
from pipeline.core.tags import final_texts
from pipeline.core.uniqueness import message_keys
from pipeline.ledger.batches import campaign_repeats
from pipeline.ledger.dispatches import PlannedDispatch, list_dispatches, plan_again, plan_batch
from pipeline.model import Artefact, Batch
from schemas.gateway_csv import render, request_contract
from schemas.recipients import ROW_NUMBER, enforce


def accepted_rows(context: Context, batch: Batch) -> Iterator[pd.DataFrame]:
    """Yield the accepted rows in chunks of one upload each."""
    rows = context.settings.send.max_rows or context.profile.limits.max_rows.value
    path = context.workspace.checked(batch.batch_id, batch.artefact("accepted.csv"))
    numbers = {ROW_NUMBER: int, "characters": int, "bytes": int, "double_byte": bool}
    header = pd.read_csv(path, nrows=0, encoding="utf-8").columns
    types = {name: numbers.get(name, "str") for name in header}
    with pd.read_csv(
        path, dtype=types, keep_default_na=False, na_filter=False, chunksize=rows, encoding="utf-8"
    ) as reader:
        yield from reader


def rows_with(chunk: pd.DataFrame, smsids: Container[str]) -> pd.DataFrame:
    """Return the rows whose smsid is one of ``smsids``: pandas' ``isin`` would convert all of them for every chunk."""
    return chunk[pd.Series([smsid in smsids for smsid in chunk["smsid"].tolist()], index=chunk.index, dtype=bool)]


def plan(context: Context, batch: Batch) -> None:
    """Lay out every payload on disk, then commit messages and dispatches in one transaction."""
    repeats = campaign_repeats(context.ledger, batch.campaign) is True
    parts = (
        part
        for chunk in accepted_rows(context, batch)
        if len(chunk)
        for part in (_one_row_per_number(chunk) if repeats else [chunk])
    )
    planned = [
        # Chunks are numbered as dispatches are: each part of what was read is one, and has one live dispatch.
        PlannedDispatch(number, number, _payload(context, batch, number, part), _messages(part, repeats=repeats))
        for number, part in enumerate(parts, 1)
    ]
    plan_batch(context.ledger, batch, planned, context.now())


def plan_free_again(context: Context, batch: Batch, free: Mapping[int, list[str]]) -> None:
    """Plan again what was refused as a whole, or withdrawn with its dispatch; the smsids stay the same.

    A chunk holds a number once, so a new dispatch of what is left of it does too.
    """
    if not free:
        return
    chunk_of = {smsid: chunk for chunk, smsids in free.items() for smsid in smsids}
    accepted = pd.concat([rows_with(chunk, chunk_of) for chunk in accepted_rows(context, batch)], ignore_index=True)
    last = max(dispatch.number for dispatch in list_dispatches(context.ledger, batch.batch_id))
    # Not get_group: pandas does not find the only group of a table with one row.
    parts = dict(iter(accepted.groupby(accepted["smsid"].map(chunk_of))))
    for number, chunk in enumerate(sorted(free), last + 1):
        payload = _payload(context, batch, number, parts[chunk].reset_index(drop=True))
        plan_again(context.ledger, batch, PlannedDispatch(number, chunk, payload, ()), free[chunk], context.now())


def _one_row_per_number(chunk: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Cut a chunk so that a number's first row is in the first part, its second in the second, and so on.

    A reject line of the gateway's answer names a row by its number only.
    """
    turns = chunk.groupby("msisdn").cumcount()
    for _, part in chunk.groupby(turns):
        yield part.reset_index(drop=True)


def _payload(context: Context, batch: Batch, number: int, accepted: pd.DataFrame) -> Artefact:
    """Lay out rows as the gateway wants them, and put them on disk."""
    table = enforce(request_contract(context.profile), render(accepted, context.profile), "gateway CSV")
    line_end = context.profile.layout.request_line_end.value
    encoding = context.profile.upload.encoding.value
    data = table.to_csv(header=False, index=False, lineterminator=line_end).encode(encoding)
    return write_durable(context.workspace.batch_folder(batch.batch_id) / f"dispatch-{number:04d}.csv", data)


def _messages(accepted: pd.DataFrame, *, repeats: bool) -> Iterator[Mapping[str, object]]:
    """Return the rows of the message table; until they are asked for they wait as columns, a fraction of the memory."""
    columns = _columns(accepted)
    rows = accepted[[ROW_NUMBER, "smsid", "msisdn", "characters"]].assign(
        double_byte=accepted["double_byte"].astype(int),
        text_digest=pd.Series(digests(accepted), index=accepted.index, dtype="str"),
        message_key=pd.Series(message_keys(columns, repeats=repeats), index=accepted.index, dtype="str"),
    )
    return _rows(rows)


def _columns(table: pd.DataFrame) -> dict[str, list[str]]:
    return {str(name): table[name].tolist() for name in table.columns}


def digests(table: pd.DataFrame) -> list[str]:
    """Return the digests by which the same text to the same number is recognised."""
    return [ids.text_digest(text) for text in final_texts(_columns(table))]


def _rows(table: pd.DataFrame) -> Iterator[Mapping[str, object]]:
    """Yield the rows of a table by column name."""
    names = [str(name) for name in table.columns]
    for row in zip(*(table[name].tolist() for name in names), strict=True):
        yield dict(zip(names, row, strict=True))
