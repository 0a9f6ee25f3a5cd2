"""An example of every code: cells that get it, and the same cells put right. A test asks the rules about each."""

from __future__ import annotations

from typing import NamedTuple

_NUMBER = "090-1234-5678"


class Example(NamedTuple):
    """Cells by field: ``wrong`` gets the code, ``right`` gets nothing. What is not given is a good number and text."""

    wrong: dict[str, str]
    right: dict[str, str]


#: finding code → example; fields are those of the gateway CSV, ``name`` is a column of the user's own
EXAMPLES: dict[str, Example] = {
    "phone.empty": Example({"msisdn": ""}, {"msisdn": _NUMBER}),
    "phone.letter": Example({"msisdn": "O90-1234-5678"}, {"msisdn": _NUMBER}),
    "phone.scientific": Example({"msisdn": "9.01E+09"}, {"msisdn": _NUMBER}),
    "phone.date": Example({"msisdn": "1990/12/5"}, {"msisdn": _NUMBER}),
    "phone.truncated": Example({"msisdn": "901234567812340000"}, {"msisdn": _NUMBER}),
    "phone.too_short": Example({"msisdn": "090-123-4567"}, {"msisdn": _NUMBER}),
    "phone.too_long": Example({"msisdn": "090-1234-56789"}, {"msisdn": _NUMBER}),
    "phone.not_mobile": Example({"msisdn": "03-1234-5678"}, {"msisdn": _NUMBER}),
    "phone.overseas_disabled": Example({"msisdn": "+1 415 555 0123"}, {"msisdn": _NUMBER}),
    "phone.ambiguous_overseas": Example({"msisdn": "9012345678"}, {"msisdn": _NUMBER}),
    "recipient.duplicate": Example({"msisdn": "+81 90 1234 5678"}, {"msisdn": "080-1234-5678"}),
    "recipient.opted_out": Example({"msisdn": _NUMBER}, {"msisdn": "080-1234-5678"}),
    "text.empty": Example({"text": "　"}, {"text": "ご予約は明日です。"}),
    "text.platform_dependent": Example({"text": "①受付は㈱ミツバ"}, {"text": "(1)受付は(株)ミツバ"}),
    "text.too_many_bytes": Example({"text": "abcdefg" * 20 + "h"}, {"text": "abcdefg" * 20}),
    "text.too_many_characters": Example({"text": "お" * 60 + "abcdefghijk"}, {"text": "お" * 60 + "abcdefghij"}),
    "cell.spreadsheet_error": Example({"text": "{name}様", "name": "#N/A"}, {"text": "{name}様", "name": "青木"}),
    "text_and_template": Example({"text": "明日です。", "template_id": "12"}, {"text": "明日です。"}),
    "template.range": Example({"text": "", "template_id": "1000000"}, {"text": "明日です。"}),
    "template.unknown_text": Example({"text": "", "template_id": "12"}, {"text": "明日です。"}),
    "tag.unknown": Example({"text": "{お名前}様"}, {"text": "{name}様", "name": "青木"}),
    "tag.unclosed": Example({"text": "{name様", "name": "青木"}, {"text": "{name}様", "name": "青木"}),
    "tag.full_width": Example({"text": "｛name｝様", "name": "青木"}, {"text": "{name}様", "name": "青木"}),
    "tag.in_value": Example({"text": "{name}様", "name": "{URL}"}, {"text": "{name}様", "name": "青木"}),
    "url.tag_without_url": Example(
        {"text": "詳細 {URL}", "originalurl": ""}, {"text": "詳細 {URL}", "originalurl": "https://example.jp/"}
    ),
    "url.scheme": Example({"originalurl": "example.jp"}, {"originalurl": "https://example.jp"}),
    "url.too_long": Example(
        {"originalurl": "https://example.jp/?" + "q" * 2064}, {"originalurl": "https://example.jp"}
    ),
    "url.characters": Example({"originalurl": "https://example.jp/予約"}, {"originalurl": "https://example.jp/yoyaku"}),
    "code.characters": Example({"originalurlcode": "ひみつ"}, {"originalurlcode": "himitsu-1"}),
    "smsid.characters": Example({"smsid": "order-12"}, {"smsid": "order12"}),
    "smsid.is_a_number": Example({"smsid": "20261125"}, {"smsid": "k20261125"}),
    "smsid.spreadsheet": Example({"smsid": "1.23E+14"}, {"smsid": "k123456789012345"}),
    "smsid.duplicate": Example({"smsid": "order12"}, {"smsid": "order13"}),
    "field.platform_dependent": Example({"info1": "髙橋"}, {"info1": "高橋"}),
    "title.characters": Example({"title": "ミツバ"}, {"title": "Mitsuba"}),
    "title.digits_only": Example({"title": "0312345678"}, {"title": "Mitsuba0312"}),
    "cost_centre.too_long": Example({"cost_centre": "営業部" * 22}, {"cost_centre": "営業部"}),
    "senddatetime.format": Example({"scheduled": "12/01/2030 9:30"}, {"scheduled": "2030/12/01 9:30"}),
    "registrationdate.missing": Example({"registrationdate": ""}, {"registrationdate": "2026-04-01"}),
    "registrationdate.format": Example({"registrationdate": "令和8年4月1日"}, {"registrationdate": "2026年4月1日"}),
    "registrationdate.future": Example({"registrationdate": "20991231"}, {"registrationdate": "20260401"}),
    "senddatetime.past": Example({"scheduled": "202001010930"}, {"scheduled": "203012010930"}),
}
