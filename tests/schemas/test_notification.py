"""A notification is read into an observation: what is kept, what is never kept, and what is none."""

from __future__ import annotations

import json
import tomllib
from datetime import datetime
from importlib.resources import files
from typing import Any

import pytest

from pipeline.core.calendar import JST
from pipeline.errors import UsageError
from pipeline.model import Observation, ObservationPath
from schemas.notification import LONGEST_BYTES, NotificationUnusableError, read_notification
from schemas.profile import Profile, parse_profile

SHIPPED = files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
NEEDED = (("mobilenumber", "090-1111-2222"), ("status", "送信済"), ("smsid", "abc1"))


def profile(*changes: tuple[str, str]) -> Profile:
    text = SHIPPED
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    return parse_profile(text, "p.toml")


def read(*fields: tuple[str, object], known: Profile | None = None) -> Observation:
    return read_notification((*NEEDED, *fields), known or profile())


def test_a_profile_without_the_section_reads_none() -> None:
    with pytest.raises(UsageError) as missing:
        read(known=profile().model_copy(update={"notification": None}))
    assert (missing.value.code, missing.value.facts["section"]) == ("profile.no_section", "notification")


def test_what_an_observation_needs_is_read() -> None:
    assert read() == Observation(
        path=ObservationPath.NOTIFIED, smsid="abc1", msisdn="09011112222", status="送信済", status_time=None
    )


@pytest.mark.parametrize("status", ["1", "403", "送 信 済", "まだ知らない状態", "99"])
def test_a_status_is_kept_as_it_came(status: str) -> None:
    assert read_notification([("mobilenumber", "09011112222"), ("status", f" {status} ")], profile()).status == status


def test_text_links_and_credentials_are_never_kept_and_everything_else_is() -> None:
    dropped = ["smstext", "info1", "info4", "originalurl", "originalurl4", "username", "password", "SMSText"]
    kept: list[tuple[str, Any]] = [
        ("clicks", "2"), ("type", "x"), ("未知", " あ\0\n"), ("n", {"a": ["1", None]}), ("t", "1"), ("t", "2"),
        ("raw", "\udcff"), ("", "nameless"),
    ]  # fmt: skip
    extra = read(*((name, "山田様 secret") for name in dropped), *kept).extra
    extra.encode()
    assert "山田" not in extra
    assert json.loads(extra) == {
        "clicks": "2", "type": "x", "未知": " あ\0\n", "n": {"a": ["1", None]}, "t": ["1", "2"], "raw": "\udcff",
        "": "nameless",
    }  # fmt: skip


def test_time_and_carrier_are_read_where_the_profile_names_them() -> None:
    known = profile(
        ('carrier = { value = ""', 'carrier = { value = "c"'),
        ('status_time = { value = ""', 'status_time = { value = "t"'),
    )
    found = read(("c", "Docomo"), ("t", "2026.11.23.09.30.00"), known=known)
    assert (found.carrier, found.status_time, found.extra) == ("Docomo", datetime(2026, 11, 23, 9, 30, tzinfo=JST), "")
    unreadable = read(("t", "yesterday"), known=known)
    assert (unreadable.status_time, unreadable.extra) == (None, '{"t": "yesterday"}')
    assert read(("c", "Docomo")).carrier == ""


def test_without_an_smsid_it_is_a_strangers() -> None:
    assert read_notification(NEEDED[:2], profile()).smsid == ""


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "1"}, "msisdn.missing"),
        ({"mobilenumber": "", "status": "1"}, "msisdn.missing"),
        ({"mobilenumber": "09011112222"}, "status.missing"),
        ({"mobilenumber": "09011112222", "status": None}, "status.missing"),
        ({"mobilenumber": "09011112222", "status": " \u3000"}, "status.missing"),
        ({"mobilenumber": "09011112222", "status": ["1"]}, "status.unreadable"),
        ({"mobilenumber": "09011112222", "status": True}, "status.unreadable"),
        ({"mobilenumber": "09011112222", "status": "a\0b"}, "status.unreadable"),
        ({"mobilenumber": "09011112222", "status": "\udc91\udc97"}, "status.unreadable"),
        ({"mobilenumber": "09011112222", "status": "1", "smsid": "x" * (LONGEST_BYTES + 1)}, "smsid.too_long"),
        ({"mobilenumber": "09011112222", "status": "1", "smsid": "あ" * 86}, "smsid.too_long"),
    ],
)
def test_what_is_no_observation_is_refused(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(NotificationUnusableError) as caught:
        read_notification(fields.items(), profile())
    assert caught.value.reason == reason
    assert "0901111" not in str(caught.value)


def test_a_field_that_we_read_may_come_twice_only_with_the_same_value() -> None:
    assert read(("smsid", "abc1 ")).smsid == "abc1"
    with pytest.raises(NotificationUnusableError) as caught:
        read(("smsid", "abc2"))
    assert caught.value.reason == "smsid.twice"


def test_the_shipped_profile_gives_every_field_a_grade() -> None:
    raw = tomllib.loads(SHIPPED)["notification"]
    assert {name: entry["grade"] for name, entry in raw.items() if entry["grade"] != "A"} == dict.fromkeys(
        ("msisdn", "status", "smsid", "clicks", "type", "text", "links"), "T"
    )
    assert (raw["msisdn"]["value"], raw["status"]["value"], raw["smsid"]["value"]) == (
        "mobilenumber",
        "status",
        "smsid",
    )


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('smsid = { value = "smsid"', 'smsid = { value = "status"', "'status' is given more than once"),
        ('"info1", "info2", "info3", "info4"], grade = "T", note = "never', '"clicks"], grade = "T", note = "never',
         "'clicks' is given more than once"),
        ('msisdn = { value = "mobilenumber"', 'msisdn = { value = ""', "notification.msisdn.value"),
        ('"A", note = "where a notification names none', '"Z", note = "where a notification names none',
         "notification.encoding.grade"),
    ],
)  # fmt: skip
def test_a_profile_that_names_a_field_twice_is_refused(before: str, after: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        profile((before, after))
    assert problem in str(caught.value.facts["problems"])
