"""Words about the gateway's answer codes: what each proves, what a run does, and what a person does next."""

from __future__ import annotations

from pipeline.messages.text import Text

#: label code → text
ANSWER_LABELS: dict[str, Text] = {
    "answer.proves.taken": Text("受付", "taken"),
    "answer.proves.nothing_taken": Text("受付なし", "nothing taken"),
    "answer.proves.unknown": Text("不明", "unknown"),
    "answer.upload.taken": Text("件数が合えば行ごとに受付", "taken row by row, where the counts agree"),
    "answer.single.busy": Text(
        "本体がこれだけなら受付なし、自動で待って再試行", "alone: nothing taken, it waits and tries again"
    ),
    "answer.exists": Text("以前に送っていれば受付、初回なら不明", "taken if offered before, else unknown"),
    "answer.upload.exists": Text(
        "不明。行の応答なら、以前に送っていれば受付", "unknown; of a row: taken if offered before, else unknown"
    ),
    "answer.result.taken": Text("結果", "the results"),
    "answer.result.absent": Text("個別照会：何の証拠にもならない", "one by one: proof of nothing"),
    "answer.result.exists": Text(
        "個別照会：複数が該当、何の証拠にもならない", "one by one: several have it, proof of nothing"
    ),
    "answer.result.busy": Text(
        "個別照会：しばらく再照会。続けば、CSV なら直ちに、終了コード 4",
        "one by one: asked again for a while; then, and for the CSV at once, exit 4",
    ),
    "answer.result.nothing_taken": Text("結果なし、終了コード 6", "no results, exit 6"),
    "answer.result.unknown": Text("結果なし、終了コード 4", "no results, exit 4"),
    "answer.cancel.cancelled": Text("取消済み", "cancelled"),
    "answer.cancel.absent": Text("該当なし：何の証拠にもならない", "not known: proof of nothing"),
    "answer.cancel.too_late": Text("間に合わず", "too late"),
    "answer.cancel.busy": Text(
        "本体がこれだけなら未処理、自動で待って再依頼", "alone: not done, it waits and asks again"
    ),
    "answer.cancel.refused": Text("拒否、変化なし", "refused, nothing changed"),
    "answer.cancel.not_asked": Text(
        "依頼しない（プロファイルに [cancel] がない）", "not asked: the profile has no [cancel]"
    ),
    "answer.cancel.unclear": Text("不明、再実行しても害はない", "unclear; asking again is harmless"),
    "answer.column.code": Text("コード", "code"),
    "answer.column.meaning": Text("意味と、それで分かること", "meaning, and what it proves"),
    "answer.column.next": Text("次にすること", "next"),
    "answer.to.upload": Text("アップロード", "upload"),
    "answer.to.single": Text("個別送信", "single send"),
    "answer.to.result": Text("結果の照会", "question for results"),
    "answer.to.cancel": Text("取消依頼", "cancelling"),
    "answer.to.run": Text("実行", "the run"),
    "answer.run.go_on": Text("続行", "goes on"),
    "answer.run.stop": Text("停止", "stops"),
    "answer.run.wait": Text("待機", "waits"),
    "answer.next.taken": Text(
        "何もありません。件数が合わなければ終了コード 5 です：`mediasms pull BATCH`。",
        "Nothing. Where the counts do not agree it is exit 5: `mediasms pull BATCH`.",
    ),
    "answer.next.nothing_taken": Text(
        "何も受け付けられていません。コードが指す値をリストかプロファイルで直し、もう一度実行してください。",
        "Nothing was taken: correct the value that the code names, in the list or in the profile, and run it again.",
    ),
    "answer.next.unknown": Text(
        "受け付けられたか不明です。`mediasms pull BATCH` を、いまと後で。一日たっても結果に出なければ管理画面で確かめ、"
        "`mediasms resolve` で決めてください。",
        "Nobody knows what was taken: `mediasms pull BATCH`, now and later. What no result names after a day, look up "
        "in the console and decide with `mediasms resolve`.",
    ),
}
