"""Names and sentences that terminal, workbook and page share, so that they cannot drift apart.

Everything returned here is masked and visible; escaping is each rendering's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.core.calendar import JST
from pipeline.messages import LABELS, Language, label
from pipeline.reports.amounts import count
from pipeline.reports.privacy import fact, hidden, visible

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.model import Break, BreakKind, Equation, MessageClass, Reconciliation

#: stands for "there is none"; ASCII, because CP932 terminals have no en dash
NONE = "-"


def class_name(message_class: MessageClass, language: Language) -> str:
    """Name a class."""
    return label(f"class.{message_class.value}", language)


def status_name(status: str) -> str:
    """Name a gateway status as the gateway does; a dash where there is none."""
    return visible(hidden(status)) or NONE


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
            text=visible(value if unmask else fact(name, value)),
        )
        for name, value in found.facts.items()
    )


def equation_name(equation: Equation, language: Language) -> str:
    """Name the left side of an equation."""
    return _word("report.equation", equation.name, language)


def equation_terms(equation: Equation, language: Language) -> str:
    """Return the right side of an equation: ``accepted 9,800 + rejected 150``; terms of zero are left out."""
    terms = [(name, number) for name, number in equation.terms.items() if number] or list(equation.terms.items())
    return " + ".join(f"{term_name(name, language)} {count(number)}" for name, number in terms) or "0"


def term_name(name: str, language: Language) -> str:
    """Name a term of an equation; a class goes by its class name."""
    if f"report.term.{name}" not in LABELS and f"class.{name}" in LABELS:
        return label(f"class.{name}", language)
    return _word("report.term", name, language)


def verdict(value: Reconciliation, language: Language) -> str:
    """Say in one sentence whether the reconciliation balances, and how much does not."""
    if value.balanced:
        return label("report.balanced", language)
    return label(
        "report.not_balanced",
        language,
        breaks=count(len(value.breaks)),
        equations=count(sum(not equation.holds for equation in value.equations)),
    )


def headings(value: Reconciliation, language: Language) -> list[tuple[str, str]]:
    """Return what a report is about, as (name, text)."""
    texts = {
        "campaign": visible(value.campaign),
        "batch": visible(value.batch_id),
        "run_date": value.run_date.isoformat(),
        "source": visible(hidden(value.source_name)),
        "as_of": moment(value.as_of),
        "tariff": visible(value.tariff),
        "repaired": count(value.repaired),
    }
    if value.opted_out:
        texts["opted_out"] = count(value.opted_out)
    return [(label(f"report.heading.{name}", language), text) for name, text in texts.items()]


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
    return label(code, language) if code in LABELS else visible(name)
