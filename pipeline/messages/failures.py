"""What is said about a failure: what happened, and what to do next."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

#: failure code → texts; placeholders are the failure's facts
FAILURES: dict[str, Failure] = {
    "profile.not_toml": Failure(
        Text("プロファイル {file} は TOML として読めません：{problem}", "profile {file} is not TOML: {problem}"),
        Text("その行を直してください。", "Correct that line."),
    ),
    "profile.invalid": Failure(
        Text("プロファイル {file} に誤りがあります：\n{problems}", "profile {file} is not usable:\n{problems}"),
        Text(
            "キーを直し、`mediasms profile check {file}` で確かめてください。",
            "Correct the keys, then run `mediasms profile check {file}`.",
        ),
    ),
    "totals.rows": Failure(
        Text(
            "件数が合いません：入力 {rows} ≠ 受付 {accepted} + 却下 {rejected} + 送信済み {already}",
            "control totals do not add up: input {rows} ≠ accepted {accepted} + rejected {rejected} + already {already}",
        ),
        Text("何も送信していません。ログを添えて報告してください。", "Nothing was sent. Report this with the log."),
    ),
}
