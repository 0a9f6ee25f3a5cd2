"""What is said when a guard or a person keeps something from being sent."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

#: failure code → texts; placeholders are the failure's facts
GUARD_FAILURES: dict[str, Failure] = {
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
    "resolve.nothing": Failure(
        Text(
            "送信 {dispatch} に未確定の通数はありません。",
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
            "取り消せるものはありません（{states}）。送信したものの取消には対応していません。",
            "nothing is left to cancel ({states}). What has left cannot be cancelled at the gateway yet.",
        ),
        Text("`mediasms status` で確かめてください。", "See `mediasms status`."),
    ),
    "cancel.not_confirmed": Failure(
        Text("取り消しませんでした。", "nothing was cancelled."),
        Text("確かめるには `mediasms status` を実行してください。", "Look with `mediasms status`."),
    ),
}
