"""Planning: accepted rows become payloads on disk, messages and dispatches in the ledger, all before a byte leaves."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from pipeline.adapters.csv_in import read_chunks
from pipeline.adapters.csv_out import plain_lines
from pipeline.adapters.files import laid_aside, write_durable, write_durable_group
from pipeline.context import Context
from pipeline.core.digests import text_digests
from pipeline.core.headers import COST_CENTRE
from pipeline.core.kernels import strings
from pipeline.core.uniqueness import message_keys
from pipeline.errors import GuardStopped, UsageError
from pipeline.ledger.batches import campaign_repeats
from pipeline.ledger.dispatches import list_dispatches, planned_mode
from pipeline.ledger.plans import PlannedDispatch, plan_again, plan_batch, plan_group_again
from pipeline.model import Artefact, Batch, Mode, NumberCheck
from schemas.gateway_csv import render, request_contract, unconfirmed_in_a_row
from schemas.profile import Profile
from schemas.recipients import ROW_NUMBER, as_given, enforce
from schemas.single import decoded, encoded, form_of, lost_in_a_row, requests
from schemas.upload import UploadForm

#: columns of accepted.csv that are no texts
_NUMBERS = {ROW_NUMBER: pa.int64(), "characters": pa.int64(), "bytes": pa.int64(), "double_byte": pa.bool_()}

_SHIFT_JIS = "cp932"
#: so many payloads of single requests are put on disk together
_TOGETHER = 100


def accepted_rows(context: Context, batch: Batch) -> Iterator[pd.DataFrame]:
    """Yield the accepted rows in chunks of one upload each."""
    size = context.settings.send.max_rows or context.profile.limits.max_rows.value
    path = context.workspace.checked(batch.batch_id, batch.artefact("accepted.csv"))
    for table in read_chunks(path, size, _NUMBERS):
        yield table.to_pandas()


def rows_with(chunk: pd.DataFrame, smsids: Container[str]) -> pd.DataFrame:
    """Return the rows whose smsid is one of ``smsids``: pandas' ``isin`` would convert all of them for every chunk."""
    return chunk[pd.Series([smsid in smsids for smsid in chunk["smsid"].tolist()], index=chunk.index, dtype=bool)]


def mode_of(context: Context, batch: Batch, wanted: Mode) -> Mode:
    """Return how a batch goes out: as it was planned, else as a person wants it, else as its size says.

    Raises ``GuardStopped`` (``send.mode_fixed``) when it was planned otherwise than it is wanted now, and
    ``UsageError`` (``usage.check_mode``) when its numbers are to be checked, which no upload can.
    """
    if batch.number_check is not NumberCheck.NONE:
        if wanted is Mode.CSV:
            raise UsageError("usage.check_mode")
        return Mode.SINGLE
    planned = planned_mode(context.ledger, batch.batch_id)
    if planned is not None:
        if wanted not in {Mode.AUTO, planned}:
            raise GuardStopped("send.mode_fixed", batch=batch.batch_id, mode=planned.value)
        return planned
    if wanted is not Mode.AUTO:
        return wanted
    return Mode.SINGLE if batch.totals.accepted < context.settings.send.single_below else Mode.CSV


def stop_if_unplannable(context: Context, batch: Batch, mode: Mode) -> None:
    """Raise what planning would raise about the rows of a batch that is not planned yet; nothing is written."""
    for chunk in accepted_rows(context, batch):
        if mode is Mode.SINGLE:
            for _ in requests(as_given(chunk), context.profile, batch.number_check):
                pass
        elif context.upload_encoding == "utf-8":
            _stop_if_lost(chunk, context.profile)
        else:
            for part in _of_one_kind(chunk):
                _rendered(context, part)


def plan(context: Context, batch: Batch, mode: Mode = Mode.CSV, *, first: int = 1) -> None:
    """Lay out payload after payload on disk, then commit messages and dispatches in one transaction.

    Nobody else can write to the ledger meanwhile, so what can be done before it is. ``first`` is the number of the
    first dispatch, where payloads of lower ones must stay what they are.
    """
    repeats = campaign_repeats(context.ledger, batch.campaign) is True
    # Chunks are numbered as dispatches are: each part of what was read is one, and has one live dispatch.
    planned = (_requests if mode is Mode.SINGLE else _uploads)(context, batch, first, repeats=repeats)
    with laid_aside(planned, context.workspace.batch_folder(batch.batch_id)) as rest:
        plan_batch(context.ledger, batch, rest, context.now())


def _uploads(context: Context, batch: Batch, first: int, *, repeats: bool) -> Iterator[PlannedDispatch]:
    parts = (
        part
        for chunk in accepted_rows(context, batch)
        for kind in _of_one_kind(chunk)
        for part in (_one_row_per_number(kind) if repeats else [kind])
    )
    for number, part in enumerate(parts, first):
        payload = _payload(context, batch, number, part)
        yield PlannedDispatch(number, number, payload, _messages(part, repeats=repeats))


def _requests(context: Context, batch: Batch, first: int, *, repeats: bool) -> Iterator[PlannedDispatch]:
    """Yield a dispatch for each row: its payload holds the parameters as they will be sent."""
    for chunk in accepted_rows(context, batch):
        columns = _messages(chunk, repeats=repeats, check=batch.number_check)
        for at, payload in enumerate(_bodies(context, batch, chunk, first)):
            number = first + at
            yield PlannedDispatch(number, number, payload, {name: [column[at]] for name, column in columns.items()})
        first += len(chunk)


def _bodies(context: Context, batch: Batch, accepted: pd.DataFrame, first: int) -> Iterator[Artefact]:
    """Put the body of each row's request on disk; ``first`` is the number of the first one's dispatch."""
    form = context.profile.single.format.value
    folder = context.workspace.batch_folder(batch.batch_id)
    bodies = {
        f"dispatch-{number:04d}.{form}": encoded(parameters, form)
        for number, parameters in enumerate(requests(as_given(accepted), context.profile, batch.number_check), first)
    }
    names = list(bodies)
    for start in range(0, len(names), _TOGETHER):
        yield from write_durable_group(folder, {name: bodies[name] for name in names[start : start + _TOGETHER]})


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
    if planned_mode(context.ledger, batch.batch_id) is Mode.SINGLE:
        payloads = _bodies(context, batch, accepted, last + 1)
        new = [
            (PlannedDispatch(number, chunk_of[smsid], payload, {}), [smsid])
            for number, (smsid, payload) in enumerate(zip(accepted["smsid"].tolist(), payloads, strict=True), last + 1)
        ]
        plan_group_again(context.ledger, batch, new, context.now())
        return
    parts = dict(iter(accepted.groupby(accepted["smsid"].map(chunk_of))))
    for number, chunk in enumerate(sorted(free), last + 1):
        payload = _payload(context, batch, number, parts[chunk].reset_index(drop=True))
        plan_again(context.ledger, batch, PlannedDispatch(number, chunk, payload, {}), free[chunk], context.now())


def _of_one_kind(chunk: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Cut a chunk into rows with a text and rows by template: an upload is of one kind (V)."""
    if "template_id" not in chunk:
        yield chunk
        return
    by_template = chunk["template_id"] != ""
    for part in (chunk[~by_template], chunk[by_template]):
        if len(part):
            yield part.reset_index(drop=True)


def _one_row_per_number(chunk: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Cut a chunk so that a number's first row is in the first part, its second in the second, and so on.

    A reject line of the gateway's answer names a row by its number only.
    """
    turns = chunk.groupby("msisdn").cumcount()
    for _, part in chunk.groupby(turns):
        yield part.reset_index(drop=True)


def _payload(context: Context, batch: Batch, number: int, accepted: pd.DataFrame) -> Artefact:
    """Lay out rows as the gateway wants them, and put them on disk."""
    form, data = _rendered(context, accepted)
    return write_durable(context.workspace.batch_folder(batch.batch_id) / form.payload(number), data)


def _rendered(context: Context, accepted: pd.DataFrame) -> tuple[UploadForm, bytes | memoryview]:
    """Return rows of one kind as the gateway wants them. Raises ``UsageError`` where their layout cannot hold them."""
    profile = context.profile
    _stop_if_lost(accepted, profile)
    by_template = "template_id" in accepted and bool((accepted["template_id"] != "").all())
    form = UploadForm(by_template, context.upload_encoding)
    contract = request_contract(profile, by_template=by_template)
    table = enforce(contract, render(as_given(accepted), profile), "gateway CSV")
    lines = plain_lines([strings.of(table[name]) for name in table.columns], profile.layout.request_line_end.value)
    return form, lines if form.encoding == "utf-8" else _in_shift_jis(str(lines, "utf-8"), accepted)


def _in_shift_jis(lines: str, accepted: pd.DataFrame) -> bytes:
    """Encode a payload so that the same characters are read again.

    Raises ``UsageError`` (``send.encode``) for a memo of a list that was checked when uploads were not in Shift_JIS.
    """
    if not _is_shift_jis(lines):
        for name in accepted.columns.difference([*_NUMBERS, COST_CENTRE]):
            for row, cell in zip(accepted[ROW_NUMBER].tolist(), accepted[name].tolist(), strict=True):
                if not _is_shift_jis(cell):
                    raise UsageError("send.encode", key=name, row=row)
    return lines.encode(_SHIFT_JIS)


def _is_shift_jis(text: str) -> bool:
    return text.encode(_SHIFT_JIS, "replace").decode(_SHIFT_JIS) == text


def _stop_if_lost(accepted: pd.DataFrame, profile: Profile) -> None:
    if lost := lost_in_a_row(accepted, profile):
        raise UsageError("profile.no_column", key=lost)
    if found := unconfirmed_in_a_row(accepted, profile):
        column, row = found
        name = column.field
        raise UsageError("profile.not_confirmed", key=name, number=column.number, row=row, column=name)


def payload_column(context: Context, payload: Path, field: str) -> pd.DataFrame:
    """Return what a payload on disk says of one field of the gateway, as the only column of a table."""
    if form := form_of(payload.name):
        name = context.profile.single.by_field[field].name
        return pd.DataFrame({field: [decoded(payload.read_bytes(), form).get(name, "")]}, dtype="str")
    return pd.read_csv(
        payload,
        header=None,
        names=[field],
        usecols=[context.profile.layout.by_field[field].number - 1],
        dtype="str",
        keep_default_na=False,
        encoding=UploadForm.of(payload.name).encoding,
    )


def _messages(accepted: pd.DataFrame, *, repeats: bool, check: NumberCheck = NumberCheck.NONE) -> dict[str, list[Any]]:
    """Return columns of the message table."""
    columns = _columns(accepted)
    taken_over = (ROW_NUMBER, "smsid", "msisdn", "characters")
    return {
        **{name: columns[name] for name in taken_over},
        "double_byte": list(map(int, columns["double_byte"])),
        COST_CENTRE: columns.get(COST_CENTRE, [""] * len(columns["smsid"])),
        "text_digest": text_digests(columns),
        "message_key": message_keys(columns, repeats=repeats, check=check),
    }


def digests(accepted: pd.DataFrame) -> list[str]:
    """Return the digests by which the same text to the same number is recognised."""
    return text_digests(_columns(accepted))


def _columns(accepted: pd.DataFrame) -> dict[str, list[Any]]:
    return {str(name): accepted[name].tolist() for name in accepted.columns}
