"""What is said about the month's bill and about invoices."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

_REPORT = Text("ログを添えて報告してください。", "Report this with the log.")

#: failure code → texts
INVOICE_FAILURES: dict[str, Failure] = {
    "bill.no_month": Failure(
        Text("{subject} は月ではないため、請求額を計算できません。", "{subject} is no month and has no bill."), _REPORT
    ),
    "bill.no_day": Failure(
        Text(
            "{subject} に日付のない金額があり、税率を決められません。",
            "{subject} holds an amount without a day: no tax rate applies to it.",
        ),
        _REPORT,
    ),
}
