"""The first message that leaves an installation, as typed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.simulator import Knobs
from schemas.profile import SHIPPED, parse_profile

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

OWN = "090-9999-1234"
CLINIC = ("run", "sample_data/clinic-3-rows.csv", "--campaign", "clinic", "--yes")


def test_a_probe_compares_what_comes_back_and_says_what_to_set(home: Home, gateway: EmbeddedGateway) -> None:
    gateway.knobs = Knobs(fate="at_once")
    sent = home.init()("doctor", "--probe", "-", "--wait", "0s", stdin=OWN.encode())
    assert sent.code == 0, sent
    assert "sent one message to 090****1234" in sent.out
    assert "Run the same command again" in sent.out
    gateway.clock.advance(timedelta(minutes=4))
    back = home("doctor", "--probe", "-", "--wait", "0s", "--lang", "ja", stdin=OWN.encode())
    assert back.code == 0, back
    for said in ("新しくは送信していません", "最終の結果が届きました", "startdate", "layout.column 18"):
        assert said in back.out
    printed = back.out[back.out.index("[[confirmed]]") : back.out.index("最終の結果")]
    pasted = parse_profile(f"{SHIPPED.read_text('utf-8')}\n{printed}", "own.toml")
    assert pasted.results.start_parameter.confirmed is True
    repeated = home("doctor", "--probe", "-", "--wait", "0s", "--json", stdin=OWN.encode())
    assert (repeated.code, repeated.document["error"]) == (7, "probe.repeated")
    assert [message.copies for message in gateway.messages] == [1]
    second = home("doctor", "--probe", "-", "--wait", "0s", "--yes", "--json", stdin=OWN.encode()).document
    assert (second["schema"], second["sent"], second["back"], second["exit"]) == ("mediasms/probe/1", True, False, 0)
    entry = next(entry for entry in second["entries"] if entry["key"] == "upload_answer.counts")
    assert (entry["says"], entry["came"], entry["verdict"]) == ("expected", "200, csvid, counts", "confirmed")
    assert len(gateway.messages) == 2


def test_a_probe_that_denies_the_profile_is_a_finding(home: Home, gateway: EmbeddedGateway) -> None:
    gateway.knobs = Knobs(answer_counts=False)
    done = home.init()("doctor", "--probe", "-", "--wait", "0s", "--json", stdin=OWN.encode())
    assert (done.code, done.document["exit"]) == (1, 1)
    contradicted = {
        entry["key"]: entry["toml"] for entry in done.document["entries"] if entry["verdict"] == "contradicted"
    }
    assert list(contradicted) == ["upload_answer.counts"]
    assert contradicted["upload_answer.counts"][1:] == [
        'key = "upload_answer.counts"',
        'value = "absent"',
        'instead_of = "expected"',
    ]


def test_a_number_that_is_none_sends_nothing(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    assert (home("doctor", "--probe", "12ab", "--json").document["error"]) == "own_phone.unreadable"
    for words in (("doctor", "--probe", "-"), (*CLINIC, "--test-to", "-")):
        many = home(*words, "--json", stdin=b"1\n2\n")
        assert (many.code, many.document["error"]) == (2, "usage.one_line")
    both = home("run", "-", "--campaign", "c", "--test-to", "-", "--json", stdin=OWN.encode())
    assert (both.code, both.document["error"]) == (2, "usage.stdin_twice")
    assert gateway.requests == {}


def test_the_first_message_goes_to_the_own_phone_first(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    dry = home(*CLINIC, "--dry-run", "--test-to", "-", stdin=OWN.encode())
    assert (dry.code, "with the test message (untaxed): 17.0 to 18.4 yen" in dry.out) == (1, True)
    assert gateway.requests == {}
    done = home(*CLINIC, "--test-to", "-", stdin=OWN.encode())
    assert done.code == 1, done
    assert "test message: the first text went to 090****1234 (it costs " in done.out
    first, second = gateway.messages
    assert (first.msisdn, first.text) == ("09099991234", second.text)
    again = home(*CLINIC, "--test-to", "-", "--json", stdin=OWN.encode())
    assert "test" not in again.document
    assert len(gateway.messages) == 2


def test_a_refused_test_message_keeps_the_list_at_home(home: Home, gateway: EmbeddedGateway) -> None:
    gateway.knobs = Knobs(refuse_code="402")
    unknown = home.init()(*CLINIC, "--test-to", "-", "--json", stdin=OWN.encode())
    assert (unknown.code, unknown.document["error"], unknown.document["taken"]) == (5, "trial.answered", 0)
    gateway.knobs = Knobs(refuse_code="596")
    refused = home(*CLINIC, "--campaign", "other", "--test-to", "-", stdin=OWN.encode())
    assert (refused.code, "error[trial.refused]" in refused.err) == (6, True)
    assert gateway.messages == ()
