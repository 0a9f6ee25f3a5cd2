"""The power fails: what was not synced is gone, and the next run still sends once, forgets nobody, and trusts no rest.

A run is killed after an effect; then its files become what a disk may hold after a loss of power at that moment. The
ledger is left as it is: a commit of SQLite with ``synchronous=FULL`` is on disk when it returns.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import defaultdict
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import Knobs
from tests.crash.place import FINDINGS, LATE, killed, see_through

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.crash.place import Place, Places

SHARES = 4
#: what stays as it is: the user's own list, the ledger, the locks, and our own journal
KEPT = {"list.csv", "mediasms.toml", "ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm", "ledger.id"}
WORLDS = ("nothing unsynced", "names without data", "names with half the data")


class Disk:
    """What a disk holds: names as programs see them and as they are synced, and which files' bytes are synced."""

    def __init__(self, operations: Iterable[list[str]]) -> None:
        self.seen: dict[Path, int] = {}
        self.synced: dict[Path, int] = {}
        self.whole: set[int] = set()
        #: folders that were made, as far as their names are synced
        self.folders: dict[Path, bool] = {}
        self._numbers = count()
        for verb, *paths in operations:
            if verb not in {"commit", "upload", "single"}:
                getattr(self, f"_{verb}")(*map(Path, paths))

    def _open(self, path: Path) -> None:
        self.seen[path] = next(self._numbers)

    def _write(self, path: Path) -> None:
        self.whole.discard(self.seen[path])

    def _mkdir(self, path: Path) -> None:
        self.folders[path] = False

    def _rename(self, path: Path, target: Path) -> None:
        self.seen[target] = self.seen.pop(path)

    def _link(self, path: Path, target: Path) -> None:
        self.seen[target] = self.seen[path]

    def _remove(self, path: Path) -> None:
        self.seen.pop(path, None)

    def _fsync(self, path: Path) -> None:
        if not path.is_dir():
            self.whole.add(self.seen.setdefault(path, next(self._numbers)))
            return
        self.synced = {name: file for name, file in self.synced.items() if name.parent != path}
        self.synced |= {name: file for name, file in self.seen.items() if name.parent == path}
        self.folders |= {folder: True for folder in self.folders if folder.parent == path}

    def after(self, world: str) -> dict[Path, Callable[[bytes], bytes]]:
        """Return the files that are there after a loss of power, each with what becomes of its bytes."""
        rest: Callable[[bytes], bytes] = _half if world.endswith("half the data") else _nothing
        if world != "nothing unsynced":
            return {name: _whole if file in self.whole else rest for name, file in self.seen.items()}
        lost = [folder for folder, is_synced in self.folders.items() if not is_synced]
        return {
            name: _whole if file in self.whole else rest
            for name, file in self.synced.items()
            if not any(name.is_relative_to(folder) for folder in lost)
        }


def _whole(data: bytes) -> bytes:
    return data


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _nothing(_: bytes) -> bytes:
    return b""


def _lose_power(place: Place, world: str) -> None:
    """Make the files what a disk may hold now."""
    disk = Disk(place.operations)
    contents: dict[int, bytes] = {number: path.read_bytes() for path, number in disk.seen.items() if path.is_file()}
    numbers = disk.seen | disk.synced
    left = {path: change(contents[numbers[path]]) for path, change in disk.after(world).items()}
    for path in place.folder.iterdir():
        if path.is_file() and path.name not in KEPT:
            path.unlink()
    for name in ("batches", "pulls"):
        shutil.rmtree(place.folder / "workspace" / name)
        (place.folder / "workspace" / name).mkdir()
    for path, data in left.items():
        if path.is_relative_to(place.folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def _damaged(place: Place) -> list[str]:
    """Return which files the ledger knows that are not there as it knows them."""
    known: dict[Path, str] = {}
    batches = place.folder / "workspace/batches"
    for batch, artefacts in place.query("SELECT batch_id, artefacts FROM batch"):
        known |= {batches / batch / one["name"]: one["sha256"] for one in json.loads(artefacts)}
    for batch, name, digest in place.query("SELECT batch_id, payload_name, payload_sha256 FROM dispatch"):
        known[batches / batch / name] = digest
    for name, digest in place.query("SELECT file, sha256 FROM pull"):
        known[place.folder / "workspace/pulls" / name] = digest
    return [
        f"{path.name} is not what the ledger knows"
        for path, digest in known.items()
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != digest
    ]


def _fail(
    places: Places, number: int, world: str, mutant: tuple[str, ...] = (), knobs: Knobs | None = None
) -> list[str]:
    """Lose power after an effect and see it through; return what was wrong."""
    with places(knobs) as place:
        problems = killed(place, number, "after", mutant)
        _lose_power(place, world)
        return problems or _damaged(place) or see_through(place) or _damaged(place)


def _effects(places: Places, knobs: Knobs | None = None) -> list[str]:
    with places(knobs) as place:
        assert place.run(watched=True) == FINDINGS
        return place.effects


def test_power_is_lost_around_the_first_byte(places: Places) -> None:
    effects = _effects(places)
    wanted = {"commit register_batch", "commit plan_batch", "rename dispatch-0001.begun", "upload last byte"}
    numbers = {name: number for number, name in enumerate(effects, 1) if name in wanted}
    assert numbers.keys() == wanted
    found = {name: _fail(places, number, WORLDS[0]) for name, number in numbers.items()}
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_a_name_that_is_not_synced_is_found(places: Places) -> None:
    number = _effects(places).index("commit begin_dispatch") + 1
    assert "is not what the ledger knows" in _fail(places, number, WORLDS[0], ("no fsync",))[0]


@pytest.mark.crash
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("world", WORLDS)
def test_power_is_lost_after_every_effect(
    places: Places, record_property: Callable[[str, object], None], world: str, share: int
) -> None:
    knobs = Knobs(results_delay=LATE)
    effects = _effects(places, knobs)
    numbers = range(1, len(effects) + 1)[share::SHARES]
    wrong: dict[str, list[str]] = defaultdict(list)
    for number in numbers:
        wrong[f"{number} ({effects[number - 1]})"] += _fail(places, number, world, knobs=knobs)
    record_property("losses of power", len(numbers))
    assert {name: problems for name, problems in wrong.items() if problems} == {}
