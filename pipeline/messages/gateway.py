"""Words of the embedded gateway: what it prints when it listens, and its page."""

from __future__ import annotations

from pipeline.messages.text import Text

_KNOBS: dict[str, Text] = {
    "answer_csvid": Text("CSV 送信の応答に csvid の行を入れる", "the line with the csvid in answers to CSV sends"),
    "answer_counts": Text(
        "CSV 送信の応答に 合計|失敗|成功 の行を入れる", "the line total|failed|ok in answers to CSV sends"
    ),
    "answer_date": Text(
        "HTTP ヘッダー Date（ゲートウェイの時計）を付ける", "the HTTP header Date, by the gateway's clock"
    ),
    "answer_empty": Text("受け付けた送信に空の本体で答える", "sends that are taken are answered with an empty body"),
    "code_as_http_status": Text(
        "600 未満のコードを HTTP ステータスとしても返す", "codes below 600 are the HTTP status too"
    ),
    "enforce_rate": Text("毎秒の上限を超えたら 503 を返す", "503 above the limit of requests per second"),
    "throttle": Text("送信の本体を毎秒このバイト数で読む", "reads bodies of sends at this many bytes per second"),
    "dedupe_smsid": Text("登録済みの smsid は 587 で断る", "a known smsid is refused with 587"),
    "duplicate_check": Text(
        "1 分以内の同じ番号・本文は失敗（30）", "same number and text within a minute: fails with 30"
    ),
    "refuse_too_long": Text("長すぎる本文を切らずに 585 で断る", "too long texts are refused (585) instead of cut"),
    "refuse_platform_characters": Text("環境依存文字は 585 で断る", "platform-dependent characters are refused (585)"),
    "ng_words": Text("NG ワード（1 行に 1 語）：失敗（36）", "forbidden words, one a line: fails with 36"),
    "ng_words_refuse": Text("NG ワードは受け付けず 585 で断る", "forbidden words are refused with 585 instead"),
    "opted_out": Text(
        "配信停止を希望した番号（1 行に 1 件）：失敗（37）", "numbers that opted out, one a line: fails with 37"
    ),
    "allowed_hours": Text(
        "送信を許す時間帯（例 09:00-18:00）。外なら失敗（27）", "allowed hours, e.g. 09:00-18:00; else fails with 27"
    ),
    "send_limit": Text("受け付ける通数の上限。超えると 402", "messages taken in all; beyond it 402"),
    "limit_as_status": Text(
        "上限を超えた分を受け付けて失敗（35）にする", "beyond the limit: taken, then fails with 35"
    ),
    "check_option": Text("他人判定オプション（なければ 606）", "the other-person check option (without it 606)"),
    "check_disabled": Text("他人判定（HLR）を無効にする（610）", "the other-person check is disabled (610)"),
    "hold_seconds": Text(
        "送信までの待ち秒数。その間は取り消せる", "seconds that messages wait; until then they can be cancelled"
    ),
    "cancel_ignored": Text("取消に 200 と答えて、そのまま送る", "cancelling answers 200, and it is sent all the same"),
    "numeric_status": Text("ステータスを数値で返す", "statuses as numbers"),
    "spaced_labels": Text("ステータスの途中に空白を入れる", "statuses with a space inside"),
    "results_delay": Text("結果を見せるのがこの秒数だけ遅れる", "results are shown this many seconds late"),
    "results_cap": Text("結果 CSV を黙ってこの行数で切る", "the results CSV is silently cut after this many rows"),
    "duplicate_results": Text("結果の行を 2 回ずつ返す", "every result row comes twice"),
    "foreign": Text("他システムから送られた通数", "messages of another system"),
    "fate": Text(
        "これから受け付ける分の結末：at_once retried failed slow partial blocked opted_out",
        "how messages fare from now on: at_once retried failed slow partial blocked opted_out",
    ),
    "single_result_of_csv": Text(
        "CSV で送った分も個別の結果で答える", "the individual result knows messages of CSV sends"
    ),
    "notify_url": Text("結果通知の送り先", "where result notifications go"),
    "notify_method": Text("POST または GET", "POST or GET"),
    "notify_format": Text("form または json", "form or json"),
    "notify_keep_parameters": Text("送信時のパラメータをすべて返す", "all parameters of the request come back"),
    "notify_attempts": Text("200 が返るまでに試す回数", "attempts until it is answered with 200"),
    "notify_interval": Text("次に試すまでの秒数", "seconds until the next attempt"),
    "notify_twice": Text("受け取られた通知をもう一度送る", "each notification is sent again after it was accepted"),
    "html_200": Text("すべて受け付けて HTML を返す（HTTP 200）", "takes everything, answers HTML with HTTP 200"),
    "html_200_nothing": Text("何も受け付けず HTML を返す（HTTP 200）", "takes nothing, answers HTML with HTTP 200"),
    "refuse_code": Text("このコードで断る", "refuses with this code"),
    "reset_after_bytes": Text(
        "本体をこのバイト数まで読み、何も受け付けずに切断（RST）", "reads this many bytes, takes nothing, resets"
    ),
    "accept_then_reset": Text("すべて受け付けて切断（RST）", "takes everything, resets the connection"),
    "swallow": Text("すべて受け付けて何も答えない", "takes everything, never answers"),
    "slow_answer": Text(
        "すべて受け付けて、この秒数だけ待って答える", "takes everything, answers after this many seconds"
    ),
    "http_502_after_taking": Text("すべて受け付けて HTTP 502", "takes everything, answers HTTP 502"),
    "http_503_before_reading": Text("何も受け付けず HTTP 503", "takes nothing, answers HTTP 503"),
    "partial_counts": Text(
        "すべて受け付けるが、応答の通数が 1 少ない", "takes everything, the counts of the answer miss one"
    ),
    "redirect_to": Text("何も受け付けず HTTP 307 でここへ", "takes nothing, answers HTTP 307 to this address"),
    "faults": Text("障害を起こす残りの送信回数", "sends that still meet the fault"),
}

#: label code → text
GATEWAY_LABELS: dict[str, Text] = {
    "gateway.ready": Text("{url} で待機中（ユーザー名 {username}）", "listening on {url} (user name {username})"),
    "gateway.password": Text("パスワード {password}", "password {password}"),
    "gateway.page": Text(
        "受け取ったメッセージと設定：{url}/ （Ctrl-C で終了）", "messages received and knobs: {url}/ (Ctrl-C ends)"
    ),
    "gateway.line": Text("\n# {what}\n{line}", "\n# {what}\n{line}"),
    "gateway.title": Text("組み込みゲートウェイ", "Embedded gateway"),
    "gateway.state": Text(
        "受け付けた通数：{taken}　ユーザー名：{username}　リクエスト：",
        "Messages taken: {taken}. User name: {username}. Requests:",
    ),
    "gateway.clock": Text("時刻", "Clock"),
    "gateway.advance": Text("進める", "by"),
    "gateway.advance.button": Text("時刻を進める", "Advance"),
    "gateway.messages": Text("受け取ったメッセージ", "Messages received"),
    "gateway.messages.note": Text("新しい順に {shown} 通。", "The newest {shown} first."),
    "gateway.messages.none": Text("まだありません。", "None yet."),
    "gateway.numbers.whole": Text("番号をすべて表示", "show whole numbers"),
    "gateway.numbers.masked": Text("番号を伏せる", "mask numbers"),
    "gateway.notified": Text("結果通知", "Result notifications"),
    "gateway.column.at": Text("時刻", "time"),
    "gateway.column.by": Text("経路", "by"),
    "gateway.column.smsid": Text("smsid", "smsid"),
    "gateway.column.number": Text("番号", "number"),
    "gateway.column.text": Text("本文", "text"),
    "gateway.column.carrier": Text("キャリア", "carrier"),
    "gateway.column.status": Text("ステータス", "status"),
    "gateway.column.attempt": Text("回", "attempt"),
    "gateway.column.answer": Text("HTTP", "HTTP"),
    "gateway.knobs": Text("つまみ", "Knobs"),
    "gateway.knobs.note": Text(
        "色の付いたものは初期値から変わっています。障害は一度に 1 つだけです。",
        "Coloured ones differ from their default. One fault at a time.",
    ),
    "gateway.knobs.turn": Text("この設定にする", "Turn"),
    "gateway.knobs.reset": Text("初期値に戻す", "Back to defaults"),
    "gateway.group.answers": Text("応答", "Answers"),
    "gateway.group.account": Text("アカウントのオプション", "Account options"),
    "gateway.group.results": Text("結果", "Results"),
    "gateway.group.notifications": Text("結果通知", "Notifications"),
    "gateway.group.faults": Text("障害", "Faults"),
    "gateway.try": Text("試すには", "To try it"),
    "gateway.try.send_csv": Text("CSV 送信", "CSV send"),
    "gateway.try.send_single": Text("個別送信（フォーム）", "individual send (form)"),
    "gateway.try.send_json": Text("個別送信（JSON）", "individual send (JSON)"),
    "gateway.try.schedule": Text("個別送信（日時指定）", "individual send, scheduled"),
    "gateway.try.cancel": Text("取消", "cancel"),
    "gateway.try.result_single": Text("送達結果（個別）", "individual result"),
    "gateway.try.results_csv": Text("送達結果（CSV）", "results CSV"),
    "gateway.try.check_option": Text("つまみ（他人判定を使えるようにする）", "knobs (allow the other-person check)"),
    "gateway.try.check": Text("他人判定", "other-person check"),
    "gateway.try.knobs": Text("つまみ（ここでは結果通知の送り先）", "knobs (here: where notifications go)"),
    "gateway.try.templates": Text("テンプレートの登録", "register templates"),
    "gateway.try.clock": Text("時刻を進める", "advance the clock"),
    "gateway.try.messages": Text("受け取ったメッセージ", "messages received"),
    "gateway.try.notifications": Text("結果通知の記録", "attempts to notify"),
    **{f"gateway.knob.{name}": text for name, text in _KNOBS.items()},
}
