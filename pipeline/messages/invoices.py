"""What is said about the month's bill and about invoices, beside the words of reports."""

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
    "variance.lines": Failure(
        Text(
            "{subject} のメッセージの金額 {lines} が請求額 {bill} と合いません。",
            "the messages of {subject} cost {lines}, its bill says {bill}.",
        ),
        _REPORT,
    ),
    "invoice.mapping_not_toml": Failure(
        Text(
            "請求書の対応表 {file} は TOML として読めません：{problem}",
            "mapping of invoices {file} is not TOML: {problem}",
        ),
        Text(
            "その行を直してください。",
            "Correct that line.",
        ),
    ),
    "invoice.mapping_invalid": Failure(
        Text(
            "請求書の対応表 {file} に誤りがあります：\n{problems}",
            "mapping of invoices {file} is not usable:\n{problems}",
        ),
        Text(
            "schemas/invoices/standard.toml と同じ形で書いてください。docs/invoice.md に説明があります。",
            "Write it like schemas/invoices/standard.toml; docs/invoice.md explains it.",
        ),
    ),
    "invoice.no_column": Failure(
        Text(
            "請求書 {file} に必要な列がありません（{names} のどれか）。1 行目：{columns}",
            "invoice {file} lacks a column (one of {names}); its first row: {columns}",
        ),
        Text(
            "1 行目を見出しにするか、invoice.mapping の [columns] に列名を加えてください。",
            "Make the first row the header, or add the name to [columns] of invoice.mapping.",
        ),
    ),
    "invoice.number": Failure(
        Text(
            "請求書 {file} の {row} 行目「{column}」の「{cell}」は数として読めません（全 {count} か所）。",
            "invoice {file}, row {row}, {column}: “{cell}” cannot be read as a number ({count} in all)",
        ),
        Text(
            "1,234 や ¥1,234.5 のような数に直してください。",
            "Write a number, like 1,234 or ¥1,234.5.",
        ),
    ),
    "invoice.count": Failure(
        Text(
            "請求書 {file} の {row} 行目「{column}」の「{cell}」は件数として読めません（全 {count} か所）。",
            "invoice {file}, row {row}, {column}: “{cell}” cannot be read as a count ({count} in all)",
        ),
        Text(
            "1,234 のような整数に直してください。",
            "Write a whole number, like 1,234.",
        ),
    ),
    "invoice.month": Failure(
        Text(
            "請求書 {file} の {row} 行目「{column}」の「{cell}」は月として読めません（全 {count} か所）。",
            "invoice {file}, row {row}, {column}: “{cell}” cannot be read as a month ({count} in all)",
        ),
        Text(
            "2026-11 や 2026年11月 のような月に直してください。",
            "Write a month, like 2026-11.",
        ),
    ),
    "invoice.word": Failure(
        Text(
            "請求書 {file} の {row} 行目「{column}」の「{cell}」の意味が分かりません（全 {count} か所）。",
            "invoice {file}, row {row}, {column}: nothing says what “{cell}” means ({count} in all)",
        ),
        Text(
            "invoice.mapping の [kinds] か [fees] にこの言葉を加えてください。",
            "Add the word to [kinds] or [fees] of invoice.mapping.",
        ),
    ),
    "invoice.carrier": Failure(
        Text(
            "請求書 {file} の {row} 行目「{column}」の「{cell}」がどのキャリアか分かりません（全 {count} か所）。",
            "invoice {file}, row {row}, {column}: nothing says which carrier “{cell}” is ({count} in all)",
        ),
        Text(
            "invoice.mapping の [carriers] にこの言葉を加えてください。",
            "Add the word to [carriers] of invoice.mapping.",
        ),
    ),
    "invoice.empty": Failure(
        Text(
            "請求書 {file} の {row} 行目「{column}」が空です（全 {count} か所）。",
            "invoice {file}, row {row}, {column} is empty ({count} in all)",
        ),
        Text(
            "値を入れるか、明細でない行を削除してください。",
            "Fill it in, or remove the row if it is no line of the invoice.",
        ),
    ),
    "invoice.total": Failure(
        Text(
            "請求書 {file} の {row} 行目の合計 {stated} は明細の合計 {sum} と合いません。",
            "invoice {file}, row {row}: the total of {stated} is not the sum of its lines, {sum}",
        ),
        Text(
            "明細と消費税の行がすべて入っているか確かめてください。",
            "Check that the file holds every line of the invoice, tax included.",
        ),
    ),
    "invoice.no_lines": Failure(
        Text(
            "請求書 {file} に {month} の明細がありません（あるのは {months}）。",
            "invoice {file} has no line of {month} (it has {months})",
        ),
        Text(
            "正しい請求書か、--month の月を確かめてください。",
            "Check that it is the right invoice, and the month after --month.",
        ),
    ),
}
