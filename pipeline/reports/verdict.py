"""What comes first in every report: what a person is to look at, whether the counts add up, and alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pipeline.messages import Language, label
from pipeline.model import BatchSubject, BreakKind, MonthPhase, MonthSubject
from pipeline.reports.amounts import count, yen
from pipeline.reports.wording import kind_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.model import Reconciliation, Variance

#: what has a sentence of its own, before and after that about the balance; differences and equations are in that one
_FIRST, _THEN = ("unknown", "unsent"), ("refused", "opted_out", "restatements", "rejected")


def verdict(value: Reconciliation, language: Language) -> str:
    """Say what a person is to look at, the worst first; whether the counts add up; and what of an invoice is more."""
    sentences = [
        *_counted(value, _FIRST, language),
        *([] if value.balanced else [_not_balanced(value, language)]),
        *_counted(value, _THEN, language),
    ]
    if value.balanced and not value.is_empty:  # where nothing was compared, nothing is balanced
        sentences.append(label("report.adds_up" if sentences else "report.balanced", language))
    if value.variance is not None:
        sentences += _invoiced(value.variance, language)
    if isinstance(value.subject, MonthSubject):
        sentences += _standing(value, value.subject.phase, language)
    return ("" if language is Language.JA else " ").join(sentences)


def tone(value: Reconciliation) -> Literal["good", "look", "bad", "open"]:
    """Return how the verdict sounds: ``look`` where a person is to look, ``open`` where nothing was compared."""
    if not value.balanced or "unknown" in value.attention:
        return "bad"
    if value.attention:
        return "look"
    return "open" if value.is_empty else "good"


def to_look_at(value: Reconciliation, language: Language) -> str | None:
    """Name everything that a person is to look at, on one line; None where there is nothing.

    It names no exit code: a run may end with a worse one than its reconciliation asks for.
    """
    found = [
        label("report.pair", language, name=_name(name, language), text=count(number))
        for name, number in value.attention.items()
        if name != "unexplained"
    ]
    if value.variance is not None and value.variance.unexplained:
        amount = yen(value.variance.unexplained, language)
        name = label("report.variance.unexplained", language)
        found.append(label("report.pair", language, name=name, text=amount))
    return label("report.to_look_at", language, what=label("report.separator", language).join(found)) if found else None


def orphan_alarm(value: Reconciliation, language: Language) -> tuple[str, str, tuple[str, ...]] | None:
    """Return the alarm that comes before everything else: what happened, and three causes with what to check."""
    orphans = value.breaks_by_kind.get(BreakKind.ORPHAN_RESULT, 0)
    if not orphans:
        return None
    causes = tuple(label(f"report.orphans.{cause}", language) for cause in ("lost", "second", "others"))
    return (
        label("report.orphans.title", language, number=count(orphans)),
        label("report.orphans.why", language),
        causes,
    )


def _counted(value: Reconciliation, names: tuple[str, ...], language: Language) -> Iterator[str]:
    """Say of what is among ``names`` how many there are, and of how many."""
    facts = {
        "messages": count(value.messages),
        "accepted": count(value.totals.accepted),
        "rows": count(value.totals.rows),
        # the command that says of each upload what can be done
        "command": f"mediasms status {value.name}" if isinstance(value.subject, BatchSubject) else "mediasms status",
    }
    for name in names:
        if number := value.attention.get(name):
            yield label(f"report.verdict.{name}", language, count=count(number), **facts)


def _not_balanced(value: Reconciliation, language: Language) -> str:
    failing = {"breaks": len(value.breaks), "equations": value.attention.get("equations", 0)}
    what = label("report.separator", language).join(
        label(f"report.failing.{name}", language, count=count(number)) for name, number in failing.items() if number
    )
    return label("report.not_balanced", language, what=what) if what else label("report.not_explained", language)


def _invoiced(variance: Variance, language: Language) -> Iterator[str]:
    """Say what of the difference to an invoice is unexplained, else that all of it is explained."""
    if variance.unexplained:
        yield label("report.unexplained", language, amount=yen(variance.unexplained, language))
    elif variance.difference:
        yield label("report.explained", language, amount=yen(variance.difference, language))


def _standing(value: Reconciliation, phase: MonthPhase, language: Language) -> Iterator[str]:
    """Say what keeps a month from being the last word: nothing in it, or not over."""
    if value.is_empty:
        yield label("report.month.empty", language)
    if phase is not MonthPhase.OVER:
        yield label(f"report.month.{phase}", language)


def _name(name: str, language: Language) -> str:
    return kind_name(BreakKind(name), language) if name in set(BreakKind) else label(f"report.finding.{name}", language)
