"""Lists of recipients for comparisons, and what the product says of them in the form of the reference's verdicts."""

from __future__ import annotations

import random
from datetime import datetime
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.core.calendar import JST
from pipeline.core.examine import Examined, examine
from pipeline.core.kernels import msisdns
from pipeline.core.kernels.msisdns import NumberColumn
from pipeline.core.policy import Limits, Policy, Roles
from schemas.recipients import ACCEPTED_FIELDS
from tests.core.reference import Account, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    Cells = Mapping[str, str]

ROW: Final = "row_number"
NOW: Final = datetime(2026, 11, 25, 9, 30, tzinfo=JST)
ACCOUNT: Final = Account(now=NOW)
#: field → column; two columns (氏名, 店〜) play no role and are there for tags
ROLES: Final = {
    "msisdn": "電話番号",
    "text": "本文",
    "smsid": "smsid",
    "originalurl": "URL",
    "originalurl2": "url2",
    "originalurlcode": "originalurlcode",
    "info1": "info1",
    "info2": "INFO 2",
    "memo": "メモ",
    "title": "title",
    "scheduled": "送信予定日時",
    "cost_centre": "部門",
    "template_id": "templateid",
}
NAME: Final = "氏名"
#: as another system may name a column: 〜 has a twin, が is in two pieces, and ㈱ cannot be sent
ODD_NAMES: Final = ("店〜", "か\u3099", "㈱")
COLUMNS: Final = (*ROLES.values(), NAME, *ODD_NAMES)


def policy_of(account: Account = ACCOUNT) -> Policy:
    limits = Limits(
        overseas=account.overseas,
        text_bytes=account.text_bytes,
        text_characters=account.text_characters,
        longest_characters=670,
        line_break=account.line_break,
        short_link=account.short_link,
        url_characters=2083,
        code_characters=20,
        smsid_characters=50,
        template_id_max=999999,
        title_min=2,
        title_max=11,
        carriers=("docomo", "au", "SoftBank"),
        bytes_only=("au",),
    )
    table = {ord(character): by for character, by in account.replacements.items()}
    return Policy(
        limits=limits,
        now=account.now,
        strict=account.strict,
        replacements=table,
        templates={str(number): text for number, text in account.templates.items()},
        unchecked_templates=account.unchecked_templates,
        shift_jis=account.shift_jis,
    )


def examined(
    rows: Sequence[Cells],
    account: Account = ACCOUNT,
    roles: Mapping[str, str] = ROLES,
    *,
    common_text: str | None = None,
    first: int = 2,
) -> Examined:
    """Examine rows as one chunk whose first record has the number ``first``."""
    names = list(dict.fromkeys(name for row in rows for name in row)) or list(roles.values())
    chunk = pd.DataFrame({name: [row[name] for row in rows] for name in names}, dtype="str")
    chunk.insert(0, ROW, np.arange(first, first + len(rows)))
    return examine(chunk, ROW, Roles(roles, common_text), policy_of(account), ACCEPTED_FIELDS)


def examined_by_rules_alone(
    rows: Sequence[Cells],
    account: Account = ACCOUNT,
    roles: Mapping[str, str] = ROLES,
    *,
    common_text: str | None = None,
) -> Examined:
    """Examine rows with kernels that leave every row to the rules."""

    def unread(column: pa.Array, *, overseas: bool) -> NumberColumn:
        assert overseas is account.overseas
        return NumberColumn(column, np.arange(len(column)), {})

    with patch.object(msisdns, "read_column", unread):
        return examined(rows, account, roles, common_text=common_text)


def values_of(found: Examined) -> dict[str, pa.Array]:
    """Return the canonical values of every row, by field."""
    return found.values(np.arange(len(found.row_numbers)))


def verdicts(found: Examined) -> Iterator[Verdict]:
    """Return what was found of each row; number, text and lengths only of rows that are accepted."""
    repairs: dict[int, set[tuple[str, str, str, str]]] = {}
    for repair in found.repairs.to_pylist():
        repaired = (repair["column"], repair["rule"], repair["before"], repair["after"])
        repairs.setdefault(repair[ROW], set()).add(repaired)
    values = values_of(found)
    numbers, texts = values["msisdn"].to_pylist(), values["text"].to_pylist()
    for at, row in enumerate(found.row_numbers.tolist()):
        findings = frozenset((finding.column, finding.code) for finding in found.findings.get(at, []))
        text = found.expanded[at].text if at in found.expanded else None
        sound = frozenset(repairs.get(row, ()))
        if findings:
            yield Verdict(findings, "", "", 0, 0, double_byte=False, repairs=sound, shown=text)
        else:
            lengths = int(found.characters[at]), int(found.size[at]), bool(found.double_byte[at])
            yield Verdict(findings, numbers[at], texts[at], *lengths, repairs=sound, shown=None)


def comparable(verdict: Verdict) -> Verdict:
    """Leave out of a verdict of the reference what the product does not say: it is either accepted or explained."""
    if verdict.findings:
        return Verdict(verdict.findings, "", "", 0, 0, double_byte=False, repairs=verdict.repairs, shown=verdict.shown)
    lengths = verdict.characters, verdict.size, verdict.double_byte
    return Verdict(verdict.findings, verdict.msisdn, verdict.text, *lengths, repairs=verdict.repairs, shown=None)


# Lists -----------------------------------------------------------------------------------------------------------

EVERYDAY: Final = (
    "いつもご利用ありがとうございます。",
    "{氏名}様、ご予約の確認です。",
    "本日10時に{氏名}様のご来店をお待ちしています。",
    "{氏名}様 お知らせ {URL}",
    "Your parcel arrives today. {URL}",
    "{info1}様\n明日は休業です。",
    "ﾎﾝｼﾞﾂﾉｺﾞﾖﾔｸ",
    "±5℃の保管をお願いします。",
)
NAMES: Final = (
    "山田太郎",
    "佐藤 花子",
    "ｽｽﾞｷ",
    "O'Brien",
    "髙橋",
    "山﨑",
    "𠮷野",
    "",
    "か\u3099",
    "{URL}",
    "田中\t一郎",
)
TEXTS: Final = (
    *("", " ", "\u3000\n", "\r\n", "①番", "10〜20", "5−3", "a\tb", "か\u3099", "\u3099", "x\r\ny", "x\ry", "💌"),
    *(
        "{氏名}",
        "{氏名}\u3099",
        "{店〜}",
        "{か\u3099}",
        "{㈱}",
        "{INFO 2}",
        "{電話番号}",
        "{本文}",
        "{メモ}",
        "{x}",
        "{}",
    ),
    *("｛氏名｝", "｛ＵＲＬ｝", "｛x｝", "｛", "｝"),
    *("{", "}", "{氏名", "{{氏名}}", "{URL}", "{URL2}", "{URL3}", "{info1}", "{info1}\u3099", "か{info1}", "{info2}"),
    *("{info3}", "{url}", "あ", "漢字", "abc", "ｱ", "ﾞ", "°", "Я", "é", "~", "‖", "¢", "\x00", "\x7f", "\x80", "\xa0"),
    *("あ" * 50, "あ" * 69, "あ" * 70, "x" * 120, "x" * 139, "ｱ" * 69, "{{", "URL}", "{UR", "L}", "は", "\u309a", "ゝ"),
)
NUMBERS: Final = (
    *("+81 {n}", "+81{n}", "81{n}", "0081{n}", "+810{n}", "{n}", "{n}.0", "'0{n}", '="0{n}"', "tel:0{n}", "TEL：0{n}"),
    *(" 0{n}", "0{n} ", "0{n}\n", "\u30000{n}", "(0{n})", "0{n}.0", "0{n}x", "0{n}0", "0 {n}", "0ー{n}", "０{n}"),
    *('="0{n}', "=0{n}", "++81{n}", "+0{n}", "0{n},", "{n}E+09", "0{n}/0{n}", "\u202a0{n}\u202c", "0{n}\u200d", "+{n}"),
    *(
        "0081-{n}",
        "81 0{n}",
        "00{n}",
        '="+81{n}"',
        '="{n}"',
        '="0 {n}"',
        " 0{n}  ",
        "- 0{n}",
        "0{n}．００",
        "tel: {n}.0",
    ),
    *("0{n}-", "+81(0){n}", "1{n}", "44791112345{n}", "0{n}\u00a0", "'+81{n}", "''0{n}", "0{n}.00.0", "．0{n}"),
)
WHOLE_NUMBERS: Final = (
    *("", " ", "-", "0312345678", "05012345678", "0120123456", "08001234567", "02041234567", "02012345678", "9.01E+09"),
    *("02001234567890", "14155550123", "+14155550123", "2026/11/23", "1月5日", "11/23/2026", "2026-11-23 10:00"),
    *("1234567890123450", "12345678901234500", "123456789012345", "1", "12345", "1" * 20, "1" * 21, "090.1234.0000"),
    *(
        "+1 415 555.0000",
        "+33.1.23.45.67.00",
        "090-12-345678",
        "０９０－１２３４－５６７８",
        "020-1234-5678",
        "0" * 210,
    ),
    *(
        "90123456.78",
        "9012345678.5",
        "+90123456．7",
        "90123456.789",
        "0901234.56",
        "+44 (0)7911 123456",
        "(0)447911123456",
    ),
    *("2026.1.5", "2026年1月5日", "2026/1月5日", "19-1-1", "2026-13-1", "2026-1-1T1:00:00", "9E9", "９．０１Ｅ＋０９"),
)
#: the templates that somebody has copied from the gateway's console
TEMPLATES: Final = {
    "3": "明日は休業です。",
    "12": "{info1}様 ご予約は{info2}です {URL}",
    "40": "{info1}",
    "41": "#{info2} " + "あ" * 60,
    "42": "x" * 139 + "\n",
    "999999": "なしの ABC ｱﾞ か{info1}",
}
FIELDS: Final = {
    "smsid": (
        "",
        "aB9",
        "a" * 20,
        "a" * 21,
        "a" * 51,
        "a-b",
        "ａ",
        "123",
        "1E5",
        "1.23E+14",
        "123456789012345000",
        "1e",
    ),
    "URL": (
        *(
            "",
            "https://a/b",
            "http://a",
            "ftp://a",
            "https://",
            "https:///x",
            "https://a b",
            "https://a/\u017f",
            "http:a",
        ),
        *(
            "http\u017f://a/b",
            "HTTPS://A/B",
            "https://a/" + "b" * 2073,
            "https://a/" + "b" * 2074,
            "https://[::1]/",
            "x",
        ),
        *("https://a/{x}", "https://a/\u212a", "https://-/", "https://a/\n"),
    ),
    "url2": ("", "https://a/b", "b"),
    "originalurlcode": ("", "a", "a" * 20, "a" * 21, "@%+/'!#$^?:;.,(){}[]", "~-_", "a b", '"', "あ", "a\n"),
    "info1": ("", "山田", "髙", "a\tb", "か\u3099", "か", "\u3099", "{URL}", "{x}", "い" * 70, "〜", "°", "\n", "L}"),
    "INFO 2": ("", "x", "①", "{info1}", "\r\n"),
    "メモ": ("", "①\u200b", "{", "x" * 500),
    "title": ("", "ab", "a", "12", "1a", "a-b_c.d1234", "a" * 12, "a" * 11, "店舗", "a b", "1²", "ab\n"),
    "送信予定日時": (
        *("", " ", "202611250930", "202611250931", "202612010930", "202702290000", "202802290000", "202612012400", "x"),
        *(
            "2026.12.01.09.30",
            "2026.11.25.09.30",
            "2026-12-01 09:30",
            "20261201093",
            "２０２６１２０１０９３０",
            "202613010000",
        ),
        " 202612010930\u3000",
        *("2026/12/1 9:30", "2026-12-01T09:30:00+09:00", "20261201 09:30:00.000", "2026年12月1日\u30009:30 JST"),
        *("2026/11/25 9:30:00", "2026/12/01", "9:30", "12/01/2026 9:30", "26/12/01 9:30", "2026/12/01 24:00"),
        *("2026/12-01 9:30", "2026-12-01 09:30:01", "2026-12-01T09:30Z", "2026/02/29 09:30", "2026/12/01 9:5"),
    ),
    "部門": (
        "#N/A",
        " #REF!\n",
        *("#SPILL!", "Err:502", " Err:540", "Err:541", "Err:5020"),
        "#1課",
        "",
        " ",
        "営業",
        " 営業\u3000",
        "x" * 64,
        "x" * 65,
        " " + "海" * 64 + "\n",
        "a" + " " * 62 + "b",
        "営\n業",
        "\x85x",
    ),
    "templateid": (
        "",
        " ",
        "0",
        "999999",
        "1000000",
        "0000001",
        "-1",
        "a",
        "１",
        *TEMPLATES,
        "7",
        " 12\u3000",
        "000012",
    ),
    "店〜": ("", "5", "①"),
    "か\u3099": ("", "6"),
    "㈱": ("", "7", "髙"),
}


def number_of(random_: random.Random) -> str:
    """Return a mobile number without its leading zero, now and then one that nobody has."""
    prefix = random_.choice(("90", "80", "70", "60", "20"))
    return f"{prefix}{random_.randrange(10**8 // 20 if random_.random() < 0.05 else 10**7, 10**8):08d}"


def everyday_rows(count: int, seed: int) -> list[dict[str, str]]:
    """Return rows as a customer's list has them, a tenth of them spelled otherwise and a hundredth dirty."""
    random_ = random.Random(seed)  # noqa: S311 - not for secrets
    rows = []
    for _ in range(count):
        row = dict.fromkeys(COLUMNS, "")
        number = number_of(random_)
        spelled = random_.choice(NUMBERS[:30]) if random_.random() < 0.1 else "0{n}"
        row["電話番号"] = spelled.format(n=number)
        row["本文"] = random_.choice(EVERYDAY)
        row[NAME] = random_.choice(NAMES[:4]) if random_.random() < 0.98 else random_.choice(NAMES)
        row["info1"] = random_.choice(NAMES[:4])
        row["URL"] = f"https://example.jp/{number}"
        if random_.random() < 0.01:
            row |= dirty_cells(random_, chance=0.3)
        rows.append(row)
    return rows


def dirty_cells(random_: random.Random, chance: float) -> dict[str, str]:
    """Return cells of a row in which everything that can be wrong may be; each field with this ``chance``."""
    number = random_.choice((*NUMBERS, "0{n}", "0{n}", "0{n}")).format(n=number_of(random_))
    cells = {"電話番号": random_.choice(WHOLE_NUMBERS) if random_.random() < chance / 2 else number}
    if random_.random() < 0.9:
        cells["本文"] = "".join(random_.choice(TEXTS) for _ in range(random_.randint(1, 4)))
    cells[NAME] = random_.choice((*NAMES, *TEXTS)) if random_.random() < chance else "山田"
    cells |= {name: random_.choice(values) for name, values in FIELDS.items() if random_.random() < chance}
    return cells


def dirty_rows(count: int, seed: int, chance: float = 0.2) -> list[dict[str, str]]:
    """Return rows in which little is as it should be."""
    random_ = random.Random(seed)  # noqa: S311 - not for secrets
    return [dict.fromkeys(COLUMNS, "") | dirty_cells(random_, chance) for _ in range(count)]
