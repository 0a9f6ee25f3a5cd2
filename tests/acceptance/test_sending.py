from __future__ import annotations

import csv
import json
import re
import shutil
import signal
import socket
import threading
import tomllib
from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import Knobs
from tests.processes import wait_until

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

ROOT = Path(__file__).parents[2]
SENT = ("送信済", "リダイレクト")
RUN = ("run", "sample_data/recipients.csv", "--campaign", "demo", "--yes", "--json")
CLINIC = ("run", "sample_data/clinic-3-rows.csv", "--yes", "--json")
#: the command with a clock that is three days fast
LATER = """
import datetime as real, pipeline.cli.main as m
class Fast(real.datetime):
    @classmethod
    def now(cls, tz=None):
        return real.datetime.now(tz) + real.timedelta(days=3)
m.datetime = Fast
m.main()
"""


def _by_hand(pull: Path) -> tuple[Counter[str], int, Decimal]:
    """Add up a raw results CSV: messages per label, billed messages, untaxed yen; with none of our code."""
    profile = tomllib.loads((ROOT / "schemas/profiles/mediasms.toml").read_text("utf-8"))
    tariff = tomllib.loads((ROOT / "schemas/tariffs/example.toml").read_text("utf-8"))
    pending = {one["label"] for one in profile["status"] if one["means"] == "pending"}
    prices = {one["carrier"]: one["yen"] for one in tariff["price"]}
    rows: dict[str, list[list[str]]] = defaultdict(list)
    with pull.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            rows[row[17]].append(row)
    labels: Counter[str] = Counter()
    billed, yen = 0, Decimal(0)
    for found in rows.values():
        final = [row for row in found if row[11] not in pending]
        if sent := [row for row in final if row[11] in SENT]:
            labels[SENT[1] if any(row[11] == SENT[1] for row in sent) else SENT[0]] += 1
            parts = int(sent[0][46].partition("/")[2] or 1)
            yen += Decimal(prices[sent[0][19]][parts - 1])
            billed += 1
        else:
            labels[max(final or found, key=lambda row: row[12])[11]] += 1
    return labels, billed, yen


def _uploads(gateway: EmbeddedGateway) -> int:
    return gateway.requests.get("/api3/", 0)


def test_numbers_agree_with_the_raw_results(home: Home, gateway: EmbeddedGateway) -> None:
    first = home.init()(*RUN)
    assert first.code == 1
    document = first.document
    assert (document["rows"], document["accepted"], document["rejected"]) == (509, 455, 54)
    assert (document["taken"], document["unknown"], document["exit"]) == (455, 0, 1)

    gateway.clock.advance(timedelta(days=3))
    pulled = home("pull", document["batch_id"], "--json")
    assert pulled.code == 0
    labels, billed, yen = _by_hand(Path(pulled.document["files"][0]))
    after = home("reconcile", document["batch_id"], "--json").document

    assert sum(labels.values()) == 455
    assert after["statuses"] == dict(labels)
    assert (after["billable_messages"], after["billable_units"]) == (billed, billed)
    assert Decimal(after["amount"]["untaxed"]) == yen
    assert Decimal(after["amount"]["tax"]) == yen * Decimal("0.10")
    assert Decimal(after["amount"]["total"]) == yen * Decimal("1.10")
    assert after["balanced"] is True
    assert after["pending"] == after["missing"] == after["unknown"] == 0


def test_the_gateway_holds_exactly_what_was_to_be_sent(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()(*RUN)
    with (ROOT / "sample_data/expected.csv").open(encoding="utf-8", newline="") as file:
        expected = {row["msisdn"]: row["text"] for row in csv.DictReader(file) if row["verdict"] == "accepted"}
    taken = {one.msisdn: re.sub(r"http://s\.test/\w+", "{URL}", one.text) for one in gateway.messages}
    assert taken == expected


@pytest.mark.parametrize("how", ["name", "run date", "clock"])
def test_the_same_input_again_sends_nothing(home: Home, gateway: EmbeddedGateway, how: str) -> None:
    first = home.init()(*RUN).document
    uploads, name = _uploads(gateway), "sample_data/recipients.csv"
    if how == "name":
        name = "sample_data/renamed.csv"
        shutil.copy(home.folder / "sample_data/recipients.csv", home.folder / name)
    arguments = ["run", name, "--campaign", "demo", "--yes"]
    if how == "run date":
        arguments += ["--run-date", "2027-01-31"]
    python = ("-c", LATER) if how == "clock" else ("-m", "pipeline")

    again = home(*arguments, python=python)
    assert again.code == 1
    assert f"nothing to send: batch {first['batch_id']} has already been dealt with." in again.out
    assert first["run_date"] in again.out
    document = home(*arguments, "--json", python=python).document
    assert (document["batch_id"], document["run_date"]) == (first["batch_id"], first["run_date"])
    assert document["taken"] == 455
    assert _uploads(gateway) == uploads == 1
    assert {message.copies for message in gateway.messages} == {1}


def test_a_wrong_password_is_tried_once(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    home.environment["MEDIASMS_GATEWAY_PASSWORD"] = "pw-Chigau9999"  # noqa: S105 - of the embedded gateway
    done = home(*RUN)
    assert done.code == 6
    assert "401" in done.err
    assert done.document["attention"]["refused"] == 455
    assert gateway.requests == {"/api3/": 1}
    assert gateway.messages == ()
    assert "pw-Chigau9999" not in done.out + done.err + "".join(home.details())


def test_three_wrong_passwords_stop_the_trying(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    home.environment["MEDIASMS_GATEWAY_PASSWORD"] = "pw-Chigau9999"  # noqa: S105 - of the embedded gateway
    shown = [each for each in CLINIC if each != "--json"]
    tried = [home(*shown) for _ in range(4)]
    assert [done.code for done in tried] == [6, 6, 6, 7]
    assert "REFUSED: 1 of 1 messages." in tried[0].out
    assert not any("(exit" in done.out for done in tried)
    assert gateway.requests == {"/api3/": 3}
    assert home("pull", "--since", "2026-11-01", "--until", "2026-11-02").code == 7
    doctor = home("doctor", "--json")
    assert (doctor.code, doctor.document["exit"], doctor.document["auth_failures"]) == (1, 1, 3)
    assert "`mediasms doctor --reset-auth`" in doctor.err
    assert gateway.requests == {"/api3/": 3}

    home.environment["MEDIASMS_GATEWAY_PASSWORD"] = gateway.password
    assert home("doctor", "--reset-auth", "--json").document["auth_failures"] == 0
    assert home(*CLINIC).code == 1
    assert [message.copies for message in gateway.messages] == [1]


def test_a_gateway_that_is_not_running(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    home.environment |= {
        "MEDIASMS_GATEWAY_BASE_URL": f"http://127.0.0.1:{port}",
        "MEDIASMS_GATEWAY_USERNAME": "demo",
        "MEDIASMS_GATEWAY_PASSWORD": "pw-Kumo7Hare",
    }
    done = home.init()(*RUN)
    assert done.code == 4
    assert "nothing is sent twice" in done.err
    assert home.states(done.document["batch_id"]) == {"planned": 455}


def test_it_goes_on_when_the_gateway_is_back(home: Home, gateway: EmbeddedGateway) -> None:
    url = home.environment["MEDIASMS_GATEWAY_BASE_URL"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        home.environment["MEDIASMS_GATEWAY_BASE_URL"] = f"http://127.0.0.1:{taken.getsockname()[1]}"
    assert home.init()(*CLINIC).code == 4
    home.environment["MEDIASMS_GATEWAY_BASE_URL"] = url
    done = home(*CLINIC)
    assert (done.code, done.document["taken"]) == (1, 1)
    assert [message.copies for message in gateway.messages] == [1]


def test_a_page_instead_of_an_answer_is_unknown(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    gateway.knobs = Knobs(html_200_nothing=True)
    done = home(*RUN)
    batch = done.document["batch_id"]
    assert (done.code, done.document["unknown"]) == (5, 455)
    assert f"mediasms pull {batch}" in done.err
    assert home.states(batch) == {"unknown": 455}

    assert home("send", batch).code == 5
    assert home("resolve", f"{batch}-0001", "--as", "refused", "--because", "the console shows nothing").code == 0
    assert home("resolve", f"{batch}-0001", "--as", "taken", "--because", "too late").code == 7
    assert home(*RUN).code == 1
    assert _uploads(gateway) == 2
    assert {message.copies for message in gateway.messages} == {1}
    assert any(detail.startswith("resolved") for detail in home.details())


def test_results_settle_what_a_page_left_open(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    gateway.knobs = Knobs(html_200=True, results_delay=3600)
    batch = home(*RUN).document["batch_id"]
    assert home.states(batch) == {"unknown": 455}
    gateway.clock.advance(timedelta(days=1))
    assert home("pull", batch, "--json").document["settled"] == {"unknown": 455}  # what they were before
    assert home.states(batch) == {"taken": 455}
    assert home(*RUN).code == 1
    assert {message.copies for message in gateway.messages} == {1}


@pytest.mark.parametrize(("language", "reasons"), [("ja", ("指数表示", "①")), ("en", ("spreadsheet", "①"))])
def test_three_rows_of_a_clinic(home: Home, gateway: EmbeddedGateway, language: str, reasons: tuple[str, str]) -> None:
    done = home.init()(*CLINIC, "--lang", language)
    assert done.code == 1
    assert (done.document["taken"], done.document["rejected"]) == (1, 2)
    assert [message.msisdn for message in gateway.messages] == ["09010000301"]
    rejected = home.rejected()
    assert [row["mediasms_code"] for row in rejected] == ["phone.scientific", "text.platform_dependent"]
    for row, reason in zip(rejected, reasons, strict=True):
        assert reason in row["mediasms_message"]
    assert all(row["mediasms_message"].isascii() for row in rejected[:1]) == (language == "en")


def test_http_to_another_host_is_refused_before_a_connection(home: Home) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:  # noqa: S104 - every address of this host, on purpose
        listener.settimeout(0.2)
        home.environment |= {
            "MEDIASMS_GATEWAY_BASE_URL": f"http://0.0.0.0:{listener.getsockname()[1]}",
            "MEDIASMS_GATEWAY_USERNAME": "demo",
            "MEDIASMS_GATEWAY_PASSWORD": "pw-Kumo7Hare",
        }
        done = home.init()(*CLINIC)
        assert done.code == 2
        assert "HTTPS" in done.err
        with pytest.raises(TimeoutError):
            listener.accept()


def test_an_interrupted_upload_is_unknown_and_not_repeated(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    gateway.knobs = Knobs(swallow=True, results_delay=3600)
    running = home.start(*RUN)
    wait_until(lambda: gateway.messages)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=30)
    assert running.returncode == 130

    done = home(*RUN)
    assert (done.code, done.document["unknown"]) == (5, 455)
    assert _uploads(gateway) == 1
    gateway.clock.advance(timedelta(days=1))
    assert home(*RUN).code in {1, 5}  # its own pull settles it
    assert home.states(done.document["batch_id"]) == {"taken": 455}
    assert home(*RUN).code == 1
    assert _uploads(gateway) == 1
    assert {message.copies for message in gateway.messages} == {1}


def test_termination_ends_with_143(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    gateway.knobs = Knobs(swallow=True)
    running = home.start(*RUN)
    wait_until(lambda: gateway.messages)
    running.terminate()
    running.communicate(timeout=30)
    assert running.returncode == 143


def test_two_runs_at_once_send_once(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(home(*RUN).code)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) <= {1, 4}
    assert _uploads(gateway) == 1
    assert {message.copies for message in gateway.messages} == {1}


def test_an_upload_on_its_way_is_not_disturbed_by_who_looks(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    gateway.knobs = Knobs(slow_answer=12)
    running = home.start(*RUN)
    wait_until(lambda: gateway.messages)
    (looked,) = home("status", "--json").document["batches"]
    assert looked["states"] == {"in_flight": 455}
    # The gateway shows results of what has no answer yet.
    gateway.clock.advance(timedelta(minutes=5))
    codes = [home(*words, "--json").code for words in (("pull",), ("doctor",), ("reconcile", looked["batch_id"]))]
    codes += [home("ledger", *words).code for words in (("check",), ("backup", "copy.sqlite3"))]
    assert home(*RUN).code == 4
    assert home.states(looked["batch_id"]) == {"in_flight": 455}, "it took longer than the answer"
    out, _ = running.communicate(timeout=60)
    assert (running.returncode, json.loads(out)["taken"]) == (1, 455)
    assert codes == [0, 0, 5, 0, 0]
    assert _uploads(gateway) == 1
    assert {message.copies for message in gateway.messages} == {1}


def test_validate_then_send(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    checked = home("validate", "sample_data/recipients.csv", "--campaign", "demo", "--json")
    assert (checked.code, checked.document["accepted"]) == (1, 455)
    assert gateway.requests == {}
    batch = checked.document["batch_id"]
    sent = home("send", batch, "--json")
    assert (sent.code, sent.document["sent"], sent.document["states"]) == (0, 455, {"taken": 455})
    assert home("send", batch, "--json").document["dispatches"] == 0
    assert _uploads(gateway) == 1


def test_validate_elsewhere_registers_nothing(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    done = home("validate", "sample_data/clinic-3-rows.csv", "--out", "checked", "--json")
    assert done.code == 1
    assert {path.name for path in (home.folder / "checked").iterdir()} >= {"accepted.csv", "rejected.csv"}
    assert home("status", "--json").document["batches"] == []
    assert home("send", done.document["batch_id"], "--json").code == 2
    assert list(home.workspace.glob("batches/*")) == []
    assert gateway.requests == {}


def test_the_same_content_in_another_campaign_is_guarded(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    assert home(*RUN).code == 1
    other = ("run", "sample_data/recipients.csv", "--campaign", "other", "--yes", "--json")
    guarded = home(*other)
    assert guarded.code == 7
    assert "--again" in guarded.err
    assert _uploads(gateway) == 1
    assert home(*other, "--again").code == 1
    assert _uploads(gateway) == 2


def test_several_inputs_make_one_document(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    two = ("sample_data/clinic-3-rows.csv", "sample_data/absent.csv")
    done = home("run", *two, "--yes", "--json")
    assert done.code == 3
    assert [run["exit"] for run in done.document["runs"]] == [1, 3]
    assert len(gateway.messages) == 1


def test_one_text_for_the_whole_list(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    (home.folder / "list.csv").write_text("電話番号,氏名\r\n090-1000-0301,山田\r\n", encoding="utf-8")
    (home.folder / "text.txt").write_text("{氏名}様、ご予約は明日です。\n", encoding="utf-8")
    assert home("run", "list.csv", "--text", "text.txt", "--yes", "--json").code == 0
    assert [message.text for message in gateway.messages] == ["山田様、ご予約は明日です。"]


def test_one_text_as_notepad_writes_it(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    (home.folder / "list.csv").write_text("電話番号,氏名\r\n090-1000-0301,山田\r\n", encoding="utf-8")
    (home.folder / "text.txt").write_bytes("{氏名}様、\r\nご予約は明日です。\r\n".encode("cp932"))
    assert home("run", "list.csv", "--text", "text.txt", "--yes").code == 0
    assert [message.text for message in gateway.messages] == ["山田様、\nご予約は明日です。"]


def test_the_list_is_never_the_text(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    (home.folder / "list.csv").write_text("電話番号\r\n090-1000-0301\r\n", encoding="utf-8")
    done = home("run", "list.csv", "--text", "./list.csv", "--yes", "--json")
    assert (done.code, done.document["error"]) == (2, "text_file.is_input")
    assert home("status", "--json").document["batches"] == []
    assert gateway.requests == {}


def test_a_batch_that_is_taken_up_again_says_so_and_what_comes_next(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    command = ("validate", "sample_data/clinic-3-rows.csv", "--campaign", "c")
    first = home(*command, "--json").document
    batch = first["batch_id"]
    assert (first["continued"], first["next"]) == (False, "send")
    assert f"next: mediasms send {batch}\n" in home(*command).out
    assert home("send", batch).code == 0

    again = home(*command, "--json").document
    assert (again["continued"], again["next"], again["uncounted"]) == (True, "pull", None)
    for key in ("rows", "accepted", "rejected", "already", "codes", "repairs", "artifacts"):
        assert again[key] == first[key]
    said = home(*command).out
    assert f"this input is batch {batch}" in said
    assert "input 3 rows = accepted 1 + rejected 2 + already served 0" in said
    assert "1  phone.scientific" in said
    assert f"rejected rows: {home.workspace / 'batches' / batch / 'rejected.csv'}" in said
    assert str(home.folder / "sample_data/clinic-3-rows-rejected.xlsx") in said
    assert f"next: mediasms pull {batch}\n" in said
    assert "計画済み" in home(*command, "--lang", "ja").out

    gateway.clock.advance(timedelta(days=3))
    assert home("pull", batch).code == 0
    assert f"next: mediasms reconcile {batch}\n" in home(*command).out
    assert home("reconcile", batch).code == 1
    done = home(*command)
    assert f"nothing is left to do for batch {batch}." in done.out
    assert "next:" not in done.out
    (home.workspace / "batches" / batch / "rejected.csv").unlink()
    (home.folder / "sample_data/clinic-3-rows-rejected.xlsx").unlink()
    lost = home("run", *command[1:], "--yes")
    assert lost.code == 1
    assert "not everything can be counted: the file" in lost.out
    assert f"rejected rows: {home.workspace}" not in lost.out
    assert "clinic-3-rows-rejected.xlsx" not in lost.out
