"""The reconciliation as one self-contained web page: opened from a mail or a share, printed, kept."""

from __future__ import annotations

import base64
import hashlib
from functools import cache, partial
from importlib import resources
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from pipeline.core.calendar import JST
from pipeline.core.msisdn import mask
from pipeline.messages import Language, label
from pipeline.model import Dimension, MessageClass, MonthSubject
from pipeline.reports.amounts import count, exact_sum, grouped, share, yen
from pipeline.reports.timeline import timeline
from pipeline.reports.verdict import orphan_alarm, tone, verdict
from pipeline.reports.wording import (
    bill_caption,
    bill_lines,
    break_details,
    carrier_name,
    cause_name,
    class_name,
    dividing,
    equation_name,
    equation_terms,
    examples,
    group_name,
    headings,
    invoice_caption,
    invoice_item,
    invoice_row,
    kind_meaning,
    kind_name,
    message_kind,
    outside,
    provenance,
    shown_of,
    status_name,
    subject_name,
    unmapped_lines,
    variance_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pipeline.model import GroupLine, MessageLine, Reconciliation

#: bars are drawn on a grid of this width
_GRID = 1000
#: more steps than this are no picture: they become days
_STEPS = 200


def render_page(value: Reconciliation, lines: Iterable[MessageLine], language: Language, *, limit: int = 1000) -> str:
    """Return the page as HTML: the first ``limit`` messages and differences, masked, nothing external.

    The content security policy allows one style sheet and one script, by their hashes, and nothing else: should
    escaping ever fail, a browser still runs and loads nothing.
    """
    messages = [*islice(lines, limit)]
    groups = [_group(dimension, shown, language, limit) for dimension, shown in dividing(value)]
    chart = _chart(value, language)
    unmapped = unmapped_lines(value, language)
    return _template().render(
        lang=language.value,
        style=_inlined("page.css"),
        script=_inlined("page.js"),
        value=value,
        of_month=isinstance(value.subject, MonthSubject),
        say=partial(_say, language),
        verdict=verdict(value, language),
        tone=tone(value),
        alarm=orphan_alarm(value, language),
        headings=headings(value, language),
        contents=_contents(value, groups, chart, unmapped),
        provenance=provenance(value, language),
        classes=_bars(value, language),
        class_total=sum(value.classes.values()),
        chart=chart,
        groups=groups,
        status_total=sum(line.messages for line in value.statuses),
        status_amount=exact_sum(line.amount for line in value.statuses),
        breaks=value.breaks[:limit],
        breaks_shown=_shown(min(limit, len(value.breaks)), len(value.breaks), language),
        unmapped=unmapped,
        messages=messages,
        messages_shown=_shown(len(messages), value.messages, language),
        **_money(value, language),
        status_name=partial(status_name, meanings=value.meanings, language=language),
        **_words(language),
    )


def _words(language: Language) -> dict[str, object]:
    """Return the functions that the template calls for each row."""
    return {
        "count": count,
        "grouped": grouped,
        "yen": partial(yen, language=language),
        "class_name": partial(class_name, language=language),
        "kind_name": partial(kind_name, language=language),
        "kind_meaning": partial(kind_meaning, language=language),
        "break_details": partial(break_details, language=language),
        "equation_name": partial(equation_name, language=language),
        "equation_terms": partial(equation_terms, language=language),
        "invoice_row": invoice_row,
        "invoice_item": partial(invoice_item, language=language),
        "cause_name": partial(cause_name, language=language),
        "subject_name": partial(subject_name, language=language),
        "carrier_name": partial(carrier_name, language=language),
        "group_carrier": partial(group_name, Dimension.CARRIER, language=language),
        "message_kind": partial(message_kind, language=language),
        "examples": examples,
        "outside": outside,
        "mask": mask,
        "time": _time,
        "price": partial(_price, language=language),
    }


def _money(value: Reconciliation, language: Language) -> dict[str, object]:
    """Return the money of a month in words; what it does not have is empty."""
    bill, variance = value.bill, value.variance
    return {
        "bill_lines": [] if bill is None else bill_lines(bill, language),
        "bill_caption": "" if bill is None else bill_caption(bill, language),
        "variance_lines": [] if variance is None else variance_lines(variance, language),
        "invoice_caption": "" if variance is None else invoice_caption(variance, language),
    }


class _Inlined(NamedTuple):
    """A file of ours that stands in the page, and its digest for the policy."""

    text: Markup
    digest: str


class _Step(NamedTuple):
    """A bar of the chart over time; ``height`` is in percent."""

    name: str
    number: str
    height: int


class _Chart(NamedTuple):
    said: str
    steps: list[_Step]


class _GroupRow(NamedTuple):
    name: str
    messages: str
    share: str
    width: int
    delivered: str
    failed: str
    billable_messages: str
    billable_units: str
    amount: str
    unpriced: str


class _Group(NamedTuple):
    """One dimension: the code of its section, its heading, its lines and what they come to."""

    code: str
    column: str
    shown: str
    lines: list[_GroupRow]
    total: _GroupRow


class _Bar(NamedTuple):
    """One class with its bar; ``width`` is in units of the grid."""

    code: str
    name: str
    messages: str
    share: str
    width: int


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("pipeline.reports", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("page.html.j2")


@cache
def _inlined(name: str) -> _Inlined:
    text = resources.files("pipeline.reports").joinpath(name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return _Inlined(Markup(text), f"sha256-{digest}")  # noqa: S704 - our own file, without a value in it


def _contents(value: Reconciliation, groups: list[_Group], chart: _Chart, unmapped: list[str]) -> list[str]:
    """Return the sections of the page that are there, in its order."""
    there = {
        "bill": value.bill is not None,
        "invoice": value.variance is not None,
        "variance": value.variance is not None,
        "restatements": bool(value.restatements),
        "classes": True,
        "deliveries": bool(chart.steps),
        **{group.code: True for group in groups},
        "statuses": True,
        "equations": True,
        "kinds": True,
        "breaks": bool(value.breaks),
        "foreign": True,
        "unmapped": bool(unmapped),
        "messages": True,
        "prices": bool(value.prices),
        "provenance": True,
    }
    return [name for name, is_there in there.items() if is_there]


def _chart(value: Reconciliation, language: Language) -> _Chart:
    by_day, steps = timeline(value.deliveries, _STEPS)
    if not steps:
        return _Chart("", [])
    form = "%Y-%m-%d" if by_day else "%Y-%m-%d %H:%M"
    start, peak = max(steps, key=lambda step: step[1])
    unit = label("report.by_day" if by_day else "report.by_hour", language)
    said = label("report.peak", language, number=count(peak), time=f"{start:{form}}")
    # Never nothing: a single delivery beside a million is still to be seen.
    return _Chart(
        label("report.separator", language).join((unit, said)),
        [
            _Step(f"{start:{form}}", count(number), max(1, number * 100 // peak) if number else 0)
            for start, number in steps
        ],
    )


def _group(dimension: Dimension, lines: Sequence[GroupLine], language: Language, limit: int) -> _Group:
    messages = sum(line.messages for line in lines)

    def row(name: str, part: Sequence[GroupLine]) -> _GroupRow:
        number = sum(line.messages for line in part)
        return _GroupRow(
            name=name,
            messages=count(number),
            share=share(number, messages),
            width=number * _GRID // messages if messages else 0,
            delivered=count(sum(line.delivered for line in part)),
            failed=count(sum(line.failed for line in part)),
            billable_messages=count(sum(line.billable_messages for line in part)),
            billable_units=count(sum(line.billable_units for line in part)),
            amount=grouped(exact_sum(line.amount for line in part)),
            unpriced=count(sum(line.unpriced for line in part)),
        )

    return _Group(
        code=dimension.value,
        column="message_kind" if dimension is Dimension.KIND else dimension.value,
        shown=_shown(min(limit, len(lines)), len(lines), language),
        lines=[row(group_name(dimension, line.name, language), [line]) for line in lines[:limit]],
        total=row("", lines),
    )


def _bars(value: Reconciliation, language: Language) -> list[_Bar]:
    return [
        _Bar(
            code=name.value,
            name=class_name(name, language),
            messages=count(number),
            share=share(number, value.messages),
            # Never nothing: a single failure among a million is still to be seen.
            width=max(4, number * _GRID // value.messages) if value.messages else 0,
        )
        for name in MessageClass
        if (number := value.classes.get(name, 0))
    ]


def _say(language: Language, code: str) -> str:
    return label(f"report.{code}", language)


def _shown(shown: int, total: int, language: Language) -> str:
    sentence = shown_of(shown, total, language)
    return f"({sentence}) {label('report.page_limit', language)}" if sentence else ""


def _time(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(JST):%Y-%m-%d %H:%M:%S}"


def _price(line: MessageLine, language: Language) -> str:
    if line.amount is not None:
        return grouped(line.amount)
    return label("report.no_price", language) if line.billable else ""
