"""What is said about a failure: what happened, and what to do next."""

from __future__ import annotations

from pipeline.messages.asking import ASKING_FAILURES
from pipeline.messages.configuration import CONFIGURATION_FAILURES
from pipeline.messages.guards import GUARD_FAILURES
from pipeline.messages.inputs import INPUT_FAILURES
from pipeline.messages.invoices import INVOICE_FAILURES
from pipeline.messages.notifying import NOTIFYING_FAILURES
from pipeline.messages.probing import PROBING_FAILURES
from pipeline.messages.reconciling import RECONCILING_FAILURES
from pipeline.messages.results import RESULTS_FAILURES
from pipeline.messages.sending import SENDING_FAILURES
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
    **RECONCILING_FAILURES,
    **RESULTS_FAILURES,
    **SENDING_FAILURES,
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
            "件数が合いません：受付 {accepted} ≠ メッセージ {messages}",
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
