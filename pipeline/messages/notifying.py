"""What is said about result notifications."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

#: label code → text
NOTIFYING_LABELS: dict[str, Text] = {
    "notifications.ready": Text(
        "送達結果通知を {url} で待ち受けています（稼働確認：{health}）。",
        "taking result notifications at {url} (health: {health})",
    ),
    "notifications.enter": Text(
        "ゲートウェイの管理画面（またはベンダーへの申請）に入力するもの：\n"
        "  通知先 URL：https://（公開ホスト名）{path}\n"
        "  方式：POST（GET でも可）　形式：フォームまたは JSON\n"
        "  認証：Basic 認証、ユーザー名 {username}、パスワードは API と同じもの\n"
        "  成功の応答：HTTP 200（それ以外は再送してもらう）",
        "to enter at the gateway (its console, or the vendor's form):\n"
        "  URL: https://(public host name){path}\n"
        "  method: POST (GET works too), form or JSON\n"
        "  authentication: Basic, user name {username}, the password of the API\n"
        "  success: HTTP 200 (anything else is to be repeated)",
    ),
    "notifications.cleartext": Text(
        "警告：{host} で暗号化せずに待ち受けます。認証情報と電話番号が読める状態で流れます。"
        "127.0.0.1 にして前段に TLS のリバースプロキシを置くか、notifications.cert_file と key_file を"
        "指定してください。",
        "warning: listening on {host} without TLS: credentials and numbers can be read on the way. Listen on 127.0.0.1 "
        "behind a reverse proxy with TLS, or give notifications.cert_file and key_file.",
    ),
    "notifications.visit": Text(
        "{source} {method} {path} {status}{reason} {milliseconds} ms",
        "{source} {method} {path} {status}{reason} {milliseconds} ms",
    ),
    "notifications.stopped": Text(
        "止めました。受け付けた通知はすべて台帳にあります。",
        "stopped: every notification that was acknowledged is in the ledger.",
    ),
}
#: failure code → texts
NOTIFYING_FAILURES: dict[str, Failure] = {
    "notifications.address": Failure(
        Text(
            "{host} のポート {port} で待ち受けられません：{problem}", "cannot listen on {host} port {port}: {problem}"
        ),
        Text(
            "--host と --port（notifications.host と notifications.port）を確かめてください。",
            "Check --host and --port (notifications.host and notifications.port).",
        ),
    ),
    "notifications.tls": Failure(
        Text("証明書か鍵を使えません：{problem}", "certificate or key cannot be used: {problem}"),
        Text(
            "notifications.cert_file と notifications.key_file を確かめてください。",
            "Check notifications.cert_file and notifications.key_file.",
        ),
    ),
}
