"""Where an embedded ledger may lie."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pipeline.config import load
from pipeline.context import build_context
from pipeline.errors import Exit, UsageError
from pipeline.ledger import create_ledger, file_systems, open_ledger
from pipeline.messages import Language, label
from pipeline.operations.place import tell_place

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.context import Context


def _mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    (tmp_path / "mounts").write_text("\n".join(["/dev/vda / ext4 rw 0 0", "junk", *lines]) + "\n", encoding="utf-8")
    monkeypatch.setattr(file_systems, "_MOUNTS", tmp_path / "mounts")


@pytest.mark.parametrize(
    "kind",
    ["nfs", "nfs4", "cifs", "gfs2", "vboxsf", "drvfs", "fuse.sshfs", "fuse.juicefs", "fuse.blobfuse2", "fuse.gcsfuse"],
)
def test_a_ledger_on_a_network_file_system_is_neither_made_nor_opened(
    tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    share = tmp_path / "a share"
    share.mkdir()
    create_ledger(f"sqlite:///{share}/old.sqlite3", context.now()).close()
    place = str(share).replace(" ", "\\040")
    _mounts(tmp_path, monkeypatch, f"host:/x {place} {kind} rw 0 0", f"tmpfs {place}/disk tmpfs rw 0 0")
    with pytest.raises(UsageError) as made:
        create_ledger(f"sqlite:///{share}/new/ledger.sqlite3", context.now())
    with pytest.raises(UsageError) as opened:
        open_ledger(f"sqlite:///{share}/old.sqlite3")
    for stopped in (made.value, opened.value):
        assert (stopped.code, stopped.exit, stopped.facts["kind"]) == ("ledger.network", Exit.USAGE, kind)
    assert not (share / "new").exists()
    # A disk that is mounted within the share is a disk.
    create_ledger(f"sqlite:///{share}/disk/ledger.sqlite3", context.now()).close()


def test_the_last_mount_at_a_place_counts(tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    _mounts(tmp_path, monkeypatch, f"host:/x {tmp_path} nfs rw 0 0", f"/dev/vdb {tmp_path} ext4 rw 0 0")
    create_ledger(f"sqlite:///{tmp_path}/ledger.sqlite3", context.now()).close()


def test_where_nobody_lists_mounts_nothing_is_refused(
    tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_systems, "_MOUNTS", tmp_path / "none")
    create_ledger(f"sqlite:///{tmp_path}/ledger.sqlite3", context.now()).close()


@pytest.mark.parametrize(
    "line",
    [
        "C:\\134 {} 9p rw,dirsync,aname=drvfs;path=C:\\134;uid=1000,trans=fd 0 0",
        "drvfsaC1f0 {} virtiofs rw,noatime 0 0",
    ],
)
def test_a_drive_of_windows_is_refused_whatever_brings_it(
    tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    _mounts(tmp_path, monkeypatch, line.format(tmp_path))
    with pytest.raises(UsageError) as stopped:
        create_ledger(f"sqlite:///{tmp_path}/ledger.sqlite3", context.now())
    assert (stopped.value.code, stopped.value.facts["kind"]) == ("ledger.network", "drvfs")


@pytest.mark.parametrize(("kind", "said"), [("9p", 1), ("virtiofs", 1), ("ext4", 0), ("fuse.bindfs", 0)])
def test_a_folder_of_the_host_is_said_and_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, said: int
) -> None:
    _mounts(tmp_path, monkeypatch, f"share {tmp_path} {kind} rw 0 0")
    environment = {"MEDIASMS_WORKSPACE_PATH": str(tmp_path / "w"), "MEDIASMS_LEDGER_URL": f"sqlite:///{tmp_path}/l.db"}
    configuration = load(tmp_path / "mediasms.toml", environment, required=False)
    context = build_context(configuration, environment, lambda: datetime.now(UTC), Language.EN, create=True)
    told: list[str] = []
    context.warn = lambda code, **facts: told.append(label(code, Language.EN, **facts))
    tell_place(context)
    context.close()
    assert [f"l.db lies in a folder of the host ({kind})" in line for line in told] == [True] * said
