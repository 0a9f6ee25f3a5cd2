"""The reconciliation as one JSON document: a contract for schedulers and other programs (docs/json.md)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pipeline.core.calendar import JST
from pipeline.model import Dimension, MessageClass, MessageState, MonthSubject
from pipeline.reports.amounts import plain
from pipeline.reports.privacy import fact, hidden

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline.model import (
        BatchSubject,
        Bill,
        Break,
        ForeignLine,
        GroupLine,
        InvoiceLine,
        OpenCost,
        Reconciliation,
        StatusLine,
        Variance,
    )

SCHEMA = "mediasms/reconciliation/2"

_SURROGATE = re.compile("[\ud800-\udfff]")


def reconciliation_document(
    value: Reconciliation, *, artifacts: Mapping[str, str], exit_code: int
) -> dict[str, object]:
    """Return ``value`` as JSON-ready data: codes instead of words, yen as decimal strings, numbers masked.

    Yen are strings because most readers make doubles of JSON numbers. ``artifacts`` maps names to paths.
    """
    return {
        "schema": SCHEMA,
        **_subject(value.subject),
        "as_of": _time(value.as_of),
        "rows": value.totals.rows,
        "accepted": value.totals.accepted,
        "rejected": value.totals.rejected,
        "already": value.totals.already,
        "repaired": value.repaired,
        "messages": value.messages,
        **{state.value: value.states.get(state, 0) for state in MessageState},
        "opted_out": value.opted_out,
        "by_number": value.by_number,
        "pending": value.classes.get(MessageClass.PENDING, 0),
        "missing": value.classes.get(MessageClass.MISSING, 0),
        "oldest_pending": _time(value.oldest_pending),
        "classes": {name.value: number for name in MessageClass if (number := value.classes.get(name, 0))},
        "statuses": _messages_by_status(value),
        "status_lines": [
            {"class": line.message_class.value, "label": hidden(line.label), **_counted(line)}
            for line in value.statuses
        ],
        "meanings": {code: {"ja": text.ja, "en": text.en} for code, text in value.meanings.items()},
        "groups": {
            dimension.value: [
                {
                    "name": hidden(line.name),
                    **_counted(line),
                    "delivered": line.delivered,
                    "failed": line.failed,
                    "unpriced": line.unpriced,
                }
                for line in value.groups[dimension]
            ]
            for dimension in Dimension
            if dimension in value.groups
        },
        "deliveries": [{"hour": _time(hour), "messages": number} for hour, number in value.deliveries],
        "billable_messages": value.billable_messages,
        "billable_units": value.billable_units,
        "amount": {
            "untaxed": plain(value.amount.untaxed),
            "tax": plain(value.amount.tax),
            "total": plain(value.amount.total),
        },
        "pending_cost": _open_cost(value.pending_cost),
        "unknown_cost": _open_cost(value.unknown_cost),
        "foreign": {
            **_counted(value.foreign),
            "unpriced": value.foreign.unpriced,
            "groups": [
                {
                    "kind": group.kind.value,
                    "carrier": hidden(group.carrier),
                    "parts": group.parts,
                    "messages": group.messages,
                    "amount": None if group.amount is None else plain(group.amount),
                }
                for group in value.foreign.groups
            ],
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
        "empty": value.is_empty,
        "findings": value.findings,
        "attention": value.attention,
        "bill": None if value.bill is None else _bill(value.bill),
        "variance": None if value.variance is None else _variance(value.variance),
        "restatements": [
            {
                "cause": found.cause.value,
                "subject": found.subject.value,
                "messages": found.messages,
                "before": plain(found.before),
                "after": plain(found.after),
                "difference": plain(found.difference),
                "smsids": [hidden(smsid) for smsid in found.smsids],
            }
            for found in value.restatements
        ],
        "tariff": hidden(value.tariff),
        "invented": value.invented,
        "prices": [
            {
                "carrier": hidden(price.carrier),
                "kind": price.kind.value,
                "parts": price.parts,
                "from": price.start.isoformat(),
                "until": None if price.end is None else price.end.isoformat(),
                "amount": plain(price.amount),
            }
            for price in value.prices
        ],
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


def _subject(subject: BatchSubject | MonthSubject) -> dict[str, object]:
    if isinstance(subject, MonthSubject):
        return {
            "month": subject.month,
            "batches": subject.batches,
            "phase": subject.phase.value,
            "closed_at": _time(subject.closed_at),
        }
    return {
        "batch_id": subject.batch_id,
        "campaign": hidden(subject.campaign),
        "run_date": subject.run_date.isoformat(),
        "source": hidden(subject.source_name),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(JST).isoformat()


def _counted(line: StatusLine | GroupLine | ForeignLine) -> dict[str, object]:
    return {
        "messages": line.messages,
        "billable_messages": line.billable_messages,
        "billable_units": line.billable_units,
        "amount": plain(line.amount),
    }


def _open_cost(cost: OpenCost) -> dict[str, object]:
    return {"messages": cost.messages, "highest": plain(cost.highest), "unpriced": cost.unpriced}


def _break(found: Break) -> dict[str, object]:
    return {
        "kind": found.kind.value,
        "smsid": hidden(found.smsid),
        "row_number": found.row_number,
        "facts": {name: fact(name, text) for name, text in found.facts.items()},
        "at_risk": None if found.at_risk is None else plain(found.at_risk),
    }


def _bill(bill: Bill) -> dict[str, object]:
    return {
        "messages": plain(bill.messages),
        "fees": [
            {"name": hidden(fee.name), "amount": plain(fee.amount), "tax_rate": plain(fee.tax_rate)}
            for fee in bill.fees
        ],
        "taxes": [
            {"rate": plain(line.rate), "untaxed": plain(line.untaxed), "tax": plain(line.tax)} for line in bill.taxes
        ],
        "rounding": bill.rounding,
        "untaxed": plain(bill.untaxed),
        "tax": plain(bill.tax),
        "fraction": plain(bill.fraction),
        "total": plain(bill.total),
    }


def invoice_line(line: InvoiceLine) -> dict[str, object]:
    """Return a line of an invoice, and what we count for it, as JSON-ready data."""
    return {
        "line": line.line,
        "kind": hidden(line.kind),
        "carrier": hidden(line.carrier),
        "unit_price": None if line.unit_price is None else plain(line.unit_price),
        "invoiced": line.invoiced,
        "counted": line.counted,
        "invoiced_amount": plain(line.invoiced_amount),
        "counted_amount": plain(line.counted_amount),
    }


def _variance(variance: Variance) -> dict[str, object]:
    return {
        "source": hidden(variance.source_name),
        "counts": variance.counts,
        "lines": [{**invoice_line(line), "difference": plain(line.difference)} for line in variance.lines],
        "explanations": [
            {"cause": hidden(part.cause), "messages": part.messages, "amount": plain(part.amount)}
            for part in variance.explanations
        ],
        "invoiced": plain(variance.invoiced),
        "counted": plain(variance.counted),
        "difference": plain(variance.difference),
        "unexplained": plain(variance.unexplained),
    }
