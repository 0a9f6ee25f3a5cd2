"""Words of the reconciliation's reports beyond counts by status (groups, bill, changes, alarms), and its failures."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

#: label code → text
RECONCILING_LABELS: dict[str, Text] = {
    "report.explained": Text(
        "請求書との差 {amount} はすべて説明できます。", "The difference to the invoice, {amount}, is explained."
    ),
    "report.unexplained": Text(
        "請求額との差のうち {amount} が説明できていません。",
        "{amount} of the difference to the invoice is unexplained.",
    ),
    "report.decided": Text("担当者の判断", "decided by a person"),
    "report.none": Text("（なし）", "(none)"),
    "report.any": Text("（その他すべて）", "(all others)"),
    "report.age": Text("{time}（{days} 日 {hours} 時間経過）", "{time} ({days} d {hours} h ago)"),
    "report.month.empty": Text(
        "この月のメッセージは台帳にありません（照合したものはありません）。",
        "The ledger has no message of this month: nothing was compared.",
    ),
    "report.month.future": Text("この月はまだ始まっていません。", "The month has not begun."),
    "report.month.running": Text(
        "この月はまだ終わっていません（金額は変わります）。", "The month is not over: what it comes to will change."
    ),
    "report.invented": Text("{name}（架空の単価：tariff.file を指定）", "{name} (invented prices: set tariff.file)"),
    "report.headline": Text("{total}（うちメッセージ料金 {messages}、税抜）", "{total} (messages: {messages} untaxed)"),
    "report.at_most": Text("最大 +{amount}（税抜、{messages}）", "up to {amount} more, untaxed ({messages})"),
    "report.open": Text("{name} {count} 件", "{name}: {count}"),
    "report.at_most_unpriced": Text(
        "{said}、単価のない {unpriced} 件を除く", "{said}, without {unpriced} that have no price"
    ),
    "report.verdict.unknown": Text(
        "受付不明：{messages} 件のうち {count} 件は、ゲートウェイが受け付けたかどうか誰にも分かりません"
        "（次のコマンド：{command}）。",
        "UNKNOWN: nobody knows whether the gateway took {count} of {messages} messages (next: {command}).",
    ),
    "report.verdict.unsent": Text(
        "未送信：受付 {accepted} 件のうち {count} 件は送信していません。",
        "NOT SENT: {count} of {accepted} accepted.",
    ),
    "report.verdict.refused": Text(
        "受付拒否：{messages} 件のうち {count} 件。", "REFUSED: {count} of {messages} messages."
    ),
    "report.verdict.opted_out": Text("配信停止による取消：{count} 件。", "Cancelled, opted out: {count}."),
    "report.verdict.restatements": Text(
        "締め後の変動：{count} 件（締めた時と変わっています）。", "RESTATED since the month was closed: {count}."
    ),
    "report.verdict.rejected": Text("却下：入力 {rows} 行のうち {count} 行。", "Rejected: {count} of {rows} rows."),
    "report.adds_up": Text("件数の検算は一致しています。", "The counts add up (balanced)."),
    "report.to_look_at": Text("確認が必要なもの：{what}", "To look at: {what}"),
    "report.finding.unknown": Text("受付不明", "unknown whether taken"),
    "report.finding.unsent": Text("未送信", "not sent"),
    "report.finding.rejected": Text("却下した行", "rejected rows"),
    "report.finding.refused": Text("受付拒否", "refused"),
    "report.finding.opted_out": Text("配信停止による取消", "cancelled, opted out"),
    "report.finding.equations": Text("合わない検算", "control totals that fail"),
    "report.finding.restatements": Text("締め後の変動", "restatements"),
    "report.still_open": Text("締め前", "not closed yet"),
    "report.by_hour": Text("1 時間ごと", "Per hour"),
    "report.by_day": Text("1 日ごと", "Per day"),
    "report.peak": Text("最大 {number} 件（{time} から）", "peak: {number} (from {time})"),
    "close.done": Text(
        "{month} を締めました（{number} 回目）。これより後に変わったことは、締め後の変動として報告されます。",
        "{month} is closed (closing {number}); whatever changes from now on is reported as a restatement.",
    ),
    "close.open": Text(
        "注意：{month} には結果の定まらないメッセージがあり、今後請求されることがあります：{at_most}。"
        "課金されれば、締め後の変動として報告されます。次のコマンド：{command}",
        "note: {month} has messages without an outcome that may still be billed: {at_most}. "
        "What is billed will be reported as a restatement. next: {command}",
    ),
    "close.unsent": Text(
        "注意：{month} に登録された {count} 件は送信していません。今後送信すれば、以後の月に課金されます。",
        "note: not sent of {month}: {count}. What is sent after all is billed in a later month.",
    ),
    "close.unchanged": Text(
        "{month} は前回の締め（{number} 回目）から変わっていません。",
        "{month} has not changed since closing {number}.",
    ),
    "report.heading.month": Text("対象月", "month"),
    "report.heading.batches": Text("バッチ数", "batches"),
    "report.heading.closed_at": Text("締め日時", "closed"),
    "report.heading.open_cost": Text("今後増えうる額", "may become more"),
    "report.heading.bill": Text("請求見込額（税込）", "expected invoice"),
    "report.heading.oldest_pending": Text("最も古い結果待ち", "oldest pending"),
    "report.heading.by_number": Text("電話番号だけで照合", "matched by number only"),
    "report.orphans.title": Text(
        "警告：台帳にない結果が {number} 件あります。", "ALARM: results that are not in the ledger: {number}."
    ),
    "report.orphans.why": Text(
        "当システムの接頭辞を持つ結果なのに、台帳に送信の記録がありません。原因は次の三つが考えられます。",
        "They carry our smsid prefix, but the ledger has not sent them. There are three possible causes:",
    ),
    "report.orphans.lost": Text(
        "台帳が失われたか、古い控えに戻された。mediasms ledger check を実行し、控えの日時を確かめてください。",
        "The ledger was lost or went back to an older backup. Run: mediasms ledger check; look at the backup's date.",
    ),
    "report.orphans.second": Text(
        "同じ接頭辞の台帳がもう一つある。他のサーバーや検証環境の ledger.url と台帳 ID を確かめてください。",
        "A second ledger has the same prefix. Compare ledger.url and the ledger's id on other hosts and test systems.",
    ),
    "report.orphans.others": Text(
        "ほかの誰かが当方のアカウントで送信した。送信者を確かめ、心当たりがなければパスワードを変更してください。",
        "Somebody else sends with our account. Find out who; if nobody knows, change the password.",
    ),
    "report.unmapped.why": Text(
        "意味をベンダーに確認し、次の行の ? を埋めてプロファイルに追加してください。",
        "Ask the vendor what they mean, fill in every ? and add these lines to the profile:",
    ),
    "report.unmapped.means": Text(
        "delivered, partial, failed, cancelled, pending, verdict",
        "one of delivered, partial, failed, cancelled, pending, verdict",
    ),
    "report.section.unmapped": Text("未知のステータスの登録", "Statuses to add to the profile"),
    "report.section.campaign": Text("キャンペーン別", "By campaign"),
    "report.section.cost_centre": Text("コストセンター別", "By cost centre"),
    "report.section.carrier": Text("キャリア別", "By carrier"),
    "report.section.day": Text("日別", "By day"),
    "report.section.kind": Text("送信種別", "By kind of message"),
    "report.section.deliveries": Text("送達の推移", "Deliveries over time"),
    "report.section.bill": Text("請求見込額", "Expected invoice"),
    "report.section.invoice": Text("請求書との照合", "Invoice against our count"),
    "report.section.variance": Text("差額の説明", "What explains the difference"),
    "report.section.restatements": Text("締め後の変動", "Restated since the month was closed"),
    "report.section.prices": Text("適用した料金表", "Tariff used"),
    "report.sheet.groups": Text("内訳", "Breakdown"),
    "report.sheet.deliveries": Text("推移", "Over time"),
    "report.sheet.bill": Text("請求", "Bill"),
    "report.sheet.basis": Text("根拠", "Basis"),
    "report.caption.group": Text("合計は全メッセージの件数と金額に一致します。", "The lines add up to all messages."),
    "report.caption.bill": Text(
        "端数処理は、消費税は税率ごとに一度、税抜合計は一度だけです（{rounding}）。",
        "Rounded ({rounding}): the tax once per rate, the untaxed sum once as a whole.",
    ),
    "report.caption.invoice": Text("請求書：{source}、数え方：{counts}。", "Invoice: {source}. It counts {counts}."),
    "report.caption.variance": Text(
        "差額からすべての説明を引いた残りが「説明できない額」です。",
        "What is left of the difference after every explanation is unexplained.",
    ),
    "report.caption.restatements": Text(
        "締めた時点の金額と現在の金額の差です。", "Amounts when the month was closed, and now."
    ),
    "report.caption.prices": Text(
        "メッセージ 1 件（その分割数）の税抜単価です。", "Untaxed price of a whole message with that many parts."
    ),
    "report.caption.deliveries": Text(
        "初めて送達した時刻（日本時間）です。", "By the time of the first delivery (JST)."
    ),
    "report.counts.messages": Text("件数", "messages"),
    "report.counts.units": Text("分割数", "units"),
    "report.rounding.down": Text("切り捨て", "down"),
    "report.rounding.half_up": Text("四捨五入", "half up"),
    "report.rounding.up": Text("切り上げ", "up"),
    "report.message_kind.normal": Text("国内", "domestic"),
    "report.message_kind.overseas": Text("海外", "overseas"),
    "report.message_kind.check": Text("他人判定", "other-person check"),
    "report.message_kind.check_then_send": Text("他人判定と送信", "other-person check and text"),
    "report.message_kind.fee": Text("固定料金", "fixed fee"),
    "report.message_kind.tax": Text("消費税", "tax"),
    "report.message_kind.rounding": Text("端数処理", "rounding"),
    "report.bill.messages": Text("メッセージ料金", "messages"),
    "report.bill.fee": Text("{name}（税率 {rate}）", "{name} (tax {rate})"),
    "report.bill.tax": Text("消費税 {rate}（対象 {untaxed} 円）", "consumption tax {rate} on {untaxed}"),
    "report.bill.rounding": Text("税抜合計の端数処理", "rounding of the untaxed sum"),
    "report.bill.total": Text("請求見込額（税込）", "expected invoice, with tax"),
    "report.variance.invoiced": Text("請求額", "invoiced"),
    "report.variance.counted": Text("当方の計算額", "our count"),
    "report.variance.difference": Text("差額", "difference"),
    "report.variance.explained": Text("{cause}（{messages} 件）", "{cause} (messages: {messages})"),
    "report.variance.unexplained": Text("説明できない額", "unexplained"),
    "report.cause.foreign": Text("当システム以外からの送信", "not ours: other senders"),
    "report.cause.restated": Text("締め後の変動", "restated"),
    "report.cause.fee": Text("固定料金", "fixed fees"),
    "report.cause.price": Text("単価の相違", "unit price"),
    "report.cause.arithmetic": Text("請求書の計算違い（数量×単価）", "invoice: not count × unit price"),
    "report.cause.rounding": Text("端数処理", "rounding"),
    "report.cause.tax": Text("消費税", "tax"),
    "report.cause.result": Text("結果の到着・変更", "results came or changed"),
    "report.cause.tariff": Text("料金表の変更", "the tariff changed"),
    "report.cause.profile": Text("プロファイルの変更", "the profile changed"),
    "report.cause.decision": Text("担当者の判断", "a person's decision"),
    "report.restated.messages": Text("メッセージ", "messages"),
    "report.restated.fee": Text("固定料金", "fixed fees"),
    "report.restated.tax": Text("消費税", "consumption tax"),
    "report.restated.foreign": Text("当システム以外の結果", "results not ours"),
    "report.fact.foreign": Text("当システム以外の件数", "not ours"),
    "report.column.campaign": Text("キャンペーン", "campaign"),
    "report.column.cost_centre": Text("コストセンター", "cost centre"),
    "report.column.day": Text("日付", "day"),
    "report.column.hour": Text("時刻（日本時間）", "hour (JST)"),
    "report.column.batch": Text("バッチ ID", "batch"),
    "report.column.message_kind": Text("送信種別", "kind"),
    "report.column.delivered": Text("送達", "delivered"),
    "report.column.failed": Text("失敗", "failed"),
    "report.column.sent_at": Text("送信日時（日本時間）", "sent (JST)"),
    "report.column.by_number": Text("番号照合", "by number"),
    "report.column.carrier_or_name": Text("キャリア・名称", "carrier or name"),
    "report.column.item": Text("項目", "item"),
    "report.column.line": Text("請求書の行", "invoice line"),
    "report.column.unit_price": Text("請求単価（円）", "unit price (JPY)"),
    "report.column.invoiced": Text("請求数", "invoiced"),
    "report.column.counted": Text("当方の数", "counted"),
    "report.column.invoiced_amount": Text("請求額（円）", "invoiced (JPY)"),
    "report.column.counted_amount": Text("当方の額（円）", "counted (JPY)"),
    "report.column.amount_difference": Text("差額（円）", "difference (JPY)"),
    "report.column.amount_taxed": Text("金額（円）", "amount (JPY)"),
    "report.column.cause": Text("原因", "cause"),
    "report.column.subject": Text("対象", "what"),
    "report.column.before": Text("締め時（円）", "when closed (JPY)"),
    "report.column.after": Text("現在（円）", "now (JPY)"),
    "report.column.examples": Text("例（smsid）", "for example (smsid)"),
    "report.column.from": Text("開始日", "from"),
    "report.column.until": Text("終了日（含まない）", "until (exclusive)"),
    "report.column.price": Text("単価（円・税抜）", "price (JPY, untaxed)"),
    "report.short.delivered": Text("送達", "delivered"),
    "report.short.failed": Text("失敗", "failed"),
    "report.short.line": Text("行", "line"),
    "report.short.item": Text("項目", "item"),
    "report.short.invoiced": Text("請求数", "invoiced"),
    "report.short.counted": Text("当方", "ours"),
    "report.short.invoiced_amount": Text("請求額", "JPY invoiced"),
    "report.short.counted_amount": Text("当方の額", "JPY ours"),
    "report.short.amount_difference": Text("差額", "JPY more"),
    "report.short.before": Text("締め時（円）", "JPY before"),
    "report.short.after": Text("現在（円）", "JPY now"),
    "report.short.difference": Text("差（円）", "JPY more"),
    "report.page.search_breaks": Text("差異を検索", "Search the differences"),
    "report.page.search_messages": Text("メッセージを検索", "Search the messages"),
    "report.page.found": Text("件を表示中", "shown"),
    "report.page.contents": Text("目次", "Contents"),
}

#: failure code → texts; placeholders are the failure's facts
RECONCILING_FAILURES: dict[str, Failure] = {
    "reconcile.what": Failure(
        Text(
            "照合するバッチか、--month で月を、どちらか一つ指定してください。",
            "name a batch, or a month with --month: one of the two.",
        ),
        Text(
            "例: `mediasms reconcile BATCH`、または `mediasms reconcile --month 2026-11`",
            "For example: `mediasms reconcile BATCH`, or `mediasms reconcile --month 2026-11`",
        ),
    ),
    "reconcile.invoice": Failure(
        Text("請求書は月と照合します。", "an invoice is compared with a month."),
        Text(
            "例: `mediasms reconcile --month 2026-11 --invoice FILE`",
            "For example: `mediasms reconcile --month 2026-11 --invoice FILE`",
        ),
    ),
    "close.not_over": Failure(
        Text("{month} はまだ終わっていません。", "{month} is not over yet."),
        Text(
            "月が終わってから締めてください。途中の状況は `mediasms reconcile --month {month}` で確認できます。",
            "Close it when it is over. What it comes to so far: `mediasms reconcile --month {month}`.",
        ),
    ),
    "close.nothing": Failure(
        Text(
            "{month} のものは台帳に何もありません（送信、結果、月額料金のどれも）。締めるものがないため、締めません。",
            "the ledger has nothing of {month}: no message, no result and no fee of a month that it has seen. "
            "There is nothing to close.",
        ),
        Text(
            "月（YYYY-MM）を確かめてください。結果がまだなら `mediasms pull` で取り寄せてから締めてください。",
            "Look at the month (YYYY-MM). Where its results are not fetched yet, run `mediasms pull` first.",
        ),
    ),
    "reconcile.month": Failure(
        Text("{month} は月ではありません。", "{month} is no month."),
        Text("YYYY-MM の形で指定してください (例: 2026-11)。", "Write it as YYYY-MM, for example 2026-11."),
    ),
}
