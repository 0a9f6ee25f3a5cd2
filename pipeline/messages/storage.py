"""What is said about what is kept: the workspace, its files and the ledger."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

#: failure code → texts; placeholders are the failure's facts
STORAGE_FAILURES: dict[str, Failure] = {
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
}
