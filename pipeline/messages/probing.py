"""What is said about the installation and about messages to the operator's own phone."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

#: label code → text
PROBING_LABELS: dict[str, Text] = {
    "doctor.configuration": Text("不足している設定：{missing}", "missing settings: {missing}"),
    "doctor.ledger": Text("台帳の問題：{problems} 件", "ledger problems: {problems}"),
    "doctor.auth": Text("連続した認証エラー：{count} 回", "logins refused in a row: {count}"),
    "doctor.reset_auth": Text(
        "認証が {count} 回続けて断られています（{most} 回でゲートウェイに遮断されます）。"
        "ユーザー名とパスワードを直してから `mediasms doctor --reset-auth` を実行してください。",
        "{count} logins in a row were refused (at {most} the gateway blocks the address). Correct user name and "
        "password, then run `mediasms doctor --reset-auth`.",
    ),
    "probe.sent": Text(
        "{number} へ動作確認の一通を送信しました（バッチ {batch}）。", "sent one message to {number} (batch {batch})."
    ),
    "probe.refused": Text(
        "{number} への一通はゲートウェイが拒否しました（バッチ {batch}）。届きません。",
        "the gateway refused the message to {number} (batch {batch}): it took nothing, and nothing will come back.",
    ),
    "probe.continued": Text(
        "{number} への動作確認（バッチ {batch}）の続きです。新しくは送信していません。",
        "going on with the message to {number} (batch {batch}); nothing new was sent.",
    ),
    "probe.not_back": Text(
        "最終の結果はまだ届いていません。同じコマンドをもう一度実行すると、続きから待ちます（再送はしません）。",
        "its final result is not back yet. Run the same command again to go on waiting; it is not sent again.",
    ),
    "probe.back": Text("最終の結果が届きました。", "its final result is back."),
    "probe.column.key": Text("プロファイルの項目", "entry of the profile"),
    "probe.column.says": Text("プロファイル", "it says"),
    "probe.column.came": Text("実際", "what came"),
    "probe.column.verdict": Text("判定", "verdict"),
    "probe.verdict.confirmed": Text("確認", "confirmed"),
    "probe.verdict.not_seen": Text("見られず", "not seen"),
    "probe.verdict.contradicted": Text("矛盾", "contradicted"),
    "probe.word.csv": Text("この一通の行を含む CSV", "a CSV with its row"),
    "probe.word.empty": Text("受け付けて、空の本体で応答", "taken, and the answer was empty"),
    "probe.word.readable": Text("送った文字がそのまま読めた", "our characters could be read"),
    "probe.word.text": Text("送った本文", "our text"),
    "probe.word.filled": Text("タグが置き換わった", "the tag was replaced"),
    "probe.word.not_filled": Text("タグが置き換わっていない", "the tag was not replaced"),
    "probe.word.period": Text("期間内だけに出た", "its row came for its period only"),
    "probe.word.any_period": Text("送信前の期間にも出た", "its row came for an earlier period too"),
    "probe.word.notified": Text("通知で届いた", "a notification had it"),
    "probe.word.status": Text("状態が返った", "its status came"),
    "probe.elsewhere": Text("{column} 列目にあった", "found in column {column}"),
    "probe.set": Text(
        "次の行をプロファイルの写しの末尾に貼り付けると、確認済みになります（ファイルは変更していません）：",
        "pasted at the end of your copy of the profile, these lines confirm it (no file was changed):",
    ),
    "trial.sent": Text(
        "試し送り：最初の一通を {number} へ送信しました（費用 {low} 〜 {high} 円、税抜）。",
        "test message: the first text went to {number} (it costs {low} to {high} yen, untaxed).",
    ),
    "trial.before": Text(
        "試し送り：{number} へは送信済みです。もう一度送るには --again を付けてください。",
        "test message: {number} has had it already; --again sends it once more.",
    ),
    "ask.send_tried": Text(
        "試し送りは思いどおりに届きましたか？ 続けて {count} 通を送信しますか？",
        "Did the test message arrive as wanted? Send {count} messages?",
    ),
    "trial.cost": Text(
        "試し送りの一通を含む費用（税抜）：{low} 〜 {high} 円",
        "with the test message (untaxed): {low} to {high} yen",
    ),
}

#: failure code → texts; placeholders are the failure's facts
PROBING_FAILURES: dict[str, Failure] = {
    "usage.one_line": Failure(
        Text(
            "標準入力に {count} 行あります。一つだけ渡してください。",
            "standard input has {count} lines; one is expected.",
        ),
        Text("一行だけを標準入力に渡してください。", "Give one line on standard input."),
    ),
    "usage.stdin_twice": Failure(
        Text(
            "標準入力は、リストか --test-to の番号のどちらか一方にしか使えません。",
            "standard input can be the list or the number of --test-to, not both.",
        ),
        Text("どちらかを別の方法で指定してください。", "Give one of them another way."),
    ),
    "own_phone.unreadable": Failure(
        Text("自分の電話番号が読めません。", "your own number cannot be read as a phone number."),
        Text(
            "11 桁の携帯番号を指定するか、- で標準入力から渡してください。",
            "Give a mobile number of 11 digits, or - and the number on standard input.",
        ),
    ),
    "own_phone.rejected": Failure(
        Text(
            "自分の番号への一通は送れません：{codes}。何も送信していません。",
            "the message to your own number cannot go out: {codes}. Nothing was sent.",
        ),
        Text(
            "`mediasms codes` でコードの意味を確かめてください。"
            "配信停止リストに載っていれば `mediasms optout remove -` で外せます。",
            "`mediasms codes` says what a code means; a number that has opted out is taken off by "
            "`mediasms optout remove -`.",
        ),
    ),
    "probe.repeated": Failure(
        Text(
            "今日はすでに動作確認の一通を送っています。もう一通には料金がかかります。",
            "a message was sent as a probe today; another one costs money.",
        ),
        Text(
            "本当にもう一通送るなら --yes を付けてください。",
            "If another one is meant to go out, add --yes.",
        ),
    ),
    "trial.unknown": Failure(
        Text(
            "試し送りの一通が受け付けられたか分かりません。リストからは何も送信していません。",
            "nothing proves whether the test message was taken. Nothing of the list has left.",
        ),
        Text(
            "`mediasms pull {batch}` で結果を確かめ、同じコマンドをもう一度実行してください。電話に届いていれば "
            "`mediasms resolve {batch} --as taken --because 理由`",
            "Run `mediasms pull {batch}`, then the same command again. If it is on the phone: "
            "`mediasms resolve {batch} --as taken --because TEXT`",
        ),
    ),
    "trial.answered": Failure(
        Text(
            "試し送りの一通にゲートウェイは {code}（{meaning}）と答えました。これだけでは受け付けられたか分かりません。"
            "リストからは何も送信していません。",
            "the gateway answered {code} ({meaning}) to the test message. That does not prove whether it was taken. "
            "Nothing of the list has left.",
        ),
        Text(
            "{step}\nそのあと `mediasms pull {batch}` で結果を確かめ、同じコマンドをもう一度実行してください。"
            "電話に届いていれば `mediasms resolve {batch} --as taken --because 理由`",
            "{step}\nAfter that `mediasms pull {batch}`, then the same command again. If it is on the phone: "
            "`mediasms resolve {batch} --as taken --because TEXT`",
        ),
    ),
    "trial.refused": Failure(
        Text(
            "ゲートウェイが試し送りの一通を拒否しました：{code} {meaning}。リストからは何も送信していません。",
            "the gateway refused the test message: {code} {meaning}. Nothing of the list has left.",
        ),
        Text(
            "{step} 同じコマンドをもう一度実行すると、試し送りからやり直します。",
            "{step} Running the same command again begins with the test message.",
        ),
    ),
}
