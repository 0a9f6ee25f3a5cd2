"""``validate --out``: again and again in the same folder, and never over somebody's file."""

from __future__ import annotations

import codecs
import os
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import Exit, InputUnusable, UsageError
from pipeline.stages.out import FILES
from pipeline.stages.validate import Request, validate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.context import Context
    from tests.stages.conftest import House


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(context: Context, source: Path, out: Path) -> str:
    before = content(out)
    with pytest.raises(UsageError) as stopped:
        validate(context, Request(source, "c"), out=out)
    assert stopped.value.exit is Exit.USAGE
    assert content(out) == before
    return stopped.value.code


def mixed(house: House, name: str = "list.csv") -> Path:
    """Return a list whose header has to be quoted, with gateway fields, accepted, repaired and rejected rows."""
    header = ["電話番号", "本文", "info1", 'memo "x",\r\ny', "title"]
    rows = [["9011112222", "お知らせです", "a", "b", "Mitsuba"], ["1", "お知らせです", "a", "b", ""]]
    return house.write(name, [header, *rows])


def test_the_files_of_an_earlier_validation_are_replaced(house: House, context: Context) -> None:
    out = house.folder / "out"
    validate(context, Request(mixed(house), "c"), out=out)
    first = content(out)
    assert set(first) == {*FILES, "rejected.xlsx"}
    validate(context, Request(mixed(house), "c"), out=out)
    assert content(out) == first
    other = house.recipients(3, "other.csv")
    validate(context, Request(other, "c"), out=out)
    assert content(out)["accepted.csv"] != first["accepted.csv"]
    assert content(out)["rejected.xlsx"] == first["rejected.xlsx"], "a person may be at work in it"
    gateway = [""] * 64
    gateway[0], gateway[9] = house.number(1), "お知らせです"
    validate(context, Request(house.write("gateway.csv", [gateway]), "c"), out=out)
    validate(context, Request(mixed(house), "c"), out=out)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "data",
    [
        "電話番号,本文\r\n09011112222,あ\r\n".encode(),
        "電話番号,本文\r\n".encode("cp932"),
        b"",
        b"row_number\r\n",
        b"row_number,smsid,msisdn,text\r\n",
        b"x" * 200_000,
        b"\0\xff",
    ],
    ids=ascii,
)
def test_a_file_that_is_not_ours_is_never_replaced(house: House, context: Context, name: str, data: bytes) -> None:
    out = house.folder / "out"
    out.mkdir()
    (out / name).write_bytes(data)
    assert refused(context, mixed(house), out) == "out.not_ours"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "saved",
    [
        lambda data: codecs.BOM_UTF8 + data,
        lambda data: data.replace(b"\r\n", b"\n"),
        lambda data: data.replace(b",", b";"),
        lambda data: data.decode().encode("utf-16"),
    ],
    ids=["mark", "line ends", "delimiter", "encoding"],
)
def test_a_file_that_a_spreadsheet_program_has_saved_since_is_somebodys_work(
    house: House, context: Context, name: str, saved: Callable[[bytes], bytes]
) -> None:
    out = house.folder / "out"
    validate(context, Request(mixed(house), "c"), out=out)
    path = out / name
    path.write_bytes(saved(path.read_bytes()))
    assert refused(context, mixed(house), out) == "out.not_ours"


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: path.symlink_to("absent")])
def test_what_is_no_file_is_not_ours(house: House, context: Context, make: Callable[[Path], None]) -> None:
    out = house.folder / "out"
    out.mkdir()
    make(out / "accepted.csv")
    with pytest.raises(UsageError) as stopped:
        validate(context, Request(mixed(house), "c"), out=out)
    assert stopped.value.code == "out.not_ours"
    assert [path.name for path in out.iterdir()] == ["accepted.csv"]


def test_the_input_is_never_replaced_even_if_it_is_ours(house: House, context: Context) -> None:
    out = house.folder / "out"
    validate(context, Request(mixed(house), "c"), out=out)
    (house.folder / "again.csv").hardlink_to(out / "rejected.csv")
    for source in (out / "rejected.csv", house.folder / "again.csv"):
        assert refused(context, source, out) == "out.is_input"


def test_files_of_a_batch_are_never_replaced(house: House, context: Context) -> None:
    batch = house.batch(context, mixed(house))
    folder = context.workspace.batch_folder(batch.batch_id)
    assert refused(context, mixed(house), folder) == "out.is_batch"
    assert refused(context, mixed(house), context.workspace.batches_folder()) == "out.is_batch"


def test_a_failed_validation_leaves_no_folder_that_it_made(house: House, context: Context) -> None:
    ragged = house.write("ragged.csv", [["tel", "本文"], [house.number(1), "x"], [house.number(2)]])
    (house.folder / "mine").mkdir()
    for out in (house.folder / "deep" / "out", house.folder / "mine", None):
        with pytest.raises(InputUnusable):
            validate(context, Request(ragged, "c"), out=out)
    assert not (house.folder / "deep").exists()
    assert list((house.folder / "mine").iterdir()) == []
    assert list(context.workspace.batches_folder().iterdir()) == []
