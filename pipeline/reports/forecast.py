"""What messages may cost before they are sent: as lines for people, and as a part of a JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.core.billing import ANY_CARRIER
from pipeline.messages import Language, label
from pipeline.reports.amounts import count, grouped, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.core.forecast import CostRange, Forecast, Near


def forecast_lines(value: Forecast, language: Language) -> Iterator[str]:
    """Yield the forecast line by line: messages, cost, parts, and what would be cheaper. Texts are never shown."""
    yield label("forecast.messages", language, messages=count(value.messages))
    if not value.messages:
        return
    at_least = label("forecast.at_least", language, low=grouped(value.cost.lowest))
    yield label("forecast.cost", language, cost=at_least if value.unmeasured else _cost(value.cost, language))
    if value.unmeasured:
        yield label("forecast.unmeasured", language, messages=count(value.unmeasured))
    if value.unpriced:
        yield label("forecast.unpriced", language, messages=count(value.unpriced))
    for line in value.parts if value.messages > value.unmeasured else ():
        carriers = _carriers(line.carriers, language)
        yield label("forecast.carriers" if len(value.parts) > 1 else "forecast.parts", language, carriers=carriers)
        for parts, messages in line.messages.items():
            yield label("forecast.count", language, messages=count(messages), parts=parts)
    for near in value.near:
        yield _near(near, language)


def forecast_document(value: Forecast) -> dict[str, object]:
    """Return the forecast as JSON-ready data; yen are decimal strings."""
    return {
        "messages": value.messages,
        "cost": {**_range(value.cost), **({"highest": None} if value.unmeasured else {})},
        "unmeasured": value.unmeasured,
        "unpriced": value.unpriced,
        "parts": [
            {
                "carriers": list(line.carriers),
                "messages": {str(parts): messages for parts, messages in line.messages.items()},
            }
            for line in value.parts
        ],
        "near": [
            {
                "parts": near.parts,
                "messages": near.messages,
                "characters": {"least": near.least, "most": near.most},
                "cost": _range(near.now),
                "shortened": _range(near.shorter),
                "rows": list(near.rows),
            }
            for near in value.near
        ],
    }


def _near(near: Near, language: Language) -> str:
    over = str(near.least) if near.least == near.most else f"{near.least}-{near.most}"
    rows = ", ".join(map(str, near.rows)) + (" …" if near.messages > len(near.rows) else "")
    costs = {"now": _cost(near.now, language), "shorter": _cost(near.shorter, language)}
    return label(
        "forecast.near", language, messages=count(near.messages), over=over, parts=near.parts, rows=rows, **costs
    )


def _carriers(names: Sequence[str], language: Language) -> str:
    shown = [label("forecast.others", language) if name == ANY_CARRIER else name for name in names]
    return label("report.separator", language).join(shown)


def _cost(found: CostRange, language: Language) -> str:
    return label("forecast.range", language, low=grouped(found.lowest), high=grouped(found.highest))


def _range(found: CostRange) -> dict[str, str]:
    return {"lowest": plain(found.lowest), "highest": plain(found.highest)}
