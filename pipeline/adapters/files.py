"""Durable files: written once, in full or not at all, and checked again when read.

A file appears under its name only after its bytes and, after the rename, its folder are on disk. A file that the
ledger does not know is a leftover of a crash and is replaced.
"""

from __future__ import annotations

import errno
import hashlib
import os
import pickle
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO, TypeVar

from pipeline.adapters.marks import Mark, marker_name, read_mark
from pipeline.errors import GuardStopped, TryLater, UsageError
from pipeline.model import Artefact

_BLOCK = 1 << 20
_IDENTITY = "ledger.id"
#: so many files are put on disk at the same time: their waits become one
_AT_ONCE = 8
#: a disk, or a quota, or a limit of the process, that takes nothing more; a place that may not be written
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM})


def _part_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


class DurableFile:
    """A file being written beside its final name; counts and hashes what passes."""

    def __init__(self, path: Path, *, alone: bool = False) -> None:
        """Open a temporary file in the folder of ``path``; ``alone``: only where no other process is writing it."""
        self.path = path
        self._part = _part_of(path)
        self._stream: BinaryIO = self._part.open("xb" if alone else "wb")
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self._stream.write(data)
        self._digest.update(data)
        self._size += len(data)

    def commit(self) -> Artefact:
        """Make the file appear under its name, durably, and return what the ledger must know about it."""
        self.sync()
        artefact = self.appear()
        fsync_folder(self.path.parent)
        return artefact

    def sync(self) -> None:
        """Put the bytes on disk; the file has no name yet."""
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def appear(self) -> Artefact:
        """Give the file its name, once its bytes are on disk; that the name is too is up to the caller."""
        self._stream.close()
        self._part.replace(self.path)
        return Artefact(self.path.name, self._digest.hexdigest(), self._size)

    def discard(self) -> None:
        """Leave nothing behind; harmless after ``commit``."""
        self._stream.close()
        self._part.unlink(missing_ok=True)


def fsync_folder(folder: Path) -> None:
    """Put a folder's entries on disk: without it a rename can be lost."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, and put their names on disk: a lost name loses all below."""
    missing = [found for found in (folder, *folder.parents) if not found.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        fsync_folder(made.parent)


def _opened(path: Path) -> DurableFile:
    with _must_be_writable(path.parent):
        return DurableFile(path)


@contextmanager
def _must_be_writable(folder: Path) -> Iterator[None]:
    """Make a folder, and say so when it cannot be made or takes no file."""
    try:
        _make_folder(folder)
        yield
    except OSError as error:
        raise TryLater("files.not_writable", folder=str(folder), problem=error.strerror) from None


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


@contextmanager
def durable(*paths: Path) -> Iterator[tuple[DurableFile, ...]]:
    """Open files that all vanish unless each is committed, and so do folders that are made for them and stay empty.

    A full or read-only disk becomes ``TryLater``.
    """
    with ExitStack() as stack:
        try:
            made = [folder for path in paths for folder in path.parents if not folder.exists()]
            stack.callback(_remove_empty, made)
            files: list[DurableFile] = []
            for path in paths:
                # Noted before it is made: a signal between the two would leave it behind.
                stack.callback(_part_of(path).unlink, missing_ok=True)
                files.append(_opened(path))
                stack.callback(files[-1].discard)
            yield tuple(files)
        except OSError as error:
            _raise_if_no_room(error, paths[0].parent)
            raise


@contextmanager
def durable_new(paths: Iterable[Path]) -> Iterator[DurableFile]:
    """Open a file under the first of ``paths`` that no file has and no other process is writing.

    It vanishes unless it is committed. A full or read-only disk becomes ``TryLater``.
    """
    with ExitStack() as stack:
        file = next(file for path in paths if (file := _opened_alone(path)))
        stack.callback(file.discard)
        try:
            yield file
        except OSError as error:
            _raise_if_no_room(error, file.path.parent)
            raise


def _opened_alone(path: Path) -> DurableFile | None:
    """Open a new file; None where there is one, or another process writes it, or has left it behind half written."""
    with _must_be_writable(path.parent):
        try:
            file = DurableFile(path, alone=True)
        except FileExistsError:
            return None
    # Asked when nobody else can begin it any more.
    if not path.exists():
        return file
    file.discard()
    return None


def _raise_if_no_room(error: OSError, folder: Path) -> None:
    if error.errno in _NO_ROOM:
        raise TryLater("files.not_writable", folder=str(folder), problem=error.strerror) from None


_Value = TypeVar("_Value")


@contextmanager
def laid_aside(values: Iterable[_Value], folder: Path) -> Iterator[Iterator[_Value]]:
    """Take all ``values``, one at a time, and give them back so: more than memory should hold.

    In between they are in a file of ``folder`` without a name: nobody else sees it, and no crash leaves it behind.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            number = 0
            for value in values:
                pickle.dump(value, file)
                number += 1
            file.seek(0)
            yield (pickle.load(file) for _ in range(number))  # noqa: S301 - only this process could write it
    except OSError as error:
        _raise_if_no_room(error, folder)
        raise


def write_durable(path: Path, data: bytes | memoryview) -> Artefact:
    """Write a file durably of which all bytes are there."""
    with durable(path) as (file,):
        file.write(data)
        return file.commit()


def write_durable_group(folder: Path, contents: Mapping[str, bytes]) -> list[Artefact]:
    """Write a few small files of one folder durably, all at once: the disk is waited for once, not for each of them."""
    with durable(*(folder / name for name in contents)) as files:
        for file, data in zip(files, contents.values(), strict=True):
            file.write(data)
        if len(files) > 1:
            with ThreadPoolExecutor(min(len(files), _AT_ONCE)) as pool:
                list(pool.map(DurableFile.sync, files))
        else:
            for file in files:
                file.sync()
        artefacts = [file.appear() for file in files]
        fsync_folder(folder)
        return artefacts


def write_through(path: Path, writer: Callable[[Path], None]) -> Artefact:
    """Let ``writer`` fill a temporary file, for libraries that want a path, then make it appear durably."""
    part = path.with_name(f".part-{path.name}")
    try:
        writer(part)
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
            artefact = Artefact(path.name, hashlib.file_digest(stream, "sha256").hexdigest(), part.stat().st_size)
        part.replace(path)
        fsync_folder(path.parent)
    except OSError as error:
        _raise_if_no_room(error, path.parent)
        raise
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return artefact


def place_beside(part: Path, wanted: Path, *, otherwise: Path) -> Path:
    """Move a finished file to ``wanted``, a place where people work, without replacing anything that is there.

    A file with the same content is left alone; beside another one the new file gets a number. Where the folder cannot
    be written the file goes ``otherwise``. Returns where it is.
    """
    try:
        return _placed(part, wanted)
    except OSError:
        return _placed(part, otherwise)


def _placed(part: Path, wanted: Path) -> Path:
    content = hash_file(part)
    handle, name = tempfile.mkstemp(prefix=".part-", dir=wanted.parent)
    os.close(handle)
    near = Path(name)
    try:
        shutil.copyfile(part, near)
        shutil.copymode(part, near)
        with near.open("rb") as stream:
            os.fsync(stream.fileno())
        for number in count(1):
            path = wanted if number == 1 else wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
            try:
                path.hardlink_to(near)  # unlike a rename this never replaces
            except FileExistsError:
                if hash_file(path) != content:
                    continue
            break
    finally:
        near.unlink(missing_ok=True)
    fsync_folder(path.parent)
    part.unlink()
    return path


def hash_file(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder that holds every batch's files and the id of the ledger it belongs to."""

    root: Path

    def create(self, ledger_id: str) -> None:
        """Create what is missing; never change the identity that stands there."""
        for folder in (self.root, self.batches_folder(), self.root / "pulls", self.root / "locks"):
            folder.mkdir(parents=True, exist_ok=True)
        if not (self.root / _IDENTITY).exists():
            write_durable(self.root / _IDENTITY, f"{ledger_id}\n".encode())
        # Whoever made the folder of the workspace: a lost name would look like an installation that has sent nothing.
        for folder in self.root.absolute().parents:
            with suppress(PermissionError):
                fsync_folder(folder)

    def ledger_id(self) -> str:
        """Return the id of the ledger this workspace belongs to."""
        try:
            return (self.root / _IDENTITY).read_text().strip()
        except FileNotFoundError:
            raise UsageError("workspace.missing", folder=str(self.root)) from None
        except OSError as error:
            raise UsageError("workspace.denied", folder=str(self.root), problem=error.strerror) from None

    def check_belongs_to(self, ledger_id: str) -> None:
        """Refuse a ledger that is not the one this workspace was made with."""
        if self.ledger_id() != ledger_id:
            raise GuardStopped("ledger.foreign", folder=str(self.root))

    def batches_folder(self) -> Path:
        """Return the folder of all batches' folders."""
        return self.root / "batches"

    def batch_folder(self, batch_id: str) -> Path:
        """Return the folder of a batch."""
        return self.batches_folder() / batch_id

    def month_folder(self, month: str) -> Path:
        """Return the folder of a month's (YYYY-MM) reports."""
        return self.root / "months" / month

    def pulls_folder(self) -> Path:
        """Return the folder of results files: results belong to the account, one file may cover several batches."""
        return self.root / "pulls"

    def new_pull(self, kind: str, moment: str) -> AbstractContextManager[DurableFile]:
        """Open a file for results that are pulled now; several processes and hosts may do so in one second."""
        names = (f"{kind}-{moment}-{secrets.token_hex(4)}.csv" for _ in count())
        return durable_new(self.pulls_folder() / name for name in names)

    def locks_folder(self) -> Path:
        """Return the folder of locks: of the pace, and of the campaigns while the ledger lies in the workspace."""
        return self.root / "locks"

    def checked(self, batch_id: str, artefact: Artefact) -> Path:
        """Return the path of an artefact after checking that it is what was written."""
        return _checked(self.batch_folder(batch_id), artefact)

    def checked_snapshot(self, month: str, snapshot: Artefact) -> Path:
        """Return the path of a closed month's snapshot after the same check."""
        return _checked(self.month_folder(month), snapshot)

    def mark_begun(self, mark: Mark) -> None:
        """Put on disk, before the first byte leaves, that a dispatch is being tried, and for which time."""
        self.mark_group_begun(mark.batch_id, [mark])

    def mark_group_begun(self, batch_id: str, marks: Iterable[Mark]) -> None:
        """Do so for several dispatches of a batch, before the first byte of any of them."""
        write_durable_group(self.batch_folder(batch_id), {marker_name(mark.number): mark.content for mark in marks})

    def begun(self) -> Iterator[Mark]:
        """Yield what every marker says.

        Raises ``GuardStopped`` (``marker.unreadable``) for one that says nothing: what was begun must not be guessed.
        """
        for marker in sorted(self.batches_folder().glob("*/dispatch-*.begun")):
            yield read_mark(marker)


def _checked(folder: Path, artefact: Artefact) -> Path:
    path = folder / artefact.name
    if not path.exists():
        raise GuardStopped("artefact.missing", file=str(path))
    if hash_file(path) != artefact.sha256:
        raise GuardStopped("artefact.changed", file=str(path))
    return path
