"""Answers to a send: parsed by shape, then read as evidence about each message.

Two lines of the answer to a CSV send depend on account options, so lines are told apart by their form, never by their
number.
What the answer does not prove is unknown (GATEWAY section 2).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.core.msisdn import canonical_result
from pipeline.model import CancelOutcome, MessageState, Proof, RunAction

_CODE = re.compile(r"^[0-9]{3}$")
_COUNTS = re.compile(r"^([0-9]{1,12})\|([0-9]{1,12})\|([0-9]{1,12})$")
_CSVID = re.compile(r"^[A-Za-z]+[0-9]{6,}$")
_REJECT = re.compile(r"^\"?(\+?[0-9()\- ]+)\"?,\"?([0-9]{3})\"?$")

#: the longest label of a status that is believed to be one
_LONGEST_STATUS = 40

#: the gateway does not know us
UNAUTHORISED = "401"

#: codes that say "this smsid exists": never proof that a message was not taken
SMSID_EXISTS = frozenset({"587", "624"})


@dataclass(frozen=True, slots=True)
class Counts:
    """The line ``total|failed|ok``."""

    total: int
    failed: int
    ok: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer by its shape; ``code`` is None when there is none, ``strange`` counts lines of no known form."""

    code: str | None
    csvid: str | None = None
    counts: Counts | None = None
    rejects: tuple[tuple[str, str], ...] = ()
    strange: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer code proves and what the run does; None stands for a code that is not documented."""

    proves: Proof
    run: RunAction


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer proves about a dispatch: ``others`` for every message that ``named`` does not name by smsid."""

    others: MessageState
    code: str | None
    run: RunAction
    named: Mapping[str, tuple[MessageState, str]] = field(default_factory=dict)
    csvid: str | None = None

    def count(self, state: MessageState, messages: int) -> int:
        """Count the messages of a dispatch of ``messages`` that end in ``state``."""
        named = sum(found is state for found, _ in self.named.values())
        return named + (messages - len(self.named) if self.others is state else 0)

    def taken(self, smsids: Iterable[str]) -> tuple[set[str], set[str]]:
        """Return those of a dispatch's smsids that this attempt brought, and those that an earlier one of ours had."""
        found = {smsid: self.named.get(smsid, (self.others, "")) for smsid in smsids}
        taken = {smsid: code for smsid, (state, code) in found.items() if state is MessageState.TAKEN}
        before = {smsid for smsid, code in taken.items() if code in SMSID_EXISTS}
        return taken.keys() - before, before


#: what no answer at all proves
NO_ANSWER = Verdict(MessageState.UNKNOWN, None, RunAction.STOP)


def parse_answer(http_status: int, body: bytes, documented: Mapping[str, Reading], *, empty_is_taken: bool) -> Answer:
    """Parse an answer. Taken needs HTTP 2xx *and* a first line of exactly 200 (or JSON ``result`` = "200")."""
    success = 200 <= http_status < 300  # noqa: PLR2004 - HTTP
    text = body.decode("utf-8", errors="replace").lstrip("\ufeff").strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines and success and empty_is_taken:
        return Answer("200")
    code = _json_code(text) or (lines[0] if lines and _CODE.match(lines[0]) else None)
    if code is None:
        status = str(http_status)
        return Answer(status if not success and status in documented else None)
    if code == "200" and not success:
        return Answer(None)
    return _parse_lines(code, [] if text.startswith("{") else lines[1:])


def _json_code(text: str) -> str | None:
    if not text.startswith("{"):
        return None
    try:
        code = json.loads(text).get("result")
    except (ValueError, RecursionError):
        return None
    return code if isinstance(code, str) and _CODE.match(code) else None


def _parse_lines(code: str, lines: list[str]) -> Answer:
    csvid: str | None = None
    counts: Counts | None = None
    rejects: list[tuple[str, str]] = []
    strange = 0
    for line in lines:
        if (match := _COUNTS.match(line)) and counts is None:
            counts = Counts(*map(int, match.groups()))
        elif match := _REJECT.match(line):
            rejects.append((match[1], match[2]))
        elif _CSVID.match(line) and csvid is None:
            csvid = line
        else:
            strange += 1
    return Answer(code, csvid, counts, tuple(rejects), strange)


def judge(
    answer: Answer,
    smsid_by_msisdn: Mapping[str, str],
    documented: Mapping[str, Reading],
    *,
    counts_expected: bool,
    repeated: bool,
) -> Verdict:
    """Say what an answer proves about the messages of a dispatch.

    ``smsid_by_msisdn`` holds the dispatch (at most one row per MSISDN); ``repeated`` says that the dispatch's smsids
    were offered to the gateway before.
    """
    reading = documented.get(answer.code or "", Reading(Proof.UNKNOWN, RunAction.STOP))
    if reading.proves is not Proof.TAKEN:
        refused = reading.proves is Proof.NOTHING_TAKEN
        return Verdict(MessageState.REFUSED if refused else MessageState.UNKNOWN, answer.code, reading.run)
    named, explained = _named(answer, smsid_by_msisdn, documented, repeated=repeated)
    counts = answer.counts
    whole = len(smsid_by_msisdn)
    if counts is None:
        agrees = not counts_expected
    else:
        agrees = (counts.total, counts.failed) == (
            whole,
            len(answer.rejects),
        ) and counts.ok == whole - counts.failed
    if agrees and explained and not answer.strange:
        unknown = any(state is MessageState.UNKNOWN for state, _ in named.values())
        run = RunAction.STOP if unknown else RunAction.GO_ON
        return Verdict(MessageState.TAKEN, answer.code, run, named, answer.csvid)
    return Verdict(MessageState.UNKNOWN, answer.code, RunAction.STOP, named, answer.csvid)


def _named(
    answer: Answer, smsid_by_msisdn: Mapping[str, str], documented: Mapping[str, Reading], *, repeated: bool
) -> tuple[dict[str, tuple[MessageState, str]], bool]:
    """Return what the reject lines say of each smsid, and whether each line named one row, once."""
    named: dict[str, tuple[MessageState, str]] = {}
    explained = True
    for number, code in answer.rejects:
        smsid = smsid_by_msisdn.get(number) or smsid_by_msisdn.get(canonical_result(number))
        if smsid is None:
            explained = False
        elif smsid in named:
            explained = False
            named[smsid] = (MessageState.UNKNOWN, code)
        elif code in SMSID_EXISTS:
            named[smsid] = (MessageState.TAKEN if repeated else MessageState.UNKNOWN, code)
        else:
            known = documented.get(code)
            refused = known is not None and known.proves is Proof.NOTHING_TAKEN
            named[smsid] = (MessageState.REFUSED if refused else MessageState.UNKNOWN, code)
    return named, explained


def judge_single(
    answer: Answer, body: bytes, documented: Mapping[str, Reading], *, busy_code: str, repeated: bool
) -> Verdict | None:
    """Say what an answer proves about a message that was sent alone; None: nothing was taken, it may go out again.

    Only the bare ``busy_code`` does the latter: a proxy that answers with a page of its own may have handed the request
    on before (GATEWAY section 2). ``repeated`` says that the smsid was offered to the gateway before.
    """
    code = answer.code
    if busy_code and code == busy_code and _bare_code(body) == busy_code:
        return None
    if code in SMSID_EXISTS:
        return Verdict(MessageState.TAKEN if repeated else MessageState.UNKNOWN, code, _after(repeated=repeated))
    reading = documented.get(code or "", Reading(Proof.UNKNOWN, RunAction.STOP))
    match reading.proves:
        case Proof.TAKEN:
            return Verdict(MessageState.TAKEN, code, RunAction.GO_ON)
        case Proof.NOTHING_TAKEN:
            return Verdict(MessageState.REFUSED, code, reading.run)
        case Proof.UNKNOWN:
            return Verdict(MessageState.UNKNOWN, code, RunAction.STOP)


def _after(*, repeated: bool) -> RunAction:
    return RunAction.GO_ON if repeated else RunAction.STOP


def _bare_code(body: bytes) -> str | None:
    """Return the code that is all there is in a body."""
    text = body.decode("utf-8", errors="replace").lstrip("\ufeff").strip()
    return text if _CODE.match(text) else _json_code(text)


@dataclass(frozen=True, slots=True)
class SingleResult:
    """An answer about the result of one message: its code, and the status where the gateway names one."""

    code: str | None
    status: str = ""


def parse_single_result(http_status: int, body: bytes, documented: Mapping[str, Reading]) -> SingleResult:
    """Parse an individual result: line 1 is the answer code, line 2 the status as label or number (T)."""
    answer = parse_answer(http_status, body, documented, empty_is_taken=False)
    if answer.code != "200":
        return SingleResult(answer.code)
    lines = [line.strip() for line in body.decode("utf-8", errors="replace").lstrip("\ufeff").strip().splitlines()]
    status = lines[1] if len(lines) > 1 else ""
    # A page or anything else that long is no status.
    return SingleResult("200", status if len(status) <= _LONGEST_STATUS and "\ufffd" not in status else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCodes:
    """The answer codes that say what became of a request to cancel; an empty ``busy`` stands for none."""

    cancelled: str
    absent: str
    too_late: str
    busy: str


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """What an answer to a request to cancel says about its message, and whether more may be asked."""

    outcome: CancelOutcome
    code: str | None
    run: RunAction = RunAction.GO_ON


#: what no answer at all says
NOT_HEARD = CancelAnswer(CancelOutcome.UNCLEAR, None)


def judge_cancellation(
    http_status: int, body: bytes, documented: Mapping[str, Reading], codes: CancelCodes, *, doubtful: bool
) -> CancelAnswer:
    """Say what an answer to a request to cancel a message says about it.

    ``doubtful`` says that it was asked for before, and nobody knows what came of that: then that it is too late, or
    that there is no such message, may well be said because that one was heard.
    """
    code = parse_answer(http_status, body, documented, empty_is_taken=False).code
    if code == codes.cancelled:
        return CancelAnswer(CancelOutcome.CANCELLED, code)
    if code in {codes.too_late, codes.absent}:
        said = CancelOutcome.TOO_LATE if code == codes.too_late else CancelOutcome.ABSENT
        return CancelAnswer(CancelOutcome.UNCLEAR if doubtful else said, code)
    # A proxy that answers with a page of its own may have handed the request on before.
    if codes.busy and code == codes.busy and _bare_code(body) == codes.busy:
        return CancelAnswer(CancelOutcome.BUSY, code, RunAction.WAIT)
    reading = documented.get(code or "", Reading(Proof.UNKNOWN, RunAction.STOP))
    if reading.proves is Proof.NOTHING_TAKEN:
        return CancelAnswer(CancelOutcome.REFUSED, code, reading.run)
    return CancelAnswer(CancelOutcome.UNCLEAR, code)
