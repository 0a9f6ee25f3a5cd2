"""Lines of the commands that only ask: what would be sent and cost, and what became of a message."""

from __future__ import annotations

from pipeline.messages.text import Text

#: label code → text
ASKING_LABELS: dict[str, Text] = {
    "forecast.title": Text("試算：何も送信していません。", "dry run: nothing was sent."),
    "forecast.messages": Text("送信する予定：{messages} 通", "would go out: {messages} messages"),
    "forecast.cost": Text("費用の見込み（税抜）：{cost}", "expected cost (untaxed): {cost}"),
    "forecast.range": Text("{low} 〜 {high} 円", "{low} to {high} yen"),
    "forecast.unpriced": Text(
        "（料金表にない {messages} 通を除く）", "(without {messages} messages that the tariff does not price)"
    ),
    "forecast.parts": Text("分割数：", "parts:"),
    "forecast.carriers": Text("分割数（{carriers}）：", "parts ({carriers}):"),
    "forecast.others": Text("その他", "others"),
    "forecast.count": Text("  {messages:>9} 通  {parts} 分割", "  {messages:>9} messages of {parts} part(s)"),
    "forecast.near": Text(
        "{messages} 通は {over} 文字短くすれば {parts} 分割に収まります：{now} が {shorter} になります（行 {rows}）。",
        "{messages} messages are {over} characters over {parts} part(s): {now}, shortened {shorter} (rows {rows}).",
    ),
    "forecast.opted_out": Text(
        "配信停止を希望した番号宛の {count} 通は送信しません。",
        "{count} messages to numbers that opted out would not go out.",
    ),
}
