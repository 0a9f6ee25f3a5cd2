"""What is said when something comes between a message and the gateway, or nothing proves what became of it."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

#: failure code → texts; placeholders are the failure's facts
SENDING_FAILURES: dict[str, Failure] = {
    "gateway.unreachable": Failure(
        Text(
            "ゲートウェイ {url} に届きません（{problem}）。本文は1バイトも送っていません。",
            "cannot reach the gateway {url} ({problem}); not a byte of the upload was read.",
        ),
        Text(
            "接続先とネットワークを確かめ、同じコマンドをもう一度実行してください。二重には送られません。"
            "SSLError なら証明書を信頼できません（期限、ホスト名、社内の認証局なら gateway.ca_file）。"
            "直るまで何度試しても同じです。",
            "Check address and network, then run the same command again; nothing is sent twice. With SSLError its "
            "certificate is not trusted (expired, of another host; for an authority of your own set gateway.ca_file), "
            "and trying again does not help.",
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
            "リクエストの URL が {size} バイトあり、上限 {limit} バイトを超えます（414 になるため、送信前に中止）。",
            "the address of the request has {size} bytes, more than {limit}: not sent, as the answer would be 414.",
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
    "run.settled": Failure(
        Text(
            "バッチ {batch}：受け付けられたか分からない応答がありましたが、結果ですべて確かめました。"
            "残りの {waiting} 通はまだ送信していません。",
            "batch {batch}: an answer proved nothing; results have settled since what was taken. {waiting} messages "
            "have not been sent yet.",
        ),
        Text(
            "同じコマンドをもう一度実行してください。残りだけが送信され、二重には送られません。",
            "Run the same command again: only the rest is sent, nothing twice.",
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
            "バッチ {batch} の {messages} 通が受け付けられたか分かりません。{heard}勝手に再送はしません。",
            "batch {batch}: nothing proves whether {messages} messages were taken. {heard} They are not sent again.",
        ),
        Text(
            "`mediasms pull {batch}` で結果を取り寄せてください。結果に出ないものは管理画面などで確かめ、"
            "受け付けられていれば `mediasms resolve {dispatch} --as taken --because 理由`、"
            "いなければ `mediasms resolve {dispatch} --as refused --because 理由`",
            "Run `mediasms pull {batch}`. What no result names, look up and decide. It was taken: "
            "`mediasms resolve {dispatch} --as taken --because TEXT`. It was not: "
            "`mediasms resolve {dispatch} --as refused --because TEXT`",
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
}
