"""The individual send and the individual result."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from pipeline.simulator import Knobs

if TYPE_CHECKING:
    from pipeline.simulator import VirtualClock
    from tests.simulator.conftest import Client

MESSAGE = {"mobilenumber": "09011112222", "smstext": "こんにちは"}


def post_json(client: Client, body: object, path: str = "/api/") -> requests.Response:
    return requests.post(
        client.gateway.url + path,
        data=body if isinstance(body, str | bytes) else json.dumps(body),
        headers={"content-type": "Application/JSON; charset=utf-8"},
        auth=client.auth,
        timeout=5,
    )


def test_a_form_is_answered_with_the_bare_code(client: Client) -> None:
    assert client.single(smsid="a1", info1="x", smstext="{info1} {URL}", originalurl="https://a.test/") == "200"
    (message,) = client.gateway.messages
    assert (message.smsid, message.msisdn, message.csvid) == ("a1", "09011112222", "")
    assert re.fullmatch(r"x \S{19}", message.text)
    assert dict(message.parameters) == {
        "mobilenumber": "09011112222",
        "smstext": "{info1} {URL}",
        "smsid": "a1",
        "info1": "x",
        "originalurl": "https://a.test/",
    }


def test_json_is_answered_with_json(client: Client) -> None:
    answer = post_json(client, MESSAGE | {"smsid": "a1", "status": "1"})
    assert (answer.headers["Content-Type"], answer.text) == ("application/json", '{"result":"200"}')
    assert post_json(client, MESSAGE | {"mobilenumber": "x"}).json() == {"result": "560"}
    assert client.gateway.messages[0].text == "こんにちは"
    assert post_json(client, {"smsid": "a1"}, "/api5/").json() == {"result": "200", "status": "処理中"}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        '"x"',
        b"\xff",
        "[" * 100_000,
        {"mobilenumber": 9011112222, "smstext": "x"},
        MESSAGE | {"status": 1},
        MESSAGE | {"info1": None},
        MESSAGE | {"info1": {}},
    ],
)
def test_json_whose_values_are_not_all_quoted_is_615(client: Client, body: object) -> None:
    assert post_json(client, body).json() == {"result": "615"}
    assert client.gateway.messages == ()


def test_half_a_surrogate_pair_is_no_text(client: Client) -> None:
    assert post_json(client, '{"mobilenumber":"09011112222","smstext":"\\ud800"}').json() == {"result": "585"}
    answer = post_json(client, '{"mobilenumber":"09011112222","smstext":"x","info4":"\\ud800"}')
    assert answer.json() == {"result": "200"}


def test_credentials_may_be_parameters_of_any_kind(client: Client) -> None:
    client.auth = None
    login = {"username": "demo", "password": "demo-password"}
    url = f"{client.gateway.url}/api/"
    assert requests.get(url, params=MESSAGE | login, timeout=5).text == "200"
    assert requests.post(url, data=MESSAGE | login, timeout=5).text == "200"
    assert requests.post(url, files={name: (None, value) for name, value in (MESSAGE | login).items()}, timeout=5).ok
    assert post_json(client, MESSAGE | login).json() == {"result": "200"}
    assert [dict(message.parameters) for message in client.gateway.messages] == [MESSAGE] * 4
    wrong = post_json(client, MESSAGE | login | {"password": "wrong-password"})
    assert (wrong.status_code, wrong.json()) == (401, {"result": "401"})


def test_get_is_limited_and_post_is_not(client: Client) -> None:
    parameters = MESSAGE | {"originalurl": "https://a.test/" + "a" * 2000}
    links = {f"originalurl{number}": parameters["originalurl"] for number in (2, 3, 4)}
    too_long = parameters | links | {"info1": "x" * 300}
    url = f"{client.gateway.url}/api/"
    assert requests.get(url, params=parameters, auth=client.auth, timeout=5).text == "200"
    assert requests.get(url, params=too_long, auth=client.auth, timeout=5).text == "414"
    assert requests.post(url, data=too_long, auth=client.auth, timeout=5).text == "200"


@pytest.mark.parametrize(("size", "code"), [(8190, "200"), (8191, "414")])
def test_a_get_of_8190_bytes_is_the_longest(client: Client, size: int, code: str) -> None:
    head = "/api/?mobilenumber=09011112222&smstext=x&info1="
    url = client.gateway.url + head + "x" * (size - len(head))
    assert requests.get(url, auth=client.auth, timeout=5).text == code


def test_a_body_that_is_too_long_or_no_form_is_550(client: Client) -> None:
    assert client.single(info1="x" * (1 << 20)) == "550"
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=b"):
        answer = requests.post(
            f"{client.gateway.url}/api/",
            data=b"no boundary",
            headers={"Content-Type": content_type},
            auth=client.auth,
            timeout=5,
        )
        assert answer.text == "550", content_type
    for path in ("/api4/", "/api5/", "/cancelapi/"):
        assert client.post(path, smsid="a", pad="x" * (1 << 20)) == "550"
    assert client.gateway.messages == ()


def test_bytes_may_be_utf8_as_they_are(client: Client) -> None:
    body = "mobilenumber=09011112222&smstext=こんにちは&smstext=さようなら+%E3%81%82".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = requests.post(f"{client.gateway.url}/api/", data=body, headers=headers, auth=client.auth, timeout=5)
    assert answer.text == "200"
    assert client.gateway.messages[0].text == "さようなら あ"


def test_bytes_that_are_no_utf8_are_no_text(client: Client) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"mobilenumber=09011112222&smstext=%82%a0"
    answer = requests.post(f"{client.gateway.url}/api/", data=body, headers=headers, auth=client.auth, timeout=5)
    assert answer.text == "585"


def test_text_and_template_exclude_each_other(client: Client) -> None:
    assert client.single(smstextid="12") == "570"
    assert client.single(smstext="", smstextid="012") == "200"
    assert client.gateway.messages[0].text == "テンプレート12 "
    client.gateway.templates = {"7": "{info1}様"}
    assert client.single(smstext="", smstextid="12") == "570"
    assert client.single(smstext="", smstextid="7", info1="佐藤", smsid="a7") == "200"
    assert client.gateway.messages[-1].text == "佐藤様"


def test_status_needs_an_smsid(client: Client) -> None:
    assert client.single(status="1") == "574"
    assert client.single(status="0") == "200"


def test_an_overseas_number_needs_the_option(client: Client) -> None:
    assert client.single(mobilenumber="12025550123") == "560"


def test_a_repeated_smsid(client: Client) -> None:
    assert client.single(smsid="a1", status="1") == "200"
    assert client.single(smsid="a1", status="1") == "200"
    assert client.status_of("a1") == "587"
    client.gateway.knobs = Knobs(dedupe_smsid=True)
    assert client.single(smsid="a1", status="1") == "587"
    client.send(client.row(smsid="a2"))
    assert client.single(smsid="a2") == "587"
    assert client.single(smsid="A1") == "200"


def test_the_individual_result_knows_what_was_sent_with_status_1(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(fate="at_once")
    client.single(smsid="a1", status="1")
    client.single(smsid="a2", status="0")
    client.single(smsid="a3")
    client.send(client.row(smsid="a4"))
    assert [client.status_of(f"a{number}") for number in range(1, 6)] == ["200\n処理中\n", *["514"] * 4]
    clock.advance(timedelta(minutes=5))
    assert client.status_of("a1") == "200\n送信済\n"
    client.gateway.knobs = Knobs(numeric_status=True, single_result_of_csv=True)
    assert client.status_of("a1") == "200\n1\n"
    assert client.status_of("a4") == "200\n1\n"
    client.gateway.knobs = Knobs(spaced_labels=True)
    assert client.status_of("a1") == "200\n送信 済\n"
    client.gateway.knobs = Knobs(results_delay=3600)
    assert client.status_of("a1") == "200\n処理中\n"


def test_single_sends_stand_in_the_results_csv(client: Client) -> None:
    client.single(smsid="a1", smstitle="Ab.c", type="x", originalurl="https://a.test/", smstext="{URL}")
    (row,) = client.results()
    assert (row[0], row[8], row[10], row[17], row[18]) == ("090-1111-2222", "Ab.c", "https://a.test/", "a1", "x")


def test_a_scheduled_message_goes_out_at_its_minute(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(fate="at_once")
    assert client.single(smsid="a1", status="1", senddatetime="202611231000") == "200"
    assert client.single(smsid="a2", status="1", senddatetime="202611230930") == "200"
    assert client.single(senddatetime="202611230929") == "562"
    assert client.status_of("a1") == "200\n送信前\n"
    clock.advance(timedelta(minutes=29))
    assert client.status_of("a1") == "200\n送信前\n"
    assert client.status_of("a2") == "200\n送信済\n"
    clock.advance(timedelta(minutes=1))
    assert client.status_of("a1") == "200\n処理中\n"
    clock.advance(timedelta(minutes=4))
    (row, _) = client.results()
    assert (row[11], row[16]) == ("送信済", "2026.11.23.10.00")
    assert row[12] > "2026.11.23.10.00.00"


def test_other_person_check(client: Client, clock: VirtualClock) -> None:
    def check(kind: str, day: str, smsid: str = "", text: str = "x") -> str:
        return client.single(type=kind, registrationdate=day, smsid=smsid, smstext=text)

    assert check("check", "20200101") == "606"
    assert client.single(type="双方向") == "200"
    client.gateway.knobs = Knobs(check_option=True, check_disabled=True)
    assert check("checksms", "20200101") == "610"
    client.gateway.knobs = Knobs(check_option=True, fate="at_once")
    for day in ("", "20261124", "20200230", "2020010"):
        assert check("check", day) == "608", day
    assert check("check", "20261123", "c0", text="") == "200"
    assert check("checksms", "20261123", text="") == "585"
    for number in range(60):
        check("check", "20200101", f"c1x{number}")
        check("checksms", "20200101", f"c2x{number}")
    clock.advance(timedelta(days=2))
    histories: dict[str, list[str]] = {}
    for row in client.results():
        histories.setdefault(row[17], []).append(row[11])
    only = {tuple(rows) for smsid, rows in histories.items() if smsid.startswith("c1")}
    then = {tuple(rows) for smsid, rows in histories.items() if smsid.startswith("c2")}
    assert only == {("本人",), ("他人",), ("判定不可",)}
    assert then == {("本人", "送信済"), ("他人",), ("判定不可", "送信済")}
