"""The owner's page: readable by a browser and by no one else, self-contained, escaped, in two languages."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
import requests

from pipeline.messages import LABELS
from pipeline.simulator import Knobs, VirtualClock
from pipeline.simulator.page import preferred

if TYPE_CHECKING:
    from tests.simulator.conftest import Client

EVIL = "<script>alert(1)</script>\"'&{{x}}"
VOID = {"meta", "input", "link", "img", "br"}


class Reader(HTMLParser):
    """Collects what a browser would see, and complains about what is not nested."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(client: Client, language: str = "en", query: str = "") -> requests.Response:
    answer = requests.get(f"{client.gateway.url}/{query}", headers={"Accept-Language": language}, timeout=5)
    assert answer.status_code == 200
    return answer


def fields(html: str) -> dict[str, str]:
    """Return what a browser would send of the form of knobs if nothing was touched."""
    values: dict[str, str] = {}
    for tag, attributes in Reader(html).tags:
        name = attributes.get("name") or ""
        if name not in Knobs().as_json():
            continue
        if attributes.get("type") == "checkbox":
            if "checked" in attributes:
                values[name] = attributes["value"] or ""
        elif tag == "input":
            values[name] = attributes["value"] or ""
    return values | dict(re.findall(r'<textarea name="(\w+)"[^>]*>([^<]*)</textarea>', html))


def test_nothing_on_it_comes_from_elsewhere(client: Client) -> None:
    client.single(smsid="a1", status="1")
    answer = read(client)
    style = re.search("<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'")
    assert answer.headers["Cache-Control"] == "no-store"
    for tag, attributes in Reader(answer.text).tags:
        assert tag not in {"script", "link", "img", "iframe"}
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or "/").startswith("/")
    assert "url(" not in style[1]


def test_what_was_received_is_escaped(client: Client) -> None:
    client.gateway.knobs = Knobs(ng_words=(EVIL,), redirect_to=EVIL, faults=0)
    client.send(client.row(text=EVIL, smsid="a1"))
    html = read(client).text
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3


@pytest.mark.parametrize(
    ("language", "word", "tag"), [("ja,en;q=0.5", "受け取ったメッセージ", "ja"), ("de", "Messages received", "en")]
)
def test_it_speaks_two_languages(client: Client, language: str, word: str, tag: str) -> None:
    answer = read(client, language)
    assert f'<h2 id="messages">{word}</h2>' in answer.text
    assert f'<html lang="{tag}">' in answer.text
    assert answer.headers["Vary"] == "Accept-Language"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("JA-jp", "ja"),
        ("en-GB,ja;q=0.9", "en"),
        ("en;q=0.1,ja;q=0.9", "ja"),
        ("fr,ja;q=0.1", "ja"),
        ("ja;q=x,en", "en"),
        ("jabber,x", "en"),
    ],
)
def test_preferred_language(header: str, language: str) -> None:
    assert preferred(header).value == language


def test_numbers_are_masked_until_asked_for(client: Client) -> None:
    client.single(smsid="a1")
    assert '<td class="code">090****2222</td>' in read(client).text
    assert '<td class="code">09011112222</td>' in read(client, query="?numbers=whole").text


def test_the_newest_hundred_are_shown(client: Client) -> None:
    client.send(*client.many(3_000))
    client.single(smsid="last")
    html = read(client).text
    found = re.findall(r"abc\d{6}", html)
    assert found == [f"abc{number:06d}" for number in range(2_999, 2_900, -1)]
    assert '<td class="code">last</td>' in html
    assert "3001" in html


def test_the_status_is_that_of_the_moment(client: Client, clock: VirtualClock) -> None:
    client.gateway.knobs = Knobs(fate="blocked")
    client.single(smsid="a1")
    assert "<td>処理中</td>" in read(client).text
    clock.advance(timedelta(minutes=5))
    assert "<td>403</td>" in read(client).text


def test_the_form_sends_back_what_it_shows(client: Client) -> None:
    knobs = Knobs(ng_words=("a", "b"), send_limit=3, answer_csvid=False, notify_url="http://127.0.0.1:1/", swallow=True)
    client.gateway.knobs = knobs
    answer = requests.post(f"{client.gateway.url}/", data=fields(read(client).text), timeout=5, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert client.gateway.knobs == knobs
    assert requests.post(f"{client.gateway.url}/", data={"reset": "on"}, timeout=5).status_code == 200
    assert client.gateway.knobs == Knobs()
    assert Knobs.from_form(fields(read(client, "ja").text)) == Knobs()


def test_the_clock_has_a_form(client: Client, clock: VirtualClock) -> None:
    before = clock.now()
    requests.post(f"{client.gateway.url}/", data={"advance": "1d"}, timeout=5)
    assert clock.now() - before == timedelta(days=1)


@pytest.mark.parametrize(
    "values", [{"advance": "soon"}, {"advance": "9999999999d"}, {"foreign": "x"}, {"pad": "x" * (1 << 20)}]
)
def test_what_makes_no_sense_is_400(client: Client, values: dict[str, str]) -> None:
    assert requests.post(f"{client.gateway.url}/", data=values, timeout=5).status_code == 400
    assert client.gateway.knobs == Knobs()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Host": "evil.test"},
        {"Origin": "http://[x"},
        {"Host": "[x"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/_/knobs", "/_/clock?advance=1h", "/_/templates"])
def test_pages_of_others_may_not_turn_anything(client: Client, path: str, headers: dict[str, str]) -> None:
    answer = requests.post(client.gateway.url + path, data="{}", headers=headers, timeout=5)
    assert answer.status_code == 403
    if "Host" in headers:
        assert requests.get(f"{client.gateway.url}/_/messages", headers=headers, timeout=5).status_code == 403


def test_our_own_page_may(client: Client) -> None:
    origin = {"Origin": client.gateway.url}
    assert requests.post(f"{client.gateway.url}/_/knobs", data="{}", headers=origin, timeout=5).ok


def test_every_knob_is_explained() -> None:
    explained = {code.removeprefix("gateway.knob.") for code in LABELS if code.startswith("gateway.knob.")}
    assert explained == Knobs().as_json().keys()
