"""Recipients lists for benchmarks: realistic, of any size, and known by construction.

The file of N rows is the beginning of every longer one. Next to FILE stand ``FILE.json`` (what must become of the
rows, counted) and ``FILE.rejected.npy`` (the row numbers that must be rejected; a row number counts records, the
header is 1). Nothing here comes from the product: the expectations follow from how a row was made.

    python benchmarks/lib/recipients.py --rows 1M --templates 50 --encoding cp932 FILE
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

SEED = 20260401
HEADER = ("電話番号", "本文", "氏名", "店舗", "日時", "金額")
FEW, MANY = 50, 5_000

_CHUNK = 100_000
_BLOCK = 100  # one row in each block is a special one: 1 %
_FIRST_ROW = 2
_LIMIT = 70
_TEMPLATES = 0.3  # of all texts
_ASCII = 0.05  # of the plain ones
_BREAKS = (0.75, 0.973, 0.998)  # up to here: none, LF, CRLF; then a tab
_SECOND_BREAK = 0.3  # of those with LF
_RARE_OPENING, _RARE_CLOSING = 0.002, 0.005
_NUMBERS = 270_000_000  # 070 080 090, then 1-9, then seven digits
_STEP, _START = 104_729_003, 31_415_926  # a step without common divisor walks through all numbers once

_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")

_SURNAMES = (
    "佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "吉田",
    "山田", "佐々木", "山口", "松本", "井上", "木村", "林", "斎藤", "清水", "長谷川", "森",
)  # fmt: skip
_GIVEN = (
    "太郎", "花子", "健", "美咲", "大輔", "陽子", "翔太", "さくら", "健太郎",
    "恵", "直樹", "由美子", "誠", "あかり", "隆", "みゆき", "一郎", "千尋",
)  # fmt: skip
_SHOPS = [
    f"{town}{kind}"
    for town, kind in product(
        ["銀座", "梅田", "横浜", "仙台", "博多", "札幌", "金沢", "広島", "神戸", "千葉"],
        ["店", "本店", "駅前店", "医院", "中央店"],
    )
]
_OPENINGS = (
    "ご予約の確認のお知らせです。",
    "【重要】ご来店日のご案内です。",
    "本日はご利用ありがとうございます。",
    "商品の準備が整いました。",
    "お支払い期限が近づいています。",
    "定期検診の時期になりました。",
    "新商品「秋の栗」が入荷しました！",
    "会員様限定のセールを開催中です。",
    "荷物を本日お届けいたします。",
    "ﾎﾟｲﾝﾄの有効期限のお知らせです。",
    "アンケートのお願いです。",
    "ご契約内容をご確認ください。",
    'クーポン"AKI10"をご利用ください。',
    "点検日は5月7日、午前中です。",
    "システムの保守を行います。",
    "お車の点検のご案内です。",
)
_DECOMPOSED = "こ\u3099来店をお待ちしています。"
_TILDE = "10:00〜18:00に受付へお越しください。"  # U+301C: the same character as U+FF5E, needs a repair
_CLOSINGS = (
    "皆様のご来店を心よりお待ちしております。",
    "変更は前日の18時までにお願いします。",
    "ご不明な点は店頭の係までどうぞ。",
    "お気をつけてお越しください。",
    "このメッセージに返信はできません。",
    "詳細はマイページをご確認ください。",
    "https://example.jp/visit",
    "営業時間は10:00～18:00です。",
    "どうぞよろしくお願いいたします。",
    "お問い合わせ0120-000-000",
)
_ENGLISH = (
    "Your reservation is confirmed, see you soon. Please show this message at the desk. Ref ",
    "Your parcel is out for delivery today. Track it at https://example.jp/t with number ",
    "Do not share this code with anyone. Our staff will never ask you for it. Code ",
)
_TEMPLATE_OPENINGS = (
    "ご案内", "予約確認", "重要", "お知らせ", "会員様へ", "ご確認", "受付完了", "期間限定", "最終案内", "ご連絡",
)  # fmt: skip
_TEMPLATE_MIDDLES = (
    "ご予約は", "ご来店日は", "次回は", "検診日は", "お渡しは", "お届けは", "ご面談は", "点検日は", "更新日は",
    "締切は",
)  # fmt: skip
_STRUCTURES = (
    "【{opening}】{{氏名}}様{line}{middle}{{日時}}です。{closing}",
    "{{店舗}}です。{{氏名}}様、{middle}{{日時}}{line}{closing}",
    "{{氏名}}様{line}{opening}：{{金額}}円。{middle}{{店舗}}。{closing}",
    "{{氏名}}様{line}{middle}{{日時}}{line}{{店舗}}{closing}",
    "{opening}：{{店舗}}{line}お支払額{{金額}}円({{日時}}) {closing}",
)
_LABELS = ("予約番号", "受付No.", "会員ID:", "注文")
_CANNOT_SEND = ("①", "㈱", "髙", "Ⅱ")
_CANNOT_SEND_UNICODE = (*_CANNOT_SEND, "😀", "—", "\xa0", "𠮷")


_INDEX_DIGITS = 8
_BREAK = 2  # a line break counts twice
_NAME = max(map(len, _SURNAMES)) + 1 + max(map(len, _GIVEN))
_LONGEST = (
    max(map(len, _OPENINGS)) + _BREAK + _NAME + len("様") + max(map(len, _LABELS)) + _INDEX_DIGITS + _BREAK
    + max(map(len, (*_CLOSINGS, _TILDE)))
)  # fmt: skip
assert _LONGEST <= _LIMIT, "an ordinary text could be too long"


@dataclass(frozen=True, slots=True)
class _Spelling:
    """How a number is written; ``zero`` says whether its 0 is there."""

    percent: float
    prefix: str = ""
    zero: bool = True
    after_three: str = ""
    after_seven: str = ""
    suffix: str = ""
    full_width: bool = False


def _spellings(encoding: str) -> list[_Spelling]:
    dashes = "ー－―─" if encoding == "cp932" else "‐–ー−"
    return [
        _Spelling(60),
        _Spelling(28, after_three="-", after_seven="-"),
        _Spelling(1, after_three=" ", after_seven=" "),
        _Spelling(0.5, after_three="\u3000", after_seven="\u3000"),
        _Spelling(0.5, prefix="(", after_three=")", after_seven="-"),
        _Spelling(1, full_width=True),
        _Spelling(1, after_three="－", after_seven="－", full_width=True),
        _Spelling(1, prefix="+81", zero=False),
        _Spelling(1, prefix="+81-", zero=False, after_three="-", after_seven="-"),
        _Spelling(2, zero=False),
        _Spelling(1, zero=False, suffix=".0"),
        _Spelling(1, prefix='="', suffix='"'),
        *(_Spelling(0.5, after_three=dash, after_seven=dash) for dash in dashes),
    ]


def number_of(index: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the number of each row as an integer (9012345678 is 090…): another one for every row."""
    rest = (index * _STEP + _START) % _NUMBERS
    carrier, subscriber = rest % 3, rest // 3
    return (7 + carrier) * 1_000_000_000 + 10_000_000 + subscriber


def _special_offset(block: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return which row of a block is the special one; a multiplicative hash, so that any block can be asked."""
    return ((block * 2_654_435_761 + SEED) >> 7) % _BLOCK


@dataclass(frozen=True, slots=True)
class _Special:
    """A row that is not an ordinary one: the cells that replace the ordinary ones, and why it must be rejected."""

    codes: tuple[str, ...]
    cells: dict[str, str] = field(default_factory=dict)


Kind = Callable[[str, int], _Special]


def _one_of(codes: Sequence[str], column: str, *values: str) -> Kind:
    return lambda _, turn: _Special(tuple(codes), {column: values[turn % len(values)]})


def _kinds(encoding: str) -> list[tuple[str, Kind]]:
    """Return every kind of special row. The first argument of a kind is the row's number, the second a running one."""
    strange = _CANNOT_SEND if encoding == "cp932" else _CANNOT_SEND_UNICODE
    filler = "明日のご予約についてお知らせします。"
    return [
        ("empty number", _one_of(["phone.empty"], "電話番号", "", "\u3000", " ")),
        ("letters", _one_of(
            ["phone.letter"], "電話番号", "090-12O4-5678", "連絡先不明", "090-1234-5678/080-1234-5678"
        )),
        ("short", lambda n, turn: _Special(("phone.too_short",), {"電話番号": (n[:10], "+81" + n[1:10])[turn % 2]})),
        ("long", lambda n, _: _Special(("phone.too_long",), {"電話番号": n + "1"})),
        ("other numbers", _one_of(
            ["phone.not_mobile"], "電話番号", "03-1234-5678", "050-1234-5678", "0120-123-456", "0570-000-111",
            "020-4123-4567", "0800-123-4567",
        )),
        ("overseas", _one_of(["phone.overseas_disabled"], "電話番号", "+1 415 555 0123", "14155550123")),
        ("scientific", _one_of(["phone.scientific"], "電話番号", "9.01E+09", "8.0E+9")),
        ("empty text", _one_of(["text.empty"], "本文", "", "\u3000\u3000", "\n\n", " ")),
        ("strange", _one_of(["text.platform_dependent"], "本文", *(f"{filler}{letter}番" for letter in strange))),
        ("strange name", lambda _, turn: _Special(
            ("text.platform_dependent",),
            {"本文": "{氏名}様、" + filler, "氏名": strange[turn % len(strange)] + "橋"},
        )),
        ("bytes", lambda n, _: _Special(("text.too_many_bytes",), {"本文": f"Ref {n} ".ljust(141, "x")})),
        ("characters", lambda _, turn: _Special(
            ("text.too_many_characters",), {"本文": "あ" * 60 + "0123456789" + "abcdefghij"[: 10 - turn % 3]}
        )),
        ("again", lambda _, __: _Special(())),  # the number of the row above is not taken: that row is rejected
        ("both", lambda _, turn: _Special(
            ("text.too_many_bytes", "text.too_many_characters"), {"本文": "い" * (71 + turn % 9)}
        )),
        ("breaks", _one_of(["text.too_many_characters"], "本文", "う" * 67 + "\n\n")),
        ("unknown tag", _one_of(["tag.unknown"], "本文", "{氏名}様 会員番号{会員番号}", "{name}様、" + filler)),
        ("unclosed tag", _one_of(["tag.unclosed"], "本文", "{氏名様、" + filler, filler + "}", "{{氏名}様")),
        ("tag in a value", lambda _, turn: _Special(
            ("tag.in_value",), {"本文": "{氏名}様、" + filler, "氏名": ("{URL}", "{info1}")[turn % 2]}
        )),
        ("two faults", lambda n, _: _Special(("phone.too_short", "text.empty"), {"電話番号": n[:9], "本文": ""})),
        ("duplicate", lambda _, __: _Special(("recipient.duplicate",))),
        ("duplicate, spelled", lambda _, __: _Special(("recipient.duplicate",))),
    ]  # fmt: skip


@cache
def templates(count: int) -> list[str]:
    """Return ``count`` different texts with tags; every fourth has line breaks, every fortieth CRLF ones."""
    order = np.random.default_rng(SEED).permutation(
        len(_STRUCTURES) * len(_TEMPLATE_OPENINGS) * len(_TEMPLATE_MIDDLES) * len(_CLOSINGS)
    )
    parts = list(product(_STRUCTURES, _TEMPLATE_OPENINGS, _TEMPLATE_MIDDLES, _CLOSINGS))
    texts: dict[str, None] = {}
    for at in [*order, *order]:
        structure, opening, middle, closing = parts[at]
        turn = len(texts)
        line = "" if turn % 4 else "\r\n" if turn % 40 == 0 else "\n"
        # Structures that do not use every part repeat themselves: the number of the branch tells them apart.
        text = structure.format(opening=opening, middle=middle, closing=closing, line=line)
        if text in texts:
            text += f"({turn})"
        texts[text] = None
        if len(texts) == count:
            break
    longest = {"氏名": _NAME, "店舗": max(map(len, _SHOPS)), "日時": len("12月28日 20:55"), "金額": len("99,990")}
    for text in texts:
        filled = text.replace("\r\n", "\n").replace("\n", "..")
        for name, size in longest.items():
            filled = filled.replace(f"{{{name}}}", "x" * size)
        assert len(filled) <= _LIMIT, text
    return list(texts)


@dataclass(slots=True)
class Expected:
    """What must become of the rows that were made."""

    rows: int = 0
    accepted: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    number_sum: int = 0
    rejected: list[int] = field(default_factory=list)


def make(path: Path, rows: int, template_count: int, encoding: str = "utf-8") -> Expected:
    """Write a list of ``rows`` rows, and next to it what must become of them."""
    expected = Expected()
    with path.open("wb") as file:
        file.write((",".join(HEADER) + "\r\n").encode(encoding))
        for lines in _chunks(rows, template_count, encoding, expected):
            file.write(lines if encoding == "utf-8" else str(lines, "utf-8").encode(encoding))
        size = file.tell()
    np.save(path.with_name(path.name + ".rejected.npy"), np.array(expected.rejected, np.int64))
    facts: dict[str, Any] = {
        "rows": expected.rows,
        "bytes": size,
        "encoding": encoding,
        "templates": template_count,
        "accepted": expected.accepted,
        "rejected": len(expected.rejected),
        "codes": dict(sorted(expected.codes.items())),
        "number_sum": expected.number_sum,
    }
    path.with_name(path.name + ".json").write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    return expected


def _chunks(rows: int, template_count: int, encoding: str, expected: Expected) -> Iterator[memoryview]:
    for start in range(0, rows, _CHUNK):
        # Always a whole chunk, then cut: a shorter file is the beginning of a longer one.
        index = np.arange(start, start + _CHUNK, dtype=np.int64)
        rng = np.random.default_rng([SEED, start])
        cells = _ordinary(rng, index, template_count, encoding)
        size = min(_CHUNK, rows - start)
        cells = _with_specials(cells, index[:size], encoding, expected)
        lines = pc.binary_join_element_wise(*(_quoted(cells[name]) for name in HEADER), ",")
        lines = pc.binary_join_element_wise(lines, "\r\n", "")
        _, offsets, data = lines.buffers()
        ends = np.frombuffer(offsets, np.int32)
        yield memoryview(data)[ends[lines.offset] : ends[lines.offset + len(lines)]]


def _pick(pool: Sequence[str], at: npt.NDArray[Any]) -> pa.Array:
    return pa.array(list(pool)).take(pa.array(at.astype(np.int64)))


def _digits(values: npt.NDArray[np.int64], width: int) -> pa.Array:
    """Write integers with leading zeros, without a loop over rows."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    characters = ((values[:, None] // powers) % 10 + ord("0")).astype(np.uint8)
    offsets = np.arange(len(values) + 1, dtype=np.int32) * width
    return pa.Array.from_buffers(pa.string(), len(values), [None, pa.py_buffer(offsets), pa.py_buffer(characters)])


def _join(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _ordinary(
    rng: np.random.Generator, index: npt.NDArray[np.int64], template_count: int, encoding: str
) -> dict[str, pa.Array]:
    """Make a chunk of rows that must all be accepted."""
    count = len(index)

    def any_of(pool: Sequence[str]) -> pa.Array:
        return _pick(pool, rng.integers(len(pool), size=count))

    names = _join(any_of(_SURNAMES), any_of(["", "", " ", "\u3000"]), any_of(_GIVEN))
    days = _join(any_of([f"{month}月{day}日" for month in range(1, 13) for day in range(1, 29)]), " ")
    times = any_of([f"{hour}:{minute:02}" for hour in range(9, 21) for minute in range(0, 60, 5)])
    openings, closings = _OPENINGS, _CLOSINGS
    sep = np.searchsorted(_BREAKS, rng.random(count))
    opening = np.where(rng.random(count) < _RARE_OPENING, len(openings), rng.integers(len(openings), size=count))
    closing = np.where(rng.random(count) < _RARE_CLOSING, len(closings), rng.integers(len(closings), size=count))
    if encoding == "cp932":
        opening %= len(openings)
        closing %= len(closings)
    japanese = _join(
        _pick([*openings, _DECOMPOSED], opening),
        _pick(["", "\n", "\r\n", "\t"], sep),
        names,
        "様",
        any_of(_LABELS),
        _digits(index, _INDEX_DIGITS),
        _pick(["", "\n"], (sep == 1) & (rng.random(count) < _SECOND_BREAK)),
        _pick([*closings, _TILDE], closing),
    )
    english = _join(any_of(_ENGLISH), _digits(index, _INDEX_DIGITS))
    plain = pc.if_else(pa.array(rng.random(count) < _ASCII), english, japanese)
    texts = pc.if_else(pa.array(rng.random(count) < _TEMPLATES), any_of(templates(template_count)), plain)
    amounts = rng.integers(50, 10_000, size=count) * 10
    return {
        "電話番号": _spelled(rng, number_of(index), encoding),
        "本文": texts,
        "氏名": names,
        "店舗": any_of(_SHOPS),
        "日時": _join(days, times),
        "金額": _pick([f"{amount:,}" for amount in range(0, 100_000, 10)], amounts // 10),
    }


def _spelled(rng: np.random.Generator, numbers: npt.NDArray[np.int64], encoding: str) -> pa.Array:
    spellings = _spellings(encoding)
    shares = np.cumsum([spelling.percent for spelling in spellings])
    kind = np.searchsorted(shares / shares[-1], rng.random(len(numbers)), side="right")

    def part(name: str) -> pa.Array:
        return _pick([getattr(spelling, name) for spelling in spellings], kind)

    written = _join(
        part("prefix"),
        _pick(["", "0"], np.array([spelling.zero for spelling in spellings])[kind]),
        _digits(numbers // 100_000_000, 2),
        part("after_three"),
        _digits(numbers // 10_000, 4),
        part("after_seven"),
        _digits(numbers, 4),
        part("suffix"),
    )
    wide = pa.array(np.array([spelling.full_width for spelling in spellings])[kind])
    translated = pa.array([value.translate(_FULL_WIDTH) for value in written.filter(wide).to_pylist()], pa.string())
    return pc.replace_with_mask(written, wide, translated)


def _with_specials(
    cells: dict[str, pa.Array], index: npt.NDArray[np.int64], encoding: str, expected: Expected
) -> dict[str, pa.Array]:
    """Replace one row in each block, cut the chunk to the size of ``index``, and note what must become of it."""
    kinds = _kinds(encoding)
    blocks = np.unique(index // _BLOCK)
    columns: dict[str, dict[int, str]] = {name: {} for name in HEADER}
    numbers = number_of(index)
    accepted = np.ones(len(index), bool)
    for block in blocks.tolist():
        row = block * _BLOCK + int(_special_offset(np.array([block]))[0])
        at = row - int(index[0])
        if at >= len(index):
            continue
        turn, which = divmod(block, len(kinds))
        name, kind = kinds[which]
        special = kind(f"0{numbers[at]}", turn)
        if name == "again" or name.startswith("duplicate"):
            number = _earlier(block, again=name == "again")
            number = number if name != "duplicate, spelled" else f"+81 {number[1:3]}-{number[3:7]}-{number[7:]}"
            special = _Special(special.codes, {"電話番号": number})
            numbers[at] = int(number.removeprefix("+81").replace("-", ""))
        for column, value in special.cells.items():
            columns[column][at] = value
        expected.codes.update(special.codes)
        accepted[at] = not special.codes
    expected.rows += len(index)
    expected.accepted += int(accepted.sum())
    expected.number_sum += int(numbers[accepted].sum())
    expected.rejected += (index[~accepted] + _FIRST_ROW).tolist()
    return {name: _replaced(column.slice(0, len(index)), columns[name]) for name, column in cells.items()}


def _earlier(block: int, *, again: bool) -> str:
    """Return the number of an earlier row: the rejected one of the block before, or an accepted one far back."""
    other = block - 1 if again else block * 7 // 10
    special = int(_special_offset(np.array([other]))[0])
    offset = special if again else (special + 1) % _BLOCK
    return f"0{number_of(np.array([other * _BLOCK + offset]))[0]}"


def _replaced(column: pa.Array, values: dict[int, str]) -> pa.Array:
    mask = np.zeros(len(column), bool)
    mask[list(values)] = True
    return pc.replace_with_mask(column, pa.array(mask), pa.array([values[at] for at in sorted(values)], pa.string()))


def _quoted(column: pa.Array) -> pa.Array:
    """Quote the cells that need it, as spreadsheets do."""
    needs = pc.match_substring_regex(column, '[",\r\n]')
    quoted = _join('"', pc.replace_substring(column, '"', '""'), '"')
    return pc.if_else(needs, quoted, column)


def rows_of(text: str) -> int:
    """Read a number of rows: 10, 100k, 5M."""
    factor = {"k": 1_000, "M": 1_000_000}.get(text[-1], 1)
    return int(text if factor == 1 else text[:-1]) * factor


def main() -> None:
    """Make one list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=rows_of, required=True)
    parser.add_argument("--templates", type=int, default=FEW, help="how many different texts with tags (default: 50)")
    parser.add_argument("--encoding", choices=("utf-8", "cp932"), default="utf-8")
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    make(arguments.file, arguments.rows, arguments.templates, arguments.encoding)


if __name__ == "__main__":
    main()
