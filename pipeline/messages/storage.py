"""What is said about what is kept: the workspace, its files and the ledger."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

#: an empty ledger is the one thing that would make everything go out again
_BRING_IT_BACK = Text(
    "ここから一度でも送信したことがあるなら、フォルダを元に戻すか（移動、名前の変更、マウントの外れ、控え）、"
    "設定ファイルの workspace.path と ledger.url を直してください。新しい台帳は何を送ったかを知らず、"
    "すべてがもう一度送信されます。一度も送信していない場合だけ `mediasms init --new` で作ります。",
    "If anything was ever sent from here, bring the folder back (moved, renamed, not mounted, or in a backup), or "
    "correct workspace.path and ledger.url in the configuration: a new ledger knows of nothing that was sent, and all "
    "of it would be sent again. Only where nothing was ever sent: `mediasms init --new` makes one.",
)

#: failure code → texts; placeholders are the failure's facts
STORAGE_FAILURES: dict[str, Failure] = {
    "workspace.missing": Failure(
        Text("作業フォルダ {folder} がありません。", "there is no workspace {folder}."),
        _BRING_IT_BACK,
    ),
    "ledger.first_use": Failure(
        Text(
            "設定ファイル {config} は前からありますが、台帳 {ledger} がありません。何も作っていません。",
            "the configuration {config} has been there before, but there is no ledger {ledger}. Nothing was made.",
        ),
        _BRING_IT_BACK,
    ),
    "workspace.denied": Failure(
        Text("作業フォルダ {folder} を読めません：{problem}", "the workspace {folder} cannot be read: {problem}"),
        Text(
            "作業フォルダの持ち主として実行するか、権限を直してください。",
            "Run it as the owner of the workspace, or grant the right to read it.",
        ),
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
            "控えを取ってから（`mediasms ledger backup FILE`、PostgreSQL なら pg_dump）"
            "`mediasms ledger migrate` を実行してください。",
            "Make a backup (`mediasms ledger backup FILE`; of PostgreSQL `pg_dump`), then run "
            "`mediasms ledger migrate`.",
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
    "ledger.elsewhere": Failure(
        Text(
            "この台帳は {since} から別の機械（{host}）のものです。写しからも送ると、すべてが二重に送信され、"
            "写しで取り消しても、そちらには伝わりません。ここからは何も送らず、何も取り消しません。",
            "this ledger has belonged to another machine ({host}) since {since}. A copy that sends, too, would send "
            "everything twice, and over there nobody would know what it cancels: from here nothing is sent or "
            "cancelled.",
        ),
        Text(
            "送信と取消は {host} で行ってください。作業フォルダを移してしまい、そちらではもう送らないのであれば、"
            "`mediasms ledger adopt --because 理由` を実行してください。",
            "Send and cancel from {host}. If the workspace was moved here for good and nothing is sent from there any "
            "more, run `mediasms ledger adopt --because TEXT`.",
        ),
    ),
    "ledger.other_server": Failure(
        Text(
            "台帳のデータベース（{host}）が {since} からのものと別になっています（バックアップから戻した、または別の"
            "サーバーが引き継いだ）。その間に送ったものが記録から消えているかもしれません。何も送りません。",
            "the ledger's database ({host}) is not the one that it has been since {since}: it was restored, or another "
            "server took over. What was sent meanwhile may be missing in it. Nothing is sent.",
        ),
        Text(
            "この台帳を使うホストすべてで送信を止め、それぞれ `mediasms ledger check --recover` を実行してください。"
            "その間の配信停止と取り消しも入れ直し、最後に一度だけ `mediasms ledger adopt --because 理由` を"
            "実行します。",
            "Stop sending on every host that uses this ledger, and run `mediasms ledger check --recover` on each. "
            "Enter again who opted out and what was cancelled meanwhile; then, once, run "
            "`mediasms ledger adopt --because TEXT`.",
        ),
    ),
    "ledger.other_gateway": Failure(
        Text(
            "この台帳では {since} から {before} へ送ってきましたが、gateway.base_url は {now} になっています。"
            "あちらで送った相手はここでは送信済みなので、新しいゲートウェイからは何も届きません。",
            "this ledger has sent through {before} since {since}, and gateway.base_url leads to {now}. Whom that one "
            "served counts as served here: these people would get nothing from the new one.",
        ),
        Text(
            "練習のあとなど別のゲートウェイへ送るときは、別のフォルダで `mediasms init` を実行し、そこから送ります。"
            "同じ契約のアドレスが変わっただけなら `mediasms ledger adopt --because 理由` を実行してください。",
            "To send through another gateway, as after practice, run `mediasms init` in a folder of its own and send "
            "from there. If it is the same account under a new address, run `mediasms ledger adopt --because TEXT`.",
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
    "ledger.rows_lost": Failure(
        Text(
            "バッチ {batch} で送信を始めた {count} 行が、今の台帳ではこのバッチの受付行に入っていません。"
            "何も送信しません。（まだ送られていない別の通で対応済みとされていたもの：{waiting} 通、"
            "二重にならないよう取り消しました。"
            "結果の分からない別の通で対応済みとされているもの：{open} 通）",
            "{count} rows of batch {batch} were begun that are not among its accepted ones as the ledger has them now. "
            "Nothing is sent. ({waiting} other messages that waited in their place are cancelled now, for these people "
            "may have been served; the outcome of {open} others in their place is open.)",
        ),
        Text(
            "同じ入力を同じキャンペーンで `mediasms validate` し、もう一度 `mediasms ledger check --recover` を"
            "実行してください。結果の分からない通は、その前に `mediasms pull` と `mediasms status` で"
            "確定させてください。今は拒否される行は {rejected} にあります。配信停止になったためだけなら、記録が済むまで"
            "`mediasms optout remove` で外してください。",
            "Hand in the same input in the same campaign with `mediasms validate`, then run "
            "`mediasms ledger check --recover` again. What is open must be settled before: `mediasms pull`, then "
            "`mediasms status`. Rows that are rejected now are in {rejected}: where it is only because somebody has "
            "opted out since, take that number off with `mediasms optout remove` until it is recovered.",
        ),
    ),
    "ledger.use_pg_dump": Failure(
        Text("{scheme} の台帳は、このコマンドでは扱いません。", "this command is not for a ledger of kind {scheme}."),
        Text(
            "pg_dump と pg_restore を使ってください。戻すときはすべてのホストを止め、どこからも送らないうちに、"
            "それぞれのホストで `mediasms ledger check --recover` を実行してください。",
            "Use pg_dump and pg_restore. To restore, stop all hosts, then run "
            "`mediasms ledger check --recover` on each of them before any of them sends.",
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
    "ledger.full": Failure(
        Text(
            "台帳のあるディスクに空きがありません：{problem}",
            "there is no room for the ledger on its disk: {problem}",
        ),
        Text(
            "空きを作ってから、もう一度実行してください。何も失われていません。",
            "Make room, then run it again. Nothing is lost.",
        ),
    ),
    "ledger.disk": Failure(
        Text(
            "台帳のあるディスクを読み書きできません：{problem}",
            "the disk does not read or write the ledger: {problem}",
        ),
        Text(
            "ディスクの空きと、故障していないかを確かめてから、もう一度実行してください。",
            "Look whether the disk is full or failing, then run it again.",
        ),
    ),
    "ledger.read_only": Failure(
        Text(
            "台帳 {file} は、書き込みのできないファイルシステムにあります。",
            "the ledger {file} lies on a file system that is mounted read-only.",
        ),
        Text(
            "書き込めるようにマウントし直してください。繰り返し実行しても変わりません。"
            "システムが自分で読み取り専用にしたのなら、ディスクの故障かもしれません。",
            "Mount it so that it can be written; running the command again changes nothing. If the system itself made "
            "it read-only, its disk may be failing.",
        ),
    ),
    "ledger.no_permission": Failure(
        Text(
            "このユーザーは、台帳 {file} またはそのフォルダに書き込めません。",
            "this user may not write the ledger {file}, or into its folder.",
        ),
        Text(
            "作業フォルダの持ち主として実行するか、ファイルとフォルダ（SQLite はファイルの隣にも書きます）の権限を"
            "直してください。繰り返し実行しても変わりません。",
            "Run it as the owner of the workspace, or grant the right to write both (SQLite writes beside the file, "
            "too). Running it again changes nothing.",
        ),
    ),
    "ledger.cannot_open": Failure(
        Text(
            "台帳 {file} を開くことも書くこともできません：{problem}",
            "the ledger {file} cannot be opened or written: {problem}",
        ),
        Text(
            "フォルダを確かめてください：-wal や -shm で終わる別のもの、i ノードの不足、開いているファイルの数。",
            "Look at its folder: something else under its name with -wal or -shm, no inodes left on the disk, too many "
            "open files.",
        ),
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
        Text(
            "ledger.url を sqlite:///… または postgresql://… にしてください。",
            "Use sqlite:///… or postgresql://… in ledger.url.",
        ),
    ),
    "ledger.url_malformed": Failure(
        Text(
            "ledger.url が正しくありません（パスワードを含むことがあるため表示しません）。",
            "ledger.url is malformed (it is not shown, since it may hold a password).",
        ),
        Text(
            "postgresql://ユーザー@ホスト:5432/名前 の形にし、パスワードの記号は %40 のように書いてください。",
            "Write postgresql://user@host:5432/database; characters like @ in a password are written as %40.",
        ),
    ),
    "ledger.no_driver": Failure(
        Text("PostgreSQL のドライバーがありません。", "the driver for PostgreSQL is not installed."),
        Text(
            "`pip install 'mediasms-pipeline[postgres]'` を実行してください。",
            "Run `pip install 'mediasms-pipeline[postgres]'`.",
        ),
    ),
    "ledger.no_database": Failure(
        Text("台帳のデータベースがありません：{problem}", "the ledger's database is missing: {problem}"),
        Text(
            "失われたなら控えから戻してください。初めてなら createdb で空のデータベースを作り、"
            "`mediasms init --new` を実行してください。",
            "If it is lost, restore a backup. If there never was one, make an empty database with createdb, then run "
            "`mediasms init --new`.",
        ),
    ),
    "ledger.denied": Failure(
        Text("データベースの権限が足りません：{problem}", "the database refuses this user: {problem}"),
        Text(
            "ledger.url のユーザー、パスワード、権限、search_path を確かめてください。",
            "Check the user of ledger.url, its password and rights, and search_path.",
        ),
    ),
    "ledger.pooled": Failure(
        Text(
            "ledger.url は接続プール（PgBouncer など）を指しています。ロックが失われるため、何も送りません。",
            "ledger.url leads to a connection pooler such as PgBouncer. Locks do not survive there: nothing is sent.",
        ),
        Text(
            "ledger.url に PostgreSQL サーバー自身のホストとポートを指定してください。",
            "Name the host and port of the PostgreSQL server itself in ledger.url.",
        ),
    ),
    "ledger.moved": Failure(
        Text(
            "この台帳は別のデータベースに移されています。ここからは何も送りません。",
            "this ledger was moved to another database: nothing is sent from here any more.",
        ),
        Text(
            "ledger.url を移した先にしてください。",
            "Let ledger.url name the database it was moved to.",
        ),
    ),
    "ledger.copy_way": Failure(
        Text(
            "台帳は SQLite のファイルから PostgreSQL へだけ移せます。",
            "a ledger is only copied from a SQLite file to PostgreSQL.",
        ),
        Text(
            "ledger.url は sqlite:///…、移す先は postgresql://… にしてください。",
            "Let ledger.url be the sqlite:///… it is in, and name postgresql://… as its new place.",
        ),
    ),
    "ledger.copy_password": Failure(
        Text(
            "コマンドラインのアドレスにパスワードは書けません。",
            "an address on the command line must not hold a password.",
        ),
        Text(
            "環境変数 PGPASSWORD か ~/.pgpass に置いてください。",
            "Put it into the environment (PGPASSWORD) or into ~/.pgpass.",
        ),
    ),
    "ledger.copy_not_empty": Failure(
        Text("{place} は空ではありません。", "{place} is not empty."),
        Text(
            "空のデータベースを指定してください。中断した移行の残りなら、消してから実行してください。",
            "Name an empty database; drop what an interrupted copy left there.",
        ),
    ),
    "ledger.copy_in_flight": Failure(
        Text("{count} 件が送信中です。", "{count} messages are in flight."),
        Text(
            "送信が終わってから、または `mediasms run` で続きを済ませてから、もう一度実行してください。",
            "Run it again when sending has ended, or after `mediasms run` has taken the batch up again.",
        ),
    ),
    "ledger.copy_differs": Failure(
        Text("件数が合いません：{before} → {after}", "the copy has other counts: {before} → {after}"),
        Text("何も移していません。報告してください。", "Nothing was moved; report this."),
    ),
    "ledger.copy_unfinished": Failure(
        Text("この台帳への移行は終わっていません。", "the copy to this ledger was not completed."),
        Text(
            "`mediasms ledger copy` をもう一度実行してください。",
            "Run `mediasms ledger copy` again, with ledger.url as it was.",
        ),
    ),
    "lock.lost": Failure(
        Text(
            "台帳への接続が切れ、キャンペーンのロックを失いました。以後は何も送っていません。",
            "the connection that held the campaign's lock was lost; nothing was sent after that.",
        ),
        Text(
            "もう一度実行してください。送信済みのものは二度送られません。",
            "Run it again: what was sent is not sent twice.",
        ),
    ),
    "files.not_writable": Failure(
        Text("{folder} に書き込めません：{problem}", "cannot write to {folder}: {problem}"),
        Text(
            "空き容量と権限を確かめてください。何も失われていません。",
            "Check free space and permissions. Nothing is lost.",
        ),
    ),
    "marker.unreadable": Failure(
        Text(
            "印 {file} が空か、壊れているか、名前を変えられています。この印（dispatch-NNNN.begun）は、"
            "その送信を何回始めたかを示すものです。読めるようになるまで何も送りません。",
            "the marker {file} is empty, damaged or renamed. A marker (dispatch-NNNN.begun) says that an upload was "
            "begun, and how often: nothing is sent until it can be read.",
        ),
        Text(
            "控えから戻すか、元の名前に戻してください（ただの複製なら作業フォルダの外へ移してください）。どちらもできなければ、"
            "何回始めたかを数字で書いてください。分からなければ大きめの数字にし、`mediasms ledger check --recover` で"
            "記録してください（結果の分からないものは「不明」になります）。",
            "Restore it from a backup, or give it back its name; a mere copy of one belongs outside of the workspace. "
            "If neither can be done, write into it how often that upload was begun, as a number. When in doubt write a "
            "higher one: then `mediasms ledger check --recover` enters as unknown what of it is not settled.",
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
