"""The forecast in words and as data: the same figures, no text of a message."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from pipeline.core.forecast import CostRange, Forecast, Near, PartsLine
from pipeline.messages import Language
from pipeline.reports.forecast import forecast_document, forecast_lines

NEAR: Final = Near(
    parts=1,
    messages=37,
    least=1,
    most=3,
    now=CostRange(Decimal("629.0"), Decimal("680.8")),
    shorter=CostRange(Decimal("314.5"), Decimal("340.4")),
    rows=(2, 5, 7, 8, 12),
)
VALUE: Final = Forecast(
    messages=12_345,
    cost=CostRange(Decimal("104932.5"), Decimal("1E+5") + Decimal("13574.0")),
    unpriced=3,
    parts=(
        PartsLine(carriers=("Docomo", "*"), messages={1: 12_000, 2: 345}),
        PartsLine(carriers=("Rakuten",), messages={1: 11_999, 3: 346}),
    ),
    near=(NEAR,),
)


def test_people_read_it_in_english() -> None:
    *lines, near = forecast_lines(VALUE, Language.EN)
    assert lines == [
        "would go out: 12,345 messages",
        "expected cost (untaxed): 104,932.5 to 113,574.0 yen",
        "(without 3 messages that the tariff does not price)",
        "parts (Docomo, others):",
        "     12,000 messages of 1 part(s)",
        "        345 messages of 2 part(s)",
        "parts (Rakuten):",
        "     11,999 messages of 1 part(s)",
        "        346 messages of 3 part(s)",
    ]
    assert near == (
        "37 messages are 1-3 characters over 1 part(s): 629.0 to 680.8 yen, shortened 314.5 to 340.4 yen "
        "(rows 2, 5, 7, 8, 12 …)."
    )


def test_people_read_it_in_japanese() -> None:
    lines = list(forecast_lines(VALUE, Language.JA))
    assert lines[1] == "費用の見込み（税抜）：104,932.5 〜 113,574.0 円"
    assert lines[3] == "分割数（Docomo、その他）："
    assert lines[-1] == (
        "37 通は 1-3 文字短くすれば 1 分割に収まります：629.0 〜 680.8 円 が 314.5 〜 340.4 円 になります"
        "（行 2, 5, 7, 8, 12 …）。"
    )


def test_carriers_are_named_only_where_they_differ() -> None:
    value = Forecast(messages=1, cost=CostRange(), unpriced=0, parts=VALUE.parts[:1], near=())
    assert list(forecast_lines(value, Language.EN))[2] == "parts:"


def test_of_nothing_nothing_is_said_but_that() -> None:
    value = Forecast(messages=0, cost=CostRange(), unpriced=0, parts=(), near=())
    assert list(forecast_lines(value, Language.EN)) == ["would go out: 0 messages"]


def test_programs_read_yen_as_decimal_strings() -> None:
    assert forecast_document(VALUE) == {
        "messages": 12_345,
        "cost": {"lowest": "104932.5", "highest": "113574.0"},
        "unmeasured": 0,
        "unpriced": 3,
        "parts": [
            {"carriers": ["Docomo", "*"], "messages": {"1": 12_000, "2": 345}},
            {"carriers": ["Rakuten"], "messages": {"1": 11_999, "3": 346}},
        ],
        "near": [
            {
                "parts": 1,
                "messages": 37,
                "characters": {"least": 1, "most": 3},
                "cost": {"lowest": "629.0", "highest": "680.8"},
                "shortened": {"lowest": "314.5", "highest": "340.4"},
                "rows": [2, 5, 7, 8, 12],
            }
        ],
    }


def test_without_the_texts_of_templates_there_is_no_upper_end() -> None:
    value = replace(VALUE, unmeasured=2)
    lines = list(forecast_lines(value, Language.EN))
    assert lines[1] == "expected cost (untaxed): 104,932.5 yen or more, nobody knows how much"
    assert "2 messages by templates whose texts are not known" in lines[2]
    found = forecast_document(value)
    assert (found["unmeasured"], found["cost"]) == (2, {"lowest": "104932.5", "highest": None})
    all_of_them = list(forecast_lines(replace(VALUE, messages=2, unmeasured=2, unpriced=0, near=()), Language.JA))
    assert len(all_of_them) == 3
