"""The examples of docs/tariff.md and docs/invoice.md are usable, and their tables say what the code says."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

from pipeline.core.invoice import Counts
from pipeline.core.variance import VarianceCause
from pipeline.model import MessageKind
from schemas.invoice import parse_mapping
from schemas.tariff import parse_tariff


def example(document: str) -> tuple[str, str]:
    text = Path("docs", document).read_text("utf-8")
    (toml,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    return text, toml


def test_the_example_of_the_tariff() -> None:
    _, toml = example("tariff.md")
    tariff = parse_tariff(toml, "docs/tariff.md")
    assert tariff.price("Docomo", 1, date(2026, 9, 30)) == Decimal("8.5")
    assert tariff.price("Docomo", 1, date(2026, 10, 1)) == Decimal("8.3")
    assert tariff.price("any", 3, date(2026, 10, 1), MessageKind.OVERSEAS) == 90
    assert [fee.name for fee in tariff.fees] == ["月額基本料"]


def test_the_example_of_the_mapping() -> None:
    _, toml = example("invoice.md")
    mapping = parse_mapping(toml, "docs/invoice.md")
    assert mapping.counts is Counts.MESSAGES
    assert set(mapping.carriers) == {"Docomo", "au", "*"}


def test_every_cause_is_documented_in_the_order_of_its_rule() -> None:
    text, _ = example("invoice.md")
    cells = re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert set(named) == {cause.value for cause in VarianceCause}
    counts = [cause.value for cause in VarianceCause][: list(VarianceCause).index(VarianceCause.PRICE)]
    assert [name for name in named if name in counts] == counts
