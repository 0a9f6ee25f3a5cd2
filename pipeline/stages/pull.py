"""Pull: the results CSV of a period, kept raw, read into observations. Safe to repeat."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from pipeline.context import Context
from pipeline.core.calendar import merged, parse_gateway_time, stamp, widened
from pipeline.core.msisdn import canonical_result
from pipeline.errors import InputUnusable
from pipeline.ledger.clocks import clocks_at_sending
from pipeline.ledger.logins import note_auth
from pipeline.ledger.results import open_windows, settle
from pipeline.model import MessageState, Observation, ObservationPath
from pipeline.stages.answering import no_results, unreachable
from pipeline.stages.asking import MOST, Heard, ask_stragglers
from pipeline.stages.clocks import compare_clocks, tell_clock_went_back
from pipeline.stages.login import stop_after_failed_logins
from pipeline.stages.recording import Recorded, record
from schemas.gateway_csv import column_name
from schemas.profile import Profile
from schemas.results import broken_row, results_contract

_PARTS = re.compile(r"^([0-9]+)/([0-9]+)$")
_CODE = re.compile(rb"^\s*([0-9]{3})\s*$")
_CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Pulled:
    """What pulling brought: rows and new observations, and what they settled.

    ``single`` is what was heard of messages that were asked for one by one.
    """

    files: tuple[str, ...]
    rows: int
    new: int
    settled: dict[MessageState, int]
    single: Heard = field(default_factory=Heard)


def pull_single(context: Context, batch_id: str | None = None) -> Pulled:
    """Ask one by one for every message that was sent alone and has no final result."""
    before = _settled_before(context)
    heard = ask_stragglers(context, batch_id)
    return _pulled([], 0, before + heard.recorded, heard)


def pull(context: Context, batch_id: str | None = None, *, period: tuple[datetime, datetime] | None = None) -> Pulled:
    """Pull results of a batch, of a period, or of everything that can still change.

    Each period is widened by ``pull_margin``: the gateway's clock, and what it understands by a period, may be others.
    Of a batch or of everything, messages that were sent alone and have no final result after it are asked for too.
    """
    now = context.now()
    since = now - timedelta(days=context.settings.results.deadline_days)
    if period:
        asked = [period]
    else:
        tell_clock_went_back(context, batch_id)
        by_batch = open_windows(context.ledger, since, batch_id, clocks_at_sending(context.ledger))
        asked = [window for by_clock in by_batch.values() for window in by_clock]
    windows = merged([widened(first, last, context.pull_margin) for first, last in asked])
    files: list[str] = []
    rows = 0
    recorded = _settled_before(context)
    if windows:
        stop_after_failed_logins(context)
    for start, end in windows:
        name, count, brought = _pull_one(context, start, end)
        files.append(name)
        rows += count
        recorded += brought
        context.progress("pull", len(files), len(windows))
    heard = Heard() if period else ask_stragglers(context, batch_id, most=MOST)
    return _pulled(files, rows, recorded + heard.recorded, heard)


def _settled_before(context: Context) -> Recorded:
    """Settle what others have recorded and could not settle."""
    return Recorded(settled=Counter(settle(context.ledger, context.now())))


def _pulled(files: Sequence[str], rows: int, recorded: Recorded, heard: Heard) -> Pulled:
    return Pulled(tuple(files), rows, recorded.new, dict(recorded.settled), heard)


def _pull_one(context: Context, start: datetime, end: datetime) -> tuple[str, int, Recorded]:
    now = context.now()
    with context.workspace.new_pull("results", stamp(now)) as file:
        exchange = context.gateway.results(start, end, file)
        compare_clocks(context, exchange)
        if exchange.http_status is None:
            raise unreachable(context, context.profile.endpoints.results_csv, exchange)
        code = _CODE.match(exchange.body)
        if code or not 200 <= exchange.http_status < 300:  # noqa: PLR2004 - HTTP
            no_results(context, code[1].decode() if code else str(exchange.http_status), exchange.http_status)
        artefact = file.commit()
    note_auth(context.ledger, context.settings.gateway.base_url, now, failed=False)
    observations = list(read_results(file.path, context.profile))
    return str(file.path), len(observations), record(context, artefact, (start, end), observations)


def read_results(path: Path, profile: Profile) -> Iterator[Observation]:
    """Read a results CSV. Raises ``InputUnusable`` naming file, line and bytes when it is damaged."""
    encoding = profile.results.encoding.value
    raw = path.read_bytes()
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputUnusable(
            "results.encoding",
            file=path.name,
            line=line,
            offset=error.start,
            bytes=raw[error.start : error.start + 4].hex(" "),
        ) from None
    if text and not text.endswith("\n"):
        line = text.count("\n") + 1
        raise InputUnusable("results.cut_off", file=path.name, line=line, offset=len(raw), bytes=raw[-8:].hex(" "))
    yield from _read_records(text, path, profile)


def _read_records(text: str, path: Path, profile: Profile) -> Iterator[Observation]:
    width = profile.layout.columns.value
    names = [column_name(number) for number in range(1, width + 1)]
    contract = results_contract(profile)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[list[str]] = []
    lines: list[int] = []
    before = 0
    try:
        for record in reader:
            if len(record) != width:
                raise InputUnusable(
                    "results.columns", file=path.name, line=before + 1, found=len(record), expected=width
                )
            records.append(record)
            lines.append(before + 1)
            before = reader.line_num
    except csv.Error as error:
        raise InputUnusable("results.not_csv", file=path.name, line=before + 1, problem=str(error)) from None
    for start in range(0, len(records), _CHUNK):
        table = pd.DataFrame(records[start : start + _CHUNK], columns=names, dtype="str")
        if broken := broken_row(contract, table):
            row, column = broken
            raise InputUnusable("results.contract", file=path.name, line=lines[start + max(row, 0)], column=column)
        for line, record in zip(lines[start : start + _CHUNK], records[start : start + _CHUNK], strict=True):
            yield _observation(line, record, profile)


def _observation(line: int, record: list[str], profile: Profile) -> Observation:
    by_field = profile.layout.by_field

    def cell(field: str) -> str:
        return record[by_field[field].number - 1].strip() if field in by_field else ""

    parts = _PARTS.match(cell("parts"))
    known = {column.number for column in profile.layout.column}
    extra = {str(number): value for number, value in enumerate(record, 1) if value and number not in known}
    return Observation(
        path=ObservationPath.PULLED,
        smsid=cell("smsid"),
        msisdn=canonical_result(cell("msisdn")),
        status=cell("status"),
        status_time=parse_gateway_time(cell("status_time"), profile.results.status_time_format.value),
        carrier=cell("carrier"),
        parts_delivered=int(parts[1]) if parts else None,
        parts_total=int(parts[2]) if parts else None,
        registered_at=parse_gateway_time(cell("scheduled"), profile.results.registered_time_format.value),
        line=line,
        extra=json.dumps(extra, ensure_ascii=False) if extra else "",
    )
