"""What is said about an input file as a whole: what is wrong, where, and what to do in the program it came from."""

from __future__ import annotations

from pipeline.messages.text import Failure, Text

_SAVE = Text(
    "Excel で「名前を付けて保存」→ ファイルの種類「CSV UTF-8（コンマ区切り）」を選ぶか、.xlsx のまま渡してください。",
    "In Excel use Save As with the type “CSV UTF-8 (Comma delimited)”, or hand in the .xlsx itself.",
)

_SAVE_XLSX = Text(
    "Excel で開き、「名前を付けて保存」→ ファイルの種類「Excel ブック (.xlsx)」で保存し、それを渡してください。",
    "Open it in Excel, use Save As with “Excel Workbook (.xlsx)”, and hand in that.",
)

#: failure code → texts; facts never hold a cell
INPUT_FAILURES: dict[str, Failure] = {
    "input.missing": Failure(
        Text("入力ファイル {file} がありません。", "there is no input file {file}."),
        Text("ファイル名と場所を確かめてください。", "Check its name and place."),
    ),
    "input.unreadable": Failure(
        Text("入力ファイル {file} を読めません：{problem}", "cannot read {file}: {problem}"),
        Text(
            "権限を確かめてください。ほかのプログラムで開いていたら閉じてください。",
            "Check its permissions, and close it in other programs.",
        ),
    ),
    "input.not_a_file": Failure(
        Text(
            "{file} は普通のファイルではありません（フォルダやパイプ）。入力は二度読むため使えません。",
            "{file} is not a regular file (a folder or a pipe). An input is read twice.",
        ),
        Text(
            "ファイルを指定するか、- を指定して標準入力から渡してください。",
            "Name a file, or give - and hand the data in on standard input.",
        ),
    ),
    "input.changed": Failure(
        Text(
            "入力ファイル {file} は読んでいる間に書き換えられました。何も送信していません。",
            "{file} was changed while it was read. Nothing was sent.",
        ),
        Text(
            "保存や転送が終わってから、もう一度実行してください。",
            "Wait until it is saved or copied in full, then run the command again.",
        ),
    ),
    "input.empty": Failure(
        Text(
            "入力ファイル {file} は空です（空白や区切り文字しかありません）。",
            "{file} is empty (nothing but blanks and delimiters).",
        ),
        Text(
            "正しいファイルか、Excel で保存したシートが空でないか確かめてください。",
            "Check that it is the right file, and that the sheet you saved is not an empty one.",
        ),
    ),
    "input.no_rows": Failure(
        Text("入力ファイル {file} には見出しだけで、行がありません。", "{file} holds a header but no rows."),
        Text("正しいファイルか確かめてください。", "Check that it is the right file."),
    ),
    "input.nul": Failure(
        Text(
            "入力ファイル {file} の {line} 行目（先頭から {offset} バイト）に NUL バイトがあります。"
            "テキストではないか、壊れています。",
            "{file}, line {line}, byte {offset}: a NUL byte. The file is no text, or it is damaged.",
        ),
        _SAVE,
    ),
    "input.utf16_without_bom": Failure(
        Text(
            "入力ファイル {file} は BOM のない UTF-16 のようです（{line} 行目、先頭から {offset} バイトに NUL）。"
            "読み方を推測しないため、使えません。",
            "{file} looks like UTF-16 without a byte order mark (line {line}, byte {offset}: a NUL byte). "
            "How to read it would be a guess.",
        ),
        _SAVE,
    ),
    "input.encoding": Failure(
        Text(
            "入力ファイル {file} の {line} 行目（先頭から {offset} バイト）にある {bytes} は文字として読めません。"
            "そこまでは {before} です。文字コードが混ざっているか、壊れています。",
            "{file}, line {line}, byte {offset}: {bytes} cannot be read as text. Up to there the file is {before}. "
            "It mixes encodings, or it is damaged.",
        ),
        Text(
            "その行の文字を確かめ、ファイル全体を一つの文字コードで保存し直してください"
            "（Excel では「CSV UTF-8（コンマ区切り）」）。別のファイルから貼り足した行が原因のことがあります。",
            "Look at that line and save the whole file in one encoding (in Excel “CSV UTF-8 (Comma delimited)”). "
            "Lines appended from another file are a usual cause.",
        ),
    ),
    "input.quote": Failure(
        Text(
            '入力ファイル {file} の {line} 行目（{row} 件目のレコード）で始まる引用符（"）が正しく閉じられていません。'
            "閉じ引用符がないか、閉じたあとに文字が続いています。続く行がのみ込まれるため、読みません。",
            '{file}, line {line} (record {row}): the quote (") that opens there is not closed properly. '
            "Its end is missing, or characters follow it. Rows would be swallowed, so nothing is read.",
        ),
        Text(
            'その行の引用符を直してください。本文の中の引用符は二つ重ねます（""）。'
            "Excel で開いて「CSV UTF-8（コンマ区切り）」で保存し直すと、正しく書かれます。",
            'Correct the quotes there; within a cell a quote is doubled (""). '
            "Excel writes it so when it saves as “CSV UTF-8 (Comma delimited)”.",
        ),
    ),
    "input.long_record": Failure(
        Text(
            "入力ファイル {file} の {line} 行目から始まるレコードが長すぎます（上限 {limit} バイト）。",
            "{file}: the record that begins in line {line} is too long (the limit is {limit} bytes).",
        ),
        Text(
            "改行や引用符が抜けていないか、その行を確かめてください。",
            "Look at that line: a line end or a quote may be missing.",
        ),
    ),
    "input.ragged": Failure(
        Text(
            "入力ファイル {file} の {row} 行目は {found} 列です（{expected} 列のはず）。",
            "{file}, row {row}: {found} columns instead of {expected}.",
        ),
        Text(
            'その行を確かめてください。カンマや改行を含むセルは引用符（"）で囲みます。'
            "表の外に書いたメモや合計の行は消してください。",
            'Look at that row: a cell with commas or line breaks stands in quotes ("). Remove notes beside the '
            "table, and a row of totals.",
        ),
    ),
    "input.not_csv": Failure(
        Text(
            "入力ファイル {file} の {row} 行目以降のレコードの切れ目を確かめられません。"
            "行が失われるおそれがあるため、読みません。",
            "{file}, from row {row} on: where records end is not certain. Rows could be lost, so nothing is read.",
        ),
        _SAVE,
    ),
    "input.html": Failure(
        Text(
            "入力ファイル {file} は Web ページ（HTML）です。名前は表でも、中身は表ではありません。",
            "{file} is a web page (HTML), whatever its name says.",
        ),
        Text(
            "Excel で開き、「名前を付けて保存」→ ファイルの種類「CSV UTF-8（コンマ区切り）」か"
            "「Excel ブック (.xlsx)」で保存してください。電話番号の先頭の 0 が消えていないか確かめてください。",
            "Open it in Excel and use Save As with “CSV UTF-8 (Comma delimited)” or “Excel Workbook (.xlsx)”. "
            "Check that phone numbers kept their leading 0.",
        ),
    ),
    "input.xml_spreadsheet": Failure(
        Text(
            "入力ファイル {file} は「XML スプレッドシート 2003」です。この形式は読めません。",
            "{file} is an “XML Spreadsheet 2003”, which is not read.",
        ),
        _SAVE_XLSX,
    ),
    "input.xlsb": Failure(
        Text(
            "入力ファイル {file} は「Excel バイナリ ブック (.xlsb)」です。この形式は読めません。",
            "{file} is an “Excel Binary Workbook (.xlsb)”, which is not read.",
        ),
        _SAVE_XLSX,
    ),
    "input.not_a_table": Failure(
        Text(
            "入力ファイル {file} は {kind} です。CSV でもブックでもありません。",
            "{file} is {kind}, neither CSV nor a workbook.",
        ),
        Text(
            "圧縮されていれば展開し、表計算ソフトで CSV UTF-8 か .xlsx として保存したものを渡してください。",
            "Unpack it if it is an archive, and hand in what a spreadsheet program saves as CSV UTF-8 or .xlsx.",
        ),
    ),
    "input.encrypted": Failure(
        Text("入力ファイル {file} はパスワードで保護されています。", "{file} is protected by a password."),
        Text(
            "Excel で開き、「ファイル」→「情報」→「ブックの保護」→「パスワードを使用して暗号化」を"
            "空にして保存してください。",
            "Open it in Excel, empty File > Info > Protect Workbook > Encrypt with Password, and save it.",
        ),
    ),
    "input.damaged": Failure(
        Text(
            "ブック {file} は壊れているか、途中で切れています。",
            "the workbook {file} is damaged or cut off.",
        ),
        Text(
            "元のファイルをもう一度コピーするか、Excel で開いて（必要なら修復して）保存し直してください。",
            "Copy it again from where it came, or open it in Excel (let it repair the file) and save it.",
        ),
    ),
    "input.bomb": Failure(
        Text(
            "ブック {file} は展開すると大きすぎます（{entries} 個のファイル、{size} バイト）。読みません。",
            "the workbook {file} unpacks to too much ({entries} files, {size} bytes). It is not read.",
        ),
        Text(
            "出どころを確かめてください。本物の名簿なら、シートを分けるか CSV UTF-8 で保存してください。",
            "Check where it came from. If it is a list of yours, split it or save it as CSV UTF-8.",
        ),
    ),
    "input.too_wide": Failure(
        Text(
            "ブック {file} のシートの使用範囲が大きすぎます。表から遠く離れたセルに何かあります。",
            "the used area of the sheet of {file} is too large: something stands far away from the table.",
        ),
        Text(
            "Excel で Ctrl+End を押して最後のセルを見つけ、表の外の行と列を削除して保存してください。",
            "Press Ctrl+End in Excel to find the last cell, delete the rows and columns outside the table, and save.",
        ),
    ),
    "input.uncalculated": Failure(
        Text(
            "ブック {file} のセル {cell} の数式には計算結果が保存されていません。"
            "空として読むことになるため、読みません。",
            "{file}: the formula in cell {cell} was saved without its result, and would be read as empty.",
        ),
        Text(
            "Excel か LibreOffice で開き、再計算（F9）してから保存してください。",
            "Open it in Excel or LibreOffice, let it calculate (F9), and save it.",
        ),
    ),
    "input.cell_error": Failure(
        Text(
            "ブック {file} のセル {cell} はエラー（{shown}）です。この種のエラーがあるブックは読めません。",
            "{file}: cell {cell} is an error of the kind {shown}. A workbook with one of these cannot be read.",
        ),
        Text(
            "そのセルの数式を直すか、値を入力して保存してください（同じエラーのセルがほかにもあるかもしれません）。",
            "Correct the formula of that cell, or enter its value, and save; other cells may have the same error.",
        ),
    ),
    "input.odf_content": Failure(
        Text(
            "ブック {file} のシート「{sheet}」のセル {cell} には、.ods からは正確に読めない要素 text:{what} があります"
            "（tab はタブ、line-break は特殊な改行、ruby はふりがな）。",
            "{file}, sheet {sheet}, cell {cell}: an element text:{what} that cannot be read exactly from .ods "
            "(tab is a TAB, line-break a line break of its own kind, ruby a reading beside a word).",
        ),
        Text(
            "そのセルを入力し直すか、LibreOffice で「Excel 2007-365 (.xlsx)」か「テキスト CSV」（UTF-8）として"
            "保存したものを渡してください。",
            "Enter that cell again, or save the file in LibreOffice as “Excel 2007-365 (.xlsx)” or “Text CSV” (UTF-8) "
            "and hand in that.",
        ),
    ),
    "input.hidden_rows": Failure(
        Text(
            "ブック {file} のシート「{sheet}」には、フィルターや「非表示」で見えていない行が {count} 行あります"
            "（最初は {row} 行目）。送るつもりの行かどうか分からないため、このファイルは読みません。",
            "{file}, sheet {sheet}: {count} row(s) are hidden by a filter or by hand, the first is row {row}. "
            "Whether they are meant to go out is not certain, so the file is not read.",
        ),
        Text(
            "すべて送るなら：フィルターをクリアし、非表示の行を再表示して保存してください。"
            "見えている行だけを送るなら：Alt+; で可視セルだけを選んで新しいシートにコピーし、"
            "そのシートを --sheet で指定してください。",
            "To send all of them, clear the filter, unhide the rows and save. To send only what is visible, select it "
            "(Alt+; selects visible cells only), copy it to a new sheet, and name that with --sheet.",
        ),
    ),
    "input.merged_cells": Failure(
        Text(
            "ブック {file} のシート「{sheet}」には、複数の行にまたがる結合セルが {count} か所あります"
            "（最初は {cells}）。値は最初の行にしかなく、ほかの行の値は決められないため、このファイルは読みません。",
            "{file}, sheet {sheet}: {count} cell(s) are merged over several rows, the first is {cells}. The file has "
            "the value in the first of these rows only; what the others have is not certain, so the file is not read.",
        ),
        Text(
            "結合を解除し、各行に値を入力して（上のセルをコピーして）保存してください。"
            "要らない列なら、列ごと削除しても構いません。",
            "Unmerge the cells, enter the value in every row that it is meant for (fill down), and save. A column that "
            "is not needed can be deleted.",
        ),
    ),
    "input.hidden_sheet": Failure(
        Text(
            "ブック {file} の最初のシート「{sheet}」は非表示です。どのシートを読むのか分からないため、読みません。"
            "見えているシート：{sheets}",
            "the first sheet of {file}, {sheet}, is hidden. Which sheet is meant is not certain, so nothing is read. "
            "Visible: {sheets}",
        ),
        Text(
            "--sheet に読むシートの名前を指定してください（非表示のシートも指定できます）。",
            "Name the sheet to read with --sheet (a hidden one can be named too).",
        ),
    ),
    "input.no_sheet": Failure(
        Text(
            "ブック {file} にシート「{sheet}」はありません。あるのは：{sheets}",
            "{file} has no sheet {sheet}. It has: {sheets}",
        ),
        Text("--sheet にどれかの名前を指定してください。", "Give one of these names with --sheet."),
    ),
    "input.sheet_of_text": Failure(
        Text(
            "入力ファイル {file} はテキストで、シート「{sheet}」はありません。",
            "{file} is a text file; it has no sheet {sheet}.",
        ),
        Text(
            "--sheet を外すか、ブックを指定してください。",
            "Leave out --sheet, or name a workbook.",
        ),
    ),
    "input.too_many_rejects": Failure(
        Text(
            "{file}：{rows} 行のうち {rejected} 行が却下され、上限（{limit}）を超えました。1通も送信していません。",
            "{file}: {rejected} of {rows} rows are rejected, more than the limit ({limit}). Nothing was sent.",
        ),
        Text(
            "{workbook} を見て直し、もう一度実行してください。上限は --max-rejects で変えられます。",
            "Look into {workbook}, correct the list and run it again, or raise --max-rejects.",
        ),
    ),
    "input.layout_columns": Failure(
        Text(
            "{file}：列が {found} 列ありますが、指定のレイアウトは {expected} 列です。",
            "{file}: there are {found} columns, the layout has {expected}",
        ),
        Text(
            "--layout の名前と、mediasms.toml の [layouts] を確かめてください。",
            "Check the name given with --layout, and [layouts] in mediasms.toml.",
        ),
    ),
    "input.no_known_column": Failure(
        Text(
            "入力ファイル {file} の 1 行目（{count} 列）に、知っている見出しがありません。"
            "データの行か、表題かもしれません（個人情報かもしれないので表示しません）。",
            "the first row of {file} ({count} columns) has no heading that is known: it may be a row of data, or a "
            "title above the headings. It is not shown, because it may hold personal data",
        ),
        Text(
            "見出しより上の表題などを削除し、電話番号の列の見出しを次のどれかにしてください。"
            "見出しのないファイルなら --layout を指定してください：{names}",
            "Delete whatever stands above the headings, and name the column of phone numbers one of the following; or "
            "give --layout for a list without a header: {names}",
        ),
    ),
    "input.another_sheet": Failure(
        Text(
            "{file} のシート「{sheet}」（最初のシート）の 1 行目に、電話番号の列の見出しがありません。"
            "ほかにも内容のあるシートがあります：{sheets}",
            "sheet {sheet}, the first of {file}, has no heading of a column of phone numbers in its first row. Other "
            "sheets hold something, too: {sheets}",
        ),
        Text(
            "リストが別のシートにあるなら --sheet 名前 で指定してください。「{sheet}」がリストなら、"
            "見出しより上の表題などを削除し、電話番号の列の見出しを次のどれかにしてください：{names}",
            "If another sheet is the list, name it: --sheet NAME. If {sheet} is, delete whatever stands above the "
            "headings, and name the column of phone numbers one of the following: {names}",
        ),
    ),
    "input.no_phone_column": Failure(
        Text(
            "入力ファイル {file} に電話番号の列が見つかりません。1 行目の列：{columns}",
            "{file} has no column of phone numbers. In its first row: {columns}",
        ),
        Text(
            "見出しを次のどれかにするか、見出しのないファイルなら --layout を指定してください：{names}",
            "Name the column one of the following, or give --layout for a list without a header: {names}",
        ),
    ),
    "input.doubled_column": Failure(
        Text(
            "入力ファイル {file} に同じ名前か同じ意味の列が二つ以上あります：{columns}",
            "{file} has columns of one name or one meaning: {columns}",
        ),
        Text(
            "一つだけ残すか、使わないほうの見出しを変えてください。",
            "Keep one of them, or give the one that is not meant another heading.",
        ),
    ),
    "input.no_registration_date": Failure(
        Text(
            "他人判定には登録日の列が要りますが、{file} にありません。",
            "an other-person check needs the registration date of each number, and {file} has no such column.",
        ),
        Text(
            "番号を登録した日の列を加えてください。使える列名：{names}",
            "Add a column with the day on which each number was noted, under one of these names: {names}",
        ),
    ),
    "input.no_text": Failure(
        Text(
            "入力ファイル {file} に本文の列もテンプレート ID の列もありません。列：{columns}",
            "{file} has no column of texts or template ids. Its columns: {columns}",
        ),
        Text(
            "本文の列の見出しを次のどれかにするか、--text で本文のファイルを、--template でテンプレートを"
            "指定してください：{names}",
            "Name the column of texts one of the following, or give one text for all with --text, or one template with "
            "--template: {names}",
        ),
    ),
    "input.two_texts": Failure(
        Text(
            "{option} と列「{column}」の両方が本文を決めています（{file}）。",
            "both {option} and the column {column} of {file} say what is sent.",
        ),
        Text("どちらか一つにしてください。", "Keep one of them."),
    ),
}
