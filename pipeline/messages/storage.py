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
            "失われたなら `mediasms ledger restore FILE` で控えから戻してください。"
            "新しく作ると送信済みの記録が失われます。",
            "If it is lost, bring back a backup with `mediasms ledger restore FILE`: a new one would not know what "
            "was sent.",
        ),
    ),
    "ledger.not_a_ledger": Failure(
        Text("{file} は台帳ではありません。", "{file} is not a ledger."),
        Text("ledger.url を確かめてください。", "Check ledger.url."),
    ),
    "ledger.damaged": Failure(
        Text("台帳が壊れています：{problem}", "the ledger is damaged: {problem}"),
        Text(
            "何も送らず、`mediasms ledger restore FILE` で控えから戻してください。",
            "Send nothing; bring back a backup with `mediasms ledger restore FILE`.",
        ),
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
            "台帳のファイルの控えを取ってから `mediasms ledger migrate` を実行してください。",
            "Copy the ledger's file, then run `mediasms ledger migrate`.",
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
        Text(
            "何も送らず、もっと新しい台帳があれば戻してください。なければ `mediasms ledger check --recover` で、"
            "その送信を「不明」として記録します。",
            "Send nothing. If there is a later ledger, bring it back; else `mediasms ledger check --recover` enters "
            "what was begun as unknown.",
        ),
    ),
    "ledger.batch_lost": Failure(
        Text(
            "バッチ {batch} は送信を始めていますが、台帳にありません（全部で {count} 件）。何も送信しません。",
            "batch {batch} was begun, but the ledger does not know it ({count} such in all). Nothing is sent.",
        ),
        Text(
            "同じ入力を同じキャンペーンで `mediasms validate` し、もう一度 `mediasms ledger check --recover` を"
            "実行してください。入力がもうなければ、結果を確かめたうえで {folder} を作業フォルダの外へ移してください。",
            "Hand in the same input in the same campaign with `mediasms validate`, then run "
            "`mediasms ledger check --recover` again. If the input is gone, look its messages up and move {folder} "
            "out of the workspace.",
        ),
    ),
    "ledger.use_pg_dump": Failure(
        Text("{scheme} の台帳は、このコマンドでは扱いません。", "this command is not for a ledger of kind {scheme}."),
        Text(
            "pg_dump と pg_restore を使い、戻したら `mediasms ledger check --recover` を実行してください。",
            "Use pg_dump and pg_restore; after restoring run `mediasms ledger check --recover`.",
        ),
    ),
    "ledger.backup_exists": Failure(
        Text("{file} はすでにあります。上書きしません。", "{file} exists already and is not overwritten."),
        Text("別の名前を指定してください。", "Give another name."),
    ),
    "ledger.no_backup": Failure(
        Text("控え {file} がありません。", "there is no backup {file}."),
        Text("場所を確かめてください。何も変更していません。", "Check its place. Nothing was changed."),
    ),
    "ledger.busy": Failure(
        Text("台帳を使えません：{problem}", "the ledger cannot be used now: {problem}"),
        Text("ほかの処理が終わってからもう一度実行してください。", "Run it again when other work is done."),
    ),
    "ledger.network": Failure(
        Text(
            "台帳 {file} はネットワークのファイルシステム（{kind}）にあります。そこでは壊れるおそれがあります。",
            "the ledger {file} lies on a network file system ({kind}), where it could be damaged.",
        ),
        Text(
            "ledger.url と workspace.path を、この機械のディスクの場所にしてください。",
            "Point ledger.url and workspace.path to a disk of this machine.",
        ),
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
