"""What is said when results cannot be fetched, or cannot be read."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

#: failure code → texts; placeholders are the failure's facts
RESULTS_FAILURES: dict[str, Failure] = {
    "results.unreachable": Failure(
        Text("{url} から結果を取得できません（{problem}）。", "cannot fetch results from {url} ({problem})."),
        Text(
            "接続先とネットワークを確かめ、あとで `mediasms pull` をもう一度実行してください。"
            "SSLError なら証明書を信頼できません（期限、ホスト名、社内の認証局なら gateway.ca_file）。",
            "Check address and network, and run `mediasms pull` again later. With SSLError its certificate is not "
            "trusted: expired, of another host, or of an authority of your own that gateway.ca_file has to name.",
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
    "pull.single_period": Failure(
        Text(
            "--single は期間（--since --until）と一緒には使えません。",
            "--single asks for messages, not for a period: it does not go with --since and --until.",
        ),
        Text("どちらかを外してください。", "Leave one of them out."),
    ),
}
