"""Lines of the commands that only ask: what would be sent and cost, and what became of a message."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

#: label code → text
ASKING_LABELS: dict[str, Text] = {
    "forecast.title": Text("試算：何も送信していません。", "dry run: nothing was sent."),
    "forecast.messages": Text("送信する予定：{messages} 通", "would go out: {messages} messages"),
    "forecast.mode.csv": Text("送信方式：CSV アップロード", "how: as CSV uploads"),
    "forecast.mode.single": Text(
        "送信方式：1 通ずつ（少なくとも {seconds} 秒）", "how: one by one, which takes at least {seconds} s"
    ),
    "forecast.cost": Text("費用の見込み（税抜）：{cost}", "expected cost (untaxed): {cost}"),
    "forecast.range": Text("{low} 〜 {high} 円", "{low} to {high} yen"),
    "forecast.at_least": Text("{low} 円以上（上限は分かりません）", "{low} yen or more, nobody knows how much"),
    "forecast.unmeasured": Text(
        "（{messages} 通はテンプレートの本文が分からず、長さも費用も分かりません。上の見込みに含みません）",
        "(without {messages} messages by templates whose texts are not known: neither are their length and cost)",
    ),
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
    "trace.message": Text(
        "{smsid} → {number}　状態：{state}　区分：{found}", "{smsid} → {number}: {state}; class {found}"
    ),
    "trace.labelled": Text("{name}（{label}）", "{name} ({label})"),
    "trace.input": Text(
        "  入力　{file} の {row} 行目（キャンペーン {campaign}、バッチ {batch}、処理日 {run_date}）",
        "  input    {file}, row {row} (campaign {campaign}, batch {batch}, run date {run_date})",
    ),
    "trace.checked": Text(
        "  検証　{characters} 文字、{bytes} バイト", "  checked  {characters} characters, {bytes} bytes"
    ),
    "trace.cost_centre": Text("  コストセンター　{name}", "  cost centre {name}"),
    "trace.unmeasured": Text(
        "  検証　テンプレートの本文が分からず、長さは不明",
        "  checked  of unknown length: nobody here knew the template's text",
    ),
    "trace.template": Text("  テンプレート　{template}", "  template {template}"),
    "trace.text": Text("  本文　{text}", "  text     {text}"),
    "trace.repair": Text("  修正　{column}：{what}", "  repaired {column}: {what}"),
    "trace.repair_shown": Text(
        "  修正　{column}：{what}（{before} → {after}）", "  repaired {column}: {what} ({before} → {after})"
    ),
    "trace.unread": Text("  注意　{problem}", "  note     {problem}"),
    "trace.dispatch": Text(
        "  送信　{dispatch}：試行 {attempts} 回、開始 {begun}、終了 {ended}、回答 {answer}、csvid {csvid}",
        "  upload   {dispatch}: attempts {attempts}, begun {begun}, ended {ended}, answer {answer}, csvid {csvid}",
    ),
    "trace.answer": Text("{code}（{meaning}）", "{code} ({meaning})"),
    "trace.cancel": Text("  取消　{at} に {actor} が依頼：{answer}", "  cancel   asked {at} by {actor}: {answer}"),
    "trace.cancel.cancelled": Text("取り消された", "cancelled"),
    "trace.cancel.too_late": Text("間に合わなかった", "too late"),
    "trace.cancel.absent": Text("その smsid はない", "no such smsid there"),
    "trace.cancel.busy": Text("混雑", "busy"),
    "trace.cancel.refused": Text("拒否", "refused"),
    "trace.cancel.unclear": Text("読み取れない応答：取り消されたかどうか不明", "unclear: it may have been cancelled"),
    "trace.cancel.unsent": Text("依頼は出ていない", "the request never left"),
    "trace.cancel.nothing": Text("応答の記録なし：取り消されたかどうか不明", "no answer was recorded"),
    "trace.no_results": Text("  結果　まだありません", "  result   none yet"),
    "trace.seen": Text("  結果　{at}　{what}　{path}", "  result   {at}  {what}  {path}"),
    "trace.path.pulled": Text("取得", "pulled"),
    "trace.path.fetched": Text("照会", "fetched"),
    "trace.path.notified": Text("通知", "notified"),
    "trace.pulled": Text("{path} {at}（{file} の {line} 行目）", "{path} {at} ({file}, line {line})"),
    "trace.not_billed": Text("  料金　課金されません", "  price    not billed"),
    "trace.not_billed_yet": Text(
        "  料金　まだ課金されていません（結果待ち）", "  price    not billed so far: its result may yet say so"
    ),
    "trace.parts_reported": Text("{parts} 分割（ゲートウェイによる）", "{parts} part(s) as the gateway counted"),
    "trace.parts_computed": Text("{parts} 分割（計算による）", "{parts} part(s) as computed"),
    "trace.price": Text(
        "  料金　{amount}（税抜）：{carrier}、{parts}、料金表 {tariff}（{day}）",
        "  price    {amount} untaxed: {carrier}, {parts}, tariff {tariff} of {day}",
    ),
    "trace.unpriced": Text(
        "  料金　料金表 {tariff}（{day}）に単価がありません：{carrier}、{parts}",
        "  price    tariff {tariff} of {day} has none: {carrier}, {parts}",
    ),
    "trace.parts_unknown": Text("分割数不明", "nobody knows in how many parts"),
    "trace.parts": Text("{parts} 分割", "{parts} part(s)"),
    "trace.closed": Text("{month}（{at} に締め済み）", "{month} (closed {at})"),
    "trace.no_invoice": Text(
        "  請求　請求書の指定なし（--invoice）。{month} 分：{what}",
        "  invoice  none given (--invoice); month {month}: {what}",
    ),
    "trace.on_line": Text(
        "  請求　{file}（{month} 分）の {line} 行目：{item}、単価 {price}、請求 {invoiced} で {invoiced_amount}、"
        "集計 {counted} で {counted_amount}",
        "  invoice  {file} of month {month}, line {line}: {item}, unit price {price}, invoiced {invoiced} for "
        "{invoiced_amount}, counted {counted} for {counted_amount}",
    ),
    "trace.may_be_on_line": Text(
        "  請求　集計に含みません。含まれていれば {file}（{month} 分）の {line} 行目：{item}、単価 {price}、"
        "請求 {invoiced} で {invoiced_amount}、集計 {counted} で {counted_amount}",
        "  invoice  not counted by us; if invoiced, it is in {file} of month {month}, line {line}: {item}, unit price "
        "{price}, invoiced {invoiced} for {invoiced_amount}, counted {counted} for {counted_amount}",
    ),
    "trace.on_no_line": Text(
        "  請求　{file}（{month} 分）に該当する行はありません：{what}",
        "  invoice  on no line of {file} of month {month}: {what}",
    ),
    "trace.break": Text("  差異　{text}", "  break    {text}"),
    "trace.event": Text("  記録　{at}　{text}", "  event    {at}  {text}"),
    "trace.shown": Text(
        "全 {total} 通のうち、新しい {shown} 通を表示", "{shown} of {total} messages shown, newest first"
    ),
    "trace.none": Text("この番号に宛てたメッセージはありません。", "there is no message to this number."),
    "from_failed.nobody": Text(
        "キャンペーン {campaign} に、届かなかったと確かめられた宛先はありません。送信するものはありません。",
        "nobody is known not to have been reached by campaign {campaign}; nothing is left to send.",
    ),
    "forecast.opted_out": Text(
        "配信停止を希望した番号宛の {count} 通は送信しません。",
        "{count} messages to numbers that opted out would not go out.",
    ),
}

#: failure code → texts; placeholders are the failure's facts
ASKING_FAILURES: dict[str, Failure] = {
    "trace.unknown": Failure(
        Text(
            "指定は、この台帳にある smsid でも、読める電話番号でもありません。",
            "what is asked for is neither an smsid of this ledger nor a phone number that can be read.",
        ),
        Text(
            "smsid はレポートの明細か accepted.csv で確かめてください。"
            "電話番号は標準入力からも渡せます：`mediasms trace -`",
            "Look the smsid up in the report's messages or in accepted.csv. A number may also be given on standard "
            "input: `mediasms trace -`",
        ),
    ),
    "trace.similar": Failure(
        Text(
            "その smsid は台帳にありません。smsid は大文字と小文字を区別します。",
            "there is no such smsid; capitals and small letters are told apart.",
        ),
        Text("`mediasms trace {smsid}` ではありませんか。", "Did you mean `mediasms trace {smsid}`?"),
    ),
    "campaign.unknown": Failure(
        Text("キャンペーン {campaign} は台帳にありません。", "the ledger knows no campaign {campaign}."),
        Text("`mediasms status` で名前を確かめてください。", "`mediasms status` shows their names."),
    ),
    "usage.text_and_template": Failure(
        Text("--text と --template の両方があります。", "both --text and --template are given."),
        Text("どちらか一つにしてください。", "Keep one of them."),
    ),
    "usage.template": Failure(
        Text("--template は 0〜{limit} の数字にしてください。", "--template takes a number from 0 to {limit}."),
        Text("管理画面でテンプレート ID を確かめてください。", "See the gateway's console for its id."),
    ),
    "usage.template_unknown": Failure(
        Text(
            "テンプレート {template} の本文が設定の [templates] にないため、長さも費用も確かめられません。"
            "何も送信していません。",
            "[templates] of the configuration has no text for template {template}, so neither its length nor its cost "
            "can be checked. Nothing was sent.",
        ),
        Text(
            '管理画面の本文を mediasms.toml の [templates] に {template} = "…" と写すか、'
            "切れてもよければ --unchecked-templates を付けてください。",
            'Copy its text from the gateway\'s console: {template} = "…" under [templates] in mediasms.toml; or, if it '
            "may be cut, add --unchecked-templates.",
        ),
    ),
    "usage.from_failed": Failure(
        Text(
            "--from-failed は宛先と本文を台帳から取ります。"
            "入力ファイル、--text、--template、--sheet、--layout は指定できません。",
            "--from-failed takes numbers and texts from the ledger: inputs, --text, --template, --sheet and --layout "
            "do not go with it.",
        ),
        Text("それらを除いて実行してください。", "Leave them out."),
    ),
    "from_failed.no_registration_date": Failure(
        Text(
            "他人判定には番号ごとの登録日が要りますが、キャンペーン {campaign} は他人判定なしで送信されたため、"
            "台帳に登録日がありません。何も送信していません。",
            "an other-person check needs the registration date of each number, and the ledger has none of campaign "
            "{campaign}, which was sent without a check. Nothing was sent.",
        ),
        Text(
            "`mediasms run --from-failed {campaign} --campaign {new} --dry-run` で一覧を作り、そのバッチのフォルダーの "
            "input.csv を写して、番号を登録した日（20260401 など）の列を加え、"
            "`mediasms run 写した一覧 --campaign {new} {options}` としてください。使える列名：{names}",
            "Make the list with `mediasms run --from-failed {campaign} --campaign {new} --dry-run`; copy input.csv "
            "from the folder of its batch, add a column with the day on which each number was noted (20260401), "
            "and run `mediasms run COPY --campaign {new} {options}`. Name the column one of the following: {names}",
        ),
    ),
    "usage.from_failed_campaign": Failure(
        Text(
            "--from-failed には、{campaign} とは別の新しいキャンペーン名が要ります。",
            "--from-failed needs a campaign of its own, other than {campaign}.",
        ),
        Text(
            "`mediasms run --from-failed {campaign} --campaign 名前` としてください。",
            "Run `mediasms run --from-failed {campaign} --campaign NAME`.",
        ),
    ),
}
