from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import EmbeddedGateway, Knobs, VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.profile import Profile
    from tests.simulator.conftest import Client

DELIVERED = {"送信済", "リダイレクト"}


def by_smsid(rows: list[list[str]]) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for row in rows:
        found.setdefault(row[17], []).append(row)
    return found


def test_a_result_row_has_the_form_of_the_gateway(client: Client, clock: VirtualClock) -> None:
    client.send(
        client.row(text="こんにちは", smsid="a1", c6="memo", c9="title", c11="https://a.test/", c19="双方向", c2="x")
    )
    content = client.ask_results().content.decode()
    assert content.endswith("\n")
    assert "\r" not in content
    (row,) = client.results()
    filled = {number: cell for number, cell in enumerate(row, 1) if cell}
    carrier = filled.pop(20)
    assert carrier in {"Docomo", "au", "SoftBank", "Rakuten"}
    assert len(row) == 64
    assert filled == {
        1: "090-1111-2222",
        6: "memo",
        7: "0",
        9: "title",
        10: "こんにちは",
        11: "https://a.test/",
        12: "処理中",
        13: "2026.11.23.09.30.00",
        15: "組み込みゲートウェイ",
        17: "2026.11.23.09.30",
        18: "a1",
        19: "双方向",
        **dict.fromkeys((21, 24, 25, 30, 53), "05000000000"),
        **dict.fromkeys((42, 44, 46), "0"),
    }
    clock.advance(timedelta(days=3))
    (first, *_) = client.results()
    assert first[12] > "2026.11.23.09.30.00"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("08012345678", "080-1234-5678"),
        ("02001234567890", "0200-12345-67890"),
        ("819011112222", "819011112222"),
    ],
)
def test_numbers_are_shown_with_hyphens_when_they_start_with_0(client: Client, number: str, shown: str) -> None:
    client.send(client.row(number))
    assert client.results()[0][0] == shown


def test_the_period_includes_its_start_and_excludes_its_end(client: Client, clock: VirtualClock) -> None:
    client.send(client.row(smsid="a1"))
    clock.advance(timedelta(minutes=1))
    client.send(client.row(smsid="a2"))
    clock.advance(timedelta(days=2))
    assert by_smsid(client.results(startdate="202611230930", enddate="202611230931")).keys() == {"a1"}
    assert by_smsid(client.results(startdate="202611230931", enddate="202611230932")).keys() == {"a2"}
    assert client.results(startdate="202611230932", enddate="202611250000") == []
    assert client.results(startdate="202611230930", enddate="202611230930") == []


@pytest.mark.parametrize(
    "period",
    [
        {"startdate": ""},
        {"enddate": "20261124"},
        {"startdate": "202613010000"},
        {"startdate": "2026112300 0"},
        {"startdate": "202611260001"},
    ],
)
def test_a_bad_period_is_562(client: Client, period: dict[str, str]) -> None:
    assert client.ask_results(**period).text == "562"


def test_results_in_shiftjis(client: Client) -> None:
    client.gateway.knobs = Knobs(refuse_platform_characters=False)
    client.send(client.row(text="〜髙﨑".replace("〜", "\uff5e")))
    assert client.results("cp932", encode="shiftjis")[0][9] == "\uff5e髙﨑"
    assert client.ask_results(encode="eucjp").text == "597"


def test_pending_until_something_happens_then_rows_are_only_added(client: Client, clock: VirtualClock) -> None:
    client.send(*client.many(2_000))
    seen = client.results()
    assert {row[11] for row in seen} == {"処理中"}
    assert len(seen) == 2_000
    for hours in (0.02, 0.5, 0.6, 1, 30, 12):
        clock.advance(timedelta(hours=hours))
        now = client.results()
        events = [tuple(row) for row in seen if row[11] != "処理中"]
        assert set(events) <= {tuple(row) for row in now}
        assert len(by_smsid(now)) == 2_000
        assert max(row[12] for row in now) <= clock.now().strftime("%Y.%m.%d.%H.%M.%S")
        seen = now
    assert "処理中" not in {row[11] for row in seen}


def test_every_kind_of_story_is_told(client: Client, clock: VirtualClock) -> None:
    client.send(*client.many(3_000))
    clock.advance(timedelta(hours=20))
    slow = {row[17] for row in client.results() if row[11] == "処理中"}
    clock.advance(timedelta(hours=20))
    histories = by_smsid(client.results())
    last = [rows[-1][11] for rows in histories.values()]
    at_once = sum(len(rows) == 1 and rows[0][11] == "送信済" for rows in histories.values())
    retried = [rows for rows in histories.values() if len(rows) > 1 and rows[-1][11] == "送信済"]
    assert 30 <= len(slow) <= 100
    assert all(histories[smsid][-1][11] == "送信済" for smsid in slow)
    assert 0.75 < at_once / 3_000 < 0.90
    assert {len(rows) for rows in retried} == {2, 3}
    assert all("圏外・OFF" in row[11] for rows in retried for row in rows[:-1])
    assert {"403", "配信停止希望", "ドコモ一部受信", "Rakuten一部受信", "長文一部受信"} <= set(last)


def test_labels_belong_to_their_carrier(client: Client, clock: VirtualClock, profile: Profile) -> None:
    client.send(*client.many(5_000))
    clock.advance(timedelta(hours=40))
    rows = client.results()
    prefixes = {"Docomo": "ドコモ", "au": "au", "SoftBank": "ソフトバンク", "Rakuten": "Rakuten"}
    for carrier, prefix in prefixes.items():
        labels = {row[11] for row in rows if row[19] == carrier} - DELIVERED
        own = {status.label for status in profile.status if str(status.label).startswith(prefix)}
        assert labels - {"403", "配信停止希望", "長文一部受信"} == own
    assert {row[11] for row in rows} <= profile.status_by_label.keys()


def test_some_links_are_clicked_after_delivery(client: Client, clock: VirtualClock) -> None:
    client.send(*[[*row[:10], "https://a.test/", *row[11:]] for row in client.many(1_000, "{URL}")])
    clock.advance(timedelta(hours=48))
    histories = by_smsid(client.results())
    clicked = [rows for rows in histories.values() if rows[-1][11] == "リダイレクト"]
    assert 100 < len(clicked) < 400
    for rows in clicked:
        assert rows[-2][11] == "送信済"
        assert (rows[-2][6], rows[-1][6]) == ("0", "1")
        assert rows[-1][12] > rows[-2][12]
        assert re.fullmatch(r"\S{19}", rows[-1][9])


def test_texts_without_link_are_never_clicked(client: Client, clock: VirtualClock) -> None:
    client.send(*client.many(500))
    clock.advance(timedelta(hours=48))
    assert "リダイレクト" not in {row[11] for row in client.results()}


def test_parts_are_told_for_long_texts_only(
    opened: Callable[..., EmbeddedGateway], client_of: type[Client], clock: VirtualClock, long_text: Profile
) -> None:
    client = client_of(opened(other=long_text))
    texts = [
        "あ" * 70,
        "あ" * 71,
        "あ" * 202,
        "a" * 140,
        "a" * 150,
        "a" * 161,
        "あ" * 67 + "\nい",
        "あ" * 661,
    ]
    for number, text in enumerate(texts):
        client.send(*[[*row[:17], f"{row[17]}x{number}", *row[18:]] for row in client.many(300, text)])
    clock.advance(timedelta(hours=40))
    parts: dict[str, set[str]] = {}
    for row in client.results():
        if row[11] == "送信済":
            parts.setdefault(row[17].split("x")[1], set()).add(row[46])
        elif row[11] in {"ドコモ一部受信", "403"} and row[17].endswith("x2"):
            assert row[46] == ("2/4" if "受信" in row[11] else "0/4")
    assert [parts[str(number)] for number in range(7)] == [
        {""},
        {"2/2"},
        {"4/4"},
        {""},
        {"1/1"},
        {"2/2"},
        {""},
    ]
    assert len({row[9] for row in client.results() if row[17].endswith("x7") and row[19] != "au"}) == 1


def test_the_same_seed_tells_the_same_stories(
    opened: Callable[..., EmbeddedGateway], client_of: type[Client], clock: VirtualClock
) -> None:
    contents = []
    clients = [client_of(opened(seed=seed)) for seed in (1, 1, 2)]
    for client in clients:
        client.send(*client.many(200))
    clock.advance(timedelta(hours=40))
    contents = [client.ask_results().content for client in clients]
    assert contents[0] == contents[1] != contents[2]


def test_a_number_keeps_its_carrier(client: Client) -> None:
    client.send(*[client.row(smsid=f"a{number}") for number in range(50)])
    assert len({row[19] for row in client.results()}) == 1


def test_status_as_number(client: Client, clock: VirtualClock, profile: Profile) -> None:
    client.send(*client.many(300))
    clock.advance(timedelta(hours=40))
    labels = [row[11] for row in client.results()]
    client.gateway.knobs = Knobs(numeric_status=True)
    numbers = [row[11] for row in client.results()]
    assert [profile.status_by_number[number].label for number in numbers] == labels


def test_labels_with_inner_spaces(client: Client) -> None:
    client.send(client.row())
    client.gateway.knobs = Knobs(spaced_labels=True)
    label = client.results()[0][11]
    assert label != "処理中"
    assert re.sub(r"\s", "", label) == "処理中"


def test_results_may_come_late(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(results_delay=3600)
    client.send(client.row())
    assert client.results() == []
    clock.advance(timedelta(hours=1))
    assert client.results()[0][11] == "処理中"
    client.gateway.knobs = Knobs()
    assert client.results()[0][11] != "処理中"


def test_results_may_be_capped(client: Client) -> None:
    client.send(*client.many(1_200))
    client.gateway.knobs = Knobs(results_cap=700)
    assert len(client.results()) == 700


def test_results_may_come_twice(client: Client) -> None:
    client.send(*client.many(2))
    client.gateway.knobs = Knobs(duplicate_results=True)
    rows = client.results()
    assert rows[0] == rows[1] != rows[2] == rows[3]


def test_rows_of_another_system(client: Client) -> None:
    client.gateway.knobs = Knobs(foreign=4)
    assert client.results() == []
    client.send(client.row(smsid="abc1"))
    assert [row[17] for row in client.results()] == ["web0000001", "", "web0000003", "", "abc1"]
    assert len(client.gateway.messages) == 1


def test_each_copy_of_a_message_has_its_own_rows(client: Client, clock: VirtualClock) -> None:
    client.send(client.row(smsid="a1"))
    clock.advance(timedelta(minutes=5))
    client.send(client.row(smsid="a1"))
    clock.advance(timedelta(hours=48))
    rows = client.results()
    assert [row[11] for row in rows[::2]] == [row[11] for row in rows[1::2]] or len(rows) == 2
    assert {row[16] for row in rows} == {"2026.11.23.09.30", "2026.11.23.09.35"}
