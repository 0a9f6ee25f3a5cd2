from __future__ import annotations

import json
import select
import signal
import socket
import sqlite3
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.ledger.opening import VERSION

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

ROOT = Path(__file__).parents[2]
FILE = "MEDIASMS_GATEWAY_PASSWORD_FILE"
CLINIC = "sample_data/clinic-3-rows.csv"


def test_demo_ends_well_and_can_be_repeated(home: Home) -> None:
    for arguments in (("demo", "--json"), ("demo",), ("demo", "--keep", "--json")):
        done = home(*arguments)
        assert done.code == 0, done.err
    assert (done.document["accepted"], done.document["rejected"], done.document["balanced"]) == (455, 54, True)
    assert (home.folder / "mediasms-demo/workspace").is_dir()


def test_demo_without_samples_says_so(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    home.folder = tmp_path / "empty"
    done = home("demo")
    assert (done.code, done.out) == (2, "")
    assert "hint:" in done.err


def test_init_never_overwrites(home: Home) -> None:
    home.init()
    file = home.folder / "mediasms.toml"
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(file.read_text("utf-8") + "# mine\n", encoding="utf-8")
    ledger = (home.workspace / "ledger.id").read_bytes()
    again = home("init", "--json")
    assert (again.code, again.document["exit"]) == (0, 0)
    assert file.read_text("utf-8").endswith("# mine\n")
    assert (home.workspace / "ledger.id").read_bytes() == ledger


def test_a_workspace_that_is_away_is_not_made_anew_by_a_tired_operator(home: Home, gateway: EmbeddedGateway) -> None:
    run = ("run", CLINIC, "--campaign", "reminder", "--yes")
    assert home.init()(*run).code == 1
    home.workspace.rename(home.folder / "away")
    missing = home(*run)
    assert missing.code == 2
    hint = missing.err.split("hint: ")[1]
    assert hint.index("bring the folder back") < hint.index("would be sent again") < hint.index("`mediasms init --new`")
    for arguments in (("init",), run):
        assert home(*arguments).code in {2, 7}
    again = home("init", "--json")
    assert (again.code, again.document["error"]) == (7, "ledger.first_use")
    assert "there is no ledger" in again.err
    assert "`mediasms init --new`" in again.err
    assert not home.workspace.exists()
    (home.folder / "away").rename(home.workspace)
    assert (home("init").code, home(*run).code) == (0, 1)
    assert [message.copies for message in gateway.messages] == [1]


def test_a_first_use_with_a_configuration_that_is_there_says_so(home: Home) -> None:
    (home.folder / "mediasms.toml").write_text("[send]\nmax_rows = 5\n", encoding="utf-8")
    assert home("init").code == 7
    assert home("init", "--new").code == 0
    assert home("init").code == 0
    assert home("status").code == 0


def test_without_init_every_command_refuses(home: Home) -> None:
    for arguments in (
        ("run", CLINIC),
        ("validate", CLINIC),
        ("send", "abc"),
        ("pull",),
        ("reconcile", "abc"),
        ("status",),
        ("resolve", "abc-0001", "--as", "taken", "--because", "seen"),
        ("doctor",),
        ("config", "show"),
        ("ledger", "check"),
        ("ledger", "migrate"),
    ):
        done = home(*arguments, "--json")
        assert (done.code, done.document["error"]) == (2, "config.missing"), arguments
        assert "mediasms init" in done.err
    assert sorted(path.name for path in home.folder.iterdir()) == ["sample_data"]


def test_an_unknown_key_is_named(home: Home) -> None:
    home.init()
    (home.folder / "mediasms.toml").write_text('[gateway]\nbase_ulr = "https://x.test"\n', encoding="utf-8")
    done = home("status")
    assert done.code == 2
    assert "gateway.base_ulr" in done.err
    assert "mediasms.toml" in done.err


def test_an_unknown_variable_is_named(home: Home) -> None:
    done = home.init()("status", MEDIASMS_GATEWAY_BASE_ULR="https://x.test")
    assert done.code == 2
    assert "gateway.base_ulr" in done.err


@pytest.mark.parametrize("content", ["[gateway", '[gateway]\nusername = "\xff"\n'])
def test_a_configuration_that_is_not_toml(home: Home, content: str) -> None:
    home.init()
    (home.folder / "mediasms.toml").write_bytes(content.encode("latin-1"))
    done = home("config", "show", "--json")
    assert (done.code, done.document["error"]) == (2, "config.not_toml")


def test_config_show_hides_the_password(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    done = home("config", "show")
    assert done.code == 0
    assert f"gateway.base_url = {gateway.url}" in done.out
    assert "gateway.password = *" in done.out
    shown = home("config", "show", "--json").document["settings"]["gateway"]
    assert set(shown["password"]) == {"*"}


@pytest.mark.parametrize("proxy", ["http://user:pw-Kumo7Hare@proxy.example:3128", "user:pw-Kumo7Hare@proxy.example"])
def test_config_show_hides_the_password_of_a_proxy(home: Home, proxy: str) -> None:
    home.init()
    for form in ([], ["--json"]):
        done = home("config", "show", *form, MEDIASMS_GATEWAY_PROXY=proxy)
        assert done.code == 0
        assert "***@proxy.example" in done.out


def test_the_password_may_come_from_a_file(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    (home.folder / "password.txt").write_text(home.environment.pop("MEDIASMS_GATEWAY_PASSWORD") + "\n", "utf-8")
    home.environment[FILE] = "absent.txt"
    assert home("run", CLINIC, "--yes").code == 2
    home.environment[FILE] = "password.txt"
    assert home("run", CLINIC, "--yes").code == 1
    assert len(gateway.messages) == 1


def test_settings_for_the_gateway_are_needed_to_send_only(home: Home) -> None:
    home.init()
    assert home("validate", CLINIC).code == 1
    done = home("run", CLINIC, "--yes")
    assert done.code == 2
    for key in ("gateway.base_url", "gateway.username", "gateway.password"):
        assert key in done.err


def test_profile_show_prints_grades(home: Home) -> None:
    done = home("profile", "show")
    assert done.code == 0
    assert "[A] (not confirmed: does nothing)" in done.out
    assert "未確認" in home("profile", "show", "--lang", "ja").out
    assert home("profile", "show", "--json").document["profile"]["name"] == "mediasms"


def test_profile_check(home: Home) -> None:
    good = (ROOT / "schemas/profiles/mediasms.toml").read_text("utf-8")
    mine = home.folder / "mine.toml"
    mine.write_text(good, encoding="utf-8")
    done = home("profile", "check", "mine.toml", "--json")
    assert (done.code, len(done.document["sha256"])) == (0, 64)
    assert "mine.toml is good" in home("profile", "check", "mine.toml").out

    mine.write_text(
        good.replace('encoding = { value = "utf-8", grade = "V"', 'encodin = { value = "utf-8", grade = "V"'), "utf-8"
    )
    broken = home("profile", "check", "mine.toml")
    assert broken.code == 2
    assert "mine.toml" in broken.err
    assert "upload.encodin" in broken.err

    mine.write_text("[upload", encoding="utf-8")
    assert home("profile", "check", "mine.toml").code == 2
    assert home("profile", "check", "absent.toml").code == 2


def test_a_profile_of_ones_own_is_used(home: Home, gateway: EmbeddedGateway) -> None:
    good = (ROOT / "schemas/profiles/mediasms.toml").read_text("utf-8")
    (home.folder / "mine.toml").write_text(good.replace('name = "mediasms"', 'name = "mine"', 1), encoding="utf-8")
    home.init().environment["MEDIASMS_GATEWAY_PROFILE"] = "mine.toml"
    document = home("run", CLINIC, "--yes", "--json").document
    assert document["provenance"]["profile"].startswith("mine ")
    assert len(gateway.messages) == 1


def test_doctor(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    done = home("doctor", "--json")
    assert (done.code, done.document["missing_settings"], done.document["auth_failures"]) == (0, [], 0)
    assert home("doctor").code == 0
    home.environment.clear()
    lacking = home("doctor", "--json")
    assert (lacking.code, "gateway.password" in lacking.document["missing_settings"]) == (1, True)
    assert gateway.requests == {}


def test_ledger_check_and_migrate(home: Home) -> None:
    home.init()
    assert home("ledger", "check").code == 0
    assert home("ledger", "check", "--json").document == {"problems": [], "missing": {}, "exit": 0}
    assert home("ledger", "migrate", "--json").document["version"] == VERSION


def test_a_ledger_that_went_back_in_time_stops_everything(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    ledger = home.workspace / "ledger.sqlite3"
    with sqlite3.connect(ledger) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = ledger.read_bytes()
    assert home("run", CLINIC, "--yes").code == 1
    for path in home.workspace.glob("ledger.sqlite3*"):
        path.unlink()
    ledger.write_bytes(before)
    check = home("ledger", "check", "--json")
    assert (check.code, check.document["error"]) == (7, "ledger.went_back")
    assert home("run", CLINIC, "--yes").code == 7
    assert [message.copies for message in gateway.messages] == [1]


def test_a_damaged_ledger(home: Home) -> None:
    home.init()
    for path in home.workspace.glob("ledger.sqlite3*"):
        path.write_bytes(b"no ledger " * 500)
    done = home("ledger", "check", "--json")
    assert done.code == 7
    assert home("status", "--json").code == 7
    for path in home.workspace.glob("ledger.sqlite3*"):
        path.unlink()


def test_a_missing_ledger(home: Home) -> None:
    home.init()
    for path in home.workspace.glob("ledger.sqlite3*"):
        path.unlink()
    assert home("status", "--json").code == 7
    assert not (home.workspace / "ledger.sqlite3").exists()


def test_a_changed_file_is_noticed(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    batch = home("validate", CLINIC, "--json").document["batch_id"]
    path = home.workspace / "batches" / batch / "accepted.csv"
    path.write_bytes(path.read_bytes().replace("明日10時".encode(), "明日11時".encode()))
    done = home("send", batch, "--json")
    assert (done.code, done.document["error"]) == (7, "artefact.changed")
    assert gateway.messages == ()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_gateway_serve_stops_on_a_signal(home: Home, number: signal.Signals) -> None:
    running = home.start("gateway", "serve", "--port", "0")
    try:
        assert running.stdout is not None
        assert select.select([running.stdout], [], [], 60)[0]
        line = running.stdout.readline().decode()
        url = line.split()[2]
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{url}/api4/?startdate=202611230000&enddate=202611240000", timeout=20)  # noqa: S310
        refused.value.close()
    finally:
        running.send_signal(number)
        _, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (0, b"")


def test_gateway_serve_on_a_port_that_is_taken(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = home("gateway", "serve", "--port", str(listener.getsockname()[1]), "--json")
    assert (done.code, done.document["error"]) == (2, "gateway.port")


def test_unusable_inputs(home: Home) -> None:
    home.init()
    for content, error in (
        (b"", "input.empty"),
        (b"mobile,text\r\n", "input.no_rows"),
        (b"a,b\r\n1,2\r\n", "input.no_known_column"),
        (b"mobile\r\n090-1000-0301\r\n", "input.no_text"),
        (b"mobile,text,text\r\n090-1000-0301,a,b\r\n", "input.doubled_column"),
        (b"mobile,text\r\n090-1000-0301\r\n", "input.ragged"),
        (b"mobile,text\r\n090-1000-0301,\x81\x7f\r\n", "input.encoding"),
        (b"PK\x03\x04\x00\x00", "input.damaged"),
    ):
        (home.folder / "list.csv").write_bytes(content)
        done = home("validate", "list.csv", "--json")
        assert (done.code, done.document["error"]) == (3, error)
    assert list(home.workspace.glob("batches/*/*")) == []


def test_failures_as_json_lines(home: Home) -> None:
    done = home("status", "--log-format", "json")
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert json.loads(line)["code"] == "config.missing"


def test_status_and_pull_of_nothing(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    assert "no batches yet." in home("status").out
    pulled = home("pull", "--json")
    assert (pulled.code, pulled.document["files"]) == (0, [])
    assert home("pull", "--since", "2026-11-01").code == 2
    backwards = home("pull", "--since", "2026-11-02", "--until", "2026-11-01", "--json")
    assert (backwards.code, backwards.document["error"]) == (2, "pull.period_order")
    assert home("pull", "absent").code == 2
    assert gateway.requests == {}


def test_waiting_ends(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    done = home("run", CLINIC, "--yes", "--wait", "1s", "--json")
    assert done.code == 1
    assert gateway.requests["/api4/"] in {1, 2}
    assert home("run", CLINIC, "--yes", "--wait", "soon").code == 2
