"""Where an embedded ledger may lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import Exit, UsageError
from pipeline.ledger import create_ledger, file_systems, open_ledger

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.context import Context


def _mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    (tmp_path / "mounts").write_text("\n".join(["/dev/vda / ext4 rw 0 0", "junk", *lines]) + "\n", encoding="utf-8")
    monkeypatch.setattr(file_systems, "_MOUNTS", tmp_path / "mounts")


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "fuse.sshfs"])
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
