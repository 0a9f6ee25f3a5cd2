from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import unicodedata
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.simulator import EmbeddedGateway, VirtualClock
from schemas.profile import parse_profile
from tests.acceptance.zygote import Zygote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
PASSWORD = "pw-Kumo7Hare"  # noqa: S105 - of the embedded gateway
_TIMEOUT = 90
_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?:\+?81[ -]?|0)[5-9]0[ .-]?[0-9]{4}[ .-]?[0-9]{4}(?![0-9A-Za-z])")


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass
class Home:
    """One user's folder, with sample data; runs the installed command in it and looks at all it says."""

    folder: Path
    zygote: Zygote
    environment: dict[str, str] = field(default_factory=dict)

    def variables(self, **more: str) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("MEDIASMS_", "LC_"))}
        return own | {"LANG": "C.UTF-8", "NO_COLOR": "1"} | self.environment | more

    def __call__(
        self, *arguments: str, python: tuple[str, ...] = ("-m", "pipeline"), stdin: bytes = b"", **more: str
    ) -> Done:
        """Run a command; environment variables may be given by keyword.

        Where the interpreter itself is asked for something, it is started from nothing.
        """
        variables = self.variables(**more)
        if python == ("-m", "pipeline") and not any(name.startswith(("LC_", "PYTHON")) for name in more):
            code, out, err = self.zygote.run(arguments, self.folder, variables, stdin, _TIMEOUT)
        else:
            ended = subprocess.run(
                [sys.executable, *python, *arguments],
                cwd=self.folder,
                env=variables,
                input=stdin,
                capture_output=True,
                timeout=_TIMEOUT,
                check=False,
            )
            code, out, err = ended.returncode, ended.stdout, ended.stderr
        done = Done(code, out.decode(), err.decode())
        self.nothing_private(done.out + done.err)
        if "--json" in arguments and "--help" not in arguments:
            assert isinstance(done.document, dict), done
        return done

    def start(self, *arguments: str, python: tuple[str, ...] = ("-m", "pipeline")) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *python, *arguments],
            cwd=self.folder,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def nothing_private(self, said: str) -> None:
        """No password and no whole subscriber number: as such, as typed, or as it stands in the workspace."""
        assert PASSWORD not in said
        found = _NUMBER.search(unicodedata.normalize("NFKC", said))
        assert found is None, f"a number at {found and found.start()}"
        for row in self.accepted():
            assert row["msisdn"] not in said

    def init(self) -> Home:
        assert self("init").code == 0
        return self

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def accepted(self) -> list[dict[str, str]]:
        return [row for path in sorted(self.workspace.glob("batches/*/accepted.csv")) for row in read_csv(path)]

    def rejected(self) -> list[dict[str, str]]:
        (path,) = self.workspace.glob("batches/*/rejected.csv")
        return read_csv(path)

    def details(self) -> list[str]:
        """Return what the ledger says happened."""
        ledger = self.workspace / "ledger.sqlite3"
        if not ledger.exists():
            return []
        connection = sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)
        try:
            return [f"{kind} {detail}" for kind, detail in connection.execute("SELECT kind, detail FROM event")]
        finally:
            connection.close()

    def states(self, batch: str) -> dict[str, int]:
        (found,) = self("status", batch, "--json").document["batches"]
        states: dict[str, int] = found["states"]
        return states


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    found = Zygote()
    yield found
    found.close()


@pytest.fixture
def home(tmp_path: Path, zygote: Zygote) -> Iterator[Home]:
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    found = Home(tmp_path, zygote)
    yield found
    found.nothing_private("\n".join(found.details()))


@pytest.fixture
def embedded() -> Iterator[Callable[..., EmbeddedGateway]]:
    text = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
    profile = parse_profile(text, "mediasms.toml")
    running: list[EmbeddedGateway] = []

    def start() -> EmbeddedGateway:
        gateway = EmbeddedGateway(profile, seed=20261123, password=PASSWORD, clock=VirtualClock())
        running.append(gateway.__enter__())
        return gateway

    yield start
    for gateway in running:
        gateway.__exit__(None, None, None)


@pytest.fixture
def gateway(embedded: Callable[[], EmbeddedGateway], home: Home) -> EmbeddedGateway:
    """Serve a gateway to whom the home's account belongs."""
    found = embedded()
    home.environment |= {
        "MEDIASMS_GATEWAY_BASE_URL": found.url,
        "MEDIASMS_GATEWAY_USERNAME": found.username,
        "MEDIASMS_GATEWAY_PASSWORD": PASSWORD,
    }
    return found
