"""What is said about the file that holds one text for a whole list (``--text``)."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

_SAVE = Text(
    "本文だけをメモ帳などに貼り付け、文字コード UTF-8 で保存したテキストファイルを指定してください。",
    "Paste the text alone into an editor such as Notepad, save it as UTF-8, and name that file.",
)

#: failure code → texts; facts never hold the text
TEXT_FILE_FAILURES: dict[str, Failure] = {
    "text_file.missing": Failure(
        Text("本文のファイル {file}（--text）がありません。", "there is no file {file} (--text)."),
        Text("ファイル名と場所を確かめてください。", "Check its name and place."),
    ),
    "text_file.unreadable": Failure(
        Text(
            "本文のファイル {file}（--text）を読めません：{problem}",
            "cannot read {file} (--text): {problem}",
        ),
        Text(
            "場所と権限を確かめてください。ほかのプログラムで開いていたら閉じてください。",
            "Check its place and permissions, and close it in other programs.",
        ),
    ),
    "text_file.is_input": Failure(
        Text(
            "{file} は宛先リストです。本文（--text）としても指定されています。何も送信していません。",
            "{file} is the list of recipients; it was also given as the text (--text). Nothing was sent.",
        ),
        Text(
            "--text には本文だけを書いたファイルを指定してください。本文の列があるリストなら --text は要りません。",
            "Name a file with the text alone. A list with a column of texts needs no --text.",
        ),
    ),
    "text_file.too_large": Failure(
        Text(
            "{file}（--text）は大きすぎます（上限 {limit:,} バイト）。1通の本文とは考えられません。",
            "{file} (--text) is larger than {limit:,} bytes: it cannot be the text of one message.",
        ),
        _SAVE,
    ),
    "text_file.workbook": Failure(
        Text(
            "{file}（--text）は Excel や Word などのファイルで、テキストではありません。",
            "{file} (--text) is a workbook or a document, not a text file.",
        ),
        _SAVE,
    ),
    "text_file.binary": Failure(
        Text(
            "{file}（--text）はテキストではありません（先頭から {offset} バイトに NUL）。",
            "{file} (--text) is not text: there is a NUL byte at byte {offset}.",
        ),
        _SAVE,
    ),
    "text_file.encoding": Failure(
        Text(
            "{file}（--text）の先頭から {offset} バイトにある {bytes} は文字として読めません。"
            "そこまでは {before} です。",
            "{file} (--text), byte {offset}: {bytes} cannot be read as text. Up to there the file is {before}.",
        ),
        _SAVE,
    ),
    "text_file.empty": Failure(
        Text(
            "{file}（--text）には空白と改行しかありません。",
            "{file} (--text) holds nothing but spaces and line breaks.",
        ),
        Text("本文を書いて保存してください。", "Write the text and save the file."),
    ),
}
