"""What is said about a row: findings (why it was rejected) and repairs (what was changed)."""

from __future__ import annotations

from pipeline.messages.text import Text

#: where the specification has the limits of what a row may hold, those of the CSV's columns too; and of a check
SOURCE = "SMS 送信 API(個別方式)"
CHECK_SOURCE = "他人判定接続サービス API(オプション)"


def _limit(japanese: str, english: str, source: str = SOURCE) -> Text:
    """Say where a limit comes from, beside what is beyond it."""
    return Text(
        f"{japanese}（仕様書「{source}」のパラメータ表）", f"{english} (Specification, parameters of “{source}”.)"
    )


#: finding code → message; placeholders are the finding's facts
ROWS: dict[str, Text] = {
    "phone.empty": Text("電話番号が空です。", "The phone number is empty."),
    "phone.letter": Text(
        "電話番号に使えない文字「{shown}」があります（{position}文字目）。1つの番号だけを数字で入力してください。",
        "The phone number contains “{shown}” at position {position}. Write one number, in digits only.",
    ),
    "phone.scientific": Text(
        "電話番号が表計算ソフトで指数表示（9.01E+09 など）に壊れており、元の番号は分かりません。"
        "列の書式を「文字列」にして入力し直し、「CSV UTF-8（コンマ区切り）」か "
        "Excel ブック（.xlsx）で保存してください。",
        "A spreadsheet turned the phone number into scientific notation; the digits are lost. "
        "Format the column as text, enter the number again, and save as CSV UTF-8 (Comma delimited) or .xlsx.",
    ),
    "phone.too_short": Text(
        "電話番号の桁数が足りません（{digits}桁）。携帯番号は11桁です。",
        "The phone number is too short ({digits} digits). A mobile number has 11.",
    ),
    "phone.too_long": Text(
        "電話番号の桁数が多すぎます（{digits}桁）。携帯番号は11桁です。",
        "The phone number is too long ({digits} digits). A mobile number has 11.",
    ),
    "phone.not_mobile": Text(
        "SMS を受け取れる携帯番号ではありません（{prefix} で始まる番号）。"
        "060・070・080・090・020 で始まる番号にしてください。",
        "Not a mobile number that can take SMS (it starts with {prefix}). "
        "Use a number that starts with 060, 070, 080, 090 or 020.",
    ),
    "phone.overseas_disabled": Text(
        "海外の番号に見えますが、このアカウントでは海外送信が有効ではありません。",
        "This looks like an overseas number, and sending overseas is not enabled for this account.",
    ),
    "phone.ambiguous_overseas": Text(
        "先頭の 0 が落ちた国内番号か海外の番号か判断できません。0 または国番号から始まる形で入力してください。",
        "This may be a domestic number that lost its leading 0, or an overseas number. "
        "Write it with the leading 0 or with + and the country code.",
    ),
    "text.empty": Text(
        "本文が空です（空白や改行だけの本文も送れません）。",
        "The text is empty (only spaces or line breaks cannot be sent either).",
    ),
    "text.platform_dependent": Text(
        "本文に送信できない文字（環境依存文字など）があります：{shown}。ほかの文字に置き換えてください。",
        "The text contains characters that cannot be sent (platform-dependent or outside Shift_JIS): {shown}. "
        "Replace them.",
    ),
    "text.too_many_bytes": _limit(
        "本文が {over}バイト長すぎます：{size}バイト（上限 {limit}バイト、差し込み後・短縮 URL を含む）。",
        "The text is {over} bytes too long: {size} bytes in Shift_JIS (limit {limit}, after tags and short links are "
        "filled in).",
    ),
    "text.too_many_characters": Text(
        "本文が {over}文字長すぎます：{size}文字（全角を含む場合の上限 {limit}文字、差し込み後・短縮 URL を含む）。"
        "{carriers} で末尾が切れます。",
        "The text is {over} characters too long: {size} (limit {limit} when a double-byte character is present, "
        "after tags and short links are filled in). {carriers} would cut it.",
    ),
    "tag.unknown": Text(
        "差し込みタグ {{{tag}}} に当たる列がありません。列名かタグを直してください。",
        "There is no column for the tag {{{tag}}}. Correct the tag or the column name.",
    ),
    "tag.unclosed": Text(
        "差し込みタグの括弧 {{ }} が閉じていません（{position}文字目）。",
        "A tag's brace {{ }} is not closed or not opened (position {position}).",
    ),
    "tag.full_width": Text(
        "差し込みタグの波括弧が全角です。このままでは ｛{tag}｝ がそのまま届きます。半角の {{{tag}}} にしてください。",
        "The braces of a tag are full-width: ｛{tag}｝ would arrive as it is. Write {{{tag}}}.",
    ),
    "tag.in_value": Text(
        "差し込む値の中にタグ {{{tag}}} があります。ゲートウェイが展開してしまうため送れません。",
        "A value that is filled in contains the tag {{{tag}}}, which the gateway would expand.",
    ),
    "url.tag_without_url": Text(
        "本文に {{{tag}}} がありますが、その URL の列が空です。",
        "The text contains {{{tag}}}, but the row has no such URL.",
    ),
    "url.scheme": Text(
        "URL は http:// または https:// で始めてください。",
        "A URL must start with http:// or https://.",
    ),
    "url.too_long": _limit(
        "URL が長すぎます（{size}文字、上限 {limit}文字）。",
        "The URL is too long ({size} characters, limit {limit}).",
    ),
    "url.characters": _limit(
        "URL に使えない文字があります：{shown}。",
        "The URL contains characters that a URL cannot have: {shown}.",
    ),
    "smsid.characters": _limit(
        "smsid は半角英数字 1〜{limit} 文字にしてください。",
        "An smsid has 1 to {limit} ASCII letters and digits.",
    ),
    "smsid.is_a_number": Text(
        "smsid が電話番号や数値として読めます。表計算ソフトで壊れるため、英字から始めてください。",
        "The smsid reads as a number, which spreadsheets damage. Start it with a letter.",
    ),
    "smsid.duplicate": Text(
        "smsid が {first} 行目、または以前の送信と重複しています。",
        "The smsid is already used in row {first} or in an earlier batch.",
    ),
    "recipient.duplicate": Text(
        "同じ電話番号が {first} 行目にあります。先の行だけを送ります。",
        "The same phone number stands in row {first}; only the first is sent.",
    ),
    "field.platform_dependent": Text(
        "送信できない文字（環境依存文字など）があります：{shown}。",
        "The cell contains characters that cannot be sent (platform-dependent or outside Shift_JIS): {shown}.",
    ),
    "title.characters": _limit(
        "送信元表示は英数字と - _ . の {minimum}〜{maximum} 文字にしてください。",
        "A title has {minimum} to {maximum} letters, digits or - _ .",
    ),
    "phone.date": Text(
        "電話番号の欄が表計算ソフトで日付に変わっています。列の書式を「文字列」にし、元の番号を入力し直してください"
        "（CSV を Excel で開くときは「データ」→「テキストまたは CSV から」を使い、列を文字列として取り込みます）。",
        "A spreadsheet turned the phone number into a date. Format the column as text and enter the number again "
        "(open a CSV in Excel with Data, From Text/CSV, and import the column as text).",
    ),
    "phone.truncated": Text(
        "電話番号が16桁以上あり、16桁目から先が 0 です。表計算ソフトが15桁に丸めたもので、元の番号は分かりません。"
        "列の書式を「文字列」にして入力し直してください。",
        "The number has more than 15 digits and only zeros from the 16th on: a spreadsheet keeps 15 digits, the others "
        "are lost. Format the column as text and enter the number again.",
    ),
    "recipient.opted_out": Text(
        "配信停止を希望した番号です。送信しません。",
        "This person opted out. Nothing is sent to this number.",
    ),
    "cell.spreadsheet_error": Text(
        "セルの値が表計算ソフトのエラー（{shown}）です。数式を直すか、値を入力してください。",
        "The cell is a spreadsheet's error ({shown}). Correct its formula, or enter the value.",
    ),
    "text_and_template": Text(
        "テンプレート ID と本文の両方があります。どちらか一方にしてください。",
        "The row has a template id and a text. Give one of them.",
    ),
    "template.range": _limit(
        "テンプレート ID は 0〜{limit} の数字にしてください。",
        "A template id is a number from 0 to {limit}.",
    ),
    "template.unknown_text": Text(
        "テンプレート {template} の本文が分からないため、長さを確かめられません。"
        "mediasms.toml の [templates] に管理画面の本文を写すか、--unchecked-templates を付けてください"
        "（--allow-repeats とは併用できません）。",
        "Nobody here knows what template {template} says, so whether it is cut cannot be told. Copy its text from the "
        "gateway's console to [templates] of mediasms.toml, or add --unchecked-templates (not with --allow-repeats).",
    ),
    "code.characters": _limit(
        "アクセスコードは英数字と @%+/'!#$^?:;.,(){{}}[]~-_ の 1〜{limit} 文字にしてください。",
        "An access code has 1 to {limit} letters, digits or any of @%+/'!#$^?:;.,(){{}}[]~-_",
    ),
    "title.digits_only": _limit(
        "送信元表示を数字だけにはできません。英字を含めてください。",
        "A title cannot be digits only. Add a letter.",
    ),
    "smsid.spreadsheet": Text(
        "smsid が表計算ソフトで数値に壊れています（15桁より先が失われるか、1.23E+14 のような表示です）。"
        "列の書式を「文字列」にし、元の値を入力し直してください。",
        "A spreadsheet damaged the smsid as a number (digits beyond the 15th are lost, or it reads like 1.23E+14). "
        "Format the column as text and enter it again.",
    ),
    "senddatetime.format": _limit(
        "送信予定日時を日時として読めません。年を 4 桁で先に、分まで、日本時間で入力してください"
        "（例 2026/12/01 9:30、202612010930）。日付だけ・時刻だけ・24:00・00 以外の秒は使えません。",
        "The scheduled time cannot be read. Write the year first, in four digits, and the time to the minute, in Japan "
        "(for example 2026/12/01 9:30 or 202612010930). A date or a time alone, 24:00 and seconds other than 00 are "
        "not taken.",
    ),
    "senddatetime.past": Text(
        "送信予定日時が過ぎています。これからの日時にしてください（日本時間）。",
        "The scheduled time has passed. Give one in the future (Japan time).",
    ),
    "registrationdate.missing": Text(
        "登録日が空です。他人判定には、その番号を登録した日が要ります。",
        "The registration date is empty. An other-person check needs the day on which the number was noted.",
    ),
    "registrationdate.format": _limit(
        "登録日は YYYYMMDD（例 20260401）か 2026/4/1 の形で、実在する日にしてください。",
        "A registration date is a real day, written YYYYMMDD (for example 20260401) or 2026/4/1.",
        CHECK_SOURCE,
    ),
    "registrationdate.future": Text(
        "登録日がまだ来ていません。番号を登録した日にしてください（日本時間）。",
        "The registration date has not come yet. Give the day on which the number was noted (Japan time).",
    ),
    "cost_centre.too_long": Text(
        "コストセンターが {size} 文字です。{limit} 文字までにしてください。",
        "The cost centre has {size} characters. At most {limit} are allowed.",
    ),
}

#: repair rule → what was done
REPAIRS: dict[str, Text] = {
    "phone.separators": Text("区切り記号を除きました", "separators removed"),
    "phone.full_width": Text("全角数字を半角にしました", "full-width digits made ASCII"),
    "phone.lost_zero": Text("落ちた先頭の 0 を補いました", "lost leading zero restored"),
    "phone.international": Text("国際表記を国内表記にしました", "international form made domestic"),
    "phone.plus": Text("先頭の + を除きました", "leading + removed"),
    "phone.spreadsheet_number": Text(
        "数値化された末尾の .0 を除きました", "trailing .0 of a spreadsheet number removed"
    ),
    "phone.formula_quote": Text('="…" や先頭の \' を除きました', '="…" or leading \' removed'),
    "phone.prefix": Text("tel: を除きました", "tel: removed"),
    "senddatetime.form": Text(
        "送信予定日時をゲートウェイの形にしました", "scheduled time written as the gateway writes it"
    ),
    "text.decomposed_kana": Text("分解された濁点・半濁点を合成しました", "decomposed kana composed"),
    "text.tab": Text("タブを空白にしました", "TAB made a space"),
    "text.canonical": Text("同じ文字の別コードを統一しました", "another code point of the same character unified"),
    "text.line_break": Text("改行を LF に統一しました", "line break made LF"),
    "text.replaced": Text("送信できない文字を置き換えました", "characters that cannot be sent replaced"),
}

#: what is remarked about rows that go out
WARNINGS: dict[str, Text] = {
    "phone.m2m": Text(
        "020 で始まる番号（M2M 機器）が {count} 件あります。人には届きません（行 {rows}）。",
        "{count} numbers start with 020: these are devices (M2M), not people (rows {rows}).",
    ),
    "tag.empty_value": Text(
        "差し込む値が空のまま送られる本文が {count} 件あります（行 {rows}）。",
        "{count} texts go out with nothing in the place of a tag: the cell is empty (rows {rows}).",
    ),
    "cell.unformatted": Text(
        "列「{column}」の数値・時刻 {count} 件は、表示形式（¥1,234 や 5名、9時30分 など）を付けずに使います"
        "（行 {rows}）。表示どおりに送るには、文字列として入力し直してください。",
        "Column {column}: {count} numbers or times are used plainly, without the format under which the sheet shows "
        "them (¥1,234 or 9:30 AM, say; rows {rows}). To send what is shown, enter it as text.",
    ),
    "template.unchecked": Text(
        "テンプレート {template} の本文が分からないまま {count} 件を送ります。"
        "長すぎれば途中で切れ、費用も分かりません（行 {rows}）。",
        "{count} messages go out by template {template}, whose text nobody here knows: too long, it is cut, and its "
        "cost is not known (rows {rows}).",
    ),
}
