"""The reconciliation as one JSON document: a contract for schedulers and other programs (docs/json.md)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pipeline.core.calendar import JST
from pipeline.model import Break, MessageClass, MessageState, Reconciliation, StatusLine
from pipeline.reports.amounts import plain
from pipeline.reports.privacy import fact, hidden

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "mediasms/reconciliation/1"

_SURROGATE = re.compile("[\ud800-\udfff]")


def reconciliation_document(
    value: Reconciliation, *, artifacts: Mapping[str, str], exit_code: int
) -> dict[str, object]:
    """Return ``value`` as JSON-ready data: codes instead of words, yen as decimal strings, numbers masked.

    Yen are strings because most readers make doubles of JSON numbers. ``artifacts`` maps names to paths.
    """
    return {
        "schema": SCHEMA,
        "batch_id": value.batch_id,
        "campaign": value.campaign,
        "run_date": value.run_date.isoformat(),
        "source": hidden(value.source_name),
        "as_of": value.as_of.astimezone(JST).isoformat(),
        "rows": value.totals.rows,
        "accepted": value.totals.accepted,
        "rejected": value.totals.rejected,
        "already": value.totals.already,
        "repaired": value.repaired,
        "messages": value.messages,
        **{state.value: value.states.get(state, 0) for state in MessageState},
        "opted_out": value.opted_out,
        "pending": value.classes.get(MessageClass.PENDING, 0),
        "missing": value.classes.get(MessageClass.MISSING, 0),
        "classes": {name.value: number for name in MessageClass if (number := value.classes.get(name, 0))},
        "statuses": _messages_by_status(value),
        "status_lines": [_status_line(line) for line in value.statuses],
        "billable_messages": value.billable_messages,
        "billable_units": value.billable_units,
        "amount": {
            "untaxed": plain(value.amount.untaxed),
            "tax": plain(value.amount.tax),
            "total": plain(value.amount.total),
        },
        "foreign": {
            "messages": value.foreign.messages,
            "billable_messages": value.foreign.billable_messages,
            "billable_units": value.foreign.billable_units,
            "amount": plain(value.foreign.amount),
            "unpriced": value.foreign.unpriced,
        },
        "breaks": {kind.value: number for kind, number in value.breaks_by_kind.items()},
        "break_list": [_break(found) for found in value.breaks],
        "equations": [
            {
                "name": equation.name,
                "total": equation.total,
                "terms": dict(equation.terms),
                "holds": equation.holds,
            }
            for equation in value.equations
        ],
        "balanced": value.balanced,
        "tariff": value.tariff,
        "provenance": dict(value.provenance),
        "artifacts": dict(artifacts),
        "exit": exit_code,
    }


def dumps(document: Mapping[str, object]) -> str:
    """Return the text of a document: keys in their order, Japanese readable, a line break at the end.

    What cannot be written as UTF-8 (half a surrogate pair) becomes U+FFFD.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    return _SURROGATE.sub("\ufffd", text)


def _messages_by_status(value: Reconciliation) -> dict[str, int]:
    messages: dict[str, int] = {}
    for line in value.statuses:
        name = hidden(line.label) or line.message_class.value
        messages[name] = messages.get(name, 0) + line.messages
    return messages


def _status_line(line: StatusLine) -> dict[str, object]:
    return {
        "class": line.message_class.value,
        "label": hidden(line.label),
        "messages": line.messages,
        "billable_messages": line.billable_messages,
        "billable_units": line.billable_units,
        "amount": plain(line.amount),
    }


def _break(found: Break) -> dict[str, object]:
    return {
        "kind": found.kind.value,
        "smsid": hidden(found.smsid),
        "row_number": found.row_number,
        "facts": {name: fact(name, text) for name, text in found.facts.items()},
        "at_risk": None if found.at_risk is None else plain(found.at_risk),
    }
