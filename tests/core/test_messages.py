"""The catalogue: both languages say the same, and every failure has its words."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path
from string import Formatter

import pytest

import pipeline.messages
from pipeline.errors import MEANINGS, SEVERITY, Bug, Exit, MediasmsError, worst
from pipeline.messages import FAILURES, LABELS, REPAIRS, ROWS, Language, Text, fill, label
from pipeline.messages.configuration import CONFIGURATION_FAILURES
from pipeline.messages.inputs import INPUT_FAILURES
from pipeline.messages.storage import STORAGE_FAILURES
from pipeline.messages.texts import TEXT_FILE_FAILURES
from pipeline.model import LEGAL, LIVE, CharacterAt, MessageClass, MessageState, RowTotals

TEXTS: dict[str, Text] = {
    **{f"failure {code} what": failure.what for code, failure in FAILURES.items()},
    **{f"failure {code} hint": failure.hint for code, failure in FAILURES.items()},
    **{f"row {code}": text for code, text in ROWS.items()},
    **{f"repair {code}": text for code, text in REPAIRS.items()},
    **{f"label {code}": text for code, text in LABELS.items()},
}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_both_languages_use_the_same_named_placeholders(text: Text) -> None:
    assert text.ja.strip()
    assert text.en.strip()
    assert placeholders(text.ja) == placeholders(text.en)
    assert all(name.isidentifier() for name in placeholders(text.en))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_every_text_can_be_filled(text: Text) -> None:
    facts = dict.fromkeys(placeholders(text.en), 1)
    for language in Language:
        assert fill(text, language, facts).strip()


def test_one_thing_has_one_japanese_word() -> None:
    """An invoice's 通数 counts messages: parts are 分割数."""
    given_up = r"費用負担部門|自動修正|締め後の修正|課金通数|通分|受け付けなかった行"
    assert [name for name, text in TEXTS.items() if re.search(given_up, text.ja)] == []
    parts = [name for name, text in TEXTS.items() if re.search(r"\b(parts|units)\b", text.en)]
    assert len(parts) > 10
    assert [name for name in parts if "通数" in TEXTS[name].ja] == []


def test_no_code_is_defined_twice() -> None:
    twice: list[str] = []
    modules = list(Path(pipeline.messages.__file__).parent.glob("**/*.py"))
    assert modules
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Dict):
                keys = Counter(str(ast.literal_eval(key)) for key in node.keys if isinstance(key, ast.Constant))
                twice += [f"{module.name}: {code}" for code, count in keys.items() if count > 1]
    assert twice == []
    assert not ROWS.keys() & REPAIRS.keys()


def test_no_failure_has_two_texts() -> None:
    parts = (CONFIGURATION_FAILURES, INPUT_FAILURES, STORAGE_FAILURES, TEXT_FILE_FAILURES)
    known: set[str] = set()
    for part in parts:
        assert not known & part.keys()
        known |= part.keys()
    assert all(FAILURES[code] is failure for part in parts for code, failure in part.items())


@pytest.mark.parametrize("code", FAILURES)
def test_commands_in_a_hint_stand_in_backticks(code: str) -> None:
    """There the command line finds them, to add the configuration they need."""
    for text in FAILURES[code].hint:
        assert not re.search(r"mediasms [a-z]", re.sub(r"`mediasms [a-z][^`]*`", "", text))


def test_no_command_has_a_choice_in_it() -> None:
    """Pasted into a shell it would be a pipe, behind a decision that nobody made."""
    for text in TEXTS.values():
        for said in text:
            assert not re.search(r"(mediasms|--as) [^`\n]*\|", said), said


def test_labels_are_filled_in_the_language_asked_for() -> None:
    assert label("class.delivered", Language.JA) == "送達"
    assert label("class.delivered", Language.EN) == "delivered"


@pytest.mark.parametrize("message_class", MessageClass)
def test_every_class_has_a_label(message_class: MessageClass) -> None:
    assert f"class.{message_class}" in LABELS


def test_of_several_outcomes_the_first_of_the_documented_order_is_the_exit_code() -> None:
    assert [exit_code for exit_code in SEVERITY if exit_code < Exit.INTERRUPTED] == [
        70,
        5,
        7,
        6,
        3,
        2,
        4,
        1,
        0,
    ]
    assert set(SEVERITY) == set(Exit) == MEANINGS.keys()
    assert worst([]) is Exit.DONE
    assert worst([Exit.DONE, Exit.TRY_LATER, Exit.GUARD, Exit.INPUT]) is Exit.GUARD
    assert worst([Exit.GUARD, Exit.UNKNOWN]) is Exit.UNKNOWN


def test_a_failure_says_what_and_what_next() -> None:
    error = MediasmsError("profile.not_toml", file="x.toml", problem="line 3")
    assert str(error) == "profile.not_toml: profile x.toml is not TOML: line 3"
    assert "x.toml" in error.what(Language.JA)
    assert error.hint(Language.EN)
    assert error.exit is Exit.BUG


def test_totals_that_do_not_add_up_refuse_to_exist() -> None:
    assert RowTotals(rows=6, accepted=3, rejected=2, already=1).rows == 6
    with pytest.raises(Bug, match=r"^totals\.rows: .* 7 .* 3 .* 2 .* 1$"):
        RowTotals(rows=7, accepted=3, rejected=2, already=1)


def test_legal_changes_of_state() -> None:
    """Typed from DESIGN section 5: evidence beats decisions, nothing else goes back."""
    p, f, t, r, u, c = MessageState
    assert [s.value for s in (p, f, t, r, u, c)] == [
        "planned",
        "in_flight",
        "taken",
        "refused",
        "unknown",
        "cancelled",
    ]
    legal = {p: {f, c, t}, f: {p, t, r, u}, u: {t, r}, r: {t, p}, c: {t}, t: set()}
    assert {state: set(after) for state, after in LEGAL.items()} == legal
    assert set(LIVE) == set(MessageState) - {r, c}


def test_a_character_is_named_by_position_and_code_point() -> None:
    assert str(CharacterAt(3, "\u200b")) == "3:\u200b(U+200B)"
    assert str(CharacterAt(1, "𠮷")) == "1:𠮷(U+20BB7)"
