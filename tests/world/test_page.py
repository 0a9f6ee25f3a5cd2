"""The page of a reconciliation in a real browser: quiet, self-contained, searchable, accessible, and seen."""

from __future__ import annotations

import json
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.messages import Language
from pipeline.reports.page import render_page
from tests import reconciliations
from tests.world.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.model import Reconciliation

pytestmark = pytest.mark.world

AXE = "axe-core@4.14.1"
VALUES: dict[str, Callable[[], Reconciliation]] = {
    "batch": reconciliations.noisy_batch,
    "month": reconciliations.noisy_month,
    "quiet": reconciliations.quiet_batch,
}


@pytest.fixture(scope="module")
def axe(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("axe")
    subprocess.run([tool("npm"), "pack", AXE], cwd=folder, capture_output=True, timeout=200, check=True)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as package:
        source = package.extractfile("package/axe.min.js")
        assert source is not None
        return source.read().decode()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page of each value in each language."""
    folder = tmp_path_factory.mktemp("pages")
    for name, make in VALUES.items():
        for language in Language:
            page = render_page(make(), reconciliations.message_lines(300), language)
            (folder / f"{name}-{language}.html").write_text(page, "utf-8")
    hostile = render_page(reconciliations.hostile_month(), reconciliations.hostile_lines(), Language.EN)
    (folder / "hostile-en.html").write_text(hostile, "utf-8")
    return folder


@pytest.fixture(scope="module")
def browser(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tool("chromium"), tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def shown(browser: Browser, name: str) -> tuple[int, str]:
    """Return how many rows of a searched table are to be seen, and how many the page says."""
    rows = browser.run(f"[...document.getElementById('{name}-rows').rows].filter(r => r.offsetHeight > 0).length")
    return rows, browser.run(f"document.querySelector('[for={name}-search] output, output[for={name}-search]').value")


@pytest.mark.parametrize("name", ["batch-ja", "month-en", "quiet-ja", "hostile-en"])
def test_it_is_quiet_and_asks_for_nothing_but_itself(browser: Browser, pages: Path, name: str) -> None:
    page = pages / f"{name}.html"
    browser.open(page)
    assert browser.said == []
    assert browser.asked == [page.as_uri()]
    scripts = "document.querySelectorAll('script, img, iframe, object, link, [onerror]').length"
    assert browser.run(scripts) == 1  # our own


def test_a_page_that_breaks_the_rules_would_be_noticed(browser: Browser, pages: Path, tmp_path: Path) -> None:
    page = (pages / "batch-en.html").read_text("utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(page.replace("<footer>", '<footer><script>window.ran = 1</script><img src="x.png">'), "utf-8")
    browser.open(broken)
    assert len(browser.said) == 2
    assert all("Content Security Policy" in each for each in browser.said)
    assert browser.run("window.ran === undefined")


def test_the_search_is_used_with_the_keyboard(browser: Browser, pages: Path) -> None:
    browser.open(pages / "batch-en.html")
    breaks = len(reconciliations.noisy_batch().breaks)
    assert shown(browser, "breaks") == (breaks, str(breaks))
    for _ in range(60):
        browser.press("Tab", 9)
        if browser.run("document.activeElement.id") == "breaks-search":
            break
    assert browser.run("document.activeElement.id") == "breaks-search"
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.write("ＭＩＳＳＩＮＧ result")  # full-width, as a Japanese keyboard writes
    assert shown(browser, "breaks") == (31, "31")
    browser.write(" 0000105")
    assert shown(browser, "breaks") == (1, "1")
    browser.write(" nothing")
    assert shown(browser, "breaks") == (0, "0")
    browser.run("document.activeElement.value = ''; document.activeElement.dispatchEvent(new Event('input'))")
    assert shown(browser, "breaks") == (breaks, str(breaks))
    assert shown(browser, "messages") == (300, "300")


def test_it_works_without_its_script(browser: Browser, pages: Path) -> None:
    browser.open(pages / "batch-en.html", script=False)
    assert browser.said == []
    assert browser.run("document.querySelector('.search').offsetHeight") == 0
    assert browser.run("document.getElementById('breaks-rows').rows.length") == len(
        reconciliations.noisy_batch().breaks
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["batch-en", "month-ja", "quiet-en"])
def test_axe_finds_nothing_serious(browser: Browser, pages: Path, axe: str, name: str, *, dark: bool) -> None:
    browser.open(pages / f"{name}.html", dark=dark)
    browser.unroll()
    browser.run(axe)
    found: dict[str, Any] = json.loads(browser.run("axe.run().then(JSON.stringify)"))
    assert len(found["passes"]) > 20
    problems = [
        (each["impact"], each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found["violations"]
    ]
    assert problems == []


def test_axe_would_find_something(browser: Browser, pages: Path, axe: str, tmp_path: Path) -> None:
    page = (pages / "quiet-en.html").read_text("utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(page.replace('lang="en"', "").replace('role="img"', ""), "utf-8")
    browser.open(broken)
    browser.run(axe)
    found = json.loads(browser.run("axe.run().then(JSON.stringify)"))
    assert "html-has-lang" in {each["id"] for each in found["violations"]}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_follows_the_scheme_and_can_be_seen(
    browser: Browser, pages: Path, tmp_path: Path, language: Language, *, dark: bool
) -> None:
    picture = tmp_path / "page.png"
    for width in (1200, 420):
        browser.open(pages / f"month-{language}.html", dark=dark, width=width)
        browser.picture(picture)
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size > 50_000
        # Wide tables scroll by themselves, the page does not.
        assert browser.run("document.documentElement.scrollWidth") <= width
    paper = browser.run("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")


def test_everything_is_printed_but_what_is_for_the_screen(browser: Browser, pages: Path) -> None:
    paper = 1032  # what the margins leave of A4, landscape
    browser.open(pages / "month-ja.html", dark=True, width=paper)
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.run("document.documentElement.scrollWidth") <= paper
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.run("document.querySelector('nav').offsetHeight") == 0
    assert browser.run("document.querySelector('.search').offsetHeight") == 0
    assert browser.run("getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"


def test_a_hundred_thousand_messages_leave_a_page_that_is_small(pages: Path) -> None:
    value = reconciliations.noisy_month()
    page = render_page(value, reconciliations.message_lines(100_000), Language.JA)
    few = render_page(value, reconciliations.message_lines(1_000), Language.JA)
    assert page == few
    assert len(page.encode()) < 1_500_000
    assert (pages / "month-ja.html").stat().st_size < len(page.encode())
