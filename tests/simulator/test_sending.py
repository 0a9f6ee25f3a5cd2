from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from pipeline.simulator import EmbeddedGateway, Knobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.profile import Profile
    from tests.simulator.conftest import Client


def test_answer_has_code_csvid_counts_and_rejects(client: Client) -> None:
    answer = client.send(client.row(), client.row("0312345678"), client.row("09011113333", " \u3000\n"))
    assert answer.text == "200\nCSV20261123000001\n3|2|1\n0312345678,560\n09011113333,585\n"
    assert client.send(client.row()).text == "200\nCSV20261123000002\n1|0|1\n"


@pytest.mark.parametrize(
    ("knobs", "expected"),
    [
        (Knobs(answer_csvid=False), "200\n2|1|1\n0312345678,560\n"),
        (Knobs(answer_counts=False), "200\nCSV20261123000001\n0312345678,560\n"),
        (Knobs(answer_csvid=False, answer_counts=False), "200\n0312345678,560\n"),
    ],
)
def test_answer_lines_can_be_switched_off(client: Client, knobs: Knobs, expected: str) -> None:
    client.gateway.knobs = knobs
    assert client.send(client.row(), client.row("0312345678")).text == expected


@pytest.mark.parametrize(
    ("number", "digits"),
    [
        ("09011112222", "09011112222"),
        ("090-1111-2222", "09011112222"),
        ("06012345678", "06012345678"),
        ("02012345678", "02012345678"),
        ("02001234567890", "02001234567890"),
        ("819011112222", "819011112222"),
    ],
)
def test_valid_numbers_are_taken(client: Client, number: str, digits: str) -> None:
    client.send(client.row(number))
    assert [message.msisdn for message in client.gateway.messages] == [digits]


@pytest.mark.parametrize(
    "number",
    [
        "08001234567",
        "0901111222",
        "05012345678",
        "02041234567",
        "81901111222",
        "12025550123",
        "０９０11112222",
        "x",
        "",
    ],
)
def test_invalid_numbers_are_560(client: Client, number: str) -> None:
    assert client.send(client.row(number)).text.splitlines()[2:] == ["1|1|0", f"{number},560"]
    assert client.gateway.messages == ()


def test_overseas_numbers_need_the_option(
    opened: Callable[..., EmbeddedGateway], client_of: type[Client], profile: Profile
) -> None:
    option = profile.options.overseas.model_copy(update={"value": True})
    other = profile.model_copy(update={"options": profile.options.model_copy(update={"overseas": option})})
    client = client_of(opened(other=other))
    client.send(client.row("1-202-555-0123"), client.row("8112345678"))
    assert [message.msisdn for message in client.gateway.messages] == ["12025550123"]
    assert client.results()[0][0] == "12025550123"


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"c18": "a-b"}, "574"),
        ({"c18": "a" * 51}, "574"),
        ({"c11": "ftp://x.test/"}, "590"),
        ({"c39": "https://x.test/" + "a" * 2083}, "590"),
        ({"c10": ""}, "585"),
    ],
)
def test_other_faults_of_a_row(client: Client, columns: dict[str, str], code: str) -> None:
    assert client.send(client.row(**columns)).text.splitlines()[-1] == f"09011112222,{code}"


def test_named_cell_of_a_reject_stays_on_its_line(client: Client) -> None:
    assert client.send(client.row("a\nb" + "c" * 99)).text.splitlines()[3:] == ["a b" + "c" * 61 + ",560"]


def test_templates_have_a_text_of_their_own(client: Client) -> None:
    answer = client.send(client.row(c8="12", c2="さくら"), client.row(c8="1000000"), client.row(), smstexttype="id")
    assert answer.text.splitlines()[2:] == ["3|2|1", "09011112222,570", "09011112222,570"]
    assert client.gateway.messages[0].text == "テンプレート12 さくら"


@pytest.mark.parametrize(
    ("query", "code"),
    [({"smstexttype": ""}, "591"), ({"smstexttype": "xml"}, "591"), ({"encode": "eucjp"}, "597")],
)
def test_unknown_parameters_refuse_the_whole(client: Client, query: dict[str, str], code: str) -> None:
    assert client.send(client.row(), **query).text == code
    client.gateway.knobs = Knobs(code_as_http_status=True)
    assert client.send(client.row(), **query).status_code == int(code)
    assert client.gateway.messages == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"09011112222,too,few\r\n",
        b"\xff" + b"," * 63,
        b"," * 63 + b"\xe3\x81",
        b'"open' + b"," * 63,
        b'"a"b' + b"," * 63 + b"\r\n",
        b"x" * (2 << 20),
        b"09011112222" + b"," * 9 + b"text" + b"," * 54 + b"\r\nshort\r\n",
    ],
)
def test_what_is_no_such_csv_is_550_and_nothing_is_taken(client: Client, content: bytes) -> None:
    assert client.upload(content).text == "550"
    assert client.gateway.messages == ()


def test_the_part_must_have_its_name(client: Client) -> None:
    assert client.upload(client.csv(client.row()), part="csv").text == "550"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/csv", b"x"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=" + "b" * 300, b"x"),
        ("multipart/form-data; boundary=b", b"no boundary"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n,,'),
    ],
)
def test_a_body_that_is_no_multipart_is_550(client: Client, content_type: str, body: bytes) -> None:
    answer = requests.post(
        f"{client.gateway.url}/api3/?smstexttype=csv",
        data=body,
        headers={"Content-Type": content_type},
        auth=client.auth,
        timeout=5,
    )
    assert answer.text == "550"


def test_shiftjis_is_read_as_windows_writes_it(client: Client) -> None:
    text = "〜明日①髙﨑様ｱｲｳ〜".replace("〜", "\uff5e")
    assert client.upload(client.csv(client.row(text=text), encoding="cp932"), encode="shiftjis").text[-5:] == ",585\n"
    client.gateway.knobs = Knobs(refuse_platform_characters=False)
    assert client.upload(client.csv(client.row(text=text), encoding="cp932"), encode="shiftjis").text[:3] == "200"
    assert client.gateway.messages[0].text == text


def test_a_bom_belongs_to_the_first_number(client: Client) -> None:
    assert client.upload(client.csv(client.row(), encoding="utf-8-sig")).text.splitlines()[2] == "1|1|0"


def test_blank_lines_and_a_missing_last_line_end_are_forgiven(client: Client) -> None:
    content = client.csv(*client.many(2), line_end="\n").replace(b"\n", b"\n\n").rstrip()
    assert client.upload(content).text.splitlines()[2] == "2|0|2"


def test_tags_are_filled_and_links_shortened(client: Client) -> None:
    row = client.row(
        text="{info1}様 {URL} {URL2} {info2} {x}",
        c2="山田",
        c3="{URL}",
        c11="https://a.test/1",
        c39="https://a.test/2",
    )
    client.send(row)
    name, first, second, inside, other = client.gateway.messages[0].text.split(" ")
    assert (name, other) == ("山田様", "{x}")
    assert len(first) == len(second) == 19
    assert first == inside != second


def test_a_link_tag_without_url_stays(client: Client) -> None:
    client.send(client.row(text="see {URL}"))
    assert client.gateway.messages[0].text == "see {URL}"


@pytest.mark.parametrize(
    ("text", "others", "au"),
    [
        ("あ" * 71, "あ" * 70, "あ" * 70),
        ("a" * 141, "a" * 140, "a" * 140),
        ("あ" * 60 + "a" * 20, "あ" * 60 + "a" * 10, "あ" * 60 + "a" * 20),
        ("あ" * 69 + "\nい", "あ" * 69, "あ" * 69 + "\n"),
        ("あ" * 68 + "\r\nい", "あ" * 68 + "\r\n", "あ" * 68 + "\r\nい"),
    ],
    ids=["double-byte", "ascii", "mixed", "break beyond", "break within"],
)
def test_long_texts_are_cut_silently(client: Client, text: str, others: str, au: str) -> None:
    client.send(*client.many(40, text))
    sent = {message.carrier: message.text for message in client.gateway.messages}
    assert sent == {"Docomo": others, "SoftBank": others, "Rakuten": others, "au": au}


def test_a_repeated_smsid_is_taken_again_and_counted(client: Client) -> None:
    client.send(client.row(smsid="a1"), client.row(smsid="a1"), client.row(smsid="a2"), client.row(), client.row())
    client.send(client.row(smsid="a1"))
    copies = [(message.smsid, message.copies) for message in client.gateway.messages]
    assert copies == [("a1", 3), ("a2", 1), ("", 1), ("", 1)]


def test_a_repeated_smsid_is_587_where_the_account_says_so(client: Client) -> None:
    client.gateway.knobs = Knobs(dedupe_smsid=True)
    client.send(client.row(smsid="a1"))
    answer = client.send(client.row(smsid="a1"), client.row(smsid="a2"), client.row(smsid="a2"), client.row())
    assert answer.text.splitlines()[2:] == ["4|2|2", "09011112222,587", "09011112222,587"]
    assert all(message.copies == 1 for message in client.gateway.messages)
