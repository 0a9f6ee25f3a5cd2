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
from pipeline.model import MessageClass
from pipeline.reports.amounts import count, exact_sum, grouped, share, yen
from pipeline.reports.privacy import hidden, visible
from pipeline.reports.wording import (
    break_details,
    class_name,
    equation_name,
    equation_terms,
    headings,
    kind_meaning,
    kind_name,
    provenance,
    shown_of,
    status_name,
    verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pipeline.model import MessageLine, Reconciliation

#: bars are drawn on a grid of this width
_GRID = 1000


def render_page(value: Reconciliation, lines: Iterable[MessageLine], language: Language, *, limit: int = 2000) -> str:
    """Return the page as HTML: the first ``limit`` messages and differences, masked, nothing external.

    The content security policy allows one style sheet, by its hash, and nothing else: should escaping ever
    fail, a browser still runs and loads nothing.
    """
    style = _style()
    messages = [*islice(lines, limit)]
    return _template().render(
        lang=language.value,
        style=Markup(style),  # noqa: S704 - our own file, without a value in it
        style_hash=f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}",
        value=value,
        say=partial(_say, language),
        verdict=verdict(value, language),
        headings=headings(value, language),
        provenance=provenance(value, language),
        classes=_bars(value, language),
        class_total=sum(value.classes.values()),
        status_total=sum(line.messages for line in value.statuses),
        status_amount=exact_sum(line.amount for line in value.statuses),
        breaks=value.breaks[:limit],
        breaks_shown=_shown(min(limit, len(value.breaks)), len(value.breaks), language),
        messages=messages,
        messages_shown=_shown(len(messages), value.messages, language),
        count=count,
        grouped=grouped,
        yen=partial(yen, language=language),
        class_name=partial(class_name, language=language),
        status_name=status_name,
        kind_name=partial(kind_name, language=language),
        kind_meaning=partial(kind_meaning, language=language),
        break_details=partial(break_details, language=language),
        equation_name=partial(equation_name, language=language),
        equation_terms=partial(equation_terms, language=language),
        identifier=_identifier,
        mask=mask,
        time=_time,
        price=partial(_price, language=language),
    )


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
def _style() -> str:
    return resources.files("pipeline.reports").joinpath("page.css").read_text(encoding="utf-8")


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


def _identifier(text: str) -> str:
    return visible(hidden(text))


def _time(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(JST):%Y-%m-%d %H:%M:%S}"


def _price(line: MessageLine, language: Language) -> str:
    if line.amount is not None:
        return grouped(line.amount)
    return label("report.no_price", language) if line.billable else ""
