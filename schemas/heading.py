"""How an input is read: its columns, whether it has a header, and which column plays which role.

A header is recognised by the profile's synonyms; a file without one is in the gateway's own layout, or in a layout
that is named. Nothing is recognised by what the cells look like.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.core.headers import COST_CENTRE, canonical_header, cost_centre_places, is_own_column, shown_names
from pipeline.core.policy import Roles
from pipeline.core.rules import CODE_FIELDS, REGISTRATION_DATE
from pipeline.errors import InputUnusable, UsageError
from pipeline.model import NumberCheck
from schemas.profile import Profile, required
from schemas.recipients import ROLES

#: the column of a template for the whole list; a column of that name in the input is one of templates itself
TEMPLATE_COLUMN = "template_id"
#: the column of texts that were expanded before. A list that is made has it, and keeps it when its rejected rows come
#: back; beside a text it is a column like any other
FINAL_TEXT = "final_text"
#: what the profile's own layout is called where a layout is named
GATEWAY_LAYOUT = "gateway"
#: all that a row can say about a number that is checked and gets no text
_CHECK_ROLES = ("msisdn", "memo", REGISTRATION_DATE, COST_CENTRE)


@dataclass(frozen=True, slots=True)
class Heading:
    """Columns in the order of the input; ``roles`` maps fields to columns. Our own columns come back unused.

    ``template`` is the id of one template for the whole list. It plays its role as a column (``TEMPLATE_COLUMN``) that
    the input has not.
    """

    columns: tuple[str, ...]
    header: bool
    roles: Roles
    template: str | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """Return the columns that are the user's own."""
        return tuple(name for name in self.columns if not is_own_column(name))


def read_heading(  # noqa: PLR0913 - what decides how a list is read
    file: str,
    first_record: Sequence[str],
    profile: Profile,
    *,
    text: str | None = None,
    template: str | None = None,
    layout: Sequence[str] | None = None,
    single: bool = False,
    check: NumberCheck = NumberCheck.NONE,
) -> Heading:
    """Say how a table whose first record is this one is read.

    ``layout`` names the columns of a file without a header; ``text`` is one text for the whole list, ``template`` the
    id of one template for it; ``single`` says that its rows go out one by one, so that every parameter of the
    individual send may be a column. With a ``check`` there must be a column of registration dates, which is a column
    like any other without one; if numbers are only checked, texts and what belongs to them are not looked at. Raises
    ``InputUnusable`` (missing, doubled or unexpected columns) or ``UsageError`` (``profile.no_column``).
    """
    first = [cell.strip() for cell in first_record]
    fields = _fields(profile, first if layout is None else layout, single=single, check=check)
    if check is not NumberCheck.NONE and REGISTRATION_DATE not in fields.values():
        names = ", ".join(required(profile.check, "check").columns)
        raise InputUnusable("input.no_registration_date", file=file, names=names)
    if check is NumberCheck.ONLY:
        text, template = "", None
        fields = {place: field for place, field in fields.items() if field in _CHECK_ROLES}
    read = partial(_checked, file, known=profile.headers["text"], text=text, template=template)
    carried = set(profile.single.by_field if single else profile.layout.by_field)
    if layout is None and "msisdn" in fields.values():
        return read(first, fields, carried, header=True)
    if layout is None and len(first) == profile.layout.columns.value:
        if template is not None:
            raise InputUnusable("input.two_texts", file=file, option="--template", column=TEMPLATE_COLUMN)
        return _gateway(profile, text)
    if layout is None:
        names = ", ".join(profile.headers["msisdn"])
        if not fields:
            # Without one known name it may well be a first row of data, which is nobody's business.
            raise InputUnusable("input.no_known_column", file=file, count=len(first), names=names)
        raise InputUnusable("input.no_phone_column", file=file, columns=shown_names(first), names=names)
    if len(layout) != len(first):
        raise InputUnusable("input.layout_columns", file=file, found=len(first), expected=len(layout))
    if "msisdn" not in fields.values():
        names = ", ".join(profile.headers["msisdn"])
        raise InputUnusable("input.no_phone_column", file=file, columns=shown_names(layout), names=names)
    return read(list(layout), fields, carried, header=False)


def layout_columns(name: str, profile: Profile, own: dict[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """Return the columns of a named layout; None for the gateway's, which is read as such."""
    if name in own:
        return own[name]
    if name == GATEWAY_LAYOUT:
        return _gateway(profile, None).columns
    raise UsageError("layout.unknown", name=name, names=", ".join([*own, GATEWAY_LAYOUT]))


def _fields(profile: Profile, names: Sequence[str], *, single: bool, check: NumberCheck) -> dict[int, str]:
    """Return by place the field that a column's name stands for."""
    synonyms = {name: field for field, names_ in profile.headers.items() for name in names_}
    # A field's own name is always understood: a list without a header comes back with these.
    synonyms |= {canonical_header(column.field): column.field for column in profile.layout.column}
    if single:
        synonyms |= {canonical_header(one.name): one.filled_by for one in profile.single.parameter}
    if check is not NumberCheck.NONE:
        synonyms |= dict.fromkeys(required(profile.check, "check").columns, REGISTRATION_DATE)
    found = {
        place: synonyms[canonical]
        for place, name in enumerate(names)
        if not is_own_column(name) and (canonical := canonical_header(name)) in synonyms
    }
    # What the profile takes for a field of the gateway is no cost centre.
    others = ["" if place in found or is_own_column(name) else name for place, name in enumerate(names)]
    return found | dict.fromkeys(cost_centre_places(others), COST_CENTRE)


def _gateway(profile: Profile, text: str | None) -> Heading:
    by_number = {column.number: column for column in profile.layout.column}
    numbers = range(1, profile.layout.columns.value + 1)
    columns = [by_number[number].field if number in by_number else f"column {number}" for number in numbers]
    return Heading(tuple(columns), header=False, roles=Roles({name: name for name in columns if name in ROLES}, text))


def _checked(  # noqa: PLR0913 - what a heading is made of
    file: str,
    names: list[str],
    fields: dict[int, str],
    carried: Collection[str],
    *,
    known: Collection[str],
    text: str | None,
    template: str | None,
    header: bool,
) -> Heading:
    columns = [name or f"column {number}" for number, name in enumerate(names, 1)]
    doubled = sorted({name for name in columns if columns.count(name) > 1})
    given = list(fields.values())
    for doubly in sorted({field for field in given if given.count(field) > 1 and field in ROLES}):
        doubled += [columns[place] for place, field in sorted(fields.items()) if field == doubly]
    if doubled:
        raise InputUnusable("input.doubled_column", file=file, columns=", ".join(dict.fromkeys(doubled)))
    for name in names:
        # An access code that nothing can carry would be left out silently.
        if canonical_header(name) in CODE_FIELDS and canonical_header(name) not in carried:
            raise UsageError("profile.no_column", key=name)
    of_fields = {field: columns[place] for place, field in fields.items() if field in ROLES}
    final = text is None and template is None and "text" not in of_fields and FINAL_TEXT in columns
    if final:
        of_fields["text"] = FINAL_TEXT
    if text is None and template is None and not of_fields.keys() & {"text", "template_id"}:
        raise InputUnusable("input.no_text", file=file, columns=shown_names(columns), names=", ".join(known))
    if text is not None and "text" in of_fields:
        raise InputUnusable("input.two_texts", file=file, option="--text", column=of_fields["text"])
    if template is not None:
        if twice := next((field for field in ("text", "template_id") if field in of_fields), None):
            raise InputUnusable("input.two_texts", file=file, option="--template", column=of_fields[twice])
        of_fields["template_id"] = TEMPLATE_COLUMN
    return Heading(tuple(columns), header, Roles(of_fields, text, final=final), template)
