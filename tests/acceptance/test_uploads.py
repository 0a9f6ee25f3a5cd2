"""The page about uploads is executed, and a message by template is followed to its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.acceptance.conftest import ROOT
from tests.acceptance.documents import CONSOLE, execute

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

PAGE = (ROOT / "docs/uploads.md").read_text(encoding="utf-8")


def test_the_page_does_what_it_says(home: Home, gateway: EmbeddedGateway) -> None:
    gateway.templates = {"101": "{info1}様\nご予約は{info2}です。変更は {URL}", "102": "明日は休業です。"}
    assert len(CONSOLE.findall(PAGE)) == PAGE.count("```console") > 0
    execute(PAGE, home.init())
    texts = sorted(re.sub(r"http://\S+", "LINK", message.text) for message in gateway.messages)
    assert texts == [
        "佐藤様\nご予約は12月4日15時です。変更は LINK",
        "山田様\nご予約は12月3日10時です。変更は LINK",
        "明日は休業です。",
    ]
    row = home.accepted()[0]
    traced = home("trace", row["smsid"])
    assert (traced.code, "  template 101\n" in traced.out) == (0, True)
    # The list that came back says what is wrong, and is handed in again with the same options.
    again = home("validate", "sample_data/templates.csv", "--campaign", "other", "--unchecked-templates")
    assert "1 messages go out by template 103" in again.out
    assert "--unchecked-templates" in again.out
    shown = home(
        "run", "sample_data/templates.csv", "--campaign", "other", "--unchecked-templates", "--dry-run", "--json"
    )
    document = shown.document
    assert (document["messages"], document["unmeasured"], document["cost"]["highest"]) == (4, 1, None)
    assert document["warnings"] == {"template.unchecked 103": 1}


def test_a_text_and_a_template_for_a_list_exclude_each_other(home: Home) -> None:
    home.init()
    done = home(
        *("validate", "sample_data/templates.csv", "--text", "sample_data/text.txt", "--template", "1", "--json"),
    )
    assert (done.code, done.document["error"]) == (2, "usage.text_and_template")


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert named
    for file, name in named:
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")
