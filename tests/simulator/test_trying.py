from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.core.calendar import JST
from pipeline.messages import LABELS
from pipeline.simulator.trying import lines

if TYPE_CHECKING:
    from schemas.profile import Profile

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=JST)
SECRET = "pw-Kumo7Hare"  # noqa: S105 - of no account


def test_every_line_is_one_line_and_named_in_both_languages(profile: Profile) -> None:
    found = lines(profile, "http://127.0.0.1:1", "demo", NOW)
    assert {f"gateway.try.{name}" for name in found} <= LABELS.keys()
    for line in found.values():
        assert "\n" not in line
        assert "curl" in shlex.split(line)


def test_a_password_of_ones_own_is_not_shown(profile: Profile) -> None:
    for line in lines(profile, "http://127.0.0.1:1", "me", NOW, password=SECRET).values():
        assert SECRET not in line
        assert '-u me:"$MEDIASMS_GATEWAY_PASSWORD"' in line or "/_/" in line


def test_what_needs_quotes_is_quoted(profile: Profile) -> None:
    found = lines(profile, "https://127.0.0.1:1", "de mo", NOW, authority="/a dir/ca.pem")
    for line in found.values():
        words = shlex.split(line)
        assert words[words.index("--cacert") + 1] == "/a dir/ca.pem"
    words = shlex.split(found["result_single"])
    assert words[words.index("-u") + 1] == "de mo:demo-password"
    assert words[-1] == "https://127.0.0.1:1/api5/?smsid=try0002"
