"""Where an embedded ledger may lie: not on a network file system, whose locks and shared memory SQLite cannot trust."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import UsageError

#: types as Linux names them; a ledger on one of these can be damaged, or be written by two hosts at once
_NETWORK = frozenset(
    {"acfs", "afs", "beegfs", "ceph", "cifs", "coda", "cvfs", "davfs", "gfs", "gfs2", "glusterfs", "gpfs", "lustre"}
    | {"ncp", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb2", "smb3", "smbfs", "wekafs"}
    # A Windows drive under WSL, and folders that VirtualBox, VMware and Parallels share with a guest.
    | {"drvfs", "prl_fs", "vboxsf", "vmhgfs"}
)
#: the same behind FUSE: shares, clusters, buckets and cloud drives; others there (bindfs, ntfs-3g) are of a disk
_NETWORK_FUSE = frozenset(
    {"afpfs", "alluxio-fuse", "blobfuse", "blobfuse2", "ceph", "ceph-fuse", "cephfs", "curlftpfs", "cvmfs2", "davfs"}
    | {"davfs2", "gcsfuse", "geesefs", "glusterfs", "goofys", "google-drive-ocamlfuse"}
    | {"juicefs", "lizardfs", "mfs", "moosefs", "mount-s3", "mountpoint-s3", "nfs", "onedriver", "ossfs", "rclone"}
    | {"s3backer", "s3fs", "s3ql", "saunafs", "seaweedfs", "smbnetfs", "sshfs", "tigrisfs", "vmhgfs-fuse", "weed"}
)
#: A folder of the host in a virtual machine or a container. Not refused: the whole disk of some containers is one
#: (gVisor, Kata), and there, with one side alone at work, it does no harm. It does where host and guest, or two guests,
#: open the ledger at once: the locks and the shared memory of one are not seen by the other. That cannot be seen from
#: within, so a person is told.
_OF_HOST = frozenset({"9p", "fakeowner", "fuse.grpcfuse", "fuse.osxfs", "virtiofs"})
#: what Linux writes for blanks in a path
_ESCAPED = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}
_MOUNTS = Path("/proc/self/mounts")


def refuse_network(file: Path) -> None:
    """Raise ``UsageError`` when ``file`` lies, or would lie, on a network file system. Only Linux is asked."""
    kind = _kind(file)
    if kind in _NETWORK or kind.removeprefix("fuse.") in _NETWORK_FUSE:
        raise UsageError("ledger.network", file=str(file), kind=kind)


def host_folder(file: Path) -> str | None:
    """Return the type of the file system of ``file`` where it is a folder of the host, as far as Linux says so."""
    kind = _kind(file)
    return kind if kind in _OF_HOST else None


def _kind(file: Path) -> str:
    """Return the type of the file system that holds ``file``; nothing where nobody lists mounts."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return _kind_among(mounts, file.absolute().resolve())


def _kind_among(mounts: str, file: Path) -> str:
    """Return the type of the deepest mount that holds ``file``, and there of the last one."""
    found, deepest = "", -1
    for line in mounts.splitlines():
        source, place, kind, options, *_ = [*line.split(" "), "", "", ""]
        for escape, character in _ESCAPED.items():
            place = place.replace(escape, character)
        point = Path(place)
        if place and file.is_relative_to(point) and len(point.parts) >= deepest:
            # WSL reaches the drives of Windows over the protocols of other hosts; only the names tell.
            of_windows = kind in _OF_HOST and ("drvfs" in source or "aname=drvfs" in options)
            found, deepest = "drvfs" if of_windows else kind, len(point.parts)
    return found
