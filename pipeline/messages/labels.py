"""Words of reports and lines of the command line."""

from __future__ import annotations

from pipeline.messages.answers import ANSWER_LABELS
from pipeline.messages.asking import ASKING_LABELS
from pipeline.messages.gateway import GATEWAY_LABELS
from pipeline.messages.notifying import NOTIFYING_LABELS
from pipeline.messages.operating import OPERATING_LABELS
from pipeline.messages.probing import PROBING_LABELS
from pipeline.messages.reconciling import RECONCILING_LABELS
from pipeline.messages.rejects import REJECT_LABELS
from pipeline.messages.text import Text

#: label code → text
LABELS: dict[str, Text] = {
    "class.delivered": Text("送達", "delivered"),
    "class.partial": Text("一部受信", "partial"),
    "class.failed": Text("失敗", "failed"),
    "class.cancelled": Text("取消", "cancelled"),
    "class.checked": Text("判定のみ", "checked, no text sent"),
    "class.refused": Text("受付拒否", "refused"),
    "class.pending": Text("結果待ち", "pending"),
    "class.missing": Text("結果なし（期限超過）", "missing"),
    "class.unmapped": Text("未知のステータス", "unmapped status"),
    "class.unknown": Text("受付不明", "unknown"),
    "class.planned": Text("未送信", "planned"),
    "state.planned": Text("未送信", "planned"),
    "state.in_flight": Text("送信処理中", "in flight"),
    "state.taken": Text("受付済", "taken"),
    "state.refused": Text("受付拒否", "refused"),
    "state.unknown": Text("受付不明", "unknown"),
    "state.cancelled": Text("取消", "cancelled"),
    "state.count": Text("{name} {count} 通", "{count} {name}"),
    "report.title": Text("MediaSMS 突合レポート", "MediaSMS reconciliation"),
    "report.balanced": Text(
        "一致：件数はすべて合い、差異はありません。",
        "Balanced: every count adds up and there are no differences.",
    ),
    "report.not_balanced": Text("不一致：確認が必要です（{what}）。", "NOT balanced: needs attention ({what})."),
    "report.not_explained": Text("不一致：確認が必要です。", "NOT balanced: needs attention."),
    "report.failing.breaks": Text("差異 {count} 件", "differences: {count}"),
    "report.failing.equations": Text("合わない検算 {count} 件", "control totals that fail: {count}"),
    "report.yen": Text("{amount} 円", "JPY {amount}"),
    "report.pair": Text("{name}：{text}", "{name}: {text}"),
    "report.separator": Text("、", ", "),
    "report.shown": Text("全 {total} 件のうち {shown} 件を表示", "{shown} of {total} shown"),
    "report.masked": Text("電話番号は中央を伏せ字にしています。", "Phone numbers are shown with their middle hidden."),
    "report.unmasked": Text(
        "電話番号をそのまま表示しています。個人情報として取り扱ってください。",
        "Phone numbers are shown in full. Handle this file as personal data.",
    ),
    "report.no_breaks": Text("差異はありません。", "There are no differences."),
    "report.no_messages": Text("メッセージはありません。", "There are no messages."),
    "report.total": Text("合計", "total"),
    "report.holds": Text("一致", "agrees"),
    "report.fails": Text("不一致", "differs"),
    "report.yes": Text("○", "yes"),
    "report.no": Text("－", "no"),
    "report.no_price": Text("単価なし", "no price"),
    "report.too_exact": Text(
        "表計算ソフトの有効桁数（15桁）を超える金額は、正確な値を文字列で記載しています。",
        "Amounts with more than the 15 digits a spreadsheet keeps are written as text, exactly.",
    ),
    "report.page_limit": Text("全件は Excel 版にあります。", "The workbook holds all of them."),
    "report.heading.campaign": Text("キャンペーン", "campaign"),
    "report.heading.batch": Text("バッチ ID", "batch"),
    "report.heading.run_date": Text("処理日", "run date"),
    "report.heading.source": Text("入力ファイル", "input"),
    "report.heading.as_of": Text("基準日時", "as of"),
    "report.heading.tariff": Text("料金表", "tariff"),
    "report.heading.repaired": Text("自動補正した値", "values repaired"),
    "report.heading.opted_out": Text("配信停止による取消", "cancelled, opted out"),
    "report.section.amount": Text("メッセージ料金", "Amount of the messages"),
    "report.section.figures": Text("件数と課金額", "Messages and amount"),
    "report.section.classes": Text("区分別の件数", "Messages by class"),
    "report.section.statuses": Text("ステータス別の内訳", "By status"),
    "report.section.equations": Text("検算", "Control totals"),
    "report.section.kinds": Text("差異の種類別の件数", "Differences by kind"),
    "report.section.breaks": Text("差異の一覧", "List of differences"),
    "report.section.messages": Text("メッセージ明細", "Messages"),
    "report.section.foreign": Text(
        "当システム以外からの送信（同一アカウント、参考）",
        "Not ours: other senders on this account (for reference)",
    ),
    "report.section.provenance": Text("算出の根拠", "Computed from"),
    "report.sheet.summary": Text("サマリー", "Summary"),
    "report.sheet.breaks": Text("差異", "Differences"),
    "report.sheet.messages": Text("明細", "Messages"),
    "report.amount.untaxed": Text("税抜金額", "untaxed"),
    "report.amount.tax": Text("消費税（端数処理前）", "consumption tax (before rounding)"),
    "report.amount.total": Text("税込金額（端数処理前）", "total with tax (before rounding)"),
    "report.column.class": Text("区分", "class"),
    "report.column.status": Text("ステータス", "gateway status"),
    "report.column.messages": Text("件数", "messages"),
    "report.column.share": Text("構成比", "share"),
    "report.column.billable_messages": Text("課金件数", "billable messages"),
    "report.column.billable_units": Text("課金分割数", "billable units"),
    "report.column.amount": Text("金額（円・税抜）", "amount (JPY, untaxed)"),
    "report.column.kind": Text("差異の種類", "kind"),
    "report.column.count": Text("件数", "count"),
    "report.column.meaning": Text("内容と確認事項", "what it means, what to check"),
    "report.column.smsid": Text("smsid", "smsid"),
    "report.column.row": Text("入力行", "input row"),
    "report.column.details": Text("詳細", "details"),
    "report.column.at_risk": Text("影響額（円・税抜）", "at risk (JPY, untaxed)"),
    "report.column.msisdn": Text("電話番号", "phone number"),
    "report.column.carrier": Text("キャリア", "carrier"),
    "report.column.time": Text("結果日時（日本時間）", "result time (JST)"),
    "report.column.parts": Text("分割数", "parts"),
    "report.column.billable": Text("課金対象", "billable"),
    "report.column.equation": Text("項目", "count"),
    "report.column.terms": Text("内訳", "made of"),
    "report.column.left": Text("左辺", "left side"),
    "report.column.right": Text("内訳の計", "right side"),
    "report.column.difference": Text("差", "difference"),
    "report.column.check": Text("判定", "check"),
    "report.column.unpriced": Text("単価なし", "unpriced"),
    "report.column.bar": Text("割合", "proportion"),
    "report.caption.classes": Text(
        "メッセージは必ずいずれか一つの区分に入ります。", "Every message is in exactly one class."
    ),
    "report.caption.statuses": Text(
        "課金件数はメッセージの数、課金分割数はその分割数の合計です。",
        "Billable messages count messages, billable units count their parts.",
    ),
    "report.caption.equations": Text(
        "左辺と内訳の計が等しいことを確かめています。",
        "Both sides must be equal: no row is lost between two stages.",
    ),
    "report.caption.kinds": Text("種類別の件数と確認事項です。", "How many of each kind, and what to check."),
    "report.caption.breaks": Text("差異の一覧です。", "Each difference."),
    "report.caption.foreign": Text(
        "この突合の件数・金額には含みません。", "Not part of the counts and amounts of this reconciliation."
    ),
    "report.caption.foreign_groups": Text("課金されるもののキャリア別内訳", "The billed ones, by carrier"),
    "report.caption.messages": Text("入力行の順です。", "In the order of the input."),
    "report.short.messages": Text("件数", "msgs"),
    "report.short.billable_messages": Text("課金件数", "billable"),
    "report.short.billable_units": Text("課金分割数", "units"),
    "report.short.at_risk": Text("影響額（円）", "JPY at risk"),
    "report.short.amount": Text("金額（円）", "JPY untaxed"),
    "report.equation.input": Text("入力件数", "input rows"),
    "report.equation.accepted": Text("受付件数", "accepted rows"),
    "report.equation.messages": Text("メッセージ数", "messages"),
    "report.equation.observations": Text("結果の行数", "result rows"),
    "report.term.accepted": Text("受付", "accepted"),
    "report.term.rejected": Text("却下", "rejected"),
    "report.term.already": Text("送信済みのため対象外", "already sent"),
    "report.term.messages": Text("メッセージ", "messages"),
    "report.term.not_planned": Text("未計画", "not planned yet"),
    "report.term.matched": Text("送信と対応", "matched"),
    "report.term.foreign": Text("当システム以外", "foreign"),
    "report.term.orphan": Text("台帳に記録なし", "orphan"),
    "report.kind.missing_result": Text("結果未着", "missing result"),
    "report.kind.orphan_result": Text("台帳にない結果", "orphan result"),
    "report.kind.phone_mismatch": Text("電話番号の相違", "phone mismatch"),
    "report.kind.duplicate_billable": Text("二重課金の疑い", "duplicate billable"),
    "report.kind.contradiction": Text("矛盾する結果", "contradiction"),
    "report.kind.unmapped_status": Text("未知のステータス", "unmapped status"),
    "report.kind.unpriced": Text("単価なし", "unpriced"),
    "report.kind.segment_mismatch": Text("分割数の相違", "segment mismatch"),
    "report.kind.amount_mismatch": Text("金額の相違", "amount mismatch"),
    "report.meaning.missing_result": Text(
        "受付後、期限を過ぎても結果が届いていません。ゲートウェイの管理画面で確認してください。",
        "Taken by the gateway, but no result came before the deadline. Check it in the gateway's console.",
    ),
    "report.meaning.orphan_result": Text(
        "当システムの smsid ですが、台帳に記録がありません。台帳の取り違えや別環境からの送信がないか確認してください。",
        "The smsid is ours, but the ledger does not know it. Look for a second or an older ledger.",
    ),
    "report.meaning.phone_mismatch": Text(
        "送信した電話番号と、結果に記載された電話番号が異なります。",
        "The result names another phone number than the one that was sent to.",
    ),
    "report.meaning.duplicate_billable": Text(
        "一つのメッセージに課金対象の結果が複数あります。請求が重複していないか確認してください。",
        "One message has several billable results. Check that the invoice bills it once.",
    ),
    "report.meaning.contradiction": Text(
        "結果どうし、または結果と当方の記録が食い違っています。",
        "Results contradict each other or our own records.",
    ),
    "report.meaning.unmapped_status": Text(
        "プロファイルに定義のないステータスです。意味を確認し、プロファイルに追加してください。",
        "The profile does not know this status. Find out what it means and add it to the profile.",
    ),
    "report.meaning.unpriced": Text(
        "料金表に該当するキャリアまたは分割数の単価がありません。料金表に追加してください。",
        "The tariff has no price for this carrier or number of parts. Add it to the tariff.",
    ),
    "report.meaning.segment_mismatch": Text(
        "当方で算出した分割数と、結果に記載された分割数が異なります。",
        "The result names another number of parts than we computed.",
    ),
    "report.meaning.amount_mismatch": Text(
        "当方で算出した金額と、請求額が異なります。", "The invoice names another amount than we computed."
    ),
    "report.fact.sent_msisdn": Text("送信した番号", "sent to"),
    "report.fact.reported_msisdn": Text("結果の番号", "reported"),
    "report.fact.msisdn": Text("電話番号", "phone number"),
    "report.fact.label": Text("ステータス", "status"),
    "report.fact.status": Text("ステータス", "status"),
    "report.fact.carrier": Text("キャリア", "carrier"),
    "report.fact.parts": Text("分割数", "parts"),
    "report.fact.expected": Text("当方の値", "expected"),
    "report.fact.reported": Text("結果の値", "reported"),
    "report.fact.billed": Text("請求の値", "billed"),
    "report.fact.state": Text("当方の記録", "our record"),
    "report.fact.since": Text("起点", "since"),
    "report.fact.results": Text("結果の行数", "result rows"),
    "report.provenance.version": Text("mediasms のバージョン", "mediasms version"),
    "report.provenance.profile": Text("プロファイル", "profile"),
    "report.provenance.profile_sha256": Text("プロファイルの SHA-256", "profile SHA-256"),
    "report.provenance.tariff_sha256": Text("料金表の SHA-256", "tariff SHA-256"),
    "report.provenance.results_sha256": Text("結果ファイルの SHA-256", "results SHA-256"),
    "report.provenance.input_sha256": Text("入力ファイルの SHA-256", "input SHA-256"),
    "report.provenance.ledger": Text("台帳 ID", "ledger"),
    "progress.rows": Text("{shown}  {speed} 行/秒  残り {left}", "{shown}  {speed} rows/s  {left} left"),
    "stage.validate": Text("検証", "validating"),
    "stage.send": Text("送信", "sending"),
    "stage.ask": Text("個別結果", "asking"),
    "stage.cancel": Text("取消依頼", "cancelling"),
    "stage.pull": Text("結果取得", "pulling"),
    "validate.continued": Text(
        "この入力は計画済みのバッチ {batch}（キャンペーン {campaign}、{run_date}）です。"
        "検証はやり直さず、その続きから行います。",
        "this input is batch {batch} (campaign {campaign}, {run_date}), which is planned already: "
        "it goes on from there, and its rows are not checked again.",
    ),
    "run.input": Text("■ {file}", "== {file}"),
    "validate.sheet": Text("シート「{sheet}」を読みました。", "read sheet {sheet}."),
    "validate.other_sheets": Text(
        "注意：ほかのシートにもデータがあります：{others}。読んだのは「{sheet}」だけです。"
        "別のシートを読むには --sheet で指定してください。",
        "note: the workbook also holds: {others}. Only {sheet} was read; to read another one, name it with --sheet.",
    ),
    "validate.sheet_rows": Text("{sheet}（{rows:,} 行）", "{sheet} ({rows:,} rows)"),
    "validate.totals": Text(
        "入力 {rows} 行 = 受付 {accepted} + 却下 {rejected} + 送信済みのため対象外 {already}",
        "input {rows} rows = accepted {accepted} + rejected {rejected} + already served {already}",
    ),
    "validate.code": Text("  {count:>7,}  {code}", "  {count:>7,}  {code}"),
    "validate.uncounted": Text("内訳をすべては数えられません：{problem}", "not everything can be counted: {problem}"),
    "validate.repairs": Text("自動補正 {repaired:,} 件：", "{repaired:,} repairs:"),
    "validate.repair": Text("  {count:>7,}  {rule}  {what}", "  {count:>7,}  {rule}  {what}"),
    "validate.warning": Text("注意：{text}", "note: {text}"),
    "validate.example": Text("  {row}行目 {column}：{reason}", "  row {row}, {column}: {reason}"),
    "validate.shown": Text(
        "  （却下 {total:,} 行のうち {shown:,} 行を表示）", "  ({shown:,} of {total:,} rejected rows shown)"
    ),
    "validate.rejected": Text("却下した行：{file}", "rejected rows: {file}"),
    "validate.workbook": Text(
        "直すための Excel ファイル：{file}", "rejected rows, to correct in a spreadsheet: {file}"
    ),
    "validate.correct": Text("  直したら：{command}", "  once they are corrected: {command}"),
    "validate.files": Text("そのほかのファイル：{folder}", "all files: {folder}"),
    "validate.next": Text("次のコマンド：{command}", "next: {command}"),
    "validate.nothing_next": Text(
        "バッチ {batch} について、これ以上行うことはありません。", "nothing is left to do for batch {batch}."
    ),
    "pull.done": Text(
        "結果 {rows} 行（新規 {new} 行、{files} ファイル）",
        "{rows} result rows ({new} new) in {files} file(s)",
    ),
    "pull.single": Text(
        "個別の結果：照会 {asked} 件、結果あり {named} 件（新規 {new} 件）、該当なし {absent} 件",
        "asked one by one for {asked} messages: {named} have a status ({new} new), {absent} are not known",
    ),
    "reconcile.file": Text("  {file}", "  {file}"),
    "reconcile.unserved": Text(
        "この照合に含まれない行があります：{problem}\n次の操作：{hint}",
        "not among what was reconciled: {problem}\nhint: {hint}",
    ),
    "optout.added": Text(
        "{given} 件を読み、うち {count} 件を配信停止リストに新しく加えました。",
        "{given} numbers read; {count} of them are new on the list of opt-outs.",
    ),
    "optout.removed": Text(
        "{given} 件を読み、うち {count} 件を配信停止リストから外しました。",
        "{given} numbers read; {count} of them taken off the list of opt-outs.",
    ),
    "optout.unreadable": Text("  {position} 件目：{reason}", "  number {position}: {reason}"),
    "optout.unreadable_row": Text("  {position} 行目：{reason}", "  row {position}: {reason}"),
    "optout.unreadable_shown": Text(
        "  （読めない {total} 件のうち {shown} 件を表示）", "  ({shown} of {total} unreadable numbers shown)"
    ),
    "optout.number": Text("{number}", "{number}"),
    "optout.count": Text("配信停止リスト：{count} 件", "{count} numbers have opted out"),
    "config.line": Text("{key} = {value}", "{key} = {value}"),
    "profile.line": Text("{key} = {value}  [{grade}]{mark}{note}", "{key} = {value}  [{grade}]{mark}{note}"),
    "profile.unconfirmed": Text("（未確認のため無効）", " (not confirmed: does nothing)"),
    "profile.good": Text(
        "{file} は使えます（ステータス {statuses} 件、応答コード {answers} 件）。",
        "{file} is good ({statuses} statuses, {answers} answer codes).",
    ),
    "profile.lacks": Text(
        "このプロファイルには {sections} がなく、その機能は使えません（同梱のプロファイルにはあります）。",
        "it lacks {sections}, which the shipped profile has: what these are about is not done.",
    ),
    "profile.sample": Text("この {columns} 列の CSV を送る例：", "an example of the {columns} columns it sends:"),
    "profile.column": Text("  {number} 列目  {value}", "  column {number}  {value}"),
    "ledger.good": Text("台帳に問題はありません。", "the ledger is sound."),
    "ledger.gap": Text(
        "バッチ {batch}：台帳にあるファイル {count} 件がないか、大きさが違います（{files}）。控えから戻してください。"
        "印（.begun）は `mediasms ledger check --recover` で書き直せます。印がないと、"
        "台帳が過去に戻っても気づけません。",
        "batch {batch}: {count} files that the ledger knows are gone or of another size ({files}). Restore them from a "
        "backup. Markers (.begun) are written again by `mediasms ledger check --recover`: without them nobody notices "
        "when the ledger goes back in time.",
    ),
    "ledger.cleared": Text(
        "バッチ {batch}：フォルダがありません（ファイル {count} 件）。処理済みなので何も送られませんが、"
        "レポートは作り直せません。"
        "これより古い控えに台帳を戻すと、送信済みであることを示すものがなくなります。",
        "batch {batch}: its folder is gone ({count} files). It is over, so nothing of it is sent; but its reports "
        "cannot be made again, and with a ledger from a backup older than it nothing would say that it went out.",
    ),
    "ledger.marked_again": Text("印 {count} 件を書き直しました。", "{count} markers were written again."),
    "ledger.adopted": Text(
        "台帳はここのものになりました。以前の場所（{host}）の台帳からは、もう何も送らないでください。",
        "the ledger lives here now. Nothing may be sent with the one of before ({host}) any more.",
    ),
    "ledger.adopted_gateway": Text(
        "これまで {before} から送っていた台帳で、これからは gateway.base_url の先へ送ります。",
        "the ledger has sent through {before} so far; from now on it sends through gateway.base_url.",
    ),
    "ledger.at_home": Text(
        "台帳が別の機械、サーバー、ゲートウェイのものだという記録はありません。何も変更していません。",
        "nothing says that the ledger belongs to another machine, server or gateway; nothing was changed.",
    ),
    "ledger.copied": Text(
        "台帳の {rows} 行を移しました。これからは ledger.url をその先にしてください。元の台帳からは送れません。",
        "{rows} rows were copied. Let ledger.url name the new place now: the old ledger sends nothing any more.",
    ),
    "ledger.recovered": Text(
        "印だけが残っていた {dispatches} 回の送信を記録しました。{messages} 通は「不明」です。次のコマンド：{command}",
        "entered {dispatches} upload(s) or single request(s) that only their markers knew:"
        " {messages} messages are unknown. next: {command}",
    ),
    "ledger.backed_up": Text("台帳の控え：{file}", "backup of the ledger: {file}"),
    "ledger.restored": Text("台帳を控え {file} に戻しました。", "the ledger is now the backup {file}."),
    "ledger.carried": Text(
        "控えより後に決められたことを引き継ぎました：配信停止 {optouts} 件、取り消されたバッチ {batches} 件、"
        "取り消すことになっている通 {messages} 通。",
        "what was decided since the backup was carried over: {optouts} opt-outs, {batches} cancelled batches, "
        "{messages} messages that are not wanted.",
    ),
    "ledger.carried_missing": Text(
        "引き継げなかった取消があります。控えにまだない通が 1 通ずつ取り消されていたバッチ：{batches}。"
        "そのリストを渡し直したら、送る前に `mediasms cancel SMSID...` でもう一度取り消してください。",
        "not carried over: messages that were cancelled one by one, of batches of which the backup has no messages "
        "yet: {batches}. When their lists are handed in again, cancel those once more before anything is sent: "
        "`mediasms cancel SMSID...`.",
    ),
    "ledger.not_carried": Text(
        "それまでの台帳を読めないため（なくなったか、壊れているか、バージョンが違います）、控えより後の配信停止と取消は"
        "失われました。送る前に、`mediasms optout add` と `mediasms cancel` でもう一度記録してください。",
        "opt-outs and cancellations since the backup are lost: the ledger that was there is gone, damaged or of "
        "another version. Enter them again with `mediasms optout add` and `mediasms cancel` before anything is sent.",
    ),
    "ledger.aside": Text("それまでの台帳：{file}", "the ledger that was there: {file}"),
    "ledger.version": Text("台帳のバージョン：{version}", "ledger version: {version}"),
    "init.config": Text("{file} を作りました。", "made {file}"),
    "init.done": Text("{workspace} の準備ができました。", "{workspace} is ready."),
    "demo.gateway": Text("組み込みゲートウェイを {url} で起動しました。", "embedded gateway at {url}"),
    **ANSWER_LABELS,
    **ASKING_LABELS,
    **NOTIFYING_LABELS,
    **GATEWAY_LABELS,
    **OPERATING_LABELS,
    **PROBING_LABELS,
    **RECONCILING_LABELS,
    **REJECT_LABELS,
}
