"""What a phone receives is what was checked: templates, encodings, scheduled times, links and values, end to end."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pandas as pd
import pytest
import xlsxwriter

from pipeline.core.tags import shown_text
from pipeline.core.text import repertoire
from pipeline.errors import Exit, GatewayRefused, GuardStopped, InputUnusable, UsageError
from pipeline.ledger.batches import get_batch
from pipeline.ledger.dispatches import list_dispatches
from pipeline.messages import Language
from pipeline.model import BreakKind, MessageState, Mode
from pipeline.operations.dry_run import dry_run
from pipeline.operations.from_failed import request_for
from pipeline.operations.run import run
from pipeline.operations.trace import trace
from pipeline.operations.trial import try_out
from pipeline.reports.trace import trace_lines
from pipeline.simulator import Knobs
from pipeline.stages import planning
from pipeline.stages.guards import Permission
from pipeline.stages.outlook import about_to_go, preview
from pipeline.stages.reconcile import reconcile
from pipeline.stages.send import send
from pipeline.stages.validate import Request, validate
from tests.operations.observing import observe, result, sent
from tests.stages.conftest import SINGLE, START, UPLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.context import Context
    from pipeline.model import Batch
    from tests.stages.conftest import House

TEXTS: Final = {
    "12": "{info1}様 ご予約は{info2}です",
    "13": "{info3} a {URL} b {URL2} c {URL3} d {URL4}",
    "14": "明日は休業です",
}
LINKS: Final = ("originalurl", "originalurl2", "originalurl3", "originalurl4")
INFOS: Final = ("info1", "info2", "info3", "info4")
HEADER: Final = ("msisdn", "text", "template_id", *INFOS, *LINKS, "memo")
_SHORT: Final = re.compile("http://s[.]test/[0-9a-z]{5}")


@pytest.fixture
def context(house: House) -> Context:
    """An installation that knows three templates, of a gateway that has the same ones and one more."""
    templates = "\n".join(f'{number} = "{text}"' for number, text in TEXTS.items())
    (house.folder / "mediasms.toml").write_text(f"[templates]\n{templates}\n", encoding="utf-8")
    house.gateway.templates = {**TEXTS, "20": "本文は{info1}だけ"}
    house.gateway.knobs = Knobs(fate="at_once")
    return house.open(create=True)


def received(house: House) -> dict[str, str]:
    """Return what each phone got, with stand-ins where its short links are."""
    return {message.msisdn: _SHORT.sub("x" * 19, message.text) for message in house.gateway.messages}


def previews(context: Context, batch: Batch) -> dict[str, str]:
    """Return what is said of each message; of the first it is what a person is shown before they say yes."""
    found = {}
    for chunk in planning.accepted_rows(context, batch):
        for row in chunk.astype("str").to_dict("records"):
            cells = {str(name): str(cell) for name, cell in row.items()}
            found[cells["msisdn"]] = shown_text(cells, context.profile.limits.short_link.value)
    seen = preview(context, batch, about_to_go(context, batch, {}))
    assert (seen.first_msisdn, seen.first_text) == next(iter(found.items()))
    return found


def payloads(context: Context, batch: Batch) -> list[str]:
    return [dispatch.payload.name for dispatch in list_dispatches(context.ledger, batch.batch_id)]


def confirmed(context: Context) -> Context:
    """Confirm the column and the parameter of a scheduled time, as a person does in a copy of the profile."""
    profile = context.profile
    columns = tuple(
        column.model_copy(update={"confirmed": True}) if column.field == "scheduled" else column
        for column in profile.layout.column
    )
    parameters = tuple(
        one.model_copy(update={"confirmed": True}) if one.filled_by == "scheduled" else one
        for one in profile.single.parameter
    )
    changed = profile.model_copy(
        update={
            "layout": profile.layout.model_copy(update={"column": columns}),
            "single": profile.single.model_copy(update={"parameter": parameters}),
        }
    )
    context.configuration = replace(context.configuration, profile=changed)
    return context


# What arrives -----------------------------------------------------------------------------------------------------


def random_rows(count: int) -> list[list[str]]:
    """Return rows of every kind: own texts with values and links, and templates, each number once."""
    random_ = random.Random(20261123)  # noqa: S311 - not for secrets
    letters = sorted(repertoire() - set("{}\n") - {"#"})
    rows = []
    for at in range(count):
        # Of ASCII alone, where four links have to fit.
        word = {
            name: "abc" if at % 5 == 3 else "".join(random_.choices(letters, k=random_.randint(1, 6))).strip() or "x"
            for name in INFOS
        }
        link = {name: f"https://example.jp/{at}/{name}" for name in LINKS}
        kind = at % 5
        template = ("", "", *TEXTS)[kind]
        text = ("{info1}と{info2}{info3}{info4}", "{memo}へ {URL} {URL3}\n以上")[kind] if not template else ""
        memo = random_.choice(("山田", "ﾔﾏﾀﾞ", 'a,"b"', "〜"))
        rows.append([f"0901{at:07d}", text, template, *word.values(), *link.values(), memo])
    return rows


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    ("mode", "encode"),
    [(Mode.CSV, "utf8"), (Mode.CSV, "shiftjis"), (Mode.SINGLE, "utf8")],
    ids=["utf8", "shiftjis", "one by one"],
)
def test_what_a_phone_receives_is_what_the_preview_says(house: House, mode: Mode, encode: str) -> None:
    context = house.open(SEND_ENCODE=encode, SEND_MAX_ROWS="60")
    source = house.write("list.csv", [HEADER, *random_rows(200)])
    batch = house.batch(context, source, mode=mode)
    assert (batch.totals.accepted, batch.totals.rejected) == (200, 0)
    said = previews(context, batch)
    send(context, batch, mode=mode)
    assert len(said) == 200
    assert received(house) == said
    by_template = sum(".id." in name for name in payloads(context, batch))
    assert by_template == (4 if mode is Mode.CSV else 0)
    urls = {message.msisdn: dict(message.parameters) for message in house.gateway.messages}
    if mode is Mode.SINGLE:
        assert all(("smstext" in sent) != ("smstextid" in sent) for sent in urls.values())


def columns_sent(context: Context, batch: Batch) -> pd.DataFrame:
    folder = context.workspace.batch_folder(batch.batch_id)
    (name,) = payloads(context, batch)
    return pd.read_csv(folder / name, header=None, dtype="str", keep_default_na=False)


def test_links_and_values_stand_in_the_columns_of_the_layout(house: House, context: Context) -> None:
    row = ["09011110001", "", "13", "い", "ろ", "ha", "に", *(f"https://example.jp/{n}" for n in range(1, 5)), "m"]
    batch = house.batch(context, house.write("list.csv", [HEADER, row]))
    planning.plan(context, batch)
    cells = columns_sent(context, batch).iloc[0].tolist()
    sent = {number: value for number, value in enumerate(cells, 1) if value}
    assert sent.pop(18)
    assert sent == {
        1: "09011110001",
        2: "い",
        3: "ろ",
        4: "ha",
        5: "に",
        6: "m",
        8: "13",
        11: "https://example.jp/1",
        39: "https://example.jp/2",
        40: "https://example.jp/3",
        41: "https://example.jp/4",
    }


@pytest.mark.usefixtures("context")
def test_every_character_arrives_in_shift_jis_as_it_does_in_utf_8(house: House) -> None:
    """All of JIS X 0208 and the half-width katakana, canonical or by their twins, in texts and in values."""
    letters = "".join(sorted(repertoire() - set("{}\n#"))) + "〜−‖¢£¬"
    pieces = [letters[at : at + 60] for at in range(0, len(letters), 60)]
    rows = [[f"0901{at:07d}", f"あ{piece}", "", piece, *[""] * 7, ""] for at, piece in enumerate(pieces)]
    rows += [[f"0802{at:07d}", "あ{info1}", "", piece, *[""] * 7, piece] for at, piece in enumerate(pieces)]
    source = house.write("list.csv", [HEADER, *rows])
    shift_jis = house.open(SEND_ENCODE="shiftjis", SEND_MAX_ROWS="1000")
    batch = house.batch(shift_jis, source)
    assert (batch.totals.accepted, batch.totals.rejected) == (len(rows), 0)
    said = previews(shift_jis, batch)
    send(shift_jis, batch)
    assert received(house) == said
    assert set("".join(said.values())) | set("{}\n#") == set(repertoire())
    assert payloads(shift_jis, batch) == ["dispatch-0001.shiftjis.csv"]


# Templates --------------------------------------------------------------------------------------------------------


def test_one_template_for_the_whole_list(house: House, context: Context) -> None:
    source = house.write(
        "list.csv", [["電話番号", "info1", "info2"], ["09011110001", "山田", "9時"], ["09011110002", "髙", ""]]
    )
    request = Request(source, "c", template=" 012")
    validated = validate(context, request)
    assert (validated.batch.totals.accepted, dict(validated.codes)) == (1, {"field.platform_dependent": 1})
    outcome = run(context, request)
    assert outcome.stopped_by is None
    assert received(house) == {"09011110001": "山田様 ご予約は9時です"}
    (life,) = trace(context, house.smsids(context, validated.batch.batch_id)[0], limit=1).lives
    assert (life.row["template_id"], life.placed.message.characters) == ("12", 12)
    assert validate(context, replace(request, template="12")).continued
    assert not validate(context, replace(request, template="14")).continued


@pytest.mark.parametrize(
    ("template", "code"), [("1000000", "usage.template"), ("x", "usage.template"), ("20", "usage.template_unknown")]
)
def test_a_template_for_the_whole_list_has_to_be_known(
    house: House, context: Context, template: str, code: str
) -> None:
    source = house.write("list.csv", [["電話番号"], ["09011110001"]])
    with pytest.raises(UsageError) as stopped:
        validate(context, Request(source, "c", template=template))
    assert stopped.value.code == code


def test_a_template_nobody_knows_is_rejected_until_that_is_wanted(house: House, context: Context) -> None:
    source = house.write(
        "list.csv", [["電話番号", "テンプレートID", "info1"], ["09011110001", "20", "山"], ["09011110002", "14", ""]]
    )
    first = dry_run(context, Request(source, "c"))
    assert dict(first.validated.codes if first.validated else {}) == {"template.unknown_text": 1}
    assert (first.rehearsed.forecast.messages, first.rehearsed.forecast.unmeasured) == (1, 0)
    send(context, first.batch)
    unchecked = house.open(VALIDATION_UNCHECKED_TEMPLATES="true")
    dry = dry_run(unchecked, Request(source, "c"), permission=Permission(max_cost=Decimal(10**9)))
    assert dry.validated is not None
    assert dict(dry.validated.warnings) == {"template.unchecked 20": 1}
    assert dry.validated.warned["template.unchecked 20"] == [2]
    assert (dry.batch.totals.accepted, dry.batch.totals.already) == (1, 1)
    assert (dry.rehearsed.forecast.messages, dry.rehearsed.forecast.unmeasured) == (1, 1)
    assert [error.code for error in dry.stopped_by] == ["guard.unmeasured"]
    with pytest.raises(GuardStopped) as stopped:
        send(unchecked, dry.batch, permission=Permission(max_cost=Decimal(10**9)))
    assert stopped.value.code == "guard.unmeasured"
    assert preview(unchecked, dry.batch, about_to_go(unchecked, dry.batch, {})).first_text == ""
    outcome = run(unchecked, Request(source, "c"))
    assert outcome.stopped_by is None
    assert received(house) == {"09011110001": "本文は山だけ", "09011110002": TEXTS["14"]}


@pytest.mark.usefixtures("context")
def test_what_a_template_nobody_knows_costs_nobody_says_before_its_results_do(house: House) -> None:
    rows = [[house.number(0), "20"], [house.number(1), "20"], [house.number(2), "14"]]
    unchecked = house.open(VALIDATION_UNCHECKED_TEMPLATES="true")
    batch = house.batch(unchecked, house.write("list.csv", [["電話番号", "template_id"], *rows]))
    send(unchecked, batch)
    pending = reconcile(unchecked, batch).value.pending_cost
    assert (pending.messages, pending.unpriced) == (3, 2)
    assert pending.highest < 10
    unseen, long, known = sent(unchecked, batch.batch_id)
    parts = {unseen: None, long: (4, 4), known: None}
    observe(unchecked, *(result(one, "送信済", unchecked.now(), parts=of_one) for one, of_one in parts.items()))
    done = reconcile(unchecked, batch)
    assert done.value.breaks_by_kind == {BreakKind.UNPRICED: 1}
    assert [(line.parts, line.amount is None) for line in done.lines] == [(0, True), (4, False), (1, False)]
    assert done.value.billable_units == 5
    said = "\n".join(trace_lines(trace(unchecked, unseen.smsid, limit=1).lives[0], Language.EN, unmask=False))
    assert "has none: Docomo, nobody knows in how many parts" in said


def test_a_list_of_texts_and_templates_goes_out_in_uploads_of_one_kind(house: House, context: Context) -> None:
    rows = [[house.number(at), "" if at % 2 else f"本文{at}", "14" if at % 2 else ""] for at in range(7)]
    batch = house.batch(context, house.write("list.csv", [["電話番号", "本文", "template_id"], *rows]))
    send(context, batch)
    assert payloads(context, batch) == [
        "dispatch-0001.csv",
        "dispatch-0002.id.csv",
        "dispatch-0003.csv",
        "dispatch-0004.id.csv",
    ]
    assert received(house) == {row[0]: row[1] or TEXTS["14"] for row in rows}


def test_rows_refused_as_a_whole_go_out_again_in_their_kind(house: House, context: Context) -> None:
    rows = [[house.number(at), "" if at % 2 else f"本文{at}", "14" if at % 2 else ""] for at in range(4)]
    batch = house.batch(context, house.write("list.csv", [["電話番号", "本文", "template_id"], *rows]))
    house.gateway.knobs = Knobs(fate="at_once", refuse_code="591", faults=2)
    with pytest.raises(Exception, match=r"gateway\.refused"):
        send(context, batch)
    send(context, get_batch(context.ledger, batch.batch_id))
    assert payloads(context, batch)[2:] == ["dispatch-0003.csv", "dispatch-0004.id.csv"]
    assert received(house) == {row[0]: row[1] or TEXTS["14"] for row in rows}


@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE], ids=["uploads", "one by one"])
def test_a_template_the_gateway_does_not_have_is_refused_row_by_row(house: House, context: Context, mode: Mode) -> None:
    house.gateway.templates = {"12": TEXTS["12"]}
    rows = [["09011110001", "12", "a"], ["09011110002", "14", "b"]]
    batch = house.batch(context, house.write("list.csv", [["電話番号", "template_id", "info1"], *rows]), mode=mode)
    sent = send(context, batch, mode=mode)
    assert sent.states == {MessageState.TAKEN: 1, MessageState.REFUSED: 1}
    assert house.uploads() == (1 if mode is Mode.CSV else 0)
    assert context.meaning("570") == context.profile.answer_by_code["570"].meaning != "?"


def test_correcting_what_is_known_of_a_template_makes_no_second_batch(house: House, context: Context) -> None:
    source = house.write(
        "list.csv", [["電話番号", "template_id", "info1"], *([house.number(at), "12", "a"] for at in range(7))]
    )
    batch = house.batch(context, source)
    house.gateway.knobs = Knobs(refuse_code="401", faults=1)
    with pytest.raises(Exception, match=r"gateway\.refused"):
        send(context, batch)
    corrected = house.open(TEMPLATES_12="{info1}様 ご予約は{info2}でございます", TEMPLATES_99="新しい本文")
    again = validate(corrected, Request(source, "c"))
    assert (again.continued, again.batch.batch_id) == (True, batch.batch_id)
    send(corrected, again.batch)
    assert len(received(house)) == 7


def test_repeats_are_told_by_template_and_the_values_in_it(house: House, context: Context) -> None:
    number = "09011110001"
    rows = [(number, "12", "い", "x"), (number, "12", "ろ", "x"), (number, "12", "い", "y"), (number, "14", "い", "")]
    first = house.write("list.csv", [["電話番号", "template_id", "info1", "info3"], *rows])
    batch = house.batch(context, first, repeats=True)
    # What no tag of the template names makes no other message.
    assert (batch.totals.accepted, batch.totals.rejected) == (3, 1)
    send(context, batch)
    corrected = house.open(TEMPLATES_12="{info1}殿、ご予約は{info2}です")
    second = house.write(
        "other.csv", [["電話番号", "template_id", "info1"], (number, "12", "い"), (number, "12", "は")]
    )
    again = validate(corrected, Request(second, "c", repeats=True)).batch
    assert (again.totals.already, again.totals.accepted) == (1, 1)
    unchecked = house.open(VALIDATION_UNCHECKED_TEMPLATES="true")
    third = house.write("third.csv", [["電話番号", "template_id"], (number, "20")])
    assert dict(validate(unchecked, Request(third, "c", repeats=True)).codes) == {"template.unknown_text": 1}


def test_the_same_template_in_another_campaign_within_a_week_stops(house: House, context: Context) -> None:
    rows = [["電話番号", "template_id", "info1"], ["09011110001", "12", "a"]]
    send(context, house.batch(context, house.write("list.csv", rows)))
    other = house.batch(context, house.write("other.csv", [*rows, ["09011110002", "12", "a"]]), "d")
    with pytest.raises(GuardStopped) as stopped:
        send(context, other)
    assert (stopped.value.code, stopped.value.facts["count"]) == ("guard.repeated_text", 1)
    third = house.batch(context, house.write("third.csv", [rows[0], ["09011110001", "12", "b"]]), "e")
    assert send(context, third).messages == 1


#: what may be known of a template that is {info1} and {info2} in truth; nothing at all in the last one
KNOWN: Final = ("{info1}様", "{info1}殿", "{info1}と{info2}", "{info2}", "{info2}様{URL}", "休業です", "")


def corrections(
    house: House, pairs: Sequence[tuple[str, str]]
) -> tuple[Callable[[int], Context], list[list[str]], list[list[str]]]:
    """Return the installation before and after each pair's first text became its second; a list, and a longer one.

    Each pair is a template of its own, which goes to a number of its own.
    """
    ids = [str(100 + at) for at in range(len(pairs))]
    house.gateway.templates = dict.fromkeys(ids, "{info1}と{info2}")
    house.gateway.knobs = Knobs(fate="at_once")

    def known(turn: int) -> Context:
        texts = "\n".join(f'{one} = "{pair[turn]}"' for one, pair in zip(ids, pairs, strict=True) if pair[turn])
        (house.folder / "mediasms.toml").write_text(f"[templates]\n{texts}\n", encoding="utf-8")
        return house.open(create=not turn, VALIDATION_UNCHECKED_TEMPLATES="true", SEND_MAX_ROWS="100")

    rows = [
        ["電話番号", "template_id", "info1", "info2", "url"],
        *([house.number(at), one, "山田", "佐藤", "https://a.test/"] for at, one in enumerate(ids)),
    ]
    return known, rows, [*rows, [house.number(len(ids)), "100", "山田", "佐藤", "https://a.test/"]]


def tags_of(text: str) -> set[str]:
    return set(re.findall(r"{\w+}", text))


def test_correcting_templates_never_sends_twice_where_repeats_are_allowed(house: House) -> None:
    """Every correction of one text to another, at once: who has got the template gets nothing more by it."""
    texts = [text for text in KNOWN if text]
    pairs = [(one, other) for one in texts for other in texts]
    known, rows, longer = corrections(house, pairs)
    before = known(0)
    send(before, house.batch(before, house.write("list.csv", rows), repeats=True))
    after = known(1)
    batch = house.batch(after, house.write("longer.csv", longer), repeats=True)
    unclear = [at for at, (one, other) in enumerate(pairs) if tags_of(one) != tags_of(other)]
    dry = dry_run(after, Request(house.folder / "longer.csv", "c", repeats=True))
    for again in (False, True):
        with pytest.raises(GuardStopped) as stopped:
            send(after, batch, permission=Permission(again=again))
        assert (stopped.value.code, stopped.value.exit) == ("guard.template_corrected", Exit.GUARD)
        assert stopped.value.facts["count"] == len(unclear)
        assert stopped.value.facts["templates"] == ", ".join(str(100 + at) for at in unclear)
    assert [error.code for error in dry.stopped_by] == ["guard.template_corrected"]
    assert len(house.gateway.messages) == len(pairs)
    # Without these numbers the others are served already, and the new one gets its message.
    clear = [row for at, row in enumerate(longer) if at - 1 not in unclear]
    rest = house.batch(after, house.write("rest.csv", clear), repeats=True)
    assert (rest.totals.already, rest.totals.accepted) == (len(pairs) - len(unclear), 1)
    assert send(after, rest).messages == 1
    assert len(house.gateway.messages) == len({message.msisdn for message in house.gateway.messages}) == len(pairs) + 1


def test_a_corrected_template_does_not_overtake_what_was_refused(house: House) -> None:
    """What the gateway refused as a whole goes out again one day, and counts until then."""
    known, rows, longer = corrections(house, [("{info1}様", "{info1}と{info2}")])
    before = known(0)
    first = house.batch(before, house.write("list.csv", rows), repeats=True)
    house.gateway.knobs = Knobs(refuse_code="401", faults=1)
    with pytest.raises(GatewayRefused):
        send(before, first)
    assert house.states(before, first.batch_id) == {MessageState.REFUSED: 1}
    after = known(1)
    with pytest.raises(GuardStopped, match=r"the tags of template 100 "):
        send(after, house.batch(after, house.write("longer.csv", longer), repeats=True))
    send(after, get_batch(after.ledger, first.batch_id))
    assert list(received(house)) == [house.number(0)]


def test_a_list_checked_before_a_template_was_corrected_comes_too_late(house: House) -> None:
    known, rows, longer = corrections(house, [("{info1}様", "{info1}と{info2}")])
    before = known(0)
    first = house.batch(before, house.write("list.csv", rows), repeats=True)
    after = known(1)
    send(after, house.batch(after, house.write("longer.csv", longer), repeats=True))
    with pytest.raises(GuardStopped, match=r"the tags of template 100 "):
        send(after, first)
    assert len(house.gateway.messages) == len(longer) - 1


def test_another_first_row_is_tried_by_a_template_that_was_corrected(house: House) -> None:
    """The operator who saw the first test message has corrected text and list."""
    known, rows, _ = corrections(house, [("{info1}様", "{info1}と{info2}")])
    for turn, name in enumerate(("山田", "鈴木")):
        context = known(turn)
        rows[1][2] = name
        batch = house.batch(context, house.write("list.csv", rows))
        with context.campaign_lock(batch.campaign):
            trial = try_out(context, batch, "09099991234")
        assert trial
        assert trial.sent
    assert [message.text for message in house.gateway.messages] == ["山田と佐藤", "鈴木と佐藤"]


def test_a_template_corrected_between_campaigns_is_the_same_one_within_a_week(house: House) -> None:
    """Every correction at once, also of what nobody knew, and where it is not known any more."""
    pairs = [(one, other) for one in KNOWN for other in KNOWN]
    known, rows, longer = corrections(house, pairs)
    before = known(0)
    send(before, house.batch(before, house.write("list.csv", rows), "a"))
    after = known(1)
    batch = house.batch(after, house.write("longer.csv", longer), "b")
    with pytest.raises(GuardStopped) as stopped:
        send(after, batch)
    assert (stopped.value.code, stopped.value.facts["count"]) == ("guard.repeated_text", len(pairs))
    assert len(house.gateway.messages) == len(pairs)


# Encodings --------------------------------------------------------------------------------------------------------


def test_a_planned_batch_keeps_its_payloads_whatever_the_encoding_is_today(house: House, context: Context) -> None:
    source = house.recipients(7, text="受付〜髙は不可".replace("髙", "高"))
    batch = house.batch(context, source)
    planning.plan(context, batch)
    before = payloads(context, batch)
    shift_jis = house.open(SEND_ENCODE="shiftjis")
    again = validate(shift_jis, Request(source, "c"))
    assert (again.continued, again.batch.batch_id) == (True, batch.batch_id)
    send(shift_jis, again.batch)
    assert payloads(shift_jis, batch) == before == ["dispatch-0001.csv", "dispatch-0002.csv"]
    assert set(received(house).values()) == {"受付～高は不可"}


def test_a_memo_that_shift_jis_cannot_hold(house: House, context: Context) -> None:
    source = house.write(
        "list.csv", [["電話番号", "本文", "memo"], ["09011110001", "あ", "髙 💌"], ["09011110002", "い", "m"]]
    )
    batch = house.batch(context, source)
    assert batch.totals.accepted == 2
    shift_jis = house.open(SEND_ENCODE="shiftjis")
    with pytest.raises(UsageError) as stopped:
        send(shift_jis, batch)
    assert (stopped.value.code, stopped.value.facts) == ("send.encode", {"key": "memo", "row": 2})
    assert (get_batch(shift_jis.ledger, batch.batch_id).planned_at, house.uploads()) == (None, 0)
    again = validate(shift_jis, Request(source, "c"))
    assert (again.batch.batch_id, dict(again.codes)) == (batch.batch_id, {"field.platform_dependent": 1})
    assert send(shift_jis, again.batch).messages == 1


# Scheduled times --------------------------------------------------------------------------------------------------


def scheduled_list(house: House, times: Sequence[str], template: str = "14") -> list[list[str]]:
    rows = [[house.number(at), template, time] for at, time in enumerate(times)]
    return [["電話番号", "template_id", "送信予定日時"], *rows]


@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE], ids=["uploads", "one by one"])
def test_a_scheduled_message_waits_for_its_time(house: House, context: Context, mode: Mode) -> None:
    confirmed(context)
    source = house.write("list.csv", scheduled_list(house, ["202611231200", "2026/11/23 12:00", ""]))
    outcome = run(context, Request(source, "c", mode=mode))
    assert outcome.stopped_by is None
    batch = outcome.validated.batch
    if mode is Mode.CSV:
        assert columns_sent(context, batch)[16].tolist() == ["2026.11.23.12.00", "2026.11.23.12.00", ""]
    house.clock.advance(timedelta(hours=1))
    classes = run(context, Request(source, "c", mode=mode)).reconciled.value.classes
    assert {name.value: count for name, count in classes.items() if count} == {"pending": 2, "delivered": 1}
    (life,) = trace(context, house.smsids(context, batch.batch_id)[0], limit=1).lives
    assert {seen.observation.status for seen in life.seen} == {"送信前"}
    house.clock.advance(timedelta(hours=3))
    classes = run(context, Request(source, "c", mode=mode)).reconciled.value.classes
    assert {name.value: count for name, count in classes.items() if count} == {"delivered": 3}


@pytest.mark.parametrize("system", [1900, 1904])
def test_a_time_of_a_workbook_is_what_its_cell_holds(house: House, context: Context, system: int) -> None:
    confirmed(context)
    source = house.folder / "list.xlsx"
    with xlsxwriter.Workbook(source, {"date_1904": system == 1904}) as book:
        sheet, short = book.add_worksheet(), book.add_format({"num_format": "m/d h:mm"})
        for row, cells in enumerate(scheduled_list(house, ["", "2026-11-23 12:00", ""])):
            sheet.write_row(row, 0, cells)
        sheet.write_datetime(1, 2, datetime(2026, 11, 23, 12, 0), short)  # noqa: DTZ001 - a sheet knows no zones
        sheet.write_datetime(3, 2, datetime(2026, 11, 23), short)  # noqa: DTZ001 - as much a day as its midnight
    validated = validate(context, Request(source, "c"))
    assert dict(validated.codes) == {"senddatetime.format": 1}
    assert dict(validated.rules) == {"senddatetime.form": 2}
    send(context, validated.batch)
    assert columns_sent(context, validated.batch)[16].tolist() == ["2026.11.23.12.00"] * 2


def test_times_that_are_none_or_have_passed_reject_their_rows(house: House, context: Context) -> None:
    confirmed(context)
    times = ["202611231200", "202611230930", "202611230929", "20261123", "202611312500", "11/23/2026 12:00"]
    validated = validate(context, Request(house.write("list.csv", scheduled_list(house, times)), "c"))
    assert (validated.batch.totals.accepted, dict(validated.codes)) == (
        1,
        {"senddatetime.past": 2, "senddatetime.format": 3},
    )
    house.clock.advance(timedelta(hours=3))
    with pytest.raises(GuardStopped) as stopped:
        send(context, validated.batch)
    assert (stopped.value.code, house.uploads()) == ("guard.scheduled_passed", 0)


@pytest.mark.parametrize(("mode", "code"), [(Mode.CSV, "profile.not_confirmed"), (Mode.SINGLE, "single.not_confirmed")])
def test_a_time_that_the_profile_has_not_confirmed_stops_the_list(
    house: House, context: Context, mode: Mode, code: str
) -> None:
    source = house.write("list.csv", scheduled_list(house, ["202611231200"]))
    with pytest.raises(UsageError) as stopped:
        validate(context, Request(source, "c", mode=mode))
    assert stopped.value.code == code
    assert (house.gateway.requests.get(UPLOADS, 0), house.gateway.requests.get(SINGLE, 0)) == (0, 0)


def test_a_list_without_text_or_template_is_refused(house: House, context: Context) -> None:
    with pytest.raises(InputUnusable) as stopped:
        validate(context, Request(house.write("list.csv", [["電話番号", "氏名"], ["09011110001", "a"]]), "c"))
    assert stopped.value.code == "input.no_text"


def test_stand_ins_are_as_long_as_a_short_link() -> None:
    assert shown_text({"text": "{info1}へ {URL}", "info1": "か\u3099"}, 19) == f"が\u3078 {'x' * 19}"
    assert START.year == 2026


def test_those_whom_a_template_did_not_reach_get_it_once_more(house: House, context: Context) -> None:
    rows = [["電話番号", "本文", "template_id", "info1"], ["09011110001", "", "12", "a"], ["09011110002", "い", "", ""]]
    house.gateway.knobs = Knobs(fate="failed")
    run(context, Request(house.write("list.csv", rows), "spring"))
    house.clock.advance(timedelta(days=2))
    run(context, Request(house.write("list.csv", rows), "spring"))
    house.gateway.knobs = Knobs(fate="at_once")
    with request_for(context, "spring", Request(context.workspace.root, "again")) as request:
        assert request is not None
        assert run(context, request).stopped_by is None
    texts = [(message.msisdn, message.text) for message in house.gateway.messages]
    assert sorted(texts) == sorted([("09011110001", "a様 ご予約はです"), ("09011110002", "い")] * 2)


def test_the_gateway_s_own_layout_carries_templates_too(house: House, context: Context) -> None:
    rows = [["09011110001", *[""] * 63], ["09011110002", *[""] * 63]]
    rows[0][7], rows[0][1], rows[1][9] = "12", "山", "本文"
    batch = house.batch(context, house.write("list.csv", rows))
    send(context, batch)
    assert received(house) == {"09011110001": "山様 ご予約はです", "09011110002": "本文"}


def test_a_template_for_the_list_that_is_too_long_is_said_in_words(house: House, context: Context) -> None:
    source = house.write("list.csv", [["電話番号", "info1"], ["09011110001", "あ" * 64]])
    validated = validate(context, Request(source, "c", template="12"))
    assert dict(validated.codes) == {"text.too_many_bytes": 1, "text.too_many_characters": 1}
    assert [finding.column for finding in validated.examples] == ["template_id"]
    assert validated.workbook is not None
