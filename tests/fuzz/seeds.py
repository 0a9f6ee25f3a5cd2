"""What the fuzzer of the reader begins with, and the words that its mutations insert."""

from __future__ import annotations

import codecs
import io
import zipfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final

_SAMPLES: Final = Path(__file__).parents[2] / "sample_data"
_TABLE: Final = '電話番号,本文\r\n09011112222,"ソ十, 表\r\n示"\r\n"08033334444","a""b"\r\n'
_SMALL: Final = (
    *("", "\n", ",", '"', '""', '"\n', "a", "a\n", "a,b", "a,b\n1", "a,b\n1,2,3\n", "a,b\r1,2\r", "a,b\n\n\n1,2\n,\n"),
    *('a,b\n"x"y,2\n', 'a,b\nx"y,2\n', 'a,b\n"x,2\n', 'a,b\n"x\r\ny",2\r\n', 'a,b\n x ," y "\n', '"a""b","c"\n'),
    *(",,\n;;\na;b\n1;2\n", "a;b,c;d\n", "\ufeff\ufeffa,b\n", "a,b\n\ufeff1,2\n", "a\x0bb,c\n\x85,\u2028\n"),
    *("\u3000,\u3000\na,b\n", "a,b\n" + "1,2\n" * 200, "a" * 3000 + "\n", '"' * 200, "a,b\r\r\n1,2\n\r", "a\0b"),
    *(
        "1e5,NaN\nNA,null\n,True\n",
        "<!-- a -->\n" * 6 + "<table>",
        '<?xml version="1.0"?><a>',
        '[{"a": 1}]',
        "<!-- -->,b\n1,2\n",
    ),
)

_SCHEMAS: Final = "http://schemas.openxmlformats.org"
_OFFICE: Final = f"{_SCHEMAS}/officeDocument/2006/relationships"
_PACKAGE: Final = f'xmlns="{_SCHEMAS}/package/2006'
_SHEET: Final = f'xmlns="{_SCHEMAS}/spreadsheetml/2006/main"'
#: the parts of a small workbook
_WORKBOOK: Final = {
    name: text.encode()
    for name, text in {
        "[Content_Types].xml": f'<Types {_PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships {_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {_SHEET} xmlns:r="{_OFFICE}"><workbookPr date1904="1"/><sheets>'
        '<sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships {_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="rId3" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/sharedStrings.xml": f"<sst {_SHEET}><si><t>電話</t></si><si><r><t>本</t></r><r><t>文</t></r></si></sst>",
        "xl/styles.xml": f'<styleSheet {_SHEET}><numFmts><numFmt numFmtId="164" formatCode="000-0000"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet {_SHEET}><dimension ref="A1:B5"/><sheetData><row r="1">'
        '<c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row><row r="2"><c r="A2"><v>9012345678</v></c>'
        '<c r="B2" t="inlineStr"><is><t>a</t></is></c></row><row r="4"><c r="A4" s="1"><v>45000.5</v></c>'
        '<c r="B4" t="b"><v>1</v></c></row><row r="5"><c r="A5" t="str"><f>1/3</f>'
        "<v>x</v></c></row></sheetData>"
        '<mergeCells><mergeCell ref="A1:A2"/></mergeCells></worksheet>',
    }.items()
}
#: first byte → the part of a workbook that an input is instead
_PARTS: Final = {
    16: "xl/worksheets/sheet1.xml",
    17: "xl/sharedStrings.xml",
    18: "xl/styles.xml",
    19: "xl/workbook.xml",
    20: "xl/_rels/workbook.xml.rels",
}

#: what mutations insert
WORDS: Final = (
    *(b"<c r=", b' t="s"', b' t="e"', b"<v>", b"</row>", b"1E309", b"-1", b"&#x0;", b"99999999999", b'r="XFD1048576"'),
    *(b'"', b'""', b",", b";", b"\t", b"\r\n", b"\n", b"\r", b'"\r\n"', b'","', b'"\n', b" ", b"\0"),
    *(b"sep=;\r\n", b'"sep=,"\n', b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"),
    *(b"<!-- -->", b"<?xml ", b"<table>", b'{"a":', b'["a",'),
    *(text.encode("cp932") for text in ("ソ", "表", "ー", "ｱ", "\u3000", "～", "電話番号")),
    *(text.encode() for text in ("電話番号", "本文", "\u3000", "\xa0", "\x85", "\u2028", "\ufeff", "\x1c", "😀", "ｱ")),
    # U+0A0D and U+220A hold the bytes of line ends and quotes
    *(text.encode("utf-16-le") for text in (",", "\n", '"', "漢", "\u0a0d", "\u220a")),
)


#: first byte → how a text made of ``_TOKENS`` is encoded; from 8 on it is cut into cells as well
_ENCODINGS: Final = {1: "utf-8", 2: "utf-8-sig", 3: "cp932", 4: "utf-16-le", 5: "utf-16-be"}
_CELLS: Final = 8
_MARKS: Final = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
_TOKENS: Final = (
    *(",", ",", ",", "\n", "\r\n", "\r", '"', '""', "\t", ";", " ", "a", "1", "あ", "ソ", "表", "ｱ", "㈱", "\u3000"),
    *("😀", "\x0b", "\x1c", "\x85", "\u2028", "\ufeff", "\u0a0d", ',"a",', ',"a""b"', ',"\r\n",', '\n"x\ry",', '\n""'),
)


def made(data: bytes) -> bytes:
    """Return the file that an input stands for: a text, a table or a workbook made of it, or the input itself.

    Most mutations of bytes are refused at once, and all of workbooks: their checksums no longer fit.
    """
    first = data[0] if data else 0
    if part := _PARTS.get(first):
        return _workbook({part: data[1:]})
    encoding = _ENCODINGS.get(first % _CELLS)
    if encoding is None or first >= 2 * _CELLS:
        # NUL bytes are what mutations like best, and all of them are refused the same way.
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"PK")) or len(data) % 4 == 0
        return data if wide else data.replace(b"\0", b",")
    text = _cells(data[1:]) if first >= _CELLS else "".join(_TOKENS[byte % len(_TOKENS)] for byte in data[1:])
    return _MARKS.get(encoding, b"") + text.encode(encoding, "ignore")


def _cells(data: bytes) -> str:
    """Return a table that is written as tables are: of one width, with quotes where they are needed."""
    if len(data) < 3:
        return ""
    width, delimiter, line_end = data[0] % 4 + 1, ",;\t"[data[1] % 3], ("\n", "\r\n", "\r")[data[2] % 3]
    cells = [""]
    for byte in data[3:]:
        cells[-1] += _TOKENS[byte % len(_TOKENS)]
        if byte % 3 == 0:
            cells.append("")
    quoted = ['"' + cell.replace('"', '""') + '"' if set(cell) & set('",;\t\r\n') else cell for cell in cells]
    quoted += [""] * (-len(cells) % width)
    rows = (quoted[at : at + width] for at in range(0, len(quoted), width))
    return line_end.join(delimiter.join(row) for row in rows)


def seeds(longest: int) -> Iterator[bytes]:
    """Return pieces of the sample data, what readers usually fail at, and small workbooks."""
    for path in sorted(_SAMPLES.glob("*.csv")):
        yield path.read_bytes()[:longest].rpartition(b"\n")[0]
    for table in (_TABLE, _TABLE.replace(",", "\t"), "sep=;\r\n" + _TABLE.replace(",", ";")):
        for encoding in ("utf-8", "utf-8-sig", "cp932", "utf-16", "utf-16-be"):
            yield table.encode(encoding)
        yield b"\xfe\xff" + table.encode("utf-16-be")
    for text in _SMALL:
        yield text.encode()
    yield "電話,本文\n1,あいうえおかきくけこ\n".encode() + "ソ表".encode("cp932")
    yield "電話,本文\n".encode("cp932") + "1,あいうえおかきくけこ\n".encode()
    yield b"a,b\n\x80,\xa0\n\xfd\xfe\xff,\x81\n"
    for first in _ENCODINGS:
        yield bytes((first, 11, 0, 12, 3, 13, 0, 14, 3))
        for width, delimiter, line_end in product(range(3), repeat=3):
            yield bytes((_CELLS + first, width, delimiter, line_end, *range(0, 256, 5 + width)))
    yield _workbook({})
    yield _workbook({})[:-30]
    for first, part in _PARTS.items():
        yield bytes((first,)) + _WORKBOOK[part]


def _workbook(changed: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, data in (_WORKBOOK | changed).items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return stream.getvalue()
