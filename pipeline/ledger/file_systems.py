"""Where an embedded ledger may lie: not on a network file system, whose locks and shared memory SQLite cannot trust."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import UsageError

#: types as Linux names them; a ledger on one of these can be damaged, or be written by two hosts at once
_NETWORK = frozenset(
    {"afs", "beegfs", "ceph", "cifs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
    | {f"fuse.{name}" for name in ("ceph", "gcsfuse", "glusterfs", "rclone", "s3fs", "sshfs")}
)
#: what Linux writes for blanks in a path
_ESCAPED = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}
_MOUNTS = Path("/proc/self/mounts")


def refuse_network(file: Path) -> None:
    """Raise ``UsageError`` when ``file`` lies, or would lie, on a network file system. Only Linux is asked."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    kind = _kind(file.absolute().resolve(), mounts)
    if kind in _NETWORK:
        raise UsageError("ledger.network", file=str(file), kind=kind)


def _kind(file: Path, mounts: str) -> str:
    """Return the type of the file system that holds ``file``: of the deepest mount, and there of the last one."""
    found, deepest = "", -1
    for line in mounts.splitlines():
        _, place, kind, *_ = [*line.split(" "), "", ""]
        for escape, character in _ESCAPED.items():
            place = place.replace(escape, character)
        point = Path(place)
        if place and file.is_relative_to(point) and len(point.parts) >= deepest:
            found, deepest = kind, len(point.parts)
    return found
