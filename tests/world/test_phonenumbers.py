"""A million spellings of numbers: ours compared with libphonenumber's reading of them.

libphonenumber does not gate (GATEWAY section 5): it knows the world's plans, we know what the gateway takes and what a
repair may assume. Both may be right while they disagree, so every disagreement belongs to exactly one class of
``CLASSES``, which says why ours is as it is. What is known about a spelling from how it was made is asserted as well.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple

import phonenumbers
import pytest
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from pipeline.core.msisdn import Reading, Unreadable, read_msisdn

pytestmark = pytest.mark.world

#: times 50,000 spellings: so that workers can share them, and each stays far below the time limit
SHARDS: Final = range(20)
SPELLINGS: Final = 50_000

# By code point, so that an editor cannot change one; the lists are those of GATEWAY section 5.
DASHES: Final = "".join(
    chr(code)
    for code in (
        *(0x2D, 0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0x30FC, 0xFF70, 0x2500, 0x2501),
        *(0x2043, 0x02D7, 0xFF0D, 0xFE63, 0x301C, 0xFF5E),
    )
)
SPACES: Final = " \t\v\f\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200C))) + "\u202f\u205f\u2060\u3000\ufeff"
BIDI: Final = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
FULL_WIDTH: Final = str.maketrans("0123456789+", "０１２３４５６７８９＋")
ASCII: Final = str.maketrans("０１２３４５６７８９＋", "0123456789+")

#: what people put between two numbers, and by mistake into one
STRANGE: Final = "/／・･,、;|_*#~\n[]\\\xad:"
BEHIND: Final = (" x12", " ext. 12", "#12", "内線12", "(本人)", "様", " 母", ",", ";ext=12", "代")
IN_FRONT: Final = ("携帯", "TEL ", "Tel. ", "☎", "電話:", "No.", "mobile: ", "#", "*")
WRAPPERS: Final = (
    "'{}",
    "’{}",
    '="{}"',
    "tel:{}",
    "TEL：{}",
    " {}\u3000",
    "\xa0{}\n",
    "\u202a{}\u202c",
    "({})",
)
OTHER_DIGITS: Final = (
    "٠١٢٣٤٥٦٧٨٩",
    "०१२३४५६७८९",
    "⓪①②③④⑤⑥⑦⑧⑨",
    "⁰¹²³⁴⁵⁶⁷⁸⁹",
    "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
)
#: mobile numbers of thirty countries; # is any digit
ABROAD: Final = (
    "1415555#### 1212####### 447######### 336######## 4915######### 393######### 346######## 3161####### 467########",
    "79######### 905######### 9715######## 9198########",
    "86138######## 8210######## 8869######## 8529####### 8536#######",
    "659####### 6012####### 628######### 639######### 668######## 849######## 614######## 6421####### 55119########",
    "5255######## 2010######## 277########",
)
#: landline, toll-free, shared cost, premium, IP phone, pager, carrier prefix
NO_MOBILE: Final = (
    "03######## 06######## 011####### 045####### 052####### 0977###### 0120###### 0800#######",
    "0570###### 0990###### 050######## 0204####### 0091########",
)


class Spelling(NamedTuple):
    """A cell, and what it must be read as without and with overseas numbers.

    Empty: it must be rejected; nothing: how it was made decides nothing.
    """

    value: str
    japan: str | None = None
    overseas: str | None = None


def _digits(chance: random.Random, size: int) -> str:
    return "".join(chance.choices("0123456789", k=size))


def _mobile_number(chance: random.Random) -> str:
    prefix = chance.choice(("020", "060", "070", "080", "090"))
    return prefix + chance.choice("12356789" if prefix == "020" else "123456789") + _digits(chance, 7)


def _m2m_number(chance: random.Random) -> str:
    return chance.choice(("0200", "0600", "0700", "0800", "0900")) + _digits(chance, 10)


def _one_of(plan: tuple[str, ...]) -> Callable[[random.Random], str]:
    patterns = " ".join(plan).split()

    def draw(chance: random.Random) -> str:
        beginning, *rest = chance.choice(patterns).split("#")
        return beginning + _digits(chance, len(rest))

    return draw


_abroad: Final = _one_of(ABROAD)
_no_mobile: Final = _one_of(NO_MOBILE)


def _grouped(chance: random.Random, digits: str, separators: str) -> str:
    """Put separators where people have them, or anywhere."""
    if chance.random() < 0.5 and len(digits) > 8:
        return chance.choice(separators).join((digits[:-8], digits[-8:-4], digits[-4:]))
    return digits[:1] + "".join(
        chance.choice(separators) * chance.choice((1, 1, 2)) + digit if chance.random() < 0.25 else digit
        for digit in digits[1:]
    )


def _separators(number: str) -> str:
    # A dot before zeros at the end is a spreadsheet's.
    return DASHES + SPACES + BIDI + ("" if number.endswith("0") else ".．")


def _wrapped(chance: random.Random, spelled: str) -> str:
    wrapper = "{}" if chance.random() < 0.5 else chance.choice(WRAPPERS)
    value = wrapper.format(spelled)
    return value.translate(FULL_WIDTH) if chance.random() < 0.1 else value


def draw_domestic(chance: random.Random) -> Spelling:
    number = _mobile_number(chance) if chance.random() < 0.9 else _m2m_number(chance)
    spelled = number if chance.random() < 0.3 else _grouped(chance, number, _separators(number))
    if chance.random() < 0.2:
        spelled = chance.choice(("({}){}", "（{}）{}", "{}({})", "{}（{}）")).format(number[:3], number[3:])
    return Spelling(_wrapped(chance, spelled), number, number)


def draw_international(chance: random.Random) -> Spelling:
    number = _mobile_number(chance)
    code = chance.choice(("+81", "+81", "81", "0081", "+81(0)", "+81 0", "+81（0）", "810", "+ 81", "(+81)", "+81-"))
    rest = _grouped(chance, number[1:], _separators(number)) if chance.random() < 0.7 else number[1:]
    return Spelling(_wrapped(chance, code + chance.choice(("", *DASHES, *SPACES)) + rest), number, number)


def draw_lost_zero(chance: random.Random) -> Spelling:
    number = _mobile_number(chance)
    spelled = number[1:] if chance.random() < 0.6 else _grouped(chance, number[1:], DASHES + SPACES)
    value = spelled + chance.choice(("", "", ".0", ".00", "．０"))
    return Spelling(value) if number.startswith("02") else Spelling(value, number, "")


def draw_spreadsheet(chance: random.Random) -> Spelling:
    """Return what a spreadsheet makes of a number, beyond repair."""
    value = int(chance.choice((_mobile_number, _m2m_number, _abroad, _no_mobile))(chance))
    power = len(str(value)) - 1
    exponent = chance.choice("eEｅＥ") + chance.choice(("+", "")) + str(power)
    date = chance.choice(("2026/11/23", "2026-1-5", "11月23日", "2026/1/5 10:30", "1/2/2026"))
    made = (
        f"{value:.2E}",
        f"{value / 10**power:.{chance.randrange(6, 10)}f}{exponent}",
        f"{value:,}",
        date,
        # 15 digits are kept, the others become zeros
        f"{chance.randrange(1, 10)}{_digits(chance, 14)}{'0' * chance.randrange(1, 6)}",
    )
    return Spelling(chance.choice(made), "", "")


def draw_point_zero(chance: random.Random) -> Spelling:
    point = chance.choice((".0", ".00", ".", "．０", " .0", ".0 "))
    if chance.random() < 0.5:
        number = chance.choice((_mobile_number, _m2m_number))(chance)
        return Spelling(number + point, number, number)
    if chance.random() < 0.5:
        # One digit too few: the zero behind the point must not become the eleventh.
        return Spelling(_mobile_number(chance)[:-1] + point, "", "")
    return Spelling(chance.choice((_abroad, _no_mobile))(chance) + point, "")


def draw_no_mobile(chance: random.Random) -> Spelling:
    number = _no_mobile(chance)
    if chance.random() < 0.4:
        number = chance.choice(("+81", "81", "0081", "+81(0)")) + number[1:]
    return Spelling(_wrapped(chance, _grouped(chance, number, "-- ()") if chance.random() < 0.7 else number), "", "")


def draw_wrong_length(chance: random.Random) -> Spelling:
    number = chance.choice((_mobile_number, _m2m_number, _abroad))(chance)
    more = _digits(chance, chance.randrange(1, 10))
    wrong = number[: chance.randrange(len(number))] if chance.random() < 0.5 else number + more
    if wrong.startswith("0") and chance.random() < 0.5:
        wrong = chance.choice(("+81", "81", "0081")) + wrong[1:]
    return Spelling(_grouped(chance, wrong, "-- ") if chance.random() < 0.5 else wrong)


def draw_lettered(chance: random.Random) -> Spelling:
    spelled = _grouped(chance, chance.choice((_mobile_number, _abroad))(chance), "- ")
    at = chance.randrange(1, len(spelled))
    match chance.randrange(5):
        case 0:
            value = spelled[:at] + chance.choice("OolISBxXEe") + spelled[at + 1 :]
        case 1:
            value = spelled + chance.choice(BEHIND)
        case 2:
            value = chance.choice(IN_FRONT) + spelled
        case 3:
            at = at if re.search("[0-9]", spelled[at:]) else 0
            value = spelled[:at] + spelled[at:].translate(str.maketrans("0123456789", chance.choice(OTHER_DIGITS)))
        case _:
            value = spelled[:at] + chance.choice(STRANGE) + spelled[at:]
    return Spelling(value, "", "")


def draw_two(chance: random.Random) -> Spelling:
    first, second = (
        _grouped(chance, _mobile_number(chance), "-") if chance.random() < 0.5 else _mobile_number(chance) for _ in "12"
    )
    between = chance.choice((*STRANGE, "\r\n", " ", "\u3000", "", " or ", "または", "-", "("))
    return Spelling(first + between + second, "", "")


def draw_overseas(chance: random.Random) -> Spelling:
    number = _abroad(chance)
    plus = "+" if chance.random() < 0.7 else ""
    spelled = number if chance.random() < 0.4 else _grouped(chance, number, DASHES + SPACES + BIDI)
    return Spelling(_wrapped(chance, plus + spelled), "", number)


def draw_dialled(chance: random.Random) -> Spelling:
    """Return a number as it is dialled: with the prefix of some country, or with the zero of another."""
    number = chance.choice((_abroad(chance), "81" + _mobile_number(chance)[1:]))
    if chance.random() < 0.5:
        prefix = chance.choice(("010", "010-", "00", "011", "0010", "+00", "+"))
        return Spelling(prefix + number, "", "") if prefix.startswith("01") else Spelling(prefix + number)
    code = 1 if number.startswith(("1", "7")) else 2
    return Spelling(f"+{number[:code]}{chance.choice(('(0)', ' (0)', ' 0', '-0'))}{number[code:]}")


def draw_garbage(chance: random.Random) -> Spelling:
    alphabet = "0123456789" * 3 + "０９+-() .eEx/#\u3000①²٣'\"=:tel漢\n"
    return Spelling("".join(chance.choices(alphabet, k=chance.randrange(24))))


#: how to draw a cell → how many of a hundred
DRAWN: Final[dict[Callable[[random.Random], Spelling], int]] = {
    draw_domestic: 30,
    draw_international: 14,
    draw_lost_zero: 6,
    draw_spreadsheet: 4,
    draw_point_zero: 3,
    draw_no_mobile: 8,
    draw_wrong_length: 6,
    draw_lettered: 8,
    draw_two: 4,
    draw_overseas: 10,
    draw_dialled: 4,
    draw_garbage: 3,
}


@dataclass(frozen=True)
class Theirs:
    """What libphonenumber makes of a cell in Japan; without a number: it raised."""

    number: PhoneNumber | None
    kind: int

    @property
    def mobile(self) -> str:
        """Return the E.164 form of a number that is valid and can be a mobile."""
        if self.number is None or self.kind not in {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}:
            return ""
        return phonenumbers.format_number(self.number, PhoneNumberFormat.E164)


def read_theirs(value: str) -> Theirs:
    try:
        number = phonenumbers.parse(value, "JP")
    except NumberParseException:
        return Theirs(None, PhoneNumberType.UNKNOWN)
    return Theirs(number, phonenumbers.number_type(number))


@dataclass(frozen=True)
class Case:
    """One cell as both read it."""

    value: str
    reading: Reading | Unreadable
    theirs: Theirs

    @property
    def ours(self) -> str:
        """Return our reading in E.164."""
        if isinstance(self.reading, Unreadable):
            return ""
        number = self.reading.msisdn
        return "+81" + number[1:] if number.startswith("0") else "+" + number

    @property
    def code(self) -> str:
        return self.reading.code if isinstance(self.reading, Unreadable) else ""

    @property
    def dialled(self) -> str:
        """Return digits and plus signs."""
        return re.sub("[^0-9+]", "", self.value.translate(ASCII))

    @property
    def unheard_of(self) -> bool:
        """Say whether something stands between first and last digit that libphonenumber does not know there."""
        inner = re.search(r"[0-9+].*[0-9]", self.value.translate(ASCII), re.DOTALL)
        known = phonenumbers.phonenumberutil._VALID_PUNCTUATION.replace("\\", "")
        return inner is not None and any(character not in known + "0123456789+" for character in inner[0])


def _mobile(case: Case) -> bool:
    """Ours: 11 digits, and libphonenumber has that number when it is spelled plainly."""
    if not re.fullmatch(r"\+81[0-9]{10}", case.ours):
        return False
    return read_theirs(case.ours).kind in {PhoneNumberType.MOBILE, PhoneNumberType.PAGER}


def _m2m(case: Case) -> bool:
    return bool(re.fullmatch(r"\+81[0-9]{13}", case.ours))


def _overseas(case: Case, *, plus: bool) -> bool:
    return bool(case.ours) and not case.ours.startswith("+81") and case.dialled.startswith("+") is plus


def _is_trunk(case: Case) -> bool:
    """Ours stumbles over the bracket of (0)."""
    bracketed = "(0)" in unicodedata.normalize("NFKC", case.value)
    facts = case.reading.facts if isinstance(case.reading, Unreadable) else {}
    return bracketed and _refused(case, "phone.letter") and facts.get("character") in {"(", "（"}


def _raised(case: Case) -> bool:
    return case.theirs.number is None


def _extension(case: Case) -> bool:
    return case.theirs.number is not None and case.theirs.number.extension is not None


def _refused(case: Case, code: str) -> bool:
    """Ours: no number; theirs: a mobile."""
    return case.code == code and bool(case.theirs.mobile)


def _letter(case: Case, where: str) -> bool:
    if not _refused(case, "phone.letter") or not isinstance(case.reading, Unreadable):
        return False
    character, position = case.reading.facts["character"], case.reading.facts["position"]
    assert isinstance(character, str)
    assert isinstance(position, int)
    before = len(re.findall("[0-9]", case.value[: position - 1].translate(ASCII)))
    if character.isnumeric():
        return where == "digit"
    # 10 digits: the shortest number of Japan, without its zero
    return where == ("in front" if before == 0 else "behind" if before >= 10 else "within")


@dataclass(frozen=True)
class Class:
    """Disagreements with one cause."""

    why: str
    holds: Callable[[Case], bool]
    #: how many there must be among 50,000 spellings, each read with and without overseas numbers
    at_least: int


# Grades are those of GATEWAY section 5; libphonenumber is "they".
CLASSES: Final[dict[str, Class]] = {
    # ours reads a number of Japan, theirs no mobile
    "020": Class(
        "V: 020 can be sent to (with a warning); they call the whole range pagers",
        lambda case: _mobile(case) and case.theirs.kind == PhoneNumberType.PAGER,
        2_000,
    ),
    "M2M": Class("V: 14 digits; their plan has no such numbers", _m2m, 1_000),
    "separator": Class(
        "section 5 lists dashes (─━⁃˗－), spaces (TAB, thin) and bidi marks that they do not know between digits",
        lambda case: _mobile(case) and _raised(case) and case.unheard_of and not case.dialled.startswith("+0"),
        10_000,
    ),
    "wave dash": Class(
        "section 5: ～ is a dash; they read an extension behind it, and may be left with too little before it",
        lambda case: (
            _mobile(case) and (_extension(case) or (_raised(case) and not case.unheard_of and "～" in case.value))
        ),
        100,
    ),
    "0081": Class(
        "section 5: one reading only; they know the prefix that is dialled in Japan, 010",
        lambda case: _mobile(case) and not _raised(case) and not _extension(case) and case.dialled.startswith("0081"),
        200,
    ),
    "+0081": Class(
        "one reading only: no country code begins with 0; they raise",
        lambda case: _mobile(case) and _raised(case) and case.dialled.startswith("+0081"),
        20,
    ),
    "point zero": Class(
        "section 5: a spreadsheet appends .0; they read a digit more",
        lambda case: (
            _mobile(case)
            and isinstance(case.reading, Reading)
            and "phone.spreadsheet_number" in case.reading.repairs
            and case.theirs.number is not None
            and str(case.theirs.number.national_number).rstrip("0") == case.ours.removeprefix("+81").rstrip("0")
        ),
        500,
    ),
    # ours reads a number from overseas, theirs no mobile or another number
    "overseas, bare": Class(
        "S: what begins with neither 0 nor 81 is overseas; they look for a number of Japan and find none",
        lambda case: _overseas(case, plus=False) and case.theirs.kind == PhoneNumberType.UNKNOWN,
        1_000,
    ),
    "overseas, bare, or Japanese": Class(
        "S: as before; they find a landline or pager of Japan that lost its zero (section 5 restores mobiles only)",
        lambda case: _overseas(case, plus=False) and case.theirs.kind != PhoneNumberType.UNKNOWN,
        100,
    ),
    "overseas, separator": Class(
        "section 5, as for numbers of Japan",
        lambda case: _overseas(case, plus=True) and _raised(case) and case.unheard_of,
        500,
    ),
    "overseas, not in its plan": Class(
        "S: 6-20 digits; plans of other countries are not checked, and change",
        lambda case: (
            _overseas(case, plus=True)
            and case.theirs.kind == PhoneNumberType.UNKNOWN
            and not (_raised(case) and case.unheard_of)
        ),
        200,
    ),
    "overseas, no mobile": Class(
        "S: 6-20 digits; whether a number is a mobile is not checked",
        lambda case: (
            _overseas(case, plus=True) and not case.theirs.mobile and case.theirs.kind != PhoneNumberType.UNKNOWN
        ),
        20,
    ),
    "overseas, national zero": Class(
        "without brackets it cannot be told from a digit of the number; they drop it, and keep it for Italy",
        lambda case: _overseas(case, plus=True) and bool(case.theirs.mobile),
        60,
    ),
    # ours rejects, theirs is a mobile
    "overseas, national zero in brackets": Class(
        "most countries drop this zero abroad, some keep it: two readings, so none",
        _is_trunk,
        60,
    ),
    "overseas disabled": Class(
        "S: overseas numbers need an option of the account",
        lambda case: _refused(case, "phone.overseas_disabled"),
        1_000,
    ),
    "ambiguous": Class(
        "section 5: with overseas numbers, 90… without its zero is also Turkey",
        lambda case: _refused(case, "phone.ambiguous_overseas"),
        300,
    ),
    "010": Class(
        "section 5 does not list the prefix that is dialled in Japan",
        lambda case: _refused(case, "phone.not_mobile") and case.dialled.startswith("010"),
        200,
    ),
    "zero as a digit": Class(
        "section 5: one digit too few; they take the zero of .0 for it",
        lambda case: _refused(case, "phone.too_short"),
        100,
    ),
    "scientific": Class(
        "section 5: what E+09 hides cannot be recovered; they take the exponent for digits",
        lambda case: _refused(case, "phone.scientific"),
        1,
    ),
    "other digits": Class(
        "section 5: [0-9] and full-width only; they take every decimal digit, and drop ① and ²",
        lambda case: _letter(case, "digit"),
        50,
    ),
    "words in front": Class(
        "section 5: tel: only; they drop whatever stands in front", lambda case: _letter(case, "in front"), 300
    ),
    "strange separator": Class(
        "two numbers must never become one, so / and ; are none of ours; they skip or cut",
        lambda case: _letter(case, "within") and not _is_trunk(case),
        100,
    ),
    "something behind": Class(
        "an extension cannot be sent to, and a second number is someone else's; they drop it",
        lambda case: _letter(case, "behind"),
        100,
    ),
}


def _keeps(promise: str | None, reading: Reading | Unreadable) -> bool:
    return promise is None or promise == (reading.msisdn if isinstance(reading, Reading) else "")


@pytest.mark.parametrize("shard", SHARDS)
def test_every_disagreement_has_one_class(shard: int) -> None:
    chance = random.Random(shard)  # noqa: S311 - the same spellings in every run
    counts: Counter[str] = Counter()
    unclassified: list[tuple[str, Case, list[str]]] = []
    broken: list[tuple[str, Spelling, Reading | Unreadable]] = []
    for draw in chance.choices([*DRAWN], weights=[*DRAWN.values()], k=SPELLINGS):
        spelling = draw(chance)
        theirs = read_theirs(spelling.value)
        for overseas, promise in ((False, spelling.japan), (True, spelling.overseas)):
            case = Case(spelling.value, read_msisdn(spelling.value, overseas=overseas), theirs)
            if not _keeps(promise, case.reading):
                broken.append((draw.__name__, spelling, case.reading))
            if case.ours == theirs.mobile:
                counts["agree"] += 1
                continue
            names = [name for name, one in CLASSES.items() if one.holds(case)]
            if len(names) == 1:
                counts[names[0]] += 1
            else:
                unclassified.append((draw.__name__, case, names))
    # Shown by pytest -rP.
    print(*(f"{counts[name]:7,}  {name}" for name in ("agree", *CLASSES)), sep="\n")  # noqa: T201
    assert broken[:10] == []
    assert unclassified[:10] == []
    assert {name: counts[name] for name, one in CLASSES.items() if counts[name] < one.at_least} == {}


@pytest.mark.parametrize("prefix", ["020", "060", "070", "080", "090"])
def test_both_know_the_same_prefixes(prefix: str) -> None:
    kinds = {PhoneNumberType.MOBILE, PhoneNumberType.PAGER}
    for fourth, fifth in product("0123456789", repeat=2):
        number = f"{prefix}{fourth}{fifth}123456"
        # V: 0204 were pagers, and the 4th digit is never 0; they call all of 020 pagers.
        theirs = read_theirs(number).kind in kinds and prefix + fourth not in {"0200", "0204"}
        assert isinstance(read_msisdn(number, overseas=False), Reading) is theirs, number
