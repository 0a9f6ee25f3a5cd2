"""Names and sentences that terminal, workbook and page share, so that they cannot drift apart.

Everything returned here is masked and visible; escaping is each rendering's own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipeline.core.calendar import JST
from pipeline.messages import LABELS, Language, Text, label
from pipeline.model import BY_PERSON, BatchSubject, BreakKind, Dimension, MessageClass, MonthSubject
from pipeline.reports.amounts import count, exact_sum, grouped, percent, yen
from pipeline.reports.privacy import fact, hidden, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from pipeline.model import (
        Bill,
        Break,
        CancelOutcome,
        Equation,
        Explanation,
        GroupLine,
        InvoiceLine,
        MessageLine,
        MessageState,
        Reconciliation,
        RestatedSubject,
        Restatement,
        StatusLine,
        Variance,
    )

#: stands for "there is none"; ASCII, because CP932 terminals have no en dash
NONE = "-"

_ORDER = (Dimension.CARRIER, Dimension.CAMPAIGN, Dimension.COST_CENTRE, Dimension.KIND, Dimension.DAY)


def class_name(message_class: MessageClass, language: Language) -> str:
    """Name a class."""
    return label(f"class.{message_class.value}", language)


def state_name(state: MessageState, language: Language) -> str:
    """Name the state of a message."""
    return label(f"state.{state.value}", language)


def state_counts(counts: Mapping[MessageState, int], language: Language) -> str:
    """Name states with how many messages are in each; a dash where there are none."""
    return named_counts([(state_name(state, language), number) for state, number in counts.items()], language)


def outcome_name(outcome: CancelOutcome, language: Language) -> str:
    """Name what came of a request to cancel a message."""
    return label(f"trace.cancel.{outcome.value}", language)


def named_counts(counts: Sequence[tuple[str, int]], language: Language) -> str:
    """Put numbers of messages on one line; a dash where there are none."""
    parts = [label("state.count", language, name=name, count=count(number)) for name, number in counts]
    return label("report.separator", language).join(parts) or NONE


def status_name(line: StatusLine | MessageLine, meanings: Mapping[str, Text], language: Language) -> str:
    """Name a gateway status as the gateway does, or a refusal by its code with its meaning, or as a person's decision.

    A dash for neither.
    """
    return outside(status_words(line, meanings, language)) or NONE


def status_words(line: StatusLine | MessageLine, meanings: Mapping[str, Text], language: Language) -> str:
    """Return the same as it came, which may be anything."""
    refused = line.message_class is MessageClass.REFUSED
    if refused and line.label == BY_PERSON:
        return label("report.decided", language)
    meaning = meanings.get(line.label) if refused else None
    if meaning is None:
        return line.label
    said = meaning.ja if language is Language.JA else meaning.en
    return label("report.pair", language, name=line.label, text=said)


def kind_name(kind: BreakKind, language: Language) -> str:
    """Name a kind of break."""
    return label(f"report.kind.{kind.value}", language)


def kind_meaning(kind: BreakKind, language: Language) -> str:
    """Say what a kind of break means and what to look at."""
    return label(f"report.meaning.{kind.value}", language)


def break_details(found: Break, language: Language, *, unmask: bool = False) -> str:
    """Return the facts of a break on one line."""
    return label("report.separator", language).join(
        label(
            "report.pair",
            language,
            name=_word("report.fact", name, language),
            text=_fact(name, value, language, unmask=unmask),
        )
        for name, value in found.facts.items()
    )


def _fact(name: str, value: str, language: Language, *, unmask: bool) -> str:
    if name == "state" and f"state.{value}" in LABELS:
        return label(f"state.{value}", language)
    return visible(value if unmask else fact(name, value))


def equation_name(equation: Equation, language: Language) -> str:
    """Name the left side of an equation."""
    return _word("report.equation", equation.name, language)


def equation_terms(equation: Equation, language: Language) -> str:
    """Return the right side of an equation: ``accepted 9,800 + rejected 150``; terms of zero are left out."""
    terms = [(name, number) for name, number in equation.terms.items() if number] or list(equation.terms.items())
    return " + ".join(f"{term_name(name, language)} {count(number)}" for name, number in terms) or "0"


def term_name(name: str, language: Language) -> str:
    """Name a term of an equation; a class or a state goes by its own name."""
    own = next((code for code in (f"report.term.{name}", f"class.{name}", f"state.{name}") if code in LABELS), None)
    return label(own, language) if own else _word("report.term", name, language)


def headings(value: Reconciliation, language: Language) -> list[tuple[str, str]]:
    """Return what a report is about, as (name, text); its name comes first."""
    tariff = outside(value.tariff)
    texts = _about(value.subject, language) | {
        "as_of": moment(value.as_of),
        "tariff": label("report.invented", language, name=tariff) if value.invented else tariff,
        "repaired": count(value.repaired),
    }
    if value.opted_out:
        texts["opted_out"] = count(value.opted_out)
    if value.by_number:
        texts["by_number"] = count(value.by_number)
    if value.oldest_pending is not None:
        texts["oldest_pending"] = _aged(value.oldest_pending, value.as_of, language)
    if value.bill is not None:
        total, messages = yen(value.bill.total, language), yen(value.bill.messages, language)
        texts["bill"] = label("report.headline", language, total=total, messages=messages)
    if at_most := may_become_more(value, language):
        texts["open_cost"] = at_most
    return [(label(f"report.heading.{name}", language), text) for name, text in texts.items()]


def may_become_more(value: Reconciliation, language: Language) -> str:
    """Say what the messages that are pending or unknown may add, and how many of each; nothing where none is."""
    costs = {MessageClass.PENDING: value.pending_cost, MessageClass.UNKNOWN: value.unknown_cost}
    own = {each: cost for each, cost in costs.items() if cost.messages}
    if not own:
        return ""
    messages = label("report.separator", language).join(
        label("report.open", language, name=class_name(each, language), count=count(cost.messages))
        for each, cost in own.items()
    )
    highest = exact_sum(cost.highest for cost in own.values())
    said = label("report.at_most", language, amount=yen(highest, language), messages=messages)
    unpriced = sum(cost.unpriced for cost in own.values())
    return label("report.at_most_unpriced", language, said=said, unpriced=count(unpriced)) if unpriced else said


def _about(subject: BatchSubject | MonthSubject, language: Language) -> dict[str, str]:
    if isinstance(subject, MonthSubject):
        closed = label("report.still_open", language) if subject.closed_at is None else moment(subject.closed_at)
        return {"month": visible(subject.month), "batches": count(subject.batches), "closed_at": closed}
    return {
        "campaign": visible(hidden(subject.campaign)),
        "batch": visible(subject.batch_id),
        "run_date": subject.run_date.isoformat(),
        "source": visible(hidden(subject.source_name)),
    }


def _aged(since: datetime, now: datetime, language: Language) -> str:
    hours = max(0, int((now - since).total_seconds())) // 3600
    return label("report.age", language, time=moment(since), days=count(hours // 24), hours=hours % 24)


def outside(text: str) -> str:
    """Return text from outside as every report may show it: its numbers masked, every character seen."""
    return visible(hidden(text))


def dividing(value: Reconciliation) -> list[tuple[Dimension, tuple[GroupLine, ...]]]:
    """Return the dimensions that page and workbook show, in their order: not one in which all messages are alike."""
    always = {Dimension.CARRIER, Dimension.DAY}
    found = [(dimension, value.groups.get(dimension, ())) for dimension in _ORDER]
    return [(dimension, lines) for dimension, lines in found if len(lines) > (0 if dimension in always else 1)]


def group_name(dimension: Dimension, name: str, language: Language) -> str:
    """Name a group: a kind of message in words, everything else as it is called outside."""
    if dimension is Dimension.KIND:
        return message_kind(name, language)
    return outside(name) or label("report.none", language)


def carrier_name(carrier: str, language: Language) -> str:
    """Name a carrier of the tariff; ``*`` is all that are not named."""
    return label("report.any", language) if carrier == "*" else outside(carrier)


def message_kind(name: str, language: Language) -> str:
    """Name a kind of message; one that only an invoice knows goes by its own name."""
    return _word("report.message_kind", name, language)


def cause_name(cause: str, language: Language) -> str:
    """Name a cause of a difference in money: a kind of break, a class, or a cause of its own."""
    for group in ("report.cause", "report.kind", "class"):
        if f"{group}.{cause}" in LABELS:
            return label(f"{group}.{cause}", language)
    return outside(cause)


def bill_caption(bill: Bill, language: Language) -> str:
    """Say how a bill is rounded."""
    return label("report.caption.bill", language, rounding=_word("report.rounding", bill.rounding, language))


def invoice_caption(variance: Variance, language: Language) -> str:
    """Say which invoice it is, and whether it counts messages or units."""
    source, counts = outside(variance.source_name), _word("report.counts", variance.counts, language)
    return label("report.caption.invoice", language, source=source, counts=counts)


def invoice_item(line: InvoiceLine, language: Language) -> str:
    """Name what a line of an invoice is about: the kind of message and, where it divides by it, the carrier."""
    return " ".join(text for text in (message_kind(line.kind, language), outside(line.carrier)) if text)


def bill_lines(bill: Bill, language: Language) -> list[tuple[str, Decimal]]:
    """Return the lines of a bill from messages and fees to taxes and rounding, as (name, yen).

    They add up to its total.
    """
    lines = [(label("report.bill.messages", language), bill.messages)]
    lines += [
        (label("report.bill.fee", language, name=outside(fee.name), rate=percent(fee.tax_rate)), fee.amount)
        for fee in bill.fees
    ]
    lines += [
        (label("report.bill.tax", language, rate=percent(line.rate), untaxed=grouped(line.untaxed)), line.tax)
        for line in bill.taxes
    ]
    if bill.fraction:
        lines.append((label("report.bill.rounding", language), bill.fraction))
    return lines


def invoice_row(line: InvoiceLine) -> str:
    """Return the row of an invoice's line; a dash for what we count and the invoice does not have."""
    return count(line.line) if line.line else NONE


def variance_lines(variance: Variance, language: Language) -> list[tuple[str, Decimal]]:
    """Return what explains the difference to an invoice, as (name, yen)."""

    def name(part: Explanation) -> str:
        cause = cause_name(part.cause, language)
        if not part.messages:
            return cause
        return label("report.variance.explained", language, cause=cause, messages=count(part.messages))

    return [(name(part), part.amount) for part in variance.explanations]


def subject_name(subject: RestatedSubject, language: Language) -> str:
    """Name of what a restatement is."""
    return label(f"report.restated.{subject.value}", language)


def examples(restatement: Restatement) -> str:
    """Return the first few smsids of a restatement on one line."""
    return " ".join(map(outside, restatement.smsids))


def unmapped_lines(value: Reconciliation, language: Language) -> list[str]:
    """Return the TOML lines that the profile lacks: what a person has to find out is a ``?``, which does not load."""
    found = {line.label: None for line in value.statuses if line.message_class is MessageClass.UNMAPPED}
    for each in value.breaks:
        if each.kind is BreakKind.UNMAPPED_STATUS:
            found |= {text: None for name in ("label", "status") if (text := each.facts.get(name, ""))}
    lines: list[str] = []
    for text in map(outside, found):
        # A label may be made of digits, too: it stays a person's decision which of the two it is.
        number = f"number = {text}" if text.isascii() and text.isdecimal() else "# number = ?"
        lines += [
            "[[status]]",
            number,
            f"label = {json.dumps(text, ensure_ascii=False)}",
            f'means = "?"  # {label("report.unmapped.means", language)}',
            'grade = "V"',
        ]
    return lines


def provenance(value: Reconciliation, language: Language) -> list[tuple[str, str]]:
    """Return what the report was computed from, as (name, text)."""
    return [(_word("report.provenance", name, language), visible(text)) for name, text in value.provenance.items()]


def moment(time: datetime) -> str:
    """Return a time in JST to the second, with its zone."""
    return f"{time.astimezone(JST):%Y-%m-%d %H:%M:%S} JST"


def shown_of(shown: int, total: int, language: Language) -> str:
    """Say how many of all are shown; nothing when all are."""
    return label("report.shown", language, shown=count(shown), total=count(total)) if shown < total else ""


def _word(group: str, name: str, language: Language) -> str:
    # A name without a word is shown as it is: a report with an unexpected fact is better than none.
    code = f"{group}.{name}"
    return label(code, language) if code in LABELS else outside(name)
