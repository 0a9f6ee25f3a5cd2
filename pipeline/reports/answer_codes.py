"""The table of the gateway's answer codes, from the profile: what each means, proves, and asks for.

``docs/gateway.md`` holds it for the shipped profile; ``mediasms codes --gateway`` prints the same for an account's own,
in one language (``terminal_codes``).
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.core.answers import SMSID_EXISTS
from pipeline.messages import LABELS, Language, label
from pipeline.model import Proof
from schemas.profile import AnswerCode, Profile

_HEAD = (
    "| code | meaning | to an upload | to a single send | to a question for results | to cancelling | the run | next |",
    "|---|---|---|---|---|---|---|---|",
)


def next_step(answer: AnswerCode | None, language: Language) -> str:
    """Return what a person does about a code: its own step, else that of all that prove the same."""
    if answer is not None and answer.next:
        return answer.next_ja if language is Language.JA else answer.next
    return label(f"answer.next.{answer.proves if answer else Proof.UNKNOWN}", language)


def answer_table(profile: Profile) -> str:
    """Return every documented code, in Markdown and in both languages."""
    return "\n".join((*_HEAD, *_lines(profile), ""))


def answer_document(profile: Profile, language: Language) -> dict[str, dict[str, str]]:
    """Return by code what the table says, in one language."""
    return {
        answer.code: {
            "meaning": meaning_of(answer, language),
            "grade": answer.grade,
            **{where: label(code, language) for where, code in _cells(answer, profile).items()},
            "next": next_step(answer, language),
        }
        for answer in profile.answer
    }


def _lines(profile: Profile) -> Iterator[str]:
    for answer in profile.answer:
        meaning = _both(meaning_of(answer, language) for language in Language)
        cells = [_both((LABELS[code].ja, LABELS[code].en)) for code in _cells(answer, profile).values()]
        step = _both(next_step(answer, language) for language in Language)
        yield f"| {' | '.join((f'`{answer.code}` ({answer.grade})', meaning, *cells, step))} |"


def _cells(answer: AnswerCode, profile: Profile) -> dict[str, str]:
    """Return what an answer proves, by whom it answers: the codes of the words that say so."""
    proves = f"answer.proves.{answer.proves}"
    upload = single = proves
    result = f"answer.result.{Proof.NOTHING_TAKEN if answer.stops_logins else answer.proves}"
    if answer.proves is Proof.TAKEN:
        upload = "answer.upload.taken"
    if answer.code in SMSID_EXISTS:
        upload, single, result = "answer.upload.exists", "answer.exists", "answer.result.exists"
    if answer.code == profile.single.absent_code.value:
        result = "answer.result.absent"
    if answer.code == profile.single.busy_code.value:
        single, result = "answer.single.busy", "answer.result.busy"
    cancel = _cancellation(answer, profile)
    return {"upload": upload, "single": single, "result": result, "cancel": cancel, "run": f"answer.run.{answer.run}"}


def _cancellation(answer: AnswerCode, profile: Profile) -> str:
    """Return what an answer to a request to cancel says about its message."""
    if profile.cancel is None:
        return "answer.cancel.not_asked"
    said = {
        profile.single.busy_code.value: "answer.cancel.busy",
        profile.cancel.cancelled_code.value: "answer.cancel.cancelled",
        profile.cancel.absent_code.value: "answer.cancel.absent",
        profile.cancel.too_late_code.value: "answer.cancel.too_late",
    }
    refused = answer.proves is Proof.NOTHING_TAKEN
    return said.get(answer.code, "answer.cancel.refused" if refused else "answer.cancel.unclear")


def meaning_of(answer: AnswerCode, language: Language) -> str:
    """Return what a code means, in one language."""
    return answer.meaning_ja if language is Language.JA else answer.meaning


def _both(texts: Iterator[str] | tuple[str, ...]) -> str:
    return "<br>".join(text.replace("|", "\\|") for text in texts)
