"""The contract of an individual send: a recipient as parameters, held to their limits, and as the bytes that leave."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Literal
from urllib.parse import parse_qsl, urlencode

import pandas as pd

from pipeline.core.kernels import strings
from pipeline.core.rules import REGISTRATION_DATE
from pipeline.core.tags import LINK_TAGS
from pipeline.core.text import forbidden_characters, is_blank, measure
from pipeline.errors import InputUnusable, UsageError
from pipeline.model import NumberCheck
from schemas.parameters import CHECK, SINGLE, Parameter, allows, parameters_of
from schemas.profile import Profile, required
from schemas.profile_single import SingleParameter
from schemas.recipients import GATEWAY_FIELDS, ROW_NUMBER

Form = Literal["form", "json"]

#: asks for the result of the message under its smsid: without it the individual result knows nothing (S)
_ASKS_FOR_RESULTS = {"status": "1"}
_SCHEDULED = "scheduled"
_LIMITS: dict[str, tuple[Parameter, ...]] = {
    name: tuple(one for one in parameters_of("send_single") if one.name == name and one.option in {"", "overseas"})
    for name in dict.fromkeys(one.name for one in parameters_of("send_single"))
}


def stop_if_unconfirmed(check: NumberCheck, profile: Profile) -> None:
    """Raise ``UsageError`` (``check.not_confirmed``, ``profile.no_section``) for a check the profile has not confirmed.

    If its parameters were wrong, a text might go out that was not to, or to whom it was not to.
    """
    if check is not NumberCheck.NONE and (keys := required(profile.check, "check").unconfirmed(check)):
        raise UsageError("check.not_confirmed", keys=", ".join(keys))


def requests(
    accepted: pd.DataFrame, profile: Profile, check: NumberCheck = NumberCheck.NONE
) -> Iterator[dict[str, str]]:
    """Yield the parameters of each accepted row, in the order of the profile, and those of a ``check``.

    Where numbers are only checked there is no text in any of them: whatever the gateway made of it, nobody gets one.
    Raises ``UsageError`` for a check (``check.not_confirmed``) or a value (``single.not_confirmed``) that the profile
    has not confirmed, ``InputUnusable`` (``single.parameter``) for one outside the limits of its parameter: before
    anything is planned.
    """
    stop_if_unconfirmed(check, profile)
    used = [one for one in profile.single.parameter if one.filled_by in accepted.columns]
    columns = [strings.of(accepted[one.filled_by]).to_pylist() for one in used]
    checks = _checks(accepted, profile, check)
    for row, checked, *values in zip(accepted[ROW_NUMBER].tolist(), checks, *columns, strict=True):
        parameters = (
            _ASKS_FOR_RESULTS
            | {one.name: _written(one, value, profile) for one, value in zip(used, values, strict=True) if value}
            | checked
        )
        for one in used:
            if one.confirmed is False and one.name in parameters:
                raise UsageError("single.not_confirmed", key=one.name, row=row)
        if found := outside(parameters, profile, sends_text=check is not NumberCheck.ONLY):
            raise InputUnusable("single.parameter", row=row, name=found[0], section=found[1])
        yield parameters


def _checks(accepted: pd.DataFrame, profile: Profile, check: NumberCheck) -> Iterator[dict[str, str]]:
    """Yield for each row the parameters of its check, none where there is none."""
    if check is NumberCheck.NONE:
        yield from ({} for _ in range(len(accepted)))
        return
    names = required(profile.check, "check")
    form = names.date_format.value
    for day in accepted[REGISTRATION_DATE].tolist():
        noted = date.fromisoformat(day)
        yield {
            names.type_parameter.value: names.value(check).value,
            names.date_parameter.value: noted.strftime(form),
        }


def _written(parameter: SingleParameter, value: str, profile: Profile) -> str:
    """Return a value as its parameter wants it."""
    if parameter.filled_by != _SCHEDULED:
        return value
    moment = datetime.strptime(value, profile.results.registered_time_format.value)  # noqa: DTZ007 - it stays what it is
    return moment.strftime(profile.single.time_format.value)


def outside(parameters: Mapping[str, str], profile: Profile, *, sends_text: bool = True) -> tuple[str, str] | None:
    """Return name and section of the specification of the first parameter outside its limits; None for none.

    Without ``sends_text`` a text is outside them, and so is a template.
    """
    for name, value in parameters.items():
        rows = [one for one in _LIMITS.get(name, ()) if not one.option or profile.options.overseas.value]
        if rows and not any(allows(one, value) for one in rows):
            return name, rows[0].section
    if missing := next((name for name in ("mobilenumber", "smsid") if not parameters.get(name)), ""):
        return missing, SINGLE
    if not sends_text:
        return next(((name, CHECK) for name in ("smstext", "smstextid") if name in parameters), None)
    # Text or template: one of them, and never both.
    if ("smstext" in parameters) == ("smstextid" in parameters):
        return "smstext", SINGLE
    return None if "smstext" not in parameters or _fits(parameters, profile) else ("smstext", SINGLE)


def _fits(parameters: Mapping[str, str], profile: Profile) -> bool:
    """Say whether a text arrives whole: no character that cannot be sent, and not too long once its tags are filled."""
    limits = profile.limits
    text = parameters["smstext"]
    for tag, name in LINK_TAGS.items():
        if name in parameters:
            text = text.replace(f"{{{tag}}}", "x" * limits.short_link.value)
    for number in range(1, 5):
        text = text.replace(f"{{info{number}}}", parameters.get(f"info{number}", ""))
    if is_blank(text) or forbidden_characters(text):
        return False
    length = measure(text, line_break=limits.line_break.value)
    is_long = profile.options.long_text.value
    size = (limits.long_text_bytes if is_long else limits.text_bytes).value
    characters = (limits.long_text_characters if is_long else limits.text_characters).value
    return length.size <= size and not (length.double_byte and length.characters > characters)


def lost_in_a_row(accepted: pd.DataFrame, profile: Profile) -> str | None:
    """Return the first field with a value that the layout of an upload has no column for, None where there is none."""
    fields = [name for name in GATEWAY_FIELDS if name in accepted.columns and name not in profile.layout.by_field]
    return next((name for name in fields if (accepted[name] != "").any()), None)


def form_of(payload: str) -> Form | None:
    """Return the form of the request that lies in a payload of this name; None where it is an upload."""
    match payload.rpartition(".")[2]:
        case "form":
            return "form"
        case "json":
            return "json"
        case _:
            return None


def encoded(parameters: Mapping[str, str], form: Form) -> bytes:
    """Return the body of a request: a form in UTF-8, or JSON in which every value is a quoted string (S)."""
    if form == "json":
        return json.dumps(dict(parameters), ensure_ascii=False).encode()
    return urlencode(parameters).encode()


def decoded(body: bytes, form: Form) -> dict[str, str]:
    """Return the parameters that a body holds."""
    if form == "json":
        return {str(name): str(value) for name, value in json.loads(body).items()}
    return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
