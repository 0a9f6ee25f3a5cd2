"""What is said when a guard or a person keeps something from being sent."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

#: failure code → texts; placeholders are the failure's facts
GUARD_FAILURES: dict[str, Failure] = {
    "send.answered": Failure(
        Text(
            "バッチ {batch}：ゲートウェイは {code}（{meaning}）と答えました。"
            "これだけでは {messages} 通が受け付けられたか分かりません。勝手に再送はしません。",
            "batch {batch}: the gateway answered {code} ({meaning}). That does not prove whether {messages} messages "
            "were taken. They are not sent again.",
        ),
        Text(
            "{step}\nそのあと、このバッチは `mediasms pull {batch}`。結果に出ないものは管理画面などで確かめ、"
            "受け付けられていれば `mediasms resolve {dispatch} --as taken --because 理由`、"
            "いなければ `mediasms resolve {dispatch} --as refused --because 理由`",
            "{step}\nAfter that, for this batch: `mediasms pull {batch}`. What no result names, look up and decide. "
            "It was taken: `mediasms resolve {dispatch} --as taken --because TEXT`. It was not: "
            "`mediasms resolve {dispatch} --as refused --because TEXT`",
        ),
    ),
    "guard.same_content": Failure(
        Text(
            "同じリストがキャンペーン {campaign} で送信済みです（本文も、分かる限り同じです）。"
            "バッチ {batch} からは何も送信していません。",
            "the same list was sent in campaign {campaign}, with the same texts as far as is known. Nothing of batch "
            "{batch} was sent.",
        ),
        Text(
            "`mediasms status` で確かめてください。同じ人たちに本当にもう一度送る場合だけ "
            "`mediasms send {batch} --again`",
            "Look at `mediasms status`. Only if it really is to go out to these people again: "
            "`mediasms send {batch} --again`",
        ),
    ),
    "guard.cancelled_before": Failure(
        Text(
            "同じリストのメッセージを、このキャンペーンのバッチ {cancelled} で人が取り消しています"
            "（本文も、分かる限り同じです）。",
            "a person cancelled messages of the same list, in batch {cancelled} of this campaign, with the same texts "
            "as far as is known.",
        ),
        Text(
            "`mediasms status {cancelled}` で確かめ、送らない宛先の行をリストから除いてください。"
            "その宛先にもやはり送るなら --again を付けてください。",
            "See `mediasms status {cancelled}`, and take out of the list whoever is not to get it. If they are to get "
            "it after all, add --again.",
        ),
    ),
    "guard.repeated_text": Failure(
        Text(
            "{count} 通は、同じ番号・同じ本文で別のキャンペーンで送信済みです"
            "（{days} 日以内、または元のキャンペーン）。リストの行（キャンペーン、送信日時）：{rows}",
            "{count} messages went out with the same number and text in another campaign"
            " (within {days} days, or at any time in one that the list was made from). "
            "rows of the list (campaign, time): {rows}",
        ),
        Text(
            "これらの行をリストから外すか、本当にもう一度送るなら --again を付けてください。",
            "Leave these rows out of the list or, if they really are to go out again, add --again.",
        ),
    ),
    "guard.template_corrected": Failure(
        Text(
            "テンプレート {templates} の差し込み項目が [templates] で変わりました。キャンペーン {campaign} には、"
            "変わる前に同じ番号・同じテンプレートで登録した通があり、{count} 通は同じ通かどうか判断できません。"
            "何も送信していません。",
            "the tags of template {templates} were changed in [templates]. Campaign {campaign} has messages for the"
            " same numbers by the same template from before, and nobody can tell whether {count} of this list are the"
            " same ones. Nothing was sent.",
        ),
        Text(
            "これらの番号をリストから外すか、本当に送るなら別の --campaign で送ってください。",
            "Leave these numbers out of the list or, if they really are to get it, send it in another --campaign.",
        ),
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
    "send.mode_fixed": Failure(
        Text(
            "バッチ {batch} は {mode} 方式で計画済みです。方式は変えられません。",
            "batch {batch} is planned in mode {mode}, which does not change any more.",
        ),
        Text(
            "`mediasms send {batch}` で続けてください（--mode なし）。",
            "Go on with `mediasms send {batch}`, without --mode.",
        ),
    ),
    "resolve.nothing": Failure(
        Text(
            "送信 {dispatch} に受付不明のメッセージはありません。",
            "dispatch {dispatch} has no message that is still unknown.",
        ),
        Text("`mediasms status` を見てください。", "See `mediasms status`."),
    ),
    "send.cancelled": Failure(
        Text(
            "バッチ {batch} は {at} に {actor} が取り消しました（取消 {messages} 通）。残りは送信しません。",
            "batch {batch} was cancelled by {actor} at {at} ({messages} messages cancelled); no more of it is sent.",
        ),
        Text(
            "`mediasms status {batch}` で確かめてください。取り消した宛先に送るには、"
            "その行を別のリストとして同じキャンペーンで渡してください。",
            "See `mediasms status {batch}`. To write to those people after all, hand in their rows as another list "
            "in the same campaign.",
        ),
    ),
    "cancel.unknown": Failure(
        Text(
            "{position} 番目の指定は、バッチの ID でも smsid でもありません。何も取り消していません。",
            "argument {position} is neither a batch nor an smsid. Nothing was cancelled.",
        ),
        Text("`mediasms status` で一覧を確かめてください。", "`mediasms status` lists the batches."),
    ),
    "cancel.nothing": Failure(
        Text(
            "取り消せたものはありません（{states}）。",
            "nothing could be cancelled ({states}).",
        ),
        Text("`mediasms status` で確かめてください。", "See `mediasms status`."),
    ),
    "cancel.went_back": Failure(
        Text(
            "送信 {dispatch} は始まっていますが、その記録が台帳にありません（台帳が過去に戻っています）。"
            "これ以上は何も送られませんが、すでに送られたものを「取消」と数えている可能性があります。"
            "それについてゲートウェイには依頼していません。",
            "dispatch {dispatch} was begun, but the ledger does not know it: it went back in time. Nothing more "
            "leaves, but what has left may be counted as cancelled here, and the gateway was not asked about it.",
        ),
        Text(
            "`mediasms ledger check --recover` で記録してから、同じコマンドをもう一度実行してください。"
            "ゲートウェイに取消を依頼します。",
            "Run `mediasms ledger check --recover`, then this command again: it asks the gateway to cancel what has "
            "left.",
        ),
    ),
    "cancel.unreachable": Failure(
        Text(
            "ゲートウェイ {url} に届きません（{problem}）。残りの取消は依頼していません。",
            "cannot reach the gateway {url} ({problem}); it was not asked to cancel the others.",
        ),
        Text(
            "接続先とネットワークを確かめ、同じコマンドをもう一度実行してください。",
            "Check address and network, then run the same command again.",
        ),
    ),
    "cancel.unclear_in_a_row": Failure(
        Text(
            "取消への応答が {count} 回続けて読み取れませんでした。残りの取消は依頼していません。",
            "{count} answers to cancellations in a row were unclear; the gateway was not asked about the others.",
        ),
        Text(
            "同じコマンドをもう一度実行してください（害はありません）。結果は `mediasms pull` で分かります。",
            "Run the same command again, which is harmless. What became of them, results say: `mediasms pull`.",
        ),
    ),
    "cancel.unrecorded": Failure(
        Text(
            "取消への応答（{messages} 通まで）を台帳に記録できませんでした：{problem}",
            "the answers about up to {messages} cancellations could not be recorded: {problem}",
        ),
        Text(
            "原因を直してから、同じコマンドをもう一度実行してください。何度実行しても害はありません。",
            "Mend the cause, then run the same command again, which is harmless.",
        ),
    ),
    "cancel.not_confirmed": Failure(
        Text("取り消しませんでした。", "nothing was cancelled."),
        Text("確かめるには `mediasms status` を実行してください。", "Look with `mediasms status`."),
    ),
    "guard.late": Failure(
        Text(
            "バッチ {batch} の処理日 {run_date} は {days} 日前です（上限 {limit} 日）。何も送信していません。",
            "batch {batch} has the run date {run_date}, {days} days ago (limit: {limit}). Nothing was sent.",
        ),
        Text(
            "いま送ってよいなら、同じコマンドに --late --because 理由 を付けてください：例 "
            "`mediasms send {batch} --late --because 理由`",
            "If it is still meant to go out, add --late --because TEXT to the command, for example "
            "`mediasms send {batch} --late --because TEXT`",
        ),
    ),
    "guard.early": Failure(
        Text(
            "バッチ {batch} の処理日 {run_date} は {days} 日先です（その日まで待ちません）。何も送信していません。",
            "batch {batch} has the run date {run_date}, in {days} days. No run waits for its date. Nothing was sent.",
        ),
        Text(
            "日付を確かめてください。いま送ってよいなら、同じコマンドに --early --because 理由 を付けてください：例 "
            "`mediasms send {batch} --early --because 理由`",
            "Check the date. If it is meant to go out now, add --early --because TEXT to the command, for example "
            "`mediasms send {batch} --early --because TEXT`",
        ),
    ),
    "guard.max_cost": Failure(
        Text(
            "費用が最大 {highest} 円（税抜）となり、--max-cost {limit} 円を超えます。何も送信していません。",
            "the messages may cost up to {highest} yen (untaxed), more than --max-cost {limit}. Nothing was sent.",
        ),
        Text(
            "上限を上げるか、宛先を減らしてください：`mediasms send {batch} --max-cost 円`",
            "Raise the limit or shorten the list: `mediasms send {batch} --max-cost YEN`",
        ),
    ),
    "guard.unmeasured": Failure(
        Text(
            "{count} 通はテンプレートの本文が分からず、--max-cost {limit} 円に収まるか分かりません。"
            "何も送信していません。",
            "nobody here knows the texts of the templates of {count} messages, so not whether --max-cost {limit} is "
            "kept. Nothing was sent.",
        ),
        Text(
            "mediasms.toml の [templates] に管理画面の本文を写してリストを渡し直すか、上限なしで "
            "`mediasms send {batch}` を実行してください。",
            "Copy the texts from the gateway's console to [templates] of mediasms.toml and hand in the list again, or "
            "run `mediasms send {batch}` without a limit.",
        ),
    ),
    "guard.unpriced": Failure(
        Text(
            "{count} 通の料金が料金表にないため、--max-cost {limit} 円に収まるか分かりません。何も送信していません。",
            "the tariff has no price for {count} messages, so nobody knows whether --max-cost {limit} is kept. "
            "Nothing was sent.",
        ),
        Text(
            "tariff.file の料金表に単価を加えてから `mediasms send {batch}` を実行してください。",
            "Add their prices to the table in tariff.file, then run `mediasms send {batch}`.",
        ),
    ),
    "guard.scheduled_passed": Failure(
        Text(
            "バッチ {batch} の {count} 通は、送信予定日時を過ぎています。この分は送信していません。",
            "batch {batch}: the scheduled time of {count} messages has passed. They were not sent.",
        ),
        Text(
            "`mediasms cancel {batch}` で取り消し、日時を直したリストを渡してください。",
            "Run `mediasms cancel {batch}`, then hand in the list with later times.",
        ),
    ),
    "run.held_back": Failure(
        Text(
            "結果の分からないバッチが二つ続いたため、この実行ではバッチ {batch} を送信しませんでした。",
            "two batches in a row have an unknown outcome, so this run did not send batch {batch}.",
        ),
        Text(
            "`mediasms status` で原因を確かめてから `mediasms send {batch}` を実行してください。",
            "Find out why with `mediasms status`, then run `mediasms send {batch}`.",
        ),
    ),
    "usage.because": Failure(
        Text("理由がありません。", "no reason is given."),
        Text(
            "--because に、どうやって確かめたかを書いてください（「理由」のままでは受け付けません）。台帳に残ります。",
            "Say with --because how you know, in the place of TEXT; the ledger keeps it.",
        ),
    ),
    "usage.late": Failure(
        Text(
            "--late か --early のどちらか一つと --because を合わせて指定してください。",
            "--because goes with one of --late and --early.",
        ),
        Text(
            "--late --because 理由 か --early --because 理由 としてください。",
            "Give --late --because TEXT or --early --because TEXT.",
        ),
    ),
}
