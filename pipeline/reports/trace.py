"""The life of a message on one screen, and as a part of a JSON document.

Numbers are masked and texts left out unless they are asked for; whatever comes from outside is made visible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.core.calendar import JST
from pipeline.core.msisdn import canonical_result, mask
from pipeline.messages import REPAIRS, Language, fill, label
from pipeline.model import MessageClass
from pipeline.reports.amounts import count, plain, yen
from pipeline.reports.document import invoice_line
from pipeline.reports.privacy import fact, hidden, visible
from pipeline.reports.wording import (
    break_details,
    class_name,
    invoice_item,
    kind_name,
    message_kind,
    moment,
    outcome_name,
    outside,
    state_name,
    status_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from pipeline.core.tracing import AskedToCancel, Happened, Life, Priced, Seen
    from pipeline.model import Dispatch, Repair

#: classes in which a message may yet be billed
_OPEN = {MessageClass.PENDING, MessageClass.MISSING, MessageClass.UNKNOWN, MessageClass.UNMAPPED}


def trace_lines(life: Life, language: Language, *, unmask: bool) -> Iterator[str]:
    """Yield the life of a message line by line, in the order in which it happened."""
    yield from _head(life, language, unmask=unmask)
    yield from _checked(life, language, unmask=unmask)
    for dispatch in life.dispatches:
        yield _dispatch(dispatch, life.meanings, language)
    for asked in life.cancellations:
        yield _asked(asked, language)
    if not life.seen:
        yield label("trace.no_results", language)
    for seen in life.seen:
        yield _seen(seen, life, language, unmask=unmask)
    yield _price(life.priced, life.tariff, language)
    yield from _invoiced(life, language)
    for found in life.priced.breaks:
        details = break_details(found, language)
        text = label("report.pair", language, name=kind_name(found.kind, language), text=details)
        yield label("trace.break", language, text=text if details else kind_name(found.kind, language))
    for happened in life.happened:
        yield label("trace.event", language, at=moment(happened.at), text=_event(happened))


def trace_document(life: Life, *, unmask: bool) -> dict[str, object]:
    """Return the life of a message as JSON-ready data: codes instead of words, yen as decimal strings."""
    message, line = life.placed.message, life.priced.line
    return {
        "smsid": _outside(message.smsid, unmask=unmask),
        "msisdn": _number(message.msisdn, unmask=unmask),
        "state": message.state.value,
        "reason": visible(hidden(message.reason)),
        "sent_at": _iso(message.sent_at),
        "batch_id": life.batch.batch_id,
        "campaign": life.batch.campaign,
        "run_date": life.batch.run_date.isoformat(),
        "source": _outside(life.batch.source_name, unmask=unmask),
        "row_number": message.row_number,
        "cost_centre": life.row.get("cost_centre", ""),
        "template_id": life.row.get("template_id", ""),
        "characters": message.characters,
        "double_byte": message.double_byte,
        **({"text": life.row.get("text", "")} if unmask else {}),
        "repairs": [_repair_data(repair, unmask=unmask) for repair in life.repairs],
        "unread": [error.code for error in life.unread],
        "dispatches": [
            {
                "dispatch": dispatch.dispatch_id,
                "attempts": dispatch.attempts,
                "begun_at": _iso(dispatch.begun_at),
                "ended_at": _iso(dispatch.ended_at),
                "answer": dispatch.answer_code,
                "csvid": dispatch.csvid,
            }
            for dispatch in life.dispatches
        ],
        "cancellations": [
            {
                "asked_at": _iso(asked.asked_at),
                "actor": visible(hidden(asked.actor)),
                "answered_at": _iso(asked.answered_at),
                "outcome": asked.outcome.value if asked.outcome else None,
                "answer": asked.code,
            }
            for asked in life.cancellations
        ],
        "observations": [_seen_data(seen, unmask=unmask) for seen in life.seen],
        "class": line.message_class.value,
        "label": _outside(line.label, unmask=unmask),
        "meaning": life.refusal,
        "price": {
            "billable": line.billable,
            "amount": None if line.amount is None else plain(line.amount),
            "carrier": _outside(line.carrier, unmask=unmask),
            "parts": line.parts,
            "parts_reported": life.priced.reported,
            "day": line.day.isoformat() if line.billable and line.day else None,
            "tariff": life.tariff,
        },
        "invoice": {
            "month": life.invoiced.month,
            "closed_at": _iso(life.invoiced.closed_at),
            "source": None if life.invoiced.source_name is None else hidden(life.invoiced.source_name),
            "lines": [invoice_line(each) for each in life.invoiced.lines],
        },
        "breaks": [
            {
                "kind": found.kind.value,
                "facts": {name: fact(name, text) for name, text in found.facts.items()},
                "at_risk": None if found.at_risk is None else plain(found.at_risk),
            }
            for found in life.priced.breaks
        ],
        "events": [
            {
                "at": _iso(happened.at),
                "kind": happened.kind,
                "dispatch": happened.dispatch_id,
                "detail": {name: _detail(value) for name, value in happened.detail.items()},
            }
            for happened in life.happened
        ],
    }


def _head(life: Life, language: Language, *, unmask: bool) -> Iterator[str]:
    message, line, batch = life.placed.message, life.priced.line, life.batch
    found = class_name(line.message_class, language)
    if line.label:
        said = _outside(status_words(line, {}, language), unmask=unmask)
        if life.refusal is not None:
            said = label("report.pair", language, name=said, text=visible(life.refusal))
        found = label("trace.labelled", language, name=found, label=said)
    names = {"smsid": _outside(message.smsid, unmask=unmask), "number": _number(message.msisdn, unmask=unmask)}
    state = state_name(message.state, language)
    yield label("trace.message", language, **names, state=state, found=found)
    yield label(
        "trace.input",
        language,
        file=_outside(batch.source_name, unmask=unmask),
        row=message.row_number,
        campaign=visible(batch.campaign),
        batch=batch.batch_id,
        run_date=batch.run_date,
    )


def _checked(life: Life, language: Language, *, unmask: bool) -> Iterator[str]:
    """Say what validation made of the row."""
    template, characters = life.row.get("template_id"), life.placed.message.characters
    if characters:
        yield label("trace.checked", language, characters=characters, bytes=life.row.get("bytes", "?"))
    elif template:
        yield label("trace.unmeasured", language)
    if centre := life.row.get("cost_centre"):
        yield label("trace.cost_centre", language, name=_outside(centre, unmask=unmask))
    if template:
        yield label("trace.template", language, template=template)
    if unmask and life.row:
        yield label("trace.text", language, text=visible(life.row["text"]))
    for repair in life.repairs:
        yield _repair(repair, language, unmask=unmask)
    for error in life.unread:
        yield label("trace.unread", language, problem=error.what(language))


def _repair(repair: Repair, language: Language, *, unmask: bool) -> str:
    what = fill(REPAIRS[repair.rule], language, {}) if repair.rule in REPAIRS else repair.rule
    facts = {"column": _outside(repair.column, unmask=unmask), "what": what}
    if not unmask:
        return label("trace.repair", language, **facts)
    return label("trace.repair_shown", language, **facts, before=visible(repair.before), after=visible(repair.after))


def _dispatch(dispatch: Dispatch, meanings: Mapping[str, str], language: Language) -> str:
    code = dispatch.answer_code
    answer = label("trace.answer", language, code=code, meaning=meanings[code]) if code else "-"
    return label(
        "trace.dispatch",
        language,
        dispatch=dispatch.dispatch_id,
        attempts=dispatch.attempts,
        begun=moment(dispatch.begun_at) if dispatch.begun_at else "-",
        ended=moment(dispatch.ended_at) if dispatch.ended_at else "-",
        answer=answer,
        csvid=visible(hidden(dispatch.csvid or "-")),
    )


def _asked(asked: AskedToCancel, language: Language) -> str:
    outcome = outcome_name(asked.outcome, language) if asked.outcome else label("trace.cancel.nothing", language)
    answer = label("trace.answer", language, code=asked.code, meaning=outcome) if asked.code else outcome
    facts = {"at": moment(asked.asked_at), "actor": visible(hidden(asked.actor)), "answer": answer}
    return label("trace.cancel", language, **facts)


def _seen(seen: Seen, life: Life, language: Language, *, unmask: bool) -> str:
    row = seen.observation
    words = [_outside(row.status, unmask=unmask), _outside(row.carrier, unmask=unmask), _delivered(seen)]
    if row.msisdn and canonical_result(row.msisdn) != life.placed.message.msisdn:
        words.append(_number(canonical_result(row.msisdn), unmask=unmask))
    path = label(f"trace.path.{row.path.value}", language)
    if seen.pulled_at and seen.file:
        path = label("trace.pulled", language, path=path, at=moment(seen.pulled_at), file=seen.file, line=row.line)
    at = moment(row.status_time) if row.status_time else "-"
    return label("trace.seen", language, at=at, what="  ".join(word for word in words if word), path=path)


def _delivered(seen: Seen) -> str:
    row = seen.observation
    return (
        ""
        if row.parts_total is None
        else f"{'?' if row.parts_delivered is None else row.parts_delivered}/{row.parts_total}"
    )


def _price(priced: Priced, tariff: str, language: Language) -> str:
    line = priced.line
    if not line.billable:
        return label("trace.not_billed_yet" if line.message_class in _OPEN else "trace.not_billed", language)
    counted = "trace.parts_computed" if priced.reported is None else "trace.parts_reported"
    if not line.parts:
        counted = "trace.parts_unknown"
    facts = {"parts": label(counted, language, parts=line.parts), "carrier": visible(hidden(line.carrier)) or "?"}
    if line.amount is None:
        return label("trace.unpriced", language, **facts, tariff=visible(tariff), day=line.day)
    amount = yen(line.amount, language)
    return label("trace.price", language, **facts, amount=amount, tariff=visible(tariff), day=line.day)


def _invoiced(life: Life, language: Language) -> Iterator[str]:
    """Say which line of the invoice the message stands on, or may; without one, what its line is to be about."""
    found, line = life.invoiced, life.priced.line
    month = found.month
    if found.closed_at is not None:
        month = label("trace.closed", language, month=month, at=moment(found.closed_at))
    about = [
        message_kind(line.kind, language),
        outside(line.carrier) or "?",
        label("trace.parts" if line.parts else "trace.parts_unknown", language, parts=line.parts),
    ]
    if line.amount is not None:
        about.append(yen(line.amount, language))
    elif line.billable:
        about.append(label("report.no_price", language))
    else:
        about.append(class_name(line.message_class, language))
    facts = {"month": month, "what": label("report.separator", language).join(about)}
    if found.source_name is None:
        yield label("trace.no_invoice", language, **facts)
        return
    facts["file"] = outside(found.source_name)
    lines = [each for each in found.lines if each.line]
    if not lines:
        yield label("trace.on_no_line", language, **facts)
    counted = "trace.on_line" if line.amount is not None else "trace.may_be_on_line"
    for each in lines:
        yield label(
            counted,
            language,
            **facts,
            line=each.line,
            item=invoice_item(each, language),
            price="-" if each.unit_price is None else yen(each.unit_price, language),
            invoiced="-" if each.invoiced is None else count(each.invoiced),
            invoiced_amount=yen(each.invoiced_amount, language),
            counted=count(each.counted),
            counted_amount=yen(each.counted_amount, language),
        )


def _event(happened: Happened) -> str:
    details = [f"{name}={_detail(value)}" for name, value in happened.detail.items() if value is not None]
    return "  ".join([happened.kind, *([happened.dispatch_id] if happened.dispatch_id else []), *details])


def _detail(value: object) -> object:
    return visible(hidden(value)) if isinstance(value, str) else value


def _repair_data(repair: Repair, *, unmask: bool) -> dict[str, str]:
    shown = {"column": _outside(repair.column, unmask=unmask), "rule": repair.rule}
    return shown | ({"before": repair.before, "after": repair.after} if unmask else {})


def _seen_data(seen: Seen, *, unmask: bool) -> dict[str, object]:
    row = seen.observation
    return {
        "at": _iso(row.status_time),
        "status": _outside(row.status, unmask=unmask),
        "msisdn": _number(canonical_result(row.msisdn), unmask=unmask),
        "carrier": _outside(row.carrier, unmask=unmask),
        "parts_delivered": row.parts_delivered,
        "parts_total": row.parts_total,
        "path": row.path.value,
        "pulled_at": _iso(seen.pulled_at),
        "file": seen.file,
        "line": row.line,
    }


def _number(msisdn: str, *, unmask: bool) -> str:
    return visible(msisdn) if unmask else mask(msisdn)


def _outside(text: str, *, unmask: bool) -> str:
    """Return a name or a label from outside, where a number may stand although nobody expects one."""
    return visible(text if unmask else hidden(text))


def _iso(time: datetime | None) -> str | None:
    return time.astimezone(JST).isoformat() if time else None
