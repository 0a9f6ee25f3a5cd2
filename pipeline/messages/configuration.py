"""What is said about settings: the configuration, the profile, tables that they name, and the way to the gateway."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

#: failure code → texts; placeholders are the failure's facts
CONFIGURATION_FAILURES: dict[str, Failure] = {
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
    "profile.no_section": Failure(
        Text(
            "プロファイルに [{section}] がないため、この機能は使えません。ほかの機能には影響ありません。",
            "the profile has no section [{section}], without which this is not done; everything else works as before.",
        ),
        Text(
            "{file} の [{section}] をプロファイルの写しに加え、`mediasms profile check` で確かめてください。",
            "Copy [{section}] from {file} into your own profile, and look at it with `mediasms profile check`.",
        ),
    ),
    "profile.no_column": Failure(
        Text(
            "列「{key}」を送るための列がプロファイルのレイアウトにありません。",
            "the profile's layout has no column that could carry “{key}”",
        ),
        Text(
            "一通ずつ送る（--mode single）か、プロファイルの [[layout.column]] に列番号を追加するか（ベンダーに確認）、"
            "入力から列を除いてください。",
            "Send one by one (--mode single), or add its column number to [[layout.column]] of your profile (ask the "
            "vendor), or remove the column.",
        ),
    ),
    "send.encode": Failure(
        Text(
            "{row} 行目の列「{key}」に Shift_JIS で表せない文字があります。何も計画も送信もしていません。",
            "row {row} has a character in “{key}” that Shift_JIS does not have. Nothing was planned or sent.",
        ),
        Text(
            'その文字を直してリストを渡し直すか、send.encode = "utf8" にしてください。',
            'Correct it and hand in the list again, or set send.encode = "utf8".',
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
    "check.not_confirmed": Failure(
        Text(
            "他人判定（--check）に使う次の項目がプロファイルで確認されていないため使えません：{keys}",
            "the profile has not confirmed what an other-person check (--check) needs: {keys}.",
        ),
        Text(
            "ベンダーに確認のうえ、プロファイルの写しでこれらを confirmed = true にしてください。"
            '判定結果のステータスは [[status]] に means = "verdict" で加えます。',
            "Confirm them with the vendor and set confirmed = true for each in your own profile. The statuses that are "
            'verdicts are entered there as [[status]] with means = "verdict".',
        ),
    ),
    "usage.check_mode": Failure(
        Text(
            "他人判定（--check）は一通ずつの送信でだけ使えます。",
            "an other-person check (--check) goes out one by one, never in an upload.",
        ),
        Text("--mode csv を除いてください。", "Leave --mode csv out."),
    ),
    "usage.check_text": Failure(
        Text(
            "--check only は本文を送りません。",
            "--check only sends no text.",
        ),
        Text(
            "--text を除くか、判定のあとに送るなら --check then-send にしてください。",
            "Leave --text out, or say --check then-send if the text is to follow.",
        ),
    ),
    "usage.check_test": Failure(
        Text(
            "--check only は本文を送らないため、--test-to で試すものがありません。",
            "--check only sends no text, so there is nothing to try with --test-to.",
        ),
        Text("--test-to を除いてください。", "Leave --test-to out."),
    ),
    "single.not_confirmed": Failure(
        Text(
            "{row} 行目はパラメータ {key} を使いますが、プロファイルで確認されていないため使えません。",
            "row {row} uses the parameter {key}, which the profile has not confirmed.",
        ),
        Text(
            "その列を空にするか、ベンダーに確認のうえプロファイルの写しで single.parameter {key} を "
            "confirmed = true にしてください。",
            "Empty the column, or confirm it with the vendor and set confirmed = true for single.parameter {key} "
            "in your own profile.",
        ),
    ),
    "profile.not_confirmed": Failure(
        Text(
            "{row} 行目の列「{column}」に値があります。送るためのゲートウェイの {number} 列目（{key}）が"
            "プロファイルで確認されていないため、使えません。",
            "row {row} has a value in {column}; the gateway's column {number} ({key}) that would carry it is not "
            "confirmed by the profile.",
        ),
        Text(
            "その列を空にするか、ベンダーに確認のうえプロファイルの写しで layout.column {key} を "
            "confirmed = true にしてください。一通ずつの送信のパラメータだけを確認済みなら --mode single で送れます。",
            "Empty the column, or confirm it with the vendor and set confirmed = true for layout.column {key} "
            "in your own profile. Where only the parameter of single sends is confirmed, send with --mode single.",
        ),
    ),
    "tariff.not_toml": Failure(
        Text("料金表 {file} は TOML として読めません：{problem}", "tariff {file} is not TOML: {problem}"),
        Text("その行を直してください。", "Correct that line."),
    ),
    "tariff.invalid": Failure(
        Text("料金表 {file} に誤りがあります：\n{problems}", "tariff {file} is not usable:\n{problems}"),
        Text(
            "示した表とキーを直してください。docs/tariff.md に書き方があります。",
            "Correct the tables and keys named above; docs/tariff.md says how a tariff is written.",
        ),
    ),
    "tariff.no_rate": Failure(
        Text("料金表 {tariff} に {day} の税率がありません。", "tariff {tariff} has no tax rate for {day}."),
        Text("ログを添えて報告してください。", "Report this with the log."),
    ),
    "config.missing": Failure(
        Text("設定ファイル {file} がありません。", "there is no configuration {file}."),
        Text(
            "設定ファイルのあるフォルダで実行するか、--config で場所を指定してください。"
            "初めて使う場合だけ `mediasms init` で作ります。",
            "Go to the folder where it is, or name it with --config. Only for a first use: `mediasms init` makes one.",
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
        Text("{key} の {file} を読めません：{problem}", "cannot read {file} ({key}): {problem}"),
        Text(
            "{key} に書いた場所とファイルの権限を確かめてください。",
            "Check the place that {key} names, and the file's permissions.",
        ),
    ),
    "config.encoding": Failure(
        Text(
            "{key} の {file} は UTF-8 ではありません（先頭から {offset} バイト）。",
            "{file} ({key}) is not UTF-8 (byte {offset}).",
        ),
        Text("文字コード UTF-8 で保存し直してください。", "Save it again as UTF-8."),
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
    "gateway.credential_length": Failure(
        Text(
            "{key} は {found} 文字です。アカウントのものは {least}〜{most} 文字です（仕様書のパラメータ表）。"
            "接続していません。",
            "{key} has {found} characters; an account's has {least} to {most} (specification, table of parameters). "
            "Nothing was sent to the gateway.",
        ),
        Text(
            "前後の空白や改行が入っていないか確かめて直してください。誤ったままの接続は遮断の回数に数えられます。",
            "Correct it; look for blanks or a line break around it. Logins that fail count towards a block.",
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
    "gateway.certificate": Failure(
        Text("証明書を使えません：{problem}", "cannot use the certificate: {problem}"),
        Text(
            "--cert と --key に、PEM 形式の証明書とその秘密鍵を両方指定してください。",
            "Give both --cert and --key: a certificate chain and its private key, in PEM.",
        ),
    ),
    "gateway.port": Failure(
        Text("ポート {port} を使えません：{problem}", "cannot listen on port {port}: {problem}"),
        Text("--port で別の番号を指定してください。", "Choose another one with --port."),
    ),
}
