"""What has to become of a list of recipients: the whole of validation a second time, in plain loops.

Written from GATEWAY sections 5 and 6, the parameter table of the specification and ``sample_data/README.md``, with the
standard library alone and nothing of the product, so that a mistake would have to be made twice. Slow and simple.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

#: a cell that a rule names, and the rule's code
Found = tuple[str, str]
#: column, rule, before, after
Repaired = tuple[str, str, str, str]

LINKS: Final = {"URL": "originalurl", "URL2": "originalurl2", "URL3": "originalurl3", "URL4": "originalurl4"}
INFOS: Final = ("info1", "info2", "info3", "info4")
CODES: Final = ("originalurlcode", "originalurlcode2", "originalurlcode3", "originalurlcode4")
GATEWAY_TAGS: Final = tuple("{" + name + "}" for name in (*LINKS, *INFOS))
#: JIS X 0208 by its own code table → the code point Windows writes for it
WINDOWS: Final = {
    "\u301c": "\uff5e",
    "\u2016": "\u2225",
    "\u2212": "\uff0d",
    "\u00a2": "\uffe0",
    "\u00a3": "\uffe1",
    "\u00ac": "\uffe2",
}
DIGITS: Final = frozenset("0123456789")
LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
MARKS: Final = "\u3099\u309a"
FULL_WIDTH: Final = {**{chr(0xFF10 + digit): str(digit) for digit in range(10)}, "＋": "+"}

DASHES: Final = frozenset("-‐‑‒–—―−ー\uff70─━⁃˗－﹣〜～")
DIRECTIONS: Final = frozenset(map(chr, (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))))
#: "spaces of every kind": Unicode's, TAB and its kin, and those without width that are no letters' joiners
BLANKS: Final = frozenset(
    [chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) == "Zs"]
    + ["\t", "\v", "\f", "\u200b", "\u2060", "\ufeff"]
)
DOTS: Final = frozenset(".．")
BETWEEN: Final = BLANKS | DIRECTIONS | DASHES | DOTS | frozenset("()（）")
AROUND: Final = BLANKS | DIRECTIONS | frozenset("\r\n")


def _repertoire() -> frozenset[str]:
    table: set[str] = set()
    for row in range(0x21, 0x7F):
        for cell in range(0x21, 0x7F):
            try:
                table.add((b"\x1b$B" + bytes((row, cell)) + b"\x1b(B").decode("iso2022_jp"))
            except UnicodeDecodeError:
                continue
    narrow = map(chr, (*range(0x20, 0x7F), *range(0xFF61, 0xFFA0)))
    return frozenset({WINDOWS.get(character, character) for character in table} | set(narrow) | {"\n"})


REPERTOIRE: Final = _repertoire()
NARROW: Final = frozenset(map(chr, (*range(0x80), *range(0xFF61, 0xFFA0))))
URL_CHARACTERS: Final = LETTERS | DIGITS | frozenset("-._~:/?#[]@!$&'()*+,;=%")
CODE_CHARACTERS: Final = LETTERS | DIGITS | frozenset("@%+/'!#$^?:;.,(){}[]~-_")


@dataclass(frozen=True, kw_only=True)
class Account:
    """What the account allows, and when the list is looked at."""

    now: datetime
    overseas: bool = False
    strict: bool = False
    text_bytes: int = 140
    text_characters: int = 70
    line_break: int = 2
    short_link: int = 19
    replacements: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[int, str] = field(default_factory=dict)
    unchecked_templates: bool = False
    shift_jis: bool = False


@dataclass(frozen=True)
class Verdict:
    """What has to become of one row; number, text and lengths mean something for accepted rows only.

    ``shown`` is what the recipient would see, for rows whose text can be sent as far as its characters go.
    """

    findings: frozenset[Found]
    msisdn: str
    text: str
    characters: int
    size: int
    double_byte: bool
    repairs: frozenset[Repaired]
    shown: str | None

    @property
    def codes(self) -> set[str]:
        return {code for _, code in self.findings}


# Numbers ---------------------------------------------------------------------------------------------------------


def strip(value: str, characters: Container[str]) -> str:
    start, end = 0, len(value)
    while start < end and value[start] in characters:
        start += 1
    while end > start and value[end - 1] in characters:
        end -= 1
    return value[start:end]


def margins(value: str, stripped: str) -> str:
    """Return what ``strip`` took away."""
    if not stripped:
        return value
    start = value.index(stripped)
    return value[:start] + value[start + len(stripped) :]


@dataclass
class Cell:
    """A number cell on its way to digits."""

    rest: str
    repairs: list[str] = field(default_factory=list)
    around: str = ""

    def strip(self) -> None:
        stripped = strip(self.rest, AROUND)
        self.around += margins(self.rest, stripped)
        self.rest = stripped


def read_number(value: str, *, overseas: bool) -> tuple[str, tuple[str, ...]] | str:
    """Return the canonical number and its repairs, or the code of the reason why there is none."""
    cell = Cell(value)
    cell.strip()
    unwrap(cell)
    cell.strip()
    if cell.rest[:3].lower() == "tel" and cell.rest[3:4] in {":", "："}:
        cell.rest = cell.rest[4:]
        cell.repairs.append("phone.prefix")
        cell.strip()
    digits = "".join(FULL_WIDTH.get(character, character) for character in cell.rest)
    if digits != cell.rest:
        cell.repairs.append("phone.full_width")
    if is_scientific(digits):
        return "phone.scientific"
    if is_date(digits):
        return "phone.date"
    return without_separators(value, cell, digits, overseas=overseas)


def unwrap(cell: Cell) -> None:
    """Take away what a spreadsheet puts around a number to keep it a text."""
    rest = cell.rest
    if rest.startswith('="') and rest.endswith('"') and rest.count('"') == 2 and len(rest) > 2:
        cell.rest = rest[2:-1]
    elif rest.startswith(("'", "’")):
        cell.rest = rest[1:]
    else:
        return
    cell.repairs.append("phone.formula_quote")


def without_separators(value: str, cell: Cell, digits: str, *, overseas: bool) -> tuple[str, tuple[str, ...]] | str:
    end = appended_zero(digits)
    whole = digits if end is None else digits[:end]
    if end is not None:
        cell.repairs.append("phone.spreadsheet_number")
    bare = "".join(character for character in whole if character not in BETWEEN)
    if bare != whole or any(character != " " for character in cell.around):
        cell.repairs.append("phone.separators")
    plus = bare.startswith("+")
    bare = bare[1:] if plus else bare
    if not bare:
        return "phone.empty"
    if not set(bare) <= DIGITS or is_fraction(whole) or is_negative(whole):
        return "phone.letter"
    read = read_digits(bare, plus=plus, overseas=overseas)
    if isinstance(read, str):
        return read
    number, rules = read
    if number[0] != "0" and end is not None and not set(whole.removeprefix("+")) <= DIGITS:
        return "phone.letter"  # an overseas number may end in these zeros: two readings
    if number[0] != "0" and any(trunk in whole for trunk in ("(0)", "（0）", "(0）", "（0)")):
        return "phone.letter"  # most countries leave this zero out abroad, some do not
    spelled = is_hyphenated(value.strip(" "))
    return number, (*(() if spelled else cell.repairs), *rules)


def is_negative(value: str) -> bool:
    """Say whether a cell is a number below zero, which is the result of a calculation and nothing to dial."""
    return value[:1] == "-" and value[1:2] not in {"", "0"} and set(value[1:]) <= DIGITS


def is_fraction(value: str) -> bool:
    """Say whether a cell is a decimal number: the digits behind its point were never dialled. A sign or 81 is."""
    whole, point, rest = value.replace("．", ".").partition(".")
    is_number = whole != "" and whole[0] != "0" and not whole.startswith("81") and set(whole + rest) <= DIGITS
    return is_number and point != "" and 1 <= len(rest) <= 2 and set(rest) != {"0"}


def is_hyphenated(value: str) -> bool:
    """Say whether a number is spelled 090-1234-5678: the gateway takes that itself."""
    parts = value.split("-")
    return [len(part) for part in parts] == [3, 4, 4] and set("".join(parts)) <= DIGITS


def is_scientific(value: str) -> bool:
    rest = value[1:] if value[:1] in {"+", "-", "－"} else value
    at = min((rest.find(letter) for letter in "eEｅＥ" if letter in rest), default=-1)
    if at < 0:
        return False
    mantissa, exponent = rest[:at], rest[at + 1 :]
    exponent = exponent[1:] if exponent[:1] in {"+", "-", "－"} else exponent
    whole, _, fraction = mantissa.replace("．", ".").partition(".")
    return bool(whole and exponent) and set(whole + fraction + exponent) <= DIGITS


def is_date(value: str) -> bool:
    """Say whether a cell is what a spreadsheet makes of digits it takes for a date, with or without a time."""
    day, separator, clock = value, "", ""
    for blank in (" ", "T"):
        if blank in value:
            day, separator, clock = value.partition(blank)
    if separator and not is_clock(clock):
        return False
    forms = [(first, second, last) for first in "/-.年" for second in {first, "月"} for last in ("", "日")]
    if any(is_year_month_day(day, *form) for form in forms):
        return True
    month, first, rest = day.partition("/")
    number, second, year = rest.partition("/")
    if first and second:
        return is_within(month, 12) and is_within(number, 31) and is_year(year)
    month, first, rest = day.partition("月")
    return bool(first) and rest.endswith("日") and is_within(month, 12) and is_within(rest[:-1], 31)


def is_year_month_day(value: str, first: str, second: str, last: str) -> bool:
    if not value.endswith(last):
        return False
    value = value[: len(value) - len(last)]
    year, found, rest = value.partition(first)
    month, also, day = rest.partition(second)
    return bool(found and also) and is_year(year) and is_within(month, 12) and is_within(day, 31)


def is_year(value: str) -> bool:
    return len(value) == 4 and set(value) <= DIGITS and value[:2] in {"19", "20"}


def is_within(value: str, most: int) -> bool:
    return 1 <= len(value) <= 2 and set(value) <= DIGITS and 1 <= int(value) <= most


def is_clock(value: str) -> bool:
    parts = value.split(":")
    if len(parts) not in {2, 3} or not 1 <= len(parts[0]) <= 2:
        return False
    return all(len(part) == 2 for part in parts[1:]) and all(set(part) <= DIGITS and part for part in parts)


def appended_zero(digits: str) -> int | None:
    """Return where a ``.0`` begins that a spreadsheet put behind a whole number; two groups of dots are none."""
    tail = len(digits)
    while tail and (digits[tail - 1] == "0" or digits[tail - 1] in BETWEEN):
        tail -= 1
    point = next((at for at in range(tail, len(digits)) if digits[at] in DOTS), None)
    if point is None or "0" not in digits[point:]:
        return None
    end = len(digits)
    while end and digits[end - 1] not in DIGITS:
        end -= 1
    groups = digits[:end].replace("．", ".").split(".")
    if len(groups) >= 3 and groups[-1] == "0000" and len(groups[-2]) in {3, 4} and set(groups[-2]) <= DIGITS:
        return None
    return point


def read_digits(digits: str, *, plus: bool, overseas: bool) -> tuple[str, tuple[str, ...]] | str:  # noqa: PLR0911 - a return for each class of numbers
    # A spreadsheet keeps 15 digits of a number; a sign shows that the cell was a text to it.
    if not plus and len(digits) > 15 and digits[0] != "0" and set(digits[15:]) == {"0"}:
        return "phone.truncated"
    if digits.startswith("0081"):
        digits, plus = digits[2:], True
    if digits.startswith("81"):
        national = digits[2:] if digits[2:3] == "0" else "0" + digits[2:]
        if is_mobile_prefix(national) and len(national) != 11:
            return "phone.too_short" if len(national) < 11 else "phone.too_long"
        return (national, ("phone.international",)) if is_domestic(national) else "phone.not_mobile"
    if digits.startswith("0"):
        return read_domestic(digits, plus=plus)
    if not plus and len(digits) == 10 and is_domestic("0" + digits) and digits[0] in "6789":
        return "phone.ambiguous_overseas" if overseas else ("0" + digits, ("phone.lost_zero",))
    if overseas:
        if not 6 <= len(digits) <= 20:
            return "phone.too_short" if len(digits) < 6 else "phone.too_long"
        return digits, (("phone.plus",) if plus else ())
    looks_domestic = digits[0] in "6789" and digits[1:2] == "0"
    if plus or (6 <= len(digits) <= 20 and not looks_domestic):
        return "phone.overseas_disabled"
    return "phone.too_short" if len(digits) <= 10 else "phone.too_long"


def read_domestic(digits: str, *, plus: bool) -> tuple[str, tuple[str, ...]] | str:
    if is_domestic(digits) and not plus:
        return digits, ()
    if is_mobile_prefix(digits) and len(digits) != 11:
        return "phone.too_short" if len(digits) < 11 else "phone.too_long"
    return "phone.not_mobile"


def is_mobile_prefix(digits: str) -> bool:
    return digits[:3] in {"020", "060", "070", "080", "090"}


def is_domestic(digits: str) -> bool:
    if len(digits) == 14:
        return digits[:4] in {"0200", "0600", "0700", "0800", "0900"}
    return len(digits) == 11 and is_mobile_prefix(digits) and digits[3] != "0" and digits[:4] != "0204"


# Texts -----------------------------------------------------------------------------------------------------------


def compose(text: str) -> str:
    """Put kana and a voicing mark behind them together, where Unicode has one character for both."""
    out: list[str] = []
    for character in text:
        if character in MARKS and out and "\u3041" <= out[-1] <= "\u30ff":
            one = unicodedata.normalize("NFC", out[-1] + character)
            if len(one) == 1:
                out[-1] = one
                continue
        out.append(character)
    return "".join(out)


def repair(text: str, replacements: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Return a text in canonical form, and what was done to it."""
    rules = []
    replaced = "".join(replacements.get(character, character) for character in text)
    if replaced != text:
        rules.append("text.replaced")
    broken = replaced.replace("\r\n", "\n").replace("\r", "\n")
    if broken != replaced:
        rules.append("text.line_break")
    tabbed = broken.replace("\t", " ")
    if tabbed != broken:
        rules.append("text.tab")
    composed = compose(tabbed)
    if composed != tabbed:
        rules.append("text.decomposed_kana")
    unified = "".join(WINDOWS.get(character, character) for character in composed)
    if unified != composed:
        rules.append("text.canonical")
    return unified, tuple(rules)


def cut(text: str) -> list[tuple[bool, str]] | int:
    """Walk over a text: pairs (is a tag, content), or the position of the first brace without a partner."""
    found: list[tuple[bool, str]] = [(False, "")]
    at = 0
    while at < len(text):
        end = at + 1
        if text[at] == "{":
            while end < len(text) and text[end] not in "{}":
                end += 1
            if end == len(text) or text[end] == "{":
                return at + 1
            found += [(True, text[at + 1 : end]), (False, "")]
            end += 1
        elif text[at] == "}":
            return at + 1
        else:
            found[-1] = (False, found[-1][1] + text[at])
        at = end
    return found


def is_blank(text: str) -> bool:
    return set(text) <= {" ", "\u3000", "\n"}


def count(text: str, line_break: int) -> tuple[int, int, bool]:
    """Return characters, bytes and whether a double-byte character is there; half-width katakana count as such."""
    characters = sum(line_break if character == "\n" else 1 for character in text)
    wide = sum(character not in NARROW for character in text)
    return characters, characters + wide, not all(ord(character) < 0x80 for character in text)


def forbidden(text: str) -> bool:
    return not REPERTOIRE.issuperset(text)


@dataclass
class Judged:
    """A row on its way to a verdict."""

    account: Account
    roles: Mapping[str, str]
    cells: Mapping[str, str]
    common_text: str | None
    findings: set[Found] = field(default_factory=set)
    repairs: set[Repaired] = field(default_factory=set)
    msisdn: str = ""
    sent: str = ""
    shown: str = ""
    sayable: bool = False
    text_role: str = "text"
    lengths: tuple[int, int, bool] = (0, 0, False)

    def given(self, role: str) -> str:
        return self.cells[self.roles[role]] if role in self.roles else ""

    def name(self, role: str) -> str:
        return self.roles.get(role, role)

    def find(self, role: str, code: str) -> None:
        role = self.text_role if role == "text" else role
        self.findings.add((self.name(role), code))

    def repaired(self, column: str, before: str, after: str, rules: Iterable[str]) -> None:
        if before != after:
            self.repairs |= {(column, rule, before, after) for rule in rules}

    def clean(self, column: str) -> str:
        before = self.cells[column]
        after, rules = repair(before, self.account.replacements)
        self.repaired(column, before, after, rules)
        return after

    def verdict(self) -> Verdict:
        rejected = {column for column, _ in self.findings}
        # A cell that is itself rejected is not repaired.
        sound = {repaired for repaired in self.repairs if repaired[0] not in rejected}
        if self.account.strict:
            self.findings |= {(column, rule) for column, rule, _, _ in sound}
            sound = set()
        shown = self.shown if self.sayable else None
        return Verdict(frozenset(self.findings), self.msisdn, self.sent, *self.lengths, frozenset(sound), shown)


def judge(
    account: Account, roles: Mapping[str, str], cells: Mapping[str, str], common_text: str | None = None
) -> Verdict:
    """Say what has to become of one row, as far as it can be said without the others."""
    row = Judged(account, roles, cells, common_text)
    number = read_number(row.given("msisdn"), overseas=account.overseas)
    if isinstance(number, str):
        row.find("msisdn", number)
    else:
        row.msisdn, rules = number
        row.repaired(row.name("msisdn"), row.given("msisdn"), row.msisdn, rules)
    template, whole = row.given("template_id").strip(), row.given("text") if common_text is None else common_text
    seen = True
    if template:
        check_template(row, template)
        if common_text is None and not row.given("text").strip():
            row.text_role = "template_id"
            whole = account.templates.get(int(template), "") if is_template(template) else ""
            seen = whole != ""
    check_info(row)
    used = check_text(row, whole, seen=seen)
    check_links(row, used)
    check_fields(row)
    return row.verdict()


def check_template(row: Judged, given: str) -> None:
    if row.common_text is not None or row.given("text").strip():
        row.find("template_id", "text_and_template")
    elif not is_template(given):
        row.find("template_id", "template.range")
    elif int(given) not in row.account.templates and not row.account.unchecked_templates:
        row.find("template_id", "template.unknown_text")


def is_template(given: str) -> bool:
    return set(given) <= DIGITS and len(given) <= 6


def check_info(row: Judged) -> None:
    for name in [*INFOS, "memo"] if row.account.shift_jis else INFOS:
        if row.given(name) and forbidden(row.clean(row.roles[name])):
            row.find(name, "field.platform_dependent")


def repaired_template(row: Judged, cuts: Sequence[tuple[bool, str]]) -> list[tuple[bool, str]]:
    """Repair a text between its tags: a tag is the name of a column, and that name is as it is."""
    done: list[tuple[bool, str]] = []
    rules: list[str] = []
    for is_tag, content in cuts:
        after, named = (content, ()) if is_tag else repair(content, row.account.replacements)
        rules += named
        done.append((is_tag, after))
    whole = ["".join("{" + content + "}" if is_tag else content for is_tag, content in some) for some in (cuts, done)]
    if row.common_text is None and row.text_role == "text":
        row.repaired(row.name("text"), whole[0], whole[1], rules)
    return done


def check_text(row: Judged, whole: str, *, seen: bool) -> list[str]:
    """Judge the text, where it is known; return its tags, if all of them were understood."""
    check_braces(row, whole)
    cuts = cut(whole)
    if isinstance(cuts, int):
        row.find("text", "tag.unclosed")
        return []
    if any(is_tag and content not in {*row.cells, *LINKS, *INFOS} for is_tag, content in cuts):
        row.find("text", "tag.unknown")
        return []
    tags = [content for is_tag, content in cuts if is_tag]
    expand(row, repaired_template(row, cuts))
    if is_blank(row.shown):
        if seen:
            row.find("text", "text.empty")
    elif brings_tag(row, tags):
        row.find("text", "tag.in_value")
    elif forbidden(row.sent):
        blame(row, cuts)
    elif not forbidden(row.shown):
        row.sayable = True
        check_lengths(row)
    return tags


def check_braces(row: Judged, whole: str) -> None:
    """Find a known name between full-width braces, without any other brace between them."""
    for at, character in enumerate(whole):
        if character == "｛":
            rest = whole[at + 1 :]
            end = min((place for brace in "{}｛｝" if (place := rest.find(brace)) >= 0), default=-1)
            if end > 0 and rest[end] == "｝":
                names = {rest[:end], unicodedata.normalize("NFKC", rest[:end])}
                if names & {*row.cells, *LINKS, *INFOS}:
                    row.find("text", "tag.full_width")
                    return


def expand(row: Judged, cuts: Sequence[tuple[bool, str]]) -> None:
    sent = shown = ""
    for is_tag, content in cuts:
        if is_tag and content in LINKS:
            sent, shown = sent + "{" + content + "}", shown + "x" * row.account.short_link
        elif is_tag and content in INFOS:
            value = repair(row.given(content), row.account.replacements)[0]
            sent, shown = sent + "{" + content + "}", shown + value
        else:
            value = row.clean(content) if is_tag else content
            sent, shown = sent + value, shown + value
    # A mark may stand at the beginning of a value, behind the kana it belongs to.
    row.sent, row.shown = compose(sent), compose(shown)
    row.repaired(row.name("text"), sent, row.sent, ["text.decomposed_kana"])


def brings_tag(row: Judged, tags: Sequence[str]) -> bool:
    if any(tag in row.shown for tag in GATEWAY_TAGS):
        return True
    return sum(row.sent.count(tag) for tag in GATEWAY_TAGS) > sum("{" + tag + "}" in GATEWAY_TAGS for tag in tags)


def blame(row: Judged, cuts: Sequence[tuple[bool, str]]) -> None:
    """Name the cells that brought a character that cannot be sent; a mark that found its kana is none."""
    replacements = row.account.replacements
    columns = []
    literals = "{}".join(content for is_tag, content in cuts if not is_tag)
    if row.common_text is None and row.text_role == "text" and forbidden(repair(literals, replacements)[0]):
        columns.append(row.name("text"))
    # Of a value that the gateway fills in, field.platform_dependent speaks.
    infos = {row.roles[content] for is_tag, content in cuts if is_tag and content in INFOS and content in row.roles}
    for is_tag, content in cuts:
        own = is_tag and content not in LINKS and content not in INFOS
        if own and forbidden(repair(row.cells[content], replacements)[0]):
            columns.append(content)
    if not columns:
        columns = [row.name(row.text_role)]  # the text for the whole list, or what only came about by joining
    row.findings |= {(column, "text.platform_dependent") for column in columns if column not in infos}


def check_lengths(row: Judged) -> None:
    row.lengths = characters, size, double_byte = count(row.shown, row.account.line_break)
    if size > row.account.text_bytes:
        row.find("text", "text.too_many_bytes")
    if double_byte and characters > row.account.text_characters:
        row.find("text", "text.too_many_characters")


def check_links(row: Judged, used: Sequence[str]) -> None:
    for tag, name in LINKS.items():
        url = row.given(name)
        start = next((len(scheme) for scheme in ("http://", "https://") if url[: len(scheme)].lower() == scheme), 0)
        if not url:
            if tag in used:
                row.find("text", "url.tag_without_url")
        elif not start or url[start : start + 1] in {"", "/"}:
            row.find(name, "url.scheme")
        elif len(url) > 2083:
            row.find(name, "url.too_long")
        elif not URL_CHARACTERS.issuperset(url):
            row.find(name, "url.characters")


def check_fields(row: Judged) -> None:
    for name in CODES:
        code = row.given(name)
        if len(code) > 20 or not CODE_CHARACTERS.issuperset(code):
            row.find(name, "code.characters")
    if smsid := row.given("smsid"):
        check_smsid(row, smsid)
    if title := row.given("title"):
        if not 2 <= len(title) <= 11 or not (LETTERS | DIGITS | set("-_.")).issuperset(title):
            row.find("title", "title.characters")
        elif DIGITS.issuperset(title):
            row.find("title", "title.digits_only")
    if is_failed(row.given("cost_centre").strip()):
        row.find("cost_centre", "cell.spreadsheet_error")
    if len(row.given("cost_centre").strip()) > 64:
        row.find("cost_centre", "cost_centre.too_long")
    check_scheduled(row)


def is_failed(cell: str) -> bool:
    """Say whether a cell is what Excel shows for a formula that failed, or LibreOffice."""
    if cell[:5] == "Err:5" and len(cell) == 7 and DIGITS.issuperset(cell[5:]):
        return 1 <= int(cell[5:]) <= 40
    old = {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"}
    new = {
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
        "#BLOCKED!",
        "#CONNECT!",
        "#GETTING_DATA",
        "#UNKNOWN!",
        "#BUSY!",
        "#PYTHON!",
        "#ERROR!",
    }
    return cell in old | new


def check_scheduled(row: Judged) -> None:
    if scheduled := row.given("scheduled").strip():
        moment = minute(scheduled) or spelled_minute(scheduled)
        if moment is None:
            row.find("scheduled", "senddatetime.format")
            return
        if minute(scheduled) is None:
            after = moment.strftime("%Y.%m.%d.%H.%M")
            row.repaired(row.name("scheduled"), row.given("scheduled"), after, ["senddatetime.form"])
        if moment.replace(tzinfo=row.account.now.tzinfo) <= row.account.now:
            row.find("scheduled", "senddatetime.past")


def check_smsid(row: Judged, given: str) -> None:
    number, _, exponent = given.replace("E", "e").partition("e")
    is_number = DIGITS.issuperset(number) and number != ""
    whole, _, fraction = number.partition(".")
    pointed = len(whole) == 1 and fraction != "" and DIGITS.issuperset(whole + fraction)
    scientific = pointed and exponent[:1] == "+" and exponent[1:] != "" and DIGITS.issuperset(exponent[1:])
    truncated = is_number and number == given and len(given) > 15 and given[0] != "0" and set(given[15:]) == {"0"}
    if scientific or truncated:
        row.find("smsid", "smsid.spreadsheet")
    elif len(given) > 50 or not (LETTERS | DIGITS).issuperset(given):
        row.find("smsid", "smsid.characters")
    elif is_number and (number == given or (exponent != "" and DIGITS.issuperset(exponent))):
        row.find("smsid", "smsid.is_a_number")


def minute(given: str) -> datetime | None:
    """Return the minute that is written YYYYMMDDhhmm, or with dots between."""
    parts = given.split(".")
    if [len(part) for part in parts] != [4, 2, 2, 2, 2]:
        parts = [given[:4], *(given[at : at + 2] for at in range(4, 12, 2))] if len(given) == 12 else []
    if not parts or not set("".join(parts)) <= DIGITS:
        return None
    try:
        year, month, day, hour, minutes = map(int, parts)
        return datetime(year, month, day, hour, minutes)  # noqa: DTZ001 - the caller knows the zone
    except ValueError:
        return None


def spelled_minute(given: str) -> datetime | None:
    """Return the minute that is written with its year first, its day and its time apart."""
    for end in ("+09:00", "JST"):
        given = given.removesuffix(f" {end}").removesuffix(end)
    at = next((place for place, character in enumerate(given) if character in {" ", "\u3000", "T"}), -1)
    if at < 0:
        return None
    between = "T" if given[at] == "T" else " \u3000"
    clock = given[at + 1 :] if between == "T" else given[at:].lstrip(between)
    parts = clock.split(":")
    if len(parts) not in {2, 3}:
        return None
    day, (hour, minutes, seconds) = day_parts(given[:at]), [*parts, "00"][:3]
    if day is None or not is_clock(f"{hour}:{minutes}:{seconds[:2]}"):
        return None
    if seconds != "00" and not (seconds[:3] == "00." and set(seconds[3:]) == {"0"} and len(seconds) <= 12):
        return None
    try:
        return datetime(*day, int(hour), int(minutes))  # noqa: DTZ001 - the caller knows the zone
    except ValueError:
        return None


def day_parts(given: str) -> tuple[int, int, int] | None:
    parts = [given[:4], given[4:6], given[6:]] if len(given) == 8 and DIGITS.issuperset(given) else []
    for marks in ("--", "//", "..", "年月"):
        year, found, rest = given.partition(marks[0])
        month, also, day = rest.partition(marks[1])
        if found and also:
            parts = [year, month, day.removesuffix("日") if day.endswith("日") == (marks == "年月") else "x"]
    if not parts or not is_year(parts[0]) or not all(1 <= len(part) <= 2 for part in parts[1:]):
        return None
    return (int(parts[0]), int(parts[1]), int(parts[2])) if DIGITS.issuperset("".join(parts)) else None


# Whole lists -----------------------------------------------------------------------------------------------------


@dataclass
class File:
    """A list of recipients, row by row: what was seen decides about what comes later."""

    account: Account
    roles: Mapping[str, str]
    common_text: str | None = None
    served: Container[str] = ()
    opted_out: Container[str] = ()
    numbers: dict[str, int] = field(default_factory=dict)
    smsids: dict[str, int] = field(default_factory=dict)

    def judge(self, row_number: int, cells: Mapping[str, str]) -> tuple[Verdict, str]:
        """Return what becomes of a row: its verdict, and "accepted", "rejected" or "already"."""
        verdict = judge(self.account, self.roles, cells, self.common_text)
        if verdict.findings:
            return verdict, "rejected"
        smsid = cells[self.roles["smsid"]] if "smsid" in self.roles else ""
        if verdict.msisdn in self.opted_out:
            return self._rejected(verdict, "msisdn", "recipient.opted_out")
        if verdict.msisdn in self.served:
            return verdict, "already"
        if verdict.msisdn in self.numbers:
            return self._rejected(verdict, "msisdn", "recipient.duplicate")
        if smsid in self.smsids:
            return self._rejected(verdict, "smsid", "smsid.duplicate")
        self.numbers[verdict.msisdn] = row_number
        if smsid:
            self.smsids[smsid] = row_number
        return verdict, "accepted"

    def _rejected(self, verdict: Verdict, role: str, code: str) -> tuple[Verdict, str]:
        found = frozenset({(self.roles.get(role, role), code)})
        return replace(verdict, findings=found), "rejected"
