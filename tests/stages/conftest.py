from __future__ import annotations

import csv
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.config import load
from pipeline.context import Context, build_context
from pipeline.core.calendar import JST
from pipeline.ledger.batches import count_states, get_batch
from pipeline.ledger.evidence import batch_evidence
from pipeline.messages import Language
from pipeline.simulator import EmbeddedGateway, VirtualClock
from pipeline.stages.send import send
from pipeline.stages.validate import Request, validate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipeline.model import Batch, MessageState
    from pipeline.stages.send import Sent

START = datetime(2026, 11, 23, 9, 30, tzinfo=JST)
UPLOADS = "/api3/"
SINGLE = "/api/"
SINGLE_RESULTS = "/api5/"
RESULTS = "/api4/"


class House:
    """One installation in a folder, with the gateway it sends to and the clock both go by."""

    def __init__(self, folder: Path, gateway: EmbeddedGateway, ledger_url: str) -> None:
        self.folder = folder
        self.gateway = gateway
        self.clock = gateway.clock
        self.environment: dict[str, str] = {
            "MEDIASMS_GATEWAY_BASE_URL": gateway.url,
            "MEDIASMS_GATEWAY_USERNAME": gateway.username,
            "MEDIASMS_GATEWAY_PASSWORD": gateway.password,
            "MEDIASMS_SEND_MAX_ROWS": "5",
            "MEDIASMS_LEDGER_URL": ledger_url,
        }
        self._contexts: list[Context] = []

    def open(self, *, create: bool = False, language: Language = Language.EN, **environment: str) -> Context:
        """Open the installation as another process would; ``SEND_MAX_ROWS="2"`` overrides a setting."""
        whole = self.environment | {f"MEDIASMS_{name}": value for name, value in environment.items()}
        configuration = load(self.folder / "mediasms.toml", whole, required=False)
        context = build_context(configuration, whole, self.clock.now, language, create=create)
        self._contexts.append(context)
        return context

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def write(self, name: str, rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> Path:
        path = self.folder / name
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows(rows)
        return path

    def recipients(self, count: int = 12, name: str = "list.csv", first: int = 0, text: str = "お知らせです") -> Path:
        rows = [[self.number(first + row), text] for row in range(count)]
        return self.write(name, [["電話番号", "本文"], *rows])

    @staticmethod
    def number(row: int) -> str:
        return f"0901{row:07d}"

    @staticmethod
    def batch(context: Context, source: Path, campaign: str | None = "c", **request: Any) -> Batch:  # noqa: ANN401 - fields of Request
        return validate(context, Request(source, campaign, **request)).batch

    def sent(self, context: Context, source: Path, campaign: str | None = "c") -> Sent:
        return send(context, self.batch(context, source, campaign))

    @staticmethod
    def states(context: Context, batch_id: str) -> dict[MessageState, int]:
        return count_states(context.ledger, batch_id)

    @staticmethod
    def smsids(context: Context, batch_id: str) -> list[str]:
        evidence = batch_evidence(context.ledger, get_batch(context.ledger, batch_id), START, START)
        found: list[str] = evidence.messages["smsid"].to_pylist()
        return found

    def copies(self) -> dict[str, int]:
        """Return how often the gateway took each smsid; two numbers under one smsid would add up."""
        found: dict[str, int] = {}
        for message in self.gateway.messages:
            found[message.smsid] = found.get(message.smsid, 0) + message.copies
        return found

    def uploads(self) -> int:
        return self.gateway.requests.get(UPLOADS, 0)

    def pulls(self) -> int:
        return self.gateway.requests.get(RESULTS, 0)


@contextmanager
def opened_house(folder: Path, ledger_url: str) -> Iterator[House]:
    """Make an installation with an empty ledger; when it is left, no message may have gone out twice."""
    profile = load(folder / "none.toml", {}, required=False).profile
    clock = VirtualClock(START, ticking=False)
    with EmbeddedGateway(profile, seed=7, clock=clock) as gateway:
        made = House(folder, gateway, ledger_url)
        try:
            yield made
            assert set(made.copies().values()) <= {1}
        finally:
            made.close()


@pytest.fixture
def house(tmp_path: Path, ledger_url: str) -> Iterator[House]:
    """An installation with an empty ledger; after every test no message may have gone out twice."""
    with opened_house(tmp_path, ledger_url) as made:
        yield made


@pytest.fixture
def context(house: House) -> Context:
    return house.open(create=True)
