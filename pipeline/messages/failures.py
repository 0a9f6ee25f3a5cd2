"""What is said about a failure: what happened, and what to do next."""

from __future__ import annotations

from pipeline.messages.inputs import INPUT_FAILURES
from pipeline.messages.text import Failure, Text

#: failure code → texts; placeholders are the failure's facts
FAILURES: dict[str, Failure] = {
    **INPUT_FAILURES,
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
            "control totals do not add up: "
            "input {rows} ≠ accepted {accepted} + rejected {rejected} + already {already}",
        ),
        Text(
            "何も送信していません。ログを添えて報告してください。",
            "Nothing was sent. Report this with the log.",
        ),
    ),
    "profile.no_column": Failure(
        Text(
            "列「{key}」を送るための列がプロファイルのレイアウトにありません。",
            "the profile's layout has no column that could carry “{key}”",
        ),
        Text(
            "プロファイルの [[layout.column]] に列番号を追加するか（ベンダーに確認）、入力から列を除いてください。",
            "Add its column number to [[layout.column]] of your profile (ask the vendor), or remove the column.",
        ),
    ),
    "layout.unknown": Failure(
        Text(
            "レイアウト {name} はありません（使えるもの：{names}）。", "there is no layout {name} (there are: {names})"
        ),
        Text(
            'mediasms.toml に [layouts.{name}] と columns = ["電話番号", "本文"] のように書いてください。',
            'Add [layouts.{name}] with columns = ["phone", "text"] to mediasms.toml.',
        ),
    ),
    "replacements.invalid": Failure(
        Text("置換表 {file} に誤りがあります：\n{problems}", "table of replacements {file} is not usable:\n{problems}"),
        Text(
            "schemas/replacement_tables/standard.toml と同じ形で、送信できない文字だけを書いてください。",
            "Write it like schemas/replacement_tables/standard.toml, with characters that cannot be sent only.",
        ),
    ),
    "usage.max_rejects": Failure(
        Text("却下の上限「{value}」が読めません。", "cannot read the limit of rejects “{value}”"),
        Text("件数（20）か割合（5%）を指定してください。", "Give a count (20) or a share (5%)."),
    ),
    "profile.not_confirmed": Failure(
        Text(
            "{row} 行目の {number} 列目（{key}）に値がありますが、プロファイルで確認されていないため使えません。",
            "row {row} uses column {number} ({key}), which the profile has not confirmed.",
        ),
        Text(
            "その列を空にするか、ベンダーに確認のうえプロファイルの写しで layout.column {key} を "
            "confirmed = true にしてください。",
            "Empty the column, or confirm it with the vendor and set confirmed = true for layout.column {key} "
            "in your own profile.",
        ),
    ),
    "tariff.not_toml": Failure(
        Text("料金表 {file} は TOML として読めません：{problem}", "tariff {file} is not TOML: {problem}"),
        Text("その行を直してください。", "Correct that line."),
    ),
    "tariff.invalid": Failure(
        Text("料金表 {file} に誤りがあります：\n{problems}", "tariff {file} is not usable:\n{problems}"),
        Text("キーを直してください。", "Correct the keys."),
    ),
    "config.missing": Failure(
        Text("設定ファイル {file} がありません。", "there is no configuration {file}."),
        Text(
            "`mediasms init` を実行するか、--config で場所を指定してください。",
            "Run `mediasms init`, or name it with --config.",
        ),
    ),
    "config.not_toml": Failure(
        Text(
            "設定ファイル {file} は TOML として読めません：{problem}",
            "configuration {file} is not TOML: {problem}",
        ),
        Text("その行を直してください。", "Correct that line."),
    ),
    "config.invalid": Failure(
        Text("設定 {file} に誤りがあります：\n{problems}", "configuration {file} is not usable:\n{problems}"),
        Text(
            "キーを直し、`mediasms config show` で確かめてください。環境変数 MEDIASMS_… も見てください。",
            "Correct the keys (environment variables MEDIASMS_… count too), then run `mediasms config show`.",
        ),
    ),
    "config.unreadable": Failure(
        Text("{file} を読めません：{problem}", "cannot read {file}: {problem}"),
        Text(
            "場所と権限、文字コード（UTF-8）を確かめてください。",
            "Check place, permissions and encoding (UTF-8).",
        ),
    ),
    "config.secret_file": Failure(
        Text(
            "パスワードのファイル {file} を読めません：{problem}",
            "cannot read the password file {file}: {problem}",
        ),
        Text("gateway.password_file を確かめてください。", "Check gateway.password_file."),
    ),
    "gateway.incomplete": Failure(
        Text("接続に必要な設定がありません：{keys}", "settings for the gateway are missing: {keys}"),
        Text(
            "mediasms.toml か環境変数（MEDIASMS_GATEWAY_…）で指定してください。",
            "Set them in mediasms.toml or in the environment (MEDIASMS_GATEWAY_…).",
        ),
    ),
    "gateway.base_url": Failure(
        Text("gateway.base_url が URL ではありません：{url}", "gateway.base_url is not a URL: {url}"),
        Text("https:// で始まる URL を指定してください。", "Give a URL that starts with https://."),
    ),
    "gateway.not_https": Failure(
        Text("{host} への接続は HTTPS でなければなりません。", "the connection to {host} must be HTTPS."),
        Text(
            "gateway.base_url を https:// にしてください。http:// はこの機械の中だけで使えます。",
            "Use https:// in gateway.base_url; http:// is for loopback only.",
        ),
    ),
    "gateway.credentials_in_url": Failure(
        Text(
            "gateway.base_url にユーザー名やパスワードを書くことはできません。",
            "gateway.base_url must not hold a user name or password.",
        ),
        Text(
            "gateway.username と gateway.password_file を使ってください。",
            "Use gateway.username and gateway.password_file.",
        ),
    ),
    "gateway.port": Failure(
        Text("ポート {port} を使えません：{problem}", "cannot listen on port {port}: {problem}"),
        Text("--port で別の番号を指定してください。", "Choose another one with --port."),
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
            "原因を直してから、同じコマンドをもう一度実行してください。"
            "401 ならユーザー名とパスワードを確かめてください。",
            "Mend the cause, then run the same command again. For 401 check user name and password.",
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
    "guard.same_content": Failure(
        Text(
            "同じ内容がキャンペーン {campaign} で送信済みです。",
            "the same content was sent in campaign {campaign}.",
        ),
        Text(
            "本当にもう一度送るなら --again を付けてください。",
            "If it really is to go out again, add --again.",
        ),
    ),
    "guard.repeated_text": Failure(
        Text(
            "{count} 通は、同じ番号・同じ本文で {days} 日以内に別のキャンペーンで送信済みです。",
            "{count} messages went out with the same number and text in another campaign within {days} days.",
        ),
        Text(
            "本当にもう一度送るなら --again を付けてください。",
            "If they really are to go out again, add --again.",
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
    "out.is_input": Failure(
        Text(
            "{file} は入力ファイルです。--out の結果で上書きしません。",
            "{file} is the input; --out would overwrite it.",
        ),
        Text("別のフォルダーを指定してください。", "Name another folder."),
    ),
    "guard.not_confirmed": Failure(
        Text("送信しませんでした（バッチ {batch}）。", "nothing was sent (batch {batch})."),
        Text("`mediasms send {batch}` でいつでも送れます。", "`mediasms send {batch}` sends it any time."),
    ),
    "guard.auth_failures": Failure(
        Text(
            "認証エラーが {count} 回続いたため、これ以上試しません（10回でゲートウェイに遮断されます）。",
            "{count} logins in a row were refused; no more are tried (at 10 the gateway blocks the address).",
        ),
        Text(
            "ユーザー名とパスワードを直してから `mediasms doctor --reset-auth` を実行してください。",
            "Correct user name and password, then run `mediasms doctor --reset-auth`.",
        ),
    ),
    "results.unreachable": Failure(
        Text("結果を取得できません（{problem}）。", "cannot fetch the results ({problem})."),
        Text("あとで `mediasms pull` をもう一度実行してください。", "Run `mediasms pull` again later."),
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
            "もう一度検証してください（mediasms run または validate）。",
            "Validate it again (mediasms run, or validate).",
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
    "resolve.nothing": Failure(
        Text(
            "送信 {dispatch} に未確定の通数はありません。",
            "dispatch {dispatch} has no message that is still unknown.",
        ),
        Text("`mediasms status` を見てください。", "See `mediasms status`."),
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
    "workspace.missing": Failure(
        Text("作業フォルダ {folder} がありません。", "there is no workspace {folder}."),
        Text("`mediasms init` を実行してください。", "Run `mediasms init`."),
    ),
    "ledger.missing": Failure(
        Text("台帳 {file} がありません。", "the ledger {file} is missing."),
        Text(
            "失われたなら控えから戻してください。新しく作ると送信済みの記録が失われます。",
            "If it is lost, restore a backup: a new one would not know what was sent.",
        ),
    ),
    "ledger.not_a_ledger": Failure(
        Text("{file} は台帳ではありません。", "{file} is not a ledger."),
        Text("ledger.url を確かめてください。", "Check ledger.url."),
    ),
    "ledger.damaged": Failure(
        Text("台帳が壊れています：{problem}", "the ledger is damaged: {problem}"),
        Text("何も送らず、控えから戻してください。", "Send nothing; restore a backup."),
    ),
    "ledger.newer": Failure(
        Text(
            "台帳のバージョン {version} は新しすぎます（このプログラムは {known} まで）。",
            "the ledger has version {version}; this program knows {known}.",
        ),
        Text("mediasms を新しくしてください。", "Upgrade mediasms."),
    ),
    "ledger.older": Failure(
        Text(
            "台帳のバージョン {version} は古いものです（このプログラムは {known}）。",
            "the ledger has version {version}; this program works with {known}.",
        ),
        Text(
            "控えを取ってから `mediasms ledger migrate` を実行してください。",
            "Make a backup, then run `mediasms ledger migrate`.",
        ),
    ),
    "ledger.foreign": Failure(
        Text(
            "作業フォルダ {folder} は別の台帳のものです。",
            "the workspace {folder} belongs to another ledger.",
        ),
        Text(
            "workspace.path と ledger.url の組み合わせを確かめてください。",
            "Check that workspace.path and ledger.url belong together.",
        ),
    ),
    "ledger.went_back": Failure(
        Text(
            "送信 {dispatch} の記録が台帳にありません。台帳が過去に戻っています。",
            "the ledger does not know that dispatch {dispatch} was begun: it went back in time.",
        ),
        Text("何も送らず、最新の台帳を戻してください。", "Send nothing; bring back the latest ledger."),
    ),
    "ledger.busy": Failure(
        Text("台帳を使えません：{problem}", "the ledger cannot be used now: {problem}"),
        Text("ほかの処理が終わってからもう一度実行してください。", "Run it again when other work is done."),
    ),
    "ledger.url": Failure(
        Text("台帳の種類 {scheme} は使えません。", "a ledger of kind {scheme} is not supported."),
        Text("ledger.url を sqlite:///… にしてください。", "Use sqlite:///… in ledger.url."),
    ),
    "lock.held": Failure(
        Text(
            "同じキャンペーンを別の処理が実行中です（{holder}）。",
            "another run holds this campaign ({holder}).",
        ),
        Text("終わってからもう一度実行してください。", "Run it again when that one is done."),
    ),
    "files.not_writable": Failure(
        Text("{folder} に書き込めません：{problem}", "cannot write to {folder}: {problem}"),
        Text(
            "空き容量と権限を確かめてください。何も失われていません。",
            "Check free space and permissions. Nothing is lost.",
        ),
    ),
    "artefact.missing": Failure(
        Text("ファイル {file} がなくなっています。", "the file {file} is gone."),
        Text("控えから戻してください。作り直しはしません。", "Restore it from a backup; it is never made anew."),
    ),
    "artefact.changed": Failure(
        Text("ファイル {file} が書き換えられています。", "the file {file} was changed after it was written."),
        Text("控えから戻してください。", "Restore it from a backup."),
    ),
    "pull.period": Failure(
        Text(
            "--since と --until は、早い時刻から遅い時刻へ、両方指定してください。",
            "--since and --until go together, the earlier one first.",
        ),
        Text("もう片方も指定してください。", "Give the other one too."),
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
