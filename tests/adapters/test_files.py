"""Durable files: in full or not at all, and checked again when read."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import stat
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.adapters import files
from pipeline.adapters.files import (
    Workspace,
    durable,
    hash_file,
    place_beside,
    write_durable,
    write_through,
)
from pipeline.adapters.marks import Mark
from pipeline.core.calendar import JST
from pipeline.errors import Exit, GuardStopped, TryLater, UsageError
from pipeline.model import Artefact

BEGUN = datetime(2026, 11, 23, 9, 30, tzinfo=JST)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def artefact(name: str, data: bytes) -> Artefact:
    return Artefact(name, hashlib.sha256(data).hexdigest(), len(data))


def test_a_file_appears_when_committed_and_not_before(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with durable(folder / "a.csv", folder / "b.csv") as (first, second):
        first.write(b"one")
        first.write(b"two")
        second.write(b"")
        assert not (folder / "a.csv").exists()
        assert first.commit() == artefact("a.csv", b"onetwo")
        assert (folder / "a.csv").exists()
        assert second.commit() == artefact("b.csv", b"")
    assert content(folder) == {"a.csv": b"onetwo", "b.csv": b""}


def test_what_is_not_committed_vanishes(tmp_path: Path) -> None:
    with durable(tmp_path / "a", tmp_path / "b") as (first, second):
        first.write(b"x")
        second.write(b"y")
        second.commit()
    assert content(tmp_path) == {"b": b"y"}


def test_an_error_leaves_nothing_and_what_stood_there_stands(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def fail() -> None:
        with durable(tmp_path / "a", tmp_path / "b") as (first, second):
            first.write(b"new")
            second.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert content(tmp_path) == {"a": b"old"}


def test_a_folder_that_was_made_for_nothing_goes_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    def fail(folder: Path) -> None:
        with durable(folder / "a", folder / "b"):
            raise KeyboardInterrupt

    for folder in ("empty/new/newer", "empty", "new/newer"):
        with pytest.raises(KeyboardInterrupt):
            fail(tmp_path / folder)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["empty"]
    with durable(tmp_path / "new" / "newer" / "a", tmp_path / "new" / "newer" / "b") as (first, _):
        first.commit()
    assert content(tmp_path / "new" / "newer") == {"a": b""}


def test_the_rest_of_a_crash_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".a.part").write_bytes(b"a longer rest of a crash")
    (tmp_path / "a").write_bytes(b"old")
    assert write_durable(tmp_path / "a", b"new") == artefact("a", b"new")
    assert content(tmp_path) == {"a": b"new"}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_disk_that_takes_nothing_is_for_later(tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(TryLater) as caught:
        write_durable(tmp_path / "a", b"x")
    assert caught.value.code == "files.not_writable"
    assert caught.value.facts == {"folder": str(tmp_path), "problem": os.strerror(code)}
    assert content(tmp_path) == {}


def test_another_error_of_the_system_stays_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_handle: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="broken"):
        write_durable(tmp_path / "a", b"x")
    assert content(tmp_path) == {}


def test_bytes_are_on_disk_before_the_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        seen.append(f"{'folder' if is_folder else 'file'} {(tmp_path / 'a').exists()}")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    write_durable(tmp_path / "a", b"x")
    assert seen == ["file False", "folder True"]


def test_a_library_writes_through(tmp_path: Path) -> None:
    def writer(path: Path) -> None:
        assert path.suffix == ".xlsx"
        assert path.parent == tmp_path
        path.write_bytes(b"book")

    assert write_through(tmp_path / "r.xlsx", writer) == artefact("r.xlsx", b"book")
    assert content(tmp_path) == {"r.xlsx": b"book"}


def test_a_library_that_fails_leaves_what_stood_there(tmp_path: Path) -> None:
    def writer(path: Path) -> None:
        path.write_bytes(b"half")
        raise ValueError

    (tmp_path / "r.xlsx").write_bytes(b"old")
    with pytest.raises(ValueError, match=r"^$"):
        write_through(tmp_path / "r.xlsx", writer)
    assert content(tmp_path) == {"r.xlsx": b"old"}


def workspace(folder: Path) -> Workspace:
    made = Workspace(folder / "w")
    made.create("ledger-1")
    return made


def test_a_workspace_keeps_its_identity(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    made.create("ledger-2")
    assert made.ledger_id() == "ledger-1"
    made.check_belongs_to("ledger-1")
    with pytest.raises(GuardStopped) as caught:
        made.check_belongs_to("ledger-2")
    assert caught.value.code == "ledger.foreign"
    assert made.locks_folder() == made.root / "locks"
    assert made.locks_folder().parent.is_dir()
    assert made.pulls_folder().is_dir()


def test_a_workspace_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Workspace(tmp_path / "w").ledger_id()
    assert caught.value.code == "workspace.missing"


def test_a_workspace_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "w" / "ledger.id").mkdir(parents=True)
    with pytest.raises(UsageError) as caught:
        Workspace(tmp_path / "w").ledger_id()
    assert caught.value.code == "workspace.denied"
    assert caught.value.facts["folder"] == str(tmp_path / "w")


def test_an_artefact_is_checked_when_read(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    path = made.batch_folder("b1") / "accepted.csv"
    path.parent.mkdir()
    known = write_durable(path, b"a,b\r\n")
    assert made.checked("b1", known) == path
    assert hash_file(path) == known.sha256
    path.write_bytes(b"a,c\r\n")
    with pytest.raises(GuardStopped) as caught:
        made.checked("b1", known)
    assert caught.value.code == "artefact.changed"
    path.unlink()
    with pytest.raises(GuardStopped) as caught:
        made.checked("b1", known)
    assert caught.value.code == "artefact.missing"
    assert caught.value.facts == {"file": str(path)}


def test_markers_of_begun_dispatches(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    assert list(made.begun()) == []
    marks = [
        Mark(*mark, BEGUN, "dispatch-0001.id.csv")
        for mark in (("b2", 1, 1), ("b1", 12, 1), ("b1", 12, 2), ("b1", 3, 1))
    ]
    for mark in marks:
        made.mark_begun(mark)
    (made.batch_folder("b1") / ".dispatch-0004.begun.part").write_bytes(b"")
    assert list(made.begun()) == [marks[3], marks[2], marks[0]]


def test_when_something_was_begun_does_not_change_with_a_copy_of_its_marker(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    made.mark_begun(Mark("b1", 1, 1, BEGUN, "dispatch-0001.form"))
    marker = made.batch_folder("b1") / "dispatch-0001.begun"
    os.utime(marker, (0, 0))
    assert [mark.begun_at for mark in made.begun()] == [BEGUN]
    # One of an older version is as old as its file.
    marker.write_text("2\n")
    os.utime(marker, (BEGUN.timestamp(),) * 2)
    assert list(made.begun()) == [Mark("b1", 1, 2, BEGUN, "")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dispatch-0001.begun", b""),
        ("dispatch-0001.begun", b"once\n"),
        ("dispatch-0001.begun", b"-1\n"),
        ("dispatch-0001.begun", b"1 yesterday dispatch-0001.csv\n"),
        ("dispatch-0001.begun", b"1 2026-11-23T09:30:00 dispatch-0001.csv\n"),
        ("dispatch-0001.begun", b"1 2026-11-23T09:30:00+09:00 ../list.csv\n"),
        ("dispatch-0001.begun", b"\xff\n"),
        ("dispatch-0001 (1).begun", b"1\n"),
        ("dispatch-.begun", b"1\n"),
    ],
)
def test_a_marker_that_says_nothing_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    made = workspace(tmp_path)
    made.mark_begun(Mark("b1", 2, 1, BEGUN, "dispatch-0002.csv"))
    (made.batch_folder("b1") / name).write_bytes(content)
    with pytest.raises(GuardStopped) as stopped:
        list(made.begun())
    assert (stopped.value.code, stopped.value.exit) == ("marker.unreadable", Exit.GUARD)
    assert stopped.value.facts == {"file": str(made.batch_folder("b1") / name)}


def test_a_marker_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    (made.batch_folder("b1") / "dispatch-0001.begun").mkdir(parents=True)
    with pytest.raises(GuardStopped, match=r"marker\.unreadable"):
        list(made.begun())


def test_a_file_for_people_never_replaces_another(tmp_path: Path) -> None:
    wanted, otherwise = tmp_path / "people" / "list.xlsx", tmp_path / "otherwise.xlsx"
    wanted.parent.mkdir()

    def place(data: bytes) -> Path:
        part = tmp_path / "part"
        part.write_bytes(data)
        placed = place_beside(part, wanted, otherwise=otherwise)
        assert placed.read_bytes() == data
        assert not part.exists()
        return placed

    assert place(b"first") == wanted
    assert place(b"first") == wanted
    assert place(b"second").name == "list-2.xlsx"
    assert place(b"third").name == "list-3.xlsx"
    assert place(b"second").name == "list-2.xlsx"
    assert content(wanted.parent) == {"list.xlsx": b"first", "list-2.xlsx": b"second", "list-3.xlsx": b"third"}


def test_where_people_s_folder_cannot_be_written_the_file_goes_otherwise(tmp_path: Path) -> None:
    part, otherwise = tmp_path / "part", tmp_path / "otherwise.xlsx"
    part.write_bytes(b"x")
    assert place_beside(part, tmp_path / "missing" / "list.xlsx", otherwise=otherwise) == otherwise
    assert content(tmp_path) == {"otherwise.xlsx": b"x"}


def _synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, list[str]]]:
    """Return, as they come, the folders that are synced with the names that are in them at that moment."""
    synced: list[tuple[Path, list[str]]] = []
    plain = files.fsync_folder

    def seen(folder: Path) -> None:
        plain(folder)
        synced.append((folder, sorted(path.name for path in folder.iterdir())))

    monkeypatch.setattr(files, "fsync_folder", seen)
    return synced


def test_the_names_of_new_folders_are_on_disk_before_a_file_appears_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = _synced(monkeypatch)
    write_durable(tmp_path / "batches" / "one" / "a.csv", b"a")
    assert synced == [
        (tmp_path / "batches", ["one"]),
        (tmp_path, ["batches"]),
        (tmp_path / "batches" / "one", ["a.csv"]),
    ]
    write_durable(tmp_path / "batches" / "one" / "b.csv", b"b")
    assert len(synced) == 4


def test_the_name_of_a_workspace_is_on_disk_whoever_made_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "a" / "workspace"
    root.mkdir(parents=True)
    synced = _synced(monkeypatch)
    Workspace(root).create("id")
    assert (tmp_path / "a", ["workspace"]) in synced
    assert (tmp_path, ["a"]) in synced
    assert (root, ["batches", "ledger.id", "locks", "pulls"]) in synced


def test_processes_that_pull_in_one_second_write_a_file_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts too: one ledger knows the files of all their workspaces by name."""
    workspace, elsewhere = Workspace(tmp_path / "one"), Workspace(tmp_path / "two")
    moment = "20261123-093000"
    with workspace.new_pull("results", moment) as one, elsewhere.new_pull("results", moment) as other:
        one.write(b"1")
        other.write(b"22")
        made = one.commit(), other.commit()
    assert [artefact.size for artefact in made] == [1, 2]
    assert len({artefact.name for artefact in made}) == 2
    assert all(re.fullmatch(rf"results-{moment}-[0-9a-f]{{8}}\.csv", artefact.name) for artefact in made)
    # One that is there, or that a crash has left behind, is not written over.
    tokens = iter([made[0].name[-12:-4], "00000000", "11111111"])
    (tmp_path / "one" / "pulls" / f".results-{moment}-00000000.csv.part").write_bytes(b"left behind")
    monkeypatch.setattr(secrets, "token_hex", lambda _size: next(tokens))
    with workspace.new_pull("results", moment) as third:
        assert third.path.name == f"results-{moment}-11111111.csv"


def test_a_file_in_the_place_of_the_folder_of_pulls_is_said_and_not_counted_past(tmp_path: Path) -> None:
    (tmp_path / "pulls").write_bytes(b"not a folder")
    with pytest.raises(TryLater) as stopped, Workspace(tmp_path).new_pull("results", "20261123-093000"):
        pass
    assert stopped.value.code == "files.not_writable"
