"""Words of reports and lines of the command line."""

from __future__ import annotations

from pipeline.messages.text import Text

#: label code → text
LABELS: dict[str, Text] = {
    "class.delivered": Text("送達", "delivered"),
    "class.partial": Text("一部受信", "partial"),
    "class.failed": Text("失敗", "failed"),
    "class.cancelled": Text("取消", "cancelled"),
    "class.refused": Text("受付拒否", "refused"),
    "class.pending": Text("結果待ち", "pending"),
    "class.missing": Text("結果なし（期限超過）", "missing"),
    "class.unmapped": Text("未知のステータス", "unmapped status"),
    "class.unknown": Text("受付不明", "unknown"),
    "class.planned": Text("未送信", "planned"),
}
