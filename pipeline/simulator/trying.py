"""One line of curl for each interface: how to try the embedded gateway from a shell."""

from __future__ import annotations

import shlex
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from schemas.profile import Profile

DEFAULT_PASSWORD = "demo-password"  # noqa: S105 - guards nothing but demo messages
#: where a password comes from that is not the default: lines for a screen name it, and do not show it
PASSWORD_VARIABLE = "MEDIASMS_GATEWAY_PASSWORD"  # noqa: S105 - a name
_MINUTE = "%Y%m%d%H%M"
_NUMBER = "09011112222"
_ROWS = "try0001"
_SINGLE = "try0002"
_JSON = "try0003"
_LATER = "try0004"
_CHECKED = "try0005"


def lines(  # noqa: PLR0913 - all but the first four have a default
    profile: Profile, url: str, username: str, now: datetime, *, password: str = DEFAULT_PASSWORD, authority: str = ""
) -> dict[str, str]:
    """Return a command by name of interface, each on one line, in an order in which they all work.

    ``authority`` is the certificate that curl is to trust.
    """
    shown = shlex.quote(f"{username}:{password}")
    if password != DEFAULT_PASSWORD:
        shown = f'{shlex.quote(username)}:"${PASSWORD_VARIABLE}"'
    curl = " ".join(["curl -sS", *(["--cacert", shlex.quote(authority)] if authority else []), "-u", shown])
    owner = "curl -sS" + (f" --cacert {shlex.quote(authority)}" if authority else "")
    upload, results = profile.upload, profile.results
    places = {name: url + (urlsplit(endpoint.url).path or "/") for name, endpoint in profile.endpoints}
    single, number = places["send_single"], f"-d mobilenumber={_NUMBER}"
    to_csv = f"{places['send_csv']}?{upload.text_type_parameter.value}={upload.text_type_text.value}"
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = (moment.strftime(results.time_format.value) for moment in (day, day + timedelta(days=2)))
    period = f"{places['results_csv']}?{results.start_parameter.value}={start}&{results.end_parameter.value}={end}"
    later = (day + timedelta(days=1, hours=10)).strftime(_MINUTE)
    known = (day - timedelta(days=365)).strftime("%Y%m%d")
    in_json = f'{{"mobilenumber":"{_NUMBER}","smstext":"JSON で送信","status":"1","smsid":"{_JSON}"}}'
    found = {
        "send_csv": ["printf", _row(profile), "|", curl, "-F", f"{upload.part.value}=@-;filename=list.csv", to_csv],
        "send_single": [
            curl,
            number,
            "--data-urlencode",
            "smstext=こんにちは",
            f"-d status=1 -d smsid={_SINGLE}",
            single,
        ],
        "send_json": [curl, "-H", "Content-Type: application/json", "-d", in_json, single],
        "schedule": [curl, number, f"-d smstext=later -d status=1 -d smsid={_LATER} -d senddatetime={later}", single],
        "cancel": [curl, f"-d smsid={_LATER}", places["cancel"]],
        "result_single": [curl, f"{places['result_single']}?smsid={_SINGLE}"],
        "results_csv": [curl, period],
        "check_option": [owner, "-d", '{"check_option":true}', f"{url}/_/knobs"],
        "check": [curl, number, f"-d type=check -d registrationdate={known} -d status=1 -d smsid={_CHECKED}", single],
        "knobs": [owner, "-d", '{"notify_url":"http://127.0.0.1:8026/notifications"}', f"{url}/_/knobs"],
        "templates": [owner, "-d", '{"12":"{info1}様 ご予約の確認です"}', f"{url}/_/templates"],
        "clock": [owner, "-d", "", f"{url}/_/clock?advance=1h"],
        "messages": [owner, f"{url}/_/messages"],
        "notifications": [owner, f"{url}/_/notifications"],
    }
    ready = {curl, owner, number, "|"}
    return {
        name: " ".join(part if part in ready or part.startswith("-") else shlex.quote(part) for part in parts)
        for name, parts in found.items()
    }


def _row(profile: Profile) -> str:
    """Return one row of the layout, with the escapes of printf."""
    values = {"msisdn": _NUMBER, "text": "CSV で送信", "smsid": _ROWS}
    cells = [""] * profile.layout.columns.value
    for column in profile.layout.column:
        cells[column.number - 1] = values.get(column.field, "")
    return ",".join(cells) + r"\r\n"
