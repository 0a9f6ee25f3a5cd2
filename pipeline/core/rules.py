"""Every rule of a row, in one visible list: a plain function from a row to what is wrong with it.

Sources: GATEWAY sections 5 and 6, and the parameter table of the specification's individual send, whose limits hold
for the same field of a CSV. Each code has its message, an example and an anchor in ``docs/codes.md``. The rules that
look at more than one row (duplicates, opt-outs) are in ``pipeline.core.uniqueness``; their codes stand in ``ACROSS``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.core import msisdn, tags, text
from pipeline.core.headers import COST_CENTRE, shown_name
from pipeline.core.moments import read_day
from pipeline.core.policy import Roles
from pipeline.core.row import Row
from pipeline.core.templates import canonical_id
from pipeline.model import CharacterAt, Finding

SHOWN = 5
_WORD = re.compile(r"[A-Za-z0-9]+")
_NUMBER_LIKE = re.compile(r"[0-9]+(?:[eE][0-9]+)?")
_SCIENTIFIC = re.compile(r"[0-9]\.[0-9]+[eE]\+[0-9]+")
#: a spreadsheet keeps 15 digits of a number and makes the others zero
_TRUNCATED = re.compile(r"[1-9][0-9]{14}0+")
_FULL_WIDTH_TAG = re.compile("｛([^{}｛｝]+)｝")
_TITLE = re.compile(r"[A-Za-z0-9\-_.]+")
_CODE = re.compile(r"[A-Za-z0-9@%+/'!#$^?:;.,(){}\[\]~\-_]+")
_URL_START = re.compile(r"https?://[^/]", re.IGNORECASE | re.ASCII)
_URL_CHARACTER = re.compile(r"[^!#-;=?-\[\]_a-z~%]", re.IGNORECASE | re.ASCII)
#: how Excel names what failed, the last one Google; and how LibreOffice numbers what it has no such name for
SPREADSHEET_ERRORS = frozenset(
    {
        *("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!"),
        *("#BLOCKED!", "#CONNECT!", "#GETTING_DATA", "#UNKNOWN!", "#BUSY!", "#PYTHON!", "#ERROR!"),
        *(f"Err:{number}" for number in range(501, 541)),
    }
)
#: every one of them begins with one of these
ERROR_STARTS = ("#", "Err:")
#: at most so many characters of a cost centre, after trimming
COST_CENTRE_CHARACTERS = 64
#: a column only where numbers are checked
REGISTRATION_DATE = "registrationdate"
CODE_FIELDS = ("originalurlcode", "originalurlcode2", "originalurlcode3", "originalurlcode4")


@dataclass(frozen=True, slots=True)
class Rule:
    """A function that finds what is wrong with a row, and every code it can give.

    A rule with ``fields`` speaks of these alone: an input without them need not be asked.
    """

    check: Callable[[Row], Iterable[Finding]]
    codes: tuple[str, ...]
    fields: tuple[str, ...] = ()


def phone(row: Row) -> Iterator[Finding]:
    """The number can be read, in one way only, as one that takes SMS (sections 5 and S)."""
    if isinstance(row.phone, msisdn.Unreadable):
        yield Finding(row.number, row.roles.name("msisdn"), row.phone.code, row.phone.facts)


def template_id(row: Row) -> Iterator[Finding]:
    """A template id excludes a text, has at most six digits (S), and one whose text is known: else it may be cut."""
    if not row.has_template_id:
        return
    column, limit = row.roles.name("template_id"), row.policy.limits.template_id_max
    template = canonical_id(row.given("template_id"), limit)
    if row.has_text:
        yield Finding(row.number, column, "text_and_template")
    elif not template:
        yield Finding(row.number, column, "template.range", {"limit": limit})
    elif row.is_unseen and not row.policy.unchecked_templates:
        yield Finding(row.number, column, "template.unknown_text", {"template": template})


def tag_closed(row: Row) -> Iterator[Finding]:
    """Each brace of the text has its partner."""
    if isinstance(row.template, tags.Unclosed):
        yield Finding(row.number, row.text_column, "tag.unclosed", {"position": row.template.position})


def tag_known(row: Row) -> Iterator[Finding]:
    """Each tag names a column of the input, or is one of the gateway's."""
    if row.strangers:
        yield Finding(row.number, row.text_column, "tag.unknown", {"tag": shown_name(row.strangers[0])})


def tag_half_width(row: Row) -> Iterator[Finding]:
    """No column or gateway tag is named in full-width braces: ｛name｝ would go out as it is."""
    whole = row.whole
    if "｛" not in whole or row.roles.final:
        return
    known = {*row.cells, *tags.GATEWAY_TAGS}
    meant: dict[str, str] = {}
    for tag in _FULL_WIDTH_TAG.finditer(whole):
        names = (tag[1], unicodedata.normalize("NFKC", tag[1]))
        if name := next((name for name in names if name in known), ""):
            meant[tag[0]] = f"{{{name}}}"
    if meant:
        corrected = _FULL_WIDTH_TAG.sub(lambda tag: meant.get(tag[0], tag[0]), row.given("text"))
        first = shown_name(next(iter(meant.values()))[1:-1])
        yield Finding(row.number, row.text_column, "tag.full_width", {"tag": first}, suggestion=corrected)


def text_present(row: Row) -> Iterator[Finding]:
    """Something is left to read after tags: empty, only spaces and only line breaks are answered with 585 (S)."""
    if row.policy.sends_text and row.is_expanded and row.is_blank and not row.is_unseen:
        yield Finding(row.number, row.text_column, "text.empty")


def tag_in_value(row: Row) -> Iterator[Finding]:
    """No value brings a tag that the gateway would expand (section 6)."""
    if row.is_expanded and not row.is_blank and row.value_tag:
        yield Finding(row.number, row.text_column, "tag.in_value", {"tag": row.value_tag})


def text_characters_allowed(row: Row) -> Iterator[Finding]:
    """Every character can be sent (環境依存文字, S); the finding stands at the cell that brought it."""
    if row.is_sayable or not row.is_expanded or row.is_blank or row.value_tag:
        return
    used = row.used_tags
    info = [row.roles.columns[tag] for tag in used if tag in tags.INFO_TAGS and tag in row.roles.columns]
    # A link is a field of its own, also where its column has the name of its tag.
    values = [tag for tag in used if tag in row.cells and tag not in tags.LINK_TAGS]
    found = False
    for column in dict.fromkeys([row.roles.columns.get("text", ""), *values]):
        given = row.cells.get(column, "")
        if column == row.roles.columns.get("text"):
            # The name of a column is no part of what is sent.
            given = given if row.roles.final else tags.without_tags(given)
        if column not in info and (characters := text.unsendable(given, row.policy.replacements)):
            found = True
            yield _characters(row, column, "text.platform_dependent", row.cells[column], characters)
    if not found and not any(text.unsendable(row.cells[column], row.policy.replacements) for column in info):
        # In the text for the whole list, or come about by joining.
        characters = text.forbidden_characters(row.shown) or text.forbidden_characters(row.sent)
        yield _characters(row, row.text_column, "text.platform_dependent", "", characters)


def no_spreadsheet_error(row: Row) -> Iterator[Finding]:
    """No text, no value in it and no cost centre is what a spreadsheet shows for a formula that failed."""
    if not any(given.lstrip().startswith(ERROR_STARTS) for given in row.cells.values()):
        return
    tagged = (row.roles.columns.get(tag, tag) for tag in row.used_tags)
    named = (row.roles.columns.get(name, "") for name in ("text", COST_CENTRE))
    for column in dict.fromkeys([*named, *tagged]):
        if (given := row.cells.get(column, "").strip()) in SPREADSHEET_ERRORS:
            yield Finding(row.number, column, "cell.spreadsheet_error", {"shown": given})


def fits_bytes(row: Row) -> Iterator[Finding]:
    """At most 140 bytes in Shift_JIS, or the long-text option's, after tags and links (S)."""
    limit = row.policy.limits.text_bytes
    if row.is_sayable and row.length.size > limit:
        facts = {"size": row.length.size, "limit": limit, "over": row.length.size - limit}
        yield Finding(row.number, row.text_column, "text.too_many_bytes", facts)


def fits_characters(row: Row) -> Iterator[Finding]:
    """At most 70 characters as soon as one is double-byte, since every carrier but au cuts there (S)."""
    limit, characters = row.policy.limits.text_characters, row.length.characters
    if row.is_sayable and row.length.double_byte and characters > limit:
        cut_by = row.policy.limits.cut_by(row.length.size, characters, double_byte=True)
        facts = {"size": characters, "limit": limit, "over": characters - limit, "carriers": ", ".join(cut_by)}
        yield Finding(row.number, row.text_column, "text.too_many_characters", facts)


def links(row: Row) -> Iterator[Finding]:
    """A link is an http or https URL of at most 2,083 characters (S), and each link tag has one."""
    limit = row.policy.limits.url_characters
    for tag, name in tags.LINK_TAGS.items():
        url, column = row.given(name), row.roles.name(name)
        if not url:
            if tag in row.used_tags:
                yield Finding(row.number, row.text_column, "url.tag_without_url", {"tag": tag})
        elif not _URL_START.match(url):
            yield Finding(row.number, column, "url.scheme")
        elif len(url) > limit:
            yield Finding(row.number, column, "url.too_long", {"size": len(url), "limit": limit})
        elif strange := _URL_CHARACTER.search(url):
            character = CharacterAt(strange.start() + 1, strange[0])
            yield Finding(row.number, column, "url.characters", {"shown": str(character)}, (character,))


def access_codes(row: Row) -> Iterator[Finding]:
    """An access code of a link has 1 to 20 letters, digits and the marks the specification lists (S)."""
    for name in CODE_FIELDS:
        code, limit = row.given(name), row.policy.limits.code_characters
        if code and (len(code) > limit or not _CODE.fullmatch(code)):
            yield Finding(row.number, row.roles.name(name), "code.characters", {"limit": limit})


def smsid(row: Row) -> Iterator[Finding]:
    """An own smsid is 1 to 50 letters and digits (S) that no spreadsheet takes for a number."""
    given, column = row.given("smsid"), row.roles.name("smsid")
    if not given:
        return
    if _SCIENTIFIC.fullmatch(given) or _TRUNCATED.fullmatch(given):
        yield Finding(row.number, column, "smsid.spreadsheet")
    elif not _WORD.fullmatch(given) or len(given) > row.policy.limits.smsid_characters:
        yield Finding(row.number, column, "smsid.characters", {"limit": row.policy.limits.smsid_characters})
    elif _NUMBER_LIKE.fullmatch(given):
        yield Finding(row.number, column, "smsid.is_a_number")


def title(row: Row) -> Iterator[Finding]:
    """A title has 2 to 11 letters, digits, ``-``, ``_`` or ``.``, and not only digits (S)."""
    given, limits = row.given("title"), row.policy.limits
    if not given:
        return
    if not limits.title_min <= len(given) <= limits.title_max or not _TITLE.fullmatch(given):
        facts = {"minimum": limits.title_min, "maximum": limits.title_max}
        yield Finding(row.number, row.roles.name("title"), "title.characters", facts)
    elif given.isdigit():
        yield Finding(row.number, row.roles.name("title"), "title.digits_only")


def info_values(row: Row) -> Iterator[Finding]:
    """What the gateway fills in at ``{info1}`` … can be sent as well; so can a memo, where it is sent in Shift_JIS."""
    for name in row.worded:
        if given := row.given(name):
            column = row.roles.name(name)
            if characters := text.unsendable(given, row.policy.replacements):
                yield _characters(row, column, "field.platform_dependent", given, characters)


def scheduled(row: Row) -> Iterator[Finding]:
    """A scheduled time is a real minute (YYYYMMDDhhmm, S) that has not passed yet, in Japan."""
    column = row.roles.name("scheduled")
    if not row.given("scheduled").strip():
        return
    if row.scheduled is None:
        yield Finding(row.number, column, "senddatetime.format")
    elif row.scheduled <= row.policy.now:
        yield Finding(row.number, column, "senddatetime.past")


def registration_date(row: Row) -> Iterator[Finding]:
    """The day on which a number was noted is a real one that has come, in Japan: an other-person check needs it (T)."""
    if REGISTRATION_DATE not in row.roles.columns:
        return
    given, column = row.given(REGISTRATION_DATE).strip(), row.roles.columns[REGISTRATION_DATE]
    day = read_day(given)
    if not given:
        yield Finding(row.number, column, "registrationdate.missing")
    elif day is None:
        yield Finding(row.number, column, "registrationdate.format")
    elif day > row.policy.now.date():
        yield Finding(row.number, column, "registrationdate.future")


def cost_centre(row: Row) -> Iterator[Finding]:
    """A cost centre has at most 64 characters: it is a line in reports."""
    size = len(row.given(COST_CENTRE).strip())
    if size > COST_CENTRE_CHARACTERS:
        facts = {"size": size, "limit": COST_CENTRE_CHARACTERS}
        yield Finding(row.number, row.roles.name(COST_CENTRE), "cost_centre.too_long", facts)


def strictly(row: Row) -> Iterator[Finding]:
    """With ``--strict``, what would be repaired is rejected instead, under the repair's own code."""
    if row.policy.strict:
        named = dict.fromkeys((repair.column, repair.rule, repair.after) for repair in row.repairs)
        for column, rule, after in named:
            yield Finding(row.number, column, rule, suggestion=after)


RULES: tuple[Rule, ...] = (
    Rule(
        phone,
        (
            "phone.empty",
            "phone.letter",
            "phone.scientific",
            "phone.date",
            "phone.truncated",
            "phone.too_short",
            "phone.too_long",
            "phone.not_mobile",
            "phone.overseas_disabled",
            "phone.ambiguous_overseas",
        ),
    ),
    Rule(template_id, ("text_and_template", "template.range", "template.unknown_text"), ("template_id",)),
    Rule(tag_closed, ("tag.unclosed",)),
    Rule(tag_known, ("tag.unknown",)),
    Rule(tag_half_width, ("tag.full_width",)),
    Rule(text_present, ("text.empty",)),
    Rule(tag_in_value, ("tag.in_value",)),
    Rule(text_characters_allowed, ("text.platform_dependent",)),
    Rule(no_spreadsheet_error, ("cell.spreadsheet_error",)),
    Rule(fits_bytes, ("text.too_many_bytes",)),
    Rule(fits_characters, ("text.too_many_characters",)),
    Rule(links, ("url.scheme", "url.too_long", "url.characters", "url.tag_without_url")),
    Rule(access_codes, ("code.characters",), CODE_FIELDS),
    Rule(smsid, ("smsid.characters", "smsid.is_a_number", "smsid.spreadsheet"), ("smsid",)),
    Rule(title, ("title.characters", "title.digits_only"), ("title",)),
    Rule(info_values, ("field.platform_dependent",), (*tags.INFO_TAGS, "memo")),
    Rule(scheduled, ("senddatetime.format", "senddatetime.past"), ("scheduled",)),
    Rule(
        registration_date,
        ("registrationdate.missing", "registrationdate.format", "registrationdate.future"),
        (REGISTRATION_DATE,),
    ),
    Rule(cost_centre, ("cost_centre.too_long",), (COST_CENTRE,)),
    Rule(strictly, ()),
)
#: codes of the rules that look at more than one row
ACROSS = ("recipient.duplicate", "recipient.opted_out", "smsid.duplicate")


def rules_for(roles: Roles) -> tuple[Rule, ...]:
    """Return the rules that have a say about an input with these roles."""
    return tuple(rule for rule in RULES if not rule.fields or any(field in roles.columns for field in rule.fields))


def findings(row: Row, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """Return everything that is wrong with a row, in the order of the rules."""
    return [finding for rule in rules for finding in rule.check(row)]


def _characters(row: Row, column: str, code: str, given: str, characters: Sequence[CharacterAt]) -> Finding:
    offered, _ = text.repair_text(given, row.policy.suggestions)
    safe = offered if not text.forbidden_characters(offered) else ""
    shown = ", ".join(map(str, characters[:SHOWN]))
    return Finding(row.number, column, code, {"shown": shown}, tuple(characters), safe)
