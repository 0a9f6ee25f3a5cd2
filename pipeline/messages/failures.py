"""What is said about a failure: what happened, and what to do next."""

from __future__ import annotations

from pipeline.messages.asking import ASKING_FAILURES
from pipeline.messages.configuration import CONFIGURATION_FAILURES
from pipeline.messages.guards import GUARD_FAILURES
from pipeline.messages.inputs import INPUT_FAILURES
from pipeline.messages.invoices import INVOICE_FAILURES
from pipeline.messages.notifying import NOTIFYING_FAILURES
from pipeline.messages.probing import PROBING_FAILURES
from pipeline.messages.storage import STORAGE_FAILURES
from pipeline.messages.text import Failure, Text
from pipeline.messages.texts import TEXT_FILE_FAILURES

#: failure code → texts; placeholders are the failure's facts
FAILURES: dict[str, Failure] = {
    **ASKING_FAILURES,
    **CONFIGURATION_FAILURES,
    **GUARD_FAILURES,
    **INPUT_FAILURES,
    **INVOICE_FAILURES,
    **NOTIFYING_FAILURES,
    **PROBING_FAILURES,
    **STORAGE_FAILURES,
    **TEXT_FILE_FAILURES,
    "totals.rows": Failure(
        Text(
            "件数が合いません：入力 {rows} ≠ 受付 {accepted} + 却下 {rejected} + 送信済み {already}",
            "control totals do not add up: "
            "input {rows} ≠ accepted {accepted} + rejected {rejected} + already {already}",
        ),
        Text(
            "何も送信していません。ログを添えて報告してください。",
            "Nothing was sent. Report this with the log.",
        ),
    ),
    "gateway.unreachable": Failure(
        Text(
            "ゲートウェイ {url} に届きません（{problem}）。本文は1バイトも送っていません。",
            "cannot reach the gateway {url} ({problem}); not a byte of the upload was read.",
        ),
        Text(
            "接続先とネットワークを確かめ、同じコマンドをもう一度実行してください。二重には送られません。",
            "Check address and network, then run the same command again; nothing is sent twice.",
        ),
    ),
    "gateway.refused": Failure(
        Text("ゲートウェイが拒否しました：{code} {meaning}", "the gateway refused: {code} {meaning}"),
        Text(
            "{step} 同じコマンドをもう一度実行しても、二重には送られません。",
            "{step} Running the same command again sends nothing twice.",
        ),
    ),
    "gateway.address_too_long": Failure(
        Text(
            "リクエストの URL が {size} バイトあり、上限 {limit} バイトを超えます（送信前に中止）。",
            "the address of the request has {size} bytes, more than {limit}: it was not sent.",
        ),
        Text(
            "gateway.base_url とプロファイルの endpoints を確かめてください。",
            "Look at gateway.base_url and at the endpoints of the profile.",
        ),
    ),
    "gateway.busy": Failure(
        Text(
            "ゲートウェイが {seconds} 秒のあいだ {code}（混雑）を返し続けました。受け付けられたものはありません。",
            "the gateway answered {code} (busy) for {seconds} seconds; nothing of these requests was taken.",
        ),
        Text(
            "同じコマンドをもう一度実行してください。二重には送られません。",
            "Run the same command again; nothing is sent twice.",
        ),
    ),
    "pace.crowded": Failure(
        Text(
            "{seconds} 秒待っても送信の順番が来ませんでした（同じ送信元の他の処理が動いています）。",
            "no turn to send came within {seconds} seconds: others send from the same address.",
        ),
        Text(
            "あとで同じコマンドをもう一度実行してください。二重には送られません。",
            "Run the same command again later; nothing is sent twice.",
        ),
    ),
    "single.parameter": Failure(
        Text(
            "{row} 行目の {name} が仕様の範囲外です（仕様書「{section}」のパラメータ表）。何も送信していません。",
            "row {row}: {name} is outside its limits (table of parameters of “{section}”). Nothing was sent.",
        ),
        Text(
            "その行を直すか除いて、もう一度実行してください。",
            "Correct or remove the row, and run it again.",
        ),
    ),
    "send.unclear_twice": Failure(
        Text(
            "バッチ {batch}：続けて二度、受け付けられたか分からない応答でした（どちらも個別の結果で確かめました）。"
            "送信を止めます。",
            "batch {batch}: twice in a row an answer proved nothing (both were settled by individual results); "
            "sending stops.",
        ),
        Text(
            "ゲートウェイとの通信経路を確かめ、同じコマンドをもう一度実行してください。二重には送られません。",
            "Look at what lies between here and the gateway, then run the same command again; nothing is sent twice.",
        ),
    ),
    "check.answered": Failure(
        Text(
            "バッチ {batch}：他人判定の依頼にゲートウェイは {code}（{meaning}）と答えました。"
            "これだけでは {messages} 通が受け付けられたか分かりません。勝手に再送はしません。",
            "batch {batch}: the gateway answered {code} ({meaning}) to an other-person check. That does not prove "
            "whether {messages} messages were taken. They are not sent again.",
        ),
        Text(
            "606 と 610 はベンダーに他人判定オプションの有効化を依頼し、608 は登録日を確かめてください。"
            "受け付けられていないと確かめたら `mediasms resolve {dispatch} --as refused --because 理由`、"
            "続けるには `mediasms send {batch}`",
            "For 606 and 610 have the vendor enable the check, for 608 look at the registration dates. Once you know "
            "that nothing was taken, `mediasms resolve {dispatch} --as refused --because TEXT`, then "
            "`mediasms send {batch}`",
        ),
    ),
    "send.unknown": Failure(
        Text(
            "バッチ {batch} の {messages} 通が受け付けられたか分かりません。勝手に再送はしません。",
            "batch {batch}: nothing proves whether {messages} messages were taken. They are not sent again.",
        ),
        Text(
            "`mediasms pull {batch}` で結果を取り寄せてください。結果に出ないものは確認のうえ "
            "`mediasms resolve {dispatch} --as taken|refused --because 理由`",
            "Run `mediasms pull {batch}`. What no result names, look up and decide: "
            "`mediasms resolve {dispatch} --as taken|refused --because TEXT`",
        ),
    ),
    "send.unrecorded": Failure(
        Text(
            "送信 {dispatch}（{messages} 通）の応答を台帳に記録できませんでした：{problem}",
            "the answer to dispatch {dispatch} ({messages} messages) could not be recorded: {problem}",
        ),
        Text(
            "原因を直してから、同じコマンドをもう一度実行してください。その {messages} 通は「不明」となり、"
            "再送されません。`mediasms pull` で確かめます。",
            "Mend the cause, then run the same command again: those {messages} messages become unknown and are not "
            "sent again. `mediasms pull` settles them.",
        ),
    ),
    "run.waiting_planned": Failure(
        Text(
            "「対象外」とした行の中に、まだ送信していない別のバッチ {batch} のもの（未送信 {count} 通）があります。",
            "some rows belong to batch {batch}, which has not been sent yet ({count} messages wait in it).",
        ),
        Text("`mediasms send {batch}` で送信してください。", "Send it with `mediasms send {batch}`."),
    ),
    "run.waiting_unknown": Failure(
        Text(
            "「対象外」とした行の中に、結果の分からない別のバッチ {batch} のもの（{count} 通）があります。",
            "some rows belong to batch {batch}, of which it is not known what was taken ({count} messages).",
        ),
        Text(
            "`mediasms pull {batch}` と `mediasms status {batch}` で確かめてください。",
            "Look with `mediasms pull {batch}` and `mediasms status {batch}`.",
        ),
    ),
    "run.unserved": Failure(
        Text(
            "{file} の {count} 行（行 {rows}）は別のバッチ {other} などで送信済みとして「対象外」にしましたが、その後、"
            "その送信は拒否または取消となりました。このままでは誰もその宛先に送りません。",
            "{count} rows of {file} ({rows}) count as served by batch {other} or another one, but what was to serve "
            "them was refused or cancelled since: nobody writes to these people.",
        ),
        Text(
            "その行だけを新しいファイルにして `--campaign {campaign}` を付けて実行してください。バッチ {batch} の "
            "already.csv に全行があります。{other} が拒否されただけなら `mediasms send {other}` でも送れます。",
            "Put these rows into a list of their own and run it with `--campaign {campaign}`; already.csv of batch "
            "{batch} has all of them. Where {other} was only refused, `mediasms send {other}` serves them too.",
        ),
    ),
    "out.is_input": Failure(
        Text(
            "{file} は入力ファイルです。--out の結果で上書きしません。",
            "{file} is the input; --out would overwrite it.",
        ),
        Text("別のフォルダーを指定してください。", "Name another folder."),
    ),
    "out.not_ours": Failure(
        Text(
            "{file} は validate が書いたままのファイルではありません。--out の結果で上書きしません。",
            "{file} is not as validate wrote it; --out would overwrite it.",
        ),
        Text(
            "そのファイルを移すか、別のフォルダーを指定してください。何も変更していません。",
            "Move that file away, or name another folder. Nothing was changed.",
        ),
    ),
    "out.is_batch": Failure(
        Text(
            "{folder} は作業フォルダの中のバッチのフォルダーです。そこのファイルは置き換えません。",
            "{folder} is a folder of the workspace's batches, whose files are never replaced.",
        ),
        Text("別のフォルダーを指定してください。", "Name another folder."),
    ),
    "results.unreachable": Failure(
        Text("{url} から結果を取得できません（{problem}）。", "cannot fetch results from {url} ({problem})."),
        Text(
            "接続先とネットワークを確かめ、あとで `mediasms pull` をもう一度実行してください。",
            "Check address and network, and run `mediasms pull` again later.",
        ),
    ),
    "results.unavailable": Failure(
        Text("結果を取得できません：{code} {meaning}", "cannot fetch the results: {code} {meaning}"),
        Text("あとで `mediasms pull` をもう一度実行してください。", "Run `mediasms pull` again later."),
    ),
    "results.encoding": Failure(
        Text(
            "結果 {file} の {line} 行目（{offset} バイト目）に読めないバイト {bytes} があります。",
            "results {file}, line {line}, byte {offset}: cannot decode {bytes}.",
        ),
        Text(
            "プロファイルの results.encoding を確かめてください。何も記録していません。",
            "Check results.encoding in the profile. Nothing was recorded.",
        ),
    ),
    "results.cut_off": Failure(
        Text(
            "結果 {file} は {line} 行目（{offset} バイト、末尾 {bytes}）で途切れています。",
            "results {file} are cut off in line {line} (byte {offset}, ending {bytes}).",
        ),
        Text(
            "もう一度 `mediasms pull` を実行してください。何も記録していません。",
            "Run `mediasms pull` again. Nothing was recorded.",
        ),
    ),
    "results.columns": Failure(
        Text(
            "結果 {file} の {line} 行目は {found} 列です（{expected} 列のはず）。",
            "results {file}, line {line}: {found} columns instead of {expected}.",
        ),
        Text(
            "アカウントの列の並びに合わせたプロファイルを使ってください。何も記録していません。",
            "Use a profile with your account's layout. Nothing was recorded.",
        ),
    ),
    "results.not_csv": Failure(
        Text(
            "結果 {file} の {line} 行目は CSV として読めません：{problem}",
            "results {file}, line {line}: not CSV: {problem}",
        ),
        Text(
            "もう一度 `mediasms pull` を実行してください。何も記録していません。",
            "Run `mediasms pull` again. Nothing was recorded.",
        ),
    ),
    "results.contract": Failure(
        Text(
            "結果 {file} の {line} 行目、列 {column} が想定の形ではありません。",
            "results {file}, line {line}: column {column} has not the expected form.",
        ),
        Text(
            "ファイルを確かめ、必要ならプロファイルの列を直してください。何も記録していません。",
            "Look at the file; correct the layout in the profile if need be. Nothing was recorded.",
        ),
    ),
    "batch.unknown": Failure(
        Text("バッチ {batch} はありません。", "there is no batch {batch}."),
        Text("`mediasms status` で一覧を確かめてください。", "`mediasms status` lists them."),
    ),
    "batch.frozen": Failure(
        Text("バッチ {batch} はすでに送信計画ができています。", "batch {batch} is planned already."),
        Text("`mediasms status {batch}` を見てください。", "See `mediasms status {batch}`."),
    ),
    "batch.outdated": Failure(
        Text(
            "バッチ {batch} の検証のあとに、同じ宛先が送信されました。",
            "since batch {batch} was validated, some of its recipients have been served.",
        ),
        Text(
            "`mediasms run` か `mediasms validate` で、もう一度検証してください。",
            "Validate it again with `mediasms run` or `mediasms validate`.",
        ),
    ),
    "campaign.repeats_differ": Failure(
        Text(
            "キャンペーン {campaign} は、同じ番号への再送信について別の設定で登録済みです。",
            "campaign {campaign} was registered with the other setting about repeats.",
        ),
        Text(
            "最初の入力と同じ設定にするか、別のキャンペーン名を付けてください。何も登録していません。",
            "Use the setting of its first input, or another campaign name. Nothing was registered.",
        ),
    ),
    "dispatch.unknown": Failure(
        Text("送信 {dispatch} はありません。", "there is no dispatch {dispatch}."),
        Text("`mediasms status` で確かめてください。", "See `mediasms status`."),
    ),
    "dispatch.changed": Failure(
        Text(
            "送信 {dispatch} の中身が計画のあとに変わりました。",
            "the messages of dispatch {dispatch} changed after it was planned.",
        ),
        Text(
            "`mediasms status` を見て、もう一度実行してください。",
            "See `mediasms status`, then run it again.",
        ),
    ),
    "dispatch.changed_in_flight": Failure(
        Text("送信中の {dispatch} が変わりました。", "dispatch {dispatch} changed while it was in flight."),
        Text("ログを添えて報告してください。", "Report this with the log."),
    ),
    "optout.unreadable": Failure(
        Text(
            "{total} 件のうち {count} 件は電話番号として読めません。何も変更していません。",
            "{count} of {total} cannot be read as a phone number. Nothing was changed.",
        ),
        Text(
            "示した箇所を直して、もう一度実行してください。",
            "Correct the places shown above, then run it again.",
        ),
    ),
    "lock.held": Failure(
        Text(
            "同じキャンペーンまたは月を別の処理が実行中です（{holder}）。",
            "another run holds this campaign or month ({holder}).",
        ),
        Text("終わってからもう一度実行してください。", "Run it again when that one is done."),
    ),
    "pull.period": Failure(
        Text(
            "--since と --until は両方指定してください。",
            "--since and --until go together.",
        ),
        Text("もう片方も指定してください。", "Give the other one too."),
    ),
    "pull.period_order": Failure(
        Text("--until が --since より後の時刻ではありません。", "--until is not later than --since."),
        Text(
            "早い時刻を --since に、遅い時刻を --until に指定してください。日付だけなら、その日の 0 時です。",
            "Give the earlier time as --since and the later one as --until; a date alone is its midnight.",
        ),
    ),
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
            "Look at the month (YYYY-MM). If its results are still to be fetched, run `mediasms pull` before closing it.",
        ),
    ),
    "reconcile.month": Failure(
        Text("{month} は月ではありません。", "{month} is no month."),
        Text("YYYY-MM の形で指定してください (例: 2026-11)。", "Write it as YYYY-MM, for example 2026-11."),
    ),
    "pull.single_period": Failure(
        Text(
            "--single は期間（--since --until）と一緒には使えません。",
            "--single asks for messages, not for a period: it does not go with --since and --until.",
        ),
        Text("どちらかを外してください。", "Leave one of them out."),
    ),
    "demo.no_sample": Failure(
        Text("{file} がありません。", "there is no {file}."),
        Text(
            "リポジトリの一番上のフォルダで実行してください。",
            "Run the demo from the top folder of the repository.",
        ),
    ),
    "contract.broken": Failure(
        Text("{contract} の契約に反しています：{checks}", "the contract of {contract} is broken: {checks}"),
        Text(
            "何も送信していません。ログを添えて報告してください。",
            "Nothing was sent. Report this with the log.",
        ),
    ),
    "totals.messages": Failure(
        Text(
            "件数が合いません：受付 {accepted} ≠ 通数 {messages}",
            "control totals do not add up: accepted {accepted} ≠ messages {messages}",
        ),
        Text("ログを添えて報告してください。", "Report this with the log."),
    ),
    "state.illegal": Failure(
        Text(
            "状態 {before} から {after} への変更は許されません。",
            "a message cannot go from {before} to {after}.",
        ),
        Text("ログを添えて報告してください。", "Report this with the log."),
    ),
}
