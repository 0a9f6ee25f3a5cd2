"""Options of the account, for uploads and individual sends alike."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from pipeline.simulator import Knobs

if TYPE_CHECKING:
    from pipeline.simulator import VirtualClock
    from tests.simulator.conftest import Client


def statuses(client: Client) -> list[str]:
    return [row[11] for row in client.results()]


def test_forbidden_words_fail_or_are_refused(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(ng_words=("bad", "悪"), fate="at_once")
    assert client.send(client.row(text="{info1}", c2="悪い"), client.row()).text.endswith("\n2|0|2\n")
    assert client.single(smstext="so bad") == "200"
    clock.advance(timedelta(minutes=5))
    assert statuses(client) == ["NGワード", "送信済", "NGワード"]
    client.gateway.knobs = Knobs(ng_words=("bad",), ng_words_refuse=True)
    assert client.send(client.row(text="so bad")).text.endswith("\n1|1|0\n09011112222,585\n")
    assert client.single(smstext="so bad") == "585"


def test_those_who_opted_out_get_nothing(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(opted_out=("090-1111-2222",), fate="at_once")
    client.send(client.row(), client.row("819011112222"), client.row("09011113333"))
    client.single()
    clock.advance(timedelta(minutes=5))
    assert statuses(client) == ["配信停止希望", "配信停止希望", "送信済", "配信停止希望"]


def test_hours_are_those_in_which_a_message_goes_out(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(allowed_hours="10:00-18:00", fate="at_once")
    assert client.single() == "200"
    assert client.single(senddatetime="202611231000") == "200"
    assert client.single(senddatetime="202611231800") == "200"
    client.send(client.row(c17="2026.11.23.17.59"))
    clock.advance(timedelta(hours=9))
    assert statuses(client) == ["SMS送信許可時間外", "送信済", "SMS送信許可時間外", "送信済"]


def test_hours_may_span_midnight(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(allowed_hours="22:00-09:30", fate="at_once")
    client.single()
    client.single(senddatetime="202611232200")
    clock.advance(timedelta(hours=13))
    assert statuses(client) == ["SMS送信許可時間外", "送信済"]


def test_the_same_again_within_a_minute(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(duplicate_check=True, fate="at_once")
    client.send(client.row(), client.row("81-90-1111-2222"), client.row(text="other"), client.row("09011113333"))
    client.single()
    clock.advance(timedelta(seconds=60))
    client.single()
    clock.advance(timedelta(minutes=5))
    assert statuses(client) == ["送信済", "重複不可", "送信済", "送信済", "重複不可", "送信済"]


def test_a_limit_in_the_middle_of_a_file_is_402(client: Client) -> None:
    client.gateway.knobs = Knobs(send_limit=3)
    assert client.single() == "200"
    rows = [client.row("x"), *client.many(4), client.row("y")]
    assert client.send(*rows).text == "402"
    assert len(client.gateway.messages) == 3
    assert client.single() == "402"
    assert client.send(client.row()).text == "402"
    assert len(client.gateway.messages) == 3


def test_a_limit_as_status(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(send_limit=2, limit_as_status=True, fate="at_once")
    assert client.send(*client.many(3)).text.endswith("\n3|0|3\n")
    assert client.single() == "200"
    clock.advance(timedelta(minutes=5))
    assert statuses(client) == ["送信済", "送信済", "送信上限", "送信上限"]


def test_partial_receptions_of_every_carrier(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(fate="partial")
    client.send(*client.many(60))
    clock.advance(timedelta(minutes=5))
    found = {(row[19], row[11]) for row in client.results()}
    assert found == {
        ("Docomo", "ドコモ一部受信"),
        ("au", "長文一部受信"),
        ("SoftBank", "長文一部受信"),
        ("Rakuten", "Rakuten一部受信"),
    }


def test_a_fate_holds_for_what_is_taken_while_it_is_set(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(fate="blocked")
    client.send(*client.many(20))
    client.gateway.knobs = Knobs(fate="at_once")
    client.send(*client.many(20))
    client.gateway.knobs = Knobs()
    clock.advance(timedelta(minutes=5))
    assert statuses(client) == ["403"] * 20 + ["送信済"] * 20


def test_too_long_texts_may_be_refused(client: Client) -> None:
    client.gateway.knobs = Knobs(refuse_too_long=True)
    texts = ["あ" * 70, "あ" * 71, "a" * 140, "a" * 141, "a" * 139 + "\n", "a" * 138 + "\r\n", "{URL}" + "a" * 121]
    rows = [client.row(f"0901111000{n}", text, c11="https://a.test/") for n, text in enumerate(texts)]
    assert client.send(*rows).text.splitlines()[3:] == ["09011110001,585", "09011110003,585", "09011110004,585"]


@pytest.mark.parametrize("scheduled", ["2026.11.23.10.00", "202611231000"])
def test_a_scheduled_row(client: Client, clock: VirtualClock, scheduled: str) -> None:
    client.gateway.knobs = Knobs(fate="at_once")
    client.send(client.row(c17=scheduled, smsid="a1"))
    (row,) = client.results()
    assert (row[11], row[12], row[16]) == ("送信前", "2026.11.23.09.30.00", "2026.11.23.10.00")
    clock.advance(timedelta(minutes=35))
    assert statuses(client) == ["送信済"]


@pytest.mark.parametrize("scheduled", ["2026.11.23.09.29", "2026.11.31.10.00", "2026-11-23 10:00", "x"])
def test_a_row_whose_time_is_none_or_has_passed_is_562(client: Client, scheduled: str) -> None:
    assert client.send(client.row(c17=scheduled)).text.endswith("\n1|1|0\n09011112222,562\n")


def test_templates_over_http(client: Client) -> None:
    url = f"{client.gateway.url}/_/templates"
    assert requests.get(url, timeout=5).json() is None
    assert requests.post(url, json={"012": "{info1}様"}, timeout=5).json() == {"12": "{info1}様"}
    answer = client.send(client.row(c8="12", c2="佐藤"), client.row(c8="13"), client.row(c8="１２"), smstexttype="id")
    assert answer.text.splitlines()[2:] == ["3|2|1", "09011112222,570", "09011112222,570"]
    assert client.gateway.messages[0].text == "佐藤様"
    for body in ('{"x": "y"}', '{"1": 2}', "[]", "x", '{"1000000000": "y"}'):
        assert requests.post(url, data=body, timeout=5).status_code == 400, body
    assert client.gateway.templates == {"12": "{info1}様"}
    assert requests.post(url, data="null", timeout=5).json() is None


def test_a_title_counts_overseas_alone(client: Client) -> None:
    assert client.send(client.row(c9="SMS title, a long one")).text.endswith("\n1|0|1\n")


@pytest.mark.parametrize(
    "text", ["①", "髙", "𠮷", "😀", "\u2014", "\xa0", "\u200b", "\t", "¥", "‾", "か\u3099", "\x07"]
)
def test_platform_dependent_characters_are_585(client: Client, text: str) -> None:
    assert client.send(client.row(text=f"x{text}")).text.endswith(",585\n")
    assert client.single(smstext=f"x{text}") == "585"


@pytest.mark.parametrize(
    "text", ["ｱｲｳ", "\uff5e\uff0d\u2225\uffe0\uffe1\uffe2", "\u301c\u2212\u2016¢£¬", "‐―…", "\\~", "a\r\nb"]
)
def test_other_characters_are_taken(client: Client, text: str) -> None:
    assert client.single(smstext=text) == "200"
    assert client.gateway.messages[0].text == text


def test_messages_on_hold_and_cancelled(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(hold_seconds=600, fate="at_once")
    client.send(*client.many(3))
    client.single(smsid="s1", status="1")
    assert statuses(client) == ["送信前"] * 4
    assert client.post("/cancelapi/", smsid="abc000001") == "200"
    assert client.post("/cancelapi/", smsid="s1") == "200"
    assert client.post("/cancelapi/", smsid="abc000001") == "550"
    assert client.post("/cancelapi/", smsid="abc000009") == "514"
    assert client.status_of("s1") == "200\nキャンセル済\n"
    clock.advance(timedelta(minutes=20))
    assert client.post("/cancelapi/", smsid="abc000002") == "550"
    assert statuses(client) == ["送信済", "キャンセル済", "送信済", "キャンセル済"]
    client.single(smsid="s1", status="1")
    clock.advance(timedelta(minutes=20))
    assert statuses(client)[-2:] == ["キャンセル済", "送信済"]


def test_what_has_left_or_failed_cannot_be_cancelled(client: Client) -> None:
    client.single(smsid="a1")
    assert client.post("/cancelapi/", smsid="a1") == "550"
    client.gateway.knobs = Knobs(opted_out=("09011112222",))
    client.single(smsid="a2", senddatetime="202611241000")
    assert client.post("/cancelapi/", smsid="a2") == "550"


def test_a_cancellation_may_be_ignored(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(cancel_ignored=True, fate="at_once")
    client.single(smsid="a1", senddatetime="202611231000")
    assert client.post("/cancelapi/", smsid="a1") == "200"
    clock.advance(timedelta(hours=1))
    assert statuses(client) == ["送信済"]


def test_many_messages_can_be_cancelled_one_by_one(client: Client) -> None:
    client.gateway.knobs = Knobs(hold_seconds=600)
    client.send(*client.many(5_000))
    with requests.Session() as session:
        session.auth = client.auth
        codes = [
            session.post(f"{client.gateway.url}/cancelapi/", data={"smsid": f"abc{n:06d}"}, timeout=5).text
            for n in range(0, 5_000, 50)
        ]
    assert codes == ["200"] * 100
    assert statuses(client).count("キャンセル済") == 100
