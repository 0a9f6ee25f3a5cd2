from __future__ import annotations

import csv
import io
from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING

import pytest
import requests

from pipeline.core.calendar import JST
from pipeline.simulator import EmbeddedGateway, Knobs, VirtualClock
from schemas.profile import Profile, parse_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START = datetime(2026, 11, 23, 9, 30, tzinfo=JST)


class Client:
    """An independent client: requests, the csv module and the numbers of the columns, nothing of ours."""

    def __init__(self, gateway: EmbeddedGateway) -> None:
        self.gateway = gateway
        self.auth: tuple[str, str] | None = (gateway.username, gateway.password)

    @staticmethod
    def row(number: str = "09011112222", text: str = "hello", smsid: str = "", **columns: str) -> list[str]:
        row = [""] * 64
        row[0], row[9], row[17] = number, text, smsid
        for name, value in columns.items():
            row[int(name.removeprefix("c")) - 1] = value
        return row

    @staticmethod
    def many(count: int, text: str = "hello") -> list[list[str]]:
        return [Client.row(f"0901{number:07d}", text, f"abc{number:06d}") for number in range(count)]

    @staticmethod
    def csv(*rows: list[str], line_end: str = "\r\n", encoding: str = "utf-8") -> bytes:
        buffer = io.StringIO(newline="")
        csv.writer(buffer, lineterminator=line_end).writerows(rows)
        return buffer.getvalue().encode(encoding)

    def send(self, *rows: list[str], **query: str) -> requests.Response:
        return self.upload(self.csv(*rows), **query)

    def upload(self, content: bytes, part: str = "file", **query: str) -> requests.Response:
        return requests.post(
            f"{self.gateway.url}/api3/",
            params={"smstexttype": "csv"} | query,
            files={part: ("any name.txt", content)},
            auth=self.auth,
            timeout=20,
            allow_redirects=False,
        )

    def post(self, path: str, **values: str) -> str:
        """Post a form and return the body of the answer."""
        answer = requests.post(
            f"{self.gateway.url}{path}", data=values, auth=self.auth, timeout=20, allow_redirects=False
        )
        return answer.text

    def single(self, **values: str) -> str:
        """Send one message; number and text are given when nothing else is said."""
        return self.post("/api/", **({"mobilenumber": "09011112222", "smstext": "hello"} | values))

    def status_of(self, smsid: str) -> str:
        return self.post("/api5/", smsid=smsid)

    def ask_results(self, **query: str) -> requests.Response:
        period = {"startdate": "202611230000", "enddate": "202611260000"}
        return requests.get(f"{self.gateway.url}/api4/", params=period | query, auth=self.auth, timeout=20)

    def results(self, encoding: str = "utf-8", **query: str) -> list[list[str]]:
        content = self.ask_results(**query).content.decode(encoding)
        return list(csv.reader(io.StringIO(content, newline="")))


@pytest.fixture(scope="session")
def profile() -> Profile:
    text = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
    return parse_profile(text, "mediasms.toml")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START, ticking=False)


@pytest.fixture
def opened(profile: Profile, clock: VirtualClock) -> Iterator[Callable[..., EmbeddedGateway]]:
    """Open gateways with a standing clock; all are closed at the end of the test."""
    running: list[EmbeddedGateway] = []

    def open_one(*, seed: int = 7, knobs: Knobs | None = None, other: Profile | None = None) -> EmbeddedGateway:
        gateway = EmbeddedGateway(other or profile, seed=seed, clock=clock, knobs=knobs or Knobs())
        running.append(gateway.__enter__())
        return gateway

    yield open_one
    for gateway in running:
        gateway.__exit__(None, None, None)


@pytest.fixture
def gateway(opened: Callable[..., EmbeddedGateway]) -> EmbeddedGateway:
    return opened()


@pytest.fixture
def client(gateway: EmbeddedGateway) -> Client:
    return Client(gateway)


@pytest.fixture
def client_of() -> type[Client]:
    return Client


@pytest.fixture
def long_text(profile: Profile) -> Profile:
    option = profile.options.long_text.model_copy(update={"value": True})
    return profile.model_copy(update={"options": profile.options.model_copy(update={"long_text": option})})
