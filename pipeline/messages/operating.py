"""Lines of the commands that send, and of those by which a person looks and decides."""

from __future__ import annotations

from pipeline.messages.text import Text

#: label code → text
OPERATING_LABELS: dict[str, Text] = {
    "ask.send": Text("{count} 通の SMS を送信します。よろしいですか？", "Send {count} messages?"),
    "ask.check": Text(
        "{count} 件の番号の他人判定を依頼します（本文は送りません）。よろしいですか？",
        "Check {count} numbers? No text is sent.",
    ),
    "run.checked": Text(
        "他人判定：{count} 件の依頼を受け付けられました。本文は送っていません。",
        "checks: {count} numbers taken for an other-person check; no text was sent.",
    ),
    "run.sent": Text(
        "送信：{count} 通を受け付けられました（{dispatches} 回に分割）。",
        "sent: {count} messages taken in {dispatches} upload(s).",
    ),
    "run.refused": Text(
        "拒否：{count} 通は {code}（{meaning}）で受け付けられませんでした。{step}",
        "refused: {count} messages with {code} ({meaning}). {step}",
    ),
    "run.sent_singly": Text(
        "送信：{count} 通を受け付けられました（1 通ずつ、{dispatches} 回の依頼）。",
        "sent: {count} messages taken in {dispatches} single request(s).",
    ),
    "run.nothing_accepted": Text(
        "送信するものはありません：バッチ {batch} で受付できた行はありません"
        "（却下 {rejected} 行、送信済みのため対象外 {already} 行）。却下した行：{file}",
        "nothing to send: no row of batch {batch} was accepted"
        " ({rejected} rejected, {already} already served). rejected rows: {file}",
    ),
    "run.nothing_to_send": Text(
        "送信するものはありません：バッチ {batch} は処理済みです。",
        "nothing to send: batch {batch} has already been dealt with.",
    ),
    "run.opted_out": Text(
        "取消：配信停止を希望した番号宛の {count} 通は送信しません（リストから外しても取消のままです）。",
        "cancelled: {count} messages to numbers that opted out; they stay cancelled if a number comes off the list.",
    ),
    "ask.preview": Text(
        "最初の1通（{number}）：\n{text}\n費用の見込み（税抜）：{low} 〜 {high} 円",
        "first message ({number}):\n{text}\nexpected cost (untaxed): {low} to {high} yen",
    ),
    "ask.preview_check": Text(
        "最初の番号：{number}\n費用の見込み（税抜）：{low} 〜 {high} 円",
        "first number: {number}\nexpected cost (untaxed): {low} to {high} yen",
    ),
    "ask.unmeasured": Text(
        "（テンプレートの本文が分からない {count} 通を除く。その費用は分かりません）",
        "(without {count} messages by templates whose texts are not known: nobody knows their cost)",
    ),
    "ask.by_template": Text("（テンプレートの本文は分かりません）", "(by a template whose text is not known)"),
    "ask.unpriced": Text(
        "（料金表にない {count} 通を除く）", "(without {count} messages that the tariff does not price)"
    ),
    "ledger.of_host": Text(
        "台帳 {file} はホストと共有するフォルダ（{kind}）にあります。"
        "ホストや別の仮想マシン・コンテナから同時に使うと壊れます。"
        "一か所だけで使うか、この環境自身のディスク（コンテナならボリューム）に置いてください。",
        "the ledger {file} lies in a folder of the host ({kind}). It can be damaged if the host, or another machine or "
        "container, uses it at the same time. Use it from one side alone, or put it on a disk of this machine's own "
        "(of a container: a volume).",
    ),
    "clock.differs": Text(
        "時計のずれ：ゲートウェイは {theirs}、このマシンは {ours}（日本時間、差は約 {minutes} 分）。"
        "このマシンの時計を合わせてください（NTP）。合っていればベンダーに知らせてください。"
        "このずれのあいだに送信した分の結果は、両方の時計の期間で取り寄せます。",
        "the clocks differ: the gateway's shows {theirs}, this machine's {ours} (JST), about {minutes} minutes apart. "
        "Set this machine's clock (NTP); if it is right, tell the vendor. Results of what is sent meanwhile are asked "
        "for by both clocks.",
    ),
    "clock.differed": Text(
        "時計のずれ（最後に分かったとき）：ゲートウェイは {theirs}、このマシンは {ours}（日本時間、約 {minutes} 分）。"
        "このマシンの時計を確かめてください（NTP）。合っていれば、次の `mediasms pull` のあとこの警告は消えます。",
        "when the gateway last answered, its clock showed {theirs} and this machine's {ours} (JST), about {minutes} "
        "minutes apart. Look at this machine's clock (NTP); once they agree, the next `mediasms pull` ends this "
        "warning.",
    ),
    "clock.went_back": Text(
        "このマシンの時計は {ours}（日本時間）ですが、台帳にはそれより後の {sent} に送信した記録があります。"
        "時計はいま遅れているか、送信時に進んでいました。合わせてください（NTP）。"
        "結果が出なければ、実際に送信した期間を `mediasms pull --since … --until …` で取り寄せてください。",
        "this machine's clock shows {ours} (JST), but by the ledger something was sent at {sent}, after that: it is "
        "slow now, or was fast then. Set it right (NTP). Where results are missing, ask for the time at which it was "
        "really sent: `mediasms pull --since … --until …`.",
    ),
    "status.batch": Text("{batch}  {campaign}  {run_date}  {states}", "{batch}  {campaign}  {run_date}  {states}"),
    "status.not_planned": Text("未送信 {count} 通", "{count} not sent"),
    "status.more_dispatches": Text(
        "  …ほか {count} 件（すべては --json）",
        "  … and {count} more (--json has them all)",
    ),
    "status.dispatch": Text("  {dispatch}  {states}  開始 {since}", "  {dispatch}  {states}  begun {since}"),
    "status.stopped": Text(
        "  {at} に {actor} が取り消しました（取消 {count} 通）。",
        "  cancelled by {actor} at {at} ({count} messages).",
    ),
    "status.refused": Text("  {count} 通は拒否：{code}（{meaning}）", "  {count} refused: {code} ({meaning})"),
    "status.in_flight": Text(
        "  {count} 通を送信中です。送信している処理がもうなければ：{send}",
        "  {count} messages are being sent. If nothing is sending them any more: {send}",
    ),
    "status.unsettled": Text(
        "  {dispatch}：{count} 通が {since} から不明です。{heard}次のコマンド：{pull}\n"
        "    {until} になっても結果に出なければ、管理画面などで確かめて決めてください。",
        "  {dispatch}: {count} messages unknown since {since}. {heard} next: {pull}\n"
        "    if no result names them by {until}, look them up in the gateway's console and decide.",
    ),
    "status.answered": Text(
        "  {dispatch}：{count} 通が {since} から不明です。ゲートウェイの応答は {code}（{meaning}）\n"
        "    {step}\n"
        "    そのあと {pull}\n"
        "    {until} になっても結果に出なければ、管理画面などで確かめて決めてください。",
        "  {dispatch}: {count} messages unknown since {since}; the gateway answered {code} ({meaning})\n"
        "    {step}\n"
        "    after that: {pull}\n"
        "    if no result names them by {until}, look them up in the gateway's console and decide.",
    ),
    "status.overdue": Text(
        "  {dispatch}：{count} 通が {since} から {hours} 時間を過ぎても不明です。{heard}もう一度：{pull}\n"
        "    それでも出なければ、ゲートウェイの管理画面で確かめて決めてください。",
        "  {dispatch}: {count} messages unknown since {since}, for more than {hours} hours. {heard} Once more: {pull}\n"
        "    then look them up in the gateway's console and decide.",
    ),
    "heard.code": Text(
        "ゲートウェイの応答は {code}（{meaning}、{how}）でした。",
        "The gateway answered {code} ({meaning}; {how}).",
    ),
    "heard.no_meaning": Text("プロファイルにないコード", "a code that the profile does not know"),
    "heard.no_code": Text(
        "応答は {how} で、読み取れるコードがありませんでした。",
        "The answer was {how}, without a code that can be read.",
    ),
    "heard.broken": Text("応答は最後まで届きませんでした（{how}）。", "No whole answer arrived ({how})."),
    "heard.nothing": Text(
        "応答は記録されていません（送信していた処理が途中で止まったなど）。",
        "No answer is on record, as where what was sending it was stopped.",
    ),
    "status.decide": Text(
        "    受け付けられていた：　　{resolve} --as taken --because 理由\n"
        "    受け付けられていない：　{resolve} --as refused --because 理由",
        "    it was taken: {resolve} --as taken --because TEXT\n"
        "    it was not:   {resolve} --as refused --because TEXT",
    ),
    "status.next": Text("  次のコマンド：{command}", "  next: {command}"),
    "status.hidden": Text(
        "（ほかに {count} 件、うち行うことのあるもの {open} 件。`mediasms status BATCH` か --json で見られます）",
        "(and {count} more, {open} of them with something left to do: `mediasms status BATCH`, or --json)",
    ),
    "status.more_unknown": Text(
        "（不明のあるバッチがほかに {count} 件。--json ですべて出ます）",
        "(and {count} more batches with unknown messages: --json has them all)",
    ),
    "status.more_uploads": Text(
        "  …ほかに不明の送信 {count} 件：{status}",
        "  … and {count} more unknown uploads: {status}",
    ),
    "status.unknown": Text(
        "不明：{dispatches} 回の送信、あわせて {count} 通（最も古いものは {since} から）",
        "unknown: {count} messages in {dispatches} upload(s) or single request(s), the oldest since {since}",
    ),
    "status.elsewhere": Text("注意：{what}", "note: {what}"),
    "status.none": Text("バッチはまだありません。", "no batches yet."),
    "resolve.done": Text("{count} 通を {outcome} としました。", "{count} messages resolved as {outcome}."),
    "ended.interrupted": Text(
        "中断しました。送信の途中だったものは記録してあり、同じコマンドをもう一度実行しても二重には送られません。"
        "いまの状態は `mediasms status` で分かります。",
        "interrupted: what was on its way is recorded, and running the same command again sends nothing twice. "
        "`mediasms status` says where things stand.",
    ),
    "ended.terminated": Text(
        "終了の指示を受けて止めました。送信の途中だったものは記録してあり、同じコマンドをもう一度実行しても"
        "二重には送られません。いまの状態は `mediasms status` で分かります。",
        "terminated: what was on its way is recorded, and running the same command again sends nothing twice. "
        "`mediasms status` says where things stand.",
    ),
    "ask.cancel": Text(
        "まだ送信していない {waiting} 通は送信しません。ゲートウェイにある {there} 通は取消を依頼します。"
        "元には戻せません。よろしいですか？",
        "{waiting} messages wait here and will not be sent; {there} are at the gateway, which will be asked to cancel "
        "them. This cannot be undone. Cancel?",
    ),
    "cancel.done": Text("取消：{count} 通を送信しません。", "cancelled: {count} messages will not be sent."),
    "cancel.stopped": Text(
        "バッチ {batch} を止めました。送信中の処理は、次の送信の前に止まります。",
        "batch {batch} is stopped; a command that is sending it ends before its next upload.",
    ),
    "cancel.asked": Text(
        "ゲートウェイへの取消依頼：{count} 通",
        "at the gateway: {count} messages asked about",
    ),
    "cancel.outcome": Text("  {count} 通  {outcome}（{smsids}）", "  {count} {outcome} ({smsids})"),
    "cancel.more": Text("{smsids} …ほか（--json ですべて出ます）", "{smsids} … and more: --json has them all"),
    "cancel.outcome.cancelled": Text(
        "取り消されました。番号はこのキャンペーンで送信済みの扱いのままです",
        "cancelled; in this campaign their numbers stay served",
    ),
    "cancel.outcome.too_late": Text(
        "間に合いませんでした：ゲートウェイから出ています", "too late: they have left the gateway"
    ),
    "cancel.outcome.absent": Text(
        "ゲートウェイはその smsid を知りません：届いていない証拠にはなりません",
        "not known to the gateway, which proves nothing: they may still go out",
    ),
    "cancel.outcome.busy": Text("混雑のため処理されていません", "not done: the gateway was busy"),
    "cancel.outcome.refused": Text("拒否されました", "refused"),
    "cancel.outcome.unclear": Text(
        "取り消されたかどうか分かりません：もう一度実行しても害はありません",
        "unclear: nobody knows whether they were cancelled; running it again is harmless",
    ),
    "cancel.outcome.unsent": Text("依頼していません", "not asked"),
    "cancel.outcome.before": Text("以前に取り消されています", "cancelled before"),
    "cancel.outcome.final": Text("すでに結果が出ています", "have a final result already"),
    "cancel.untouched": Text("取り消していないもの：{states}。", "not touched: {states}."),
    "status.cancellations": Text(
        "  ゲートウェイへの取消依頼：{counts}", "  asked to be cancelled at the gateway: {counts}"
    ),
}
