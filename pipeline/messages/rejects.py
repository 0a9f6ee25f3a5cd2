"""Words of ``rejected.xlsx``: its columns, its notes, and what a person can do about each code."""

from __future__ import annotations

from pipeline.messages.text import Text

#: label code → text; part of ``LABELS``
REJECT_LABELS: dict[str, Text] = {
    "reject.title": Text("送信できなかった行：{source}", "Rows that were not sent: {source}"),
    "reject.sheet.rows": Text("修正する行", "Rows to fix"),
    "reject.sheet.counts": Text("件数と説明", "Counts and help"),
    # Every one starts with mediasms_: that is how they are recognised, and ignored, when the file comes back.
    "reject.column.reason": Text("mediasms_理由", "mediasms_reason"),
    "reject.column.suggestion": Text("mediasms_修正案", "mediasms_suggestion"),
    "reject.column.text": Text("mediasms_送信される本文", "mediasms_text"),
    "reject.column.length": Text("mediasms_長さ", "mediasms_length"),
    "reject.column.row": Text("mediasms_行", "mediasms_row"),
    "reject.column.code": Text("mediasms_コード", "mediasms_code"),
    "reject.own_columns": Text(
        "mediasms_ で始まる列は説明です。再提出のときは無視されるので、消しても残しても構いません。",
        "Columns that start with mediasms_ explain. They are ignored when the file comes back: keep or delete them.",
    ),
    "reject.finding": Text("【{column}】{what}", "{column}: {what}"),
    "reject.strict": Text(
        "自動補正の対象となる値です（通常の処理：{what}）。--strict のため、補正せずに差し戻しました。",
        "The value needs a correction (normally: {what}). With --strict nothing is corrected, so the row came back.",
    ),
    "reject.advice": Text("{what}→ {advice}", "{what} → {advice}"),
    "reject.suggestion": Text("{column}：{value}", "{column}: {value}"),
    "reject.comment.suggestion": Text("修正案：{value}", "Suggestion: {value}"),
    "reject.comment.in_cell": Text("{position}文字目：{character}", "Character {position}: {character}"),
    "reject.comment.in_text": Text(
        "送信される本文の{position}文字目：{character}", "Character {position} of the text as sent: {character}"
    ),
    "reject.shown": Text("{shown} ほか {count} 字", "{shown} and {count} more"),
    "reject.comment.more": Text("ほか {count} 文字", "and {count} more"),
    "reject.length": Text("{size}バイト、{characters}文字", "{size} bytes, {characters} characters"),
    "reject.length.part": Text("、分割数 {parts}", ", {parts} part"),
    "reject.length.parts": Text("、分割数 {parts}", ", {parts} parts"),
    "reject.length.by_carrier": Text("、分割数 {parts}", ", parts: {parts}"),
    "reject.length.cut": Text("。{carriers} では途中で切れます", "; cut by {carriers}"),
    "reject.cut_cell": Text(
        "【{column}】{count}文字あり、Excel のセルに入りきらないため末尾を省いています。"
        "この行はここでは直さず、rejected.csv で直してください。",
        "{column}: {count} characters do not fit into a cell of a workbook, so its end is left out here. "
        "Do not fix this row here; fix it in rejected.csv.",
    ),
    "reject.cut_columns": Text(
        "右端の {count} 列は Excel に入りきらないため省いています。この行は rejected.csv で直してください。",
        "The last {count} columns do not fit into a workbook and are left out here. Fix this row in rejected.csv.",
    ),
    "reject.personal": Text(
        "個人情報：電話番号と本文をそのまま記載しています。取り扱いに注意し、不要になったら削除してください。",
        "Personal data: phone numbers and texts stand here in full. Handle with care and delete the file when done.",
    ),
    "reject.footer": Text("個人情報  {source}", "Personal data  {source}"),
    "reject.step.fix": Text(
        "1. シート「{sheet}」の色付きの太字セルを直します。理由は「{column}」列と、セルのメモにあります。",
        "1. On the sheet “{sheet}”, fix the coloured bold cells. The column “{column}” and the cells' notes say why.",
    ),
    "reject.step.delete": Text(
        "2. 送らない人は、行ごと削除します。直さずに残した行は、もう一度差し戻されます。",
        "2. Delete the rows of people who get no message. A row left as it is comes back again.",
    ),
    "reject.step.hand_in": Text(
        "3. 保存して、同じキャンペーンで出し直します：mediasms run このファイル --campaign 同じ名前",
        "3. Save, and hand the file in for the same campaign: mediasms run THIS_FILE --campaign SAME",
    ),
    "reject.limited": Text(
        "{total} 行のうち {shown} 行を載せています。全行は {file} にあります（この CSV もそのまま出し直せます）。",
        "{shown} of {total} rows shown; all are in {file} (which can be handed in again too).",
    ),
    "reject.commented": Text(
        "メモは先頭から {limit} 個のセルだけに付けています。色と「{column}」列は全行にあります。",
        "Only the first {limit} cells have a note. Colours and the column “{column}” are complete.",
    ),
    "reject.total.rows": Text("入力した行", "Rows of the input"),
    "reject.total.accepted": Text("受付（送信対象）", "Accepted, go out"),
    "reject.total.rejected": Text("却下（このファイル）", "Rejected, this file"),
    "reject.total.already": Text("送信済みのため対象外", "Already sent in this campaign"),
    "reject.head.totals": Text("行数", "Rows"),
    "reject.head.code": Text("コード", "Code"),
    "reject.head.count": Text("件数", "Count"),
    "reject.head.words": Text("内容", "In words"),
    "reject.head.advice": Text("直し方", "What to do"),
}

#: finding code → what to do, where the finding's own message does not say it; stands behind that message
ADVICE: dict[str, Text] = {
    "phone.empty": Text("番号を入力するか、行を削除してください。", "Enter the number, or delete the row."),
    "phone.too_short": Text("正しい番号を確かめてください。", "Look up the right number."),
    "phone.too_long": Text(
        "正しい番号を確かめ、1つだけ入力してください。", "Look up the right number; only one per row."
    ),
    "phone.overseas_disabled": Text(
        "国内の番号に直すか、行を削除してください。", "Write a domestic number, or delete the row."
    ),
    "text.empty": Text("本文を入力するか、行を削除してください。", "Write the text, or delete the row."),
    "text.too_many_bytes": Text("本文か差し込む値を短くしてください。", "Shorten the text or the values filled in."),
    "text.too_many_characters": Text(
        "本文か差し込む値を短くしてください。", "Shorten the text or the values filled in."
    ),
    "tag.unclosed": Text("括弧の数を合わせてください。", "Close or remove the brace."),
    "tag.in_value": Text("値から波括弧を除いてください。", "Remove the braces from the value."),
    "url.tag_without_url": Text(
        "URL を入力するか、本文のタグを消してください。", "Enter the URL, or remove the tag from the text."
    ),
    "url.too_long": Text("短い URL にしてください。", "Use a shorter URL."),
    "url.characters": Text("その文字を除くか、%XX の形にしてください。", "Remove the character, or write it as %XX."),
    "smsid.duplicate": Text(
        "別の smsid にするか、空欄にしてください（自動で付きます）。", "Use another, or leave it empty to get one."
    ),
    "recipient.opted_out": Text("行を削除してください。", "Delete the row."),
    "recipient.duplicate": Text("重複なら行を削除してください。", "Delete the row if it is a repetition."),
    "field.platform_dependent": Text("ほかの文字に置き換えてください。", "Replace them."),
}

#: first part of a code → what to do, for codes without advice of their own; stands only in the sheet of counts
FAMILY_ADVICE: dict[str, Text] = {
    "phone": Text(
        "電話番号のセルを、0 から始まる数字だけの番号に直します。",
        "Correct the cell: one number, digits only, with its leading 0.",
    ),
    "text": Text(
        "本文のセル（または差し込む値）を直します。", "Correct the cell with the text, or the values filled in."
    ),
    "tag": Text(
        "本文のタグ {{ }} を列名に合わせて直します。", "Correct the tag {{ }} in the text so that it names a column."
    ),
    "url": Text(
        "URL のセルを直します。http:// か https:// で始めます。",
        "Correct the URL. It starts with http:// or https://.",
    ),
    "smsid": Text(
        "smsid を直すか、空欄にします（自動で付きます）。", "Correct the smsid, or leave it empty to get one."
    ),
    "recipient": Text("行を削除します。", "Delete the row."),
    "template": Text("テンプレート ID のセルを直します。", "Correct the template id."),
    "code": Text("アクセスコードのセルを直します。", "Correct the access code."),
    "senddatetime": Text("送信予定日時のセルを直します。", "Correct the scheduled time."),
    "text_and_template": Text("どちらかのセルを空にします。", "Empty one of the two cells."),
    "registrationdate": Text("登録日のセルを直します。", "Correct the registration date."),
    "cost_centre": Text("コストセンターのセルを短くします。", "Shorten the cost centre."),
    "title": Text("送信元表示のセルを直します。", "Correct the title."),
}

#: what to do about a code of no known family
OTHER_ADVICE = Text("色付きのセルを直します。", "Correct the coloured cell.")
