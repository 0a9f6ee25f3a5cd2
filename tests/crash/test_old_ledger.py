"""The ledger is put back from a backup: the markers beside the uploads remember what it has forgotten."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.crash.place import ACCEPTED, FINDINGS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.place import Place, Places

GUARD = 7


def _sent_and_forgotten(place: Place, tmp_path: Path, mutant: tuple[str, ...] = ()) -> int:
    """Send with a ledger that is then replaced by its copy of before; return how the next run ends."""
    ledger = place.folder / "workspace/ledger.sqlite3"
    shutil.copyfile(ledger, tmp_path / "backup")
    assert place.run(mutant=list(mutant)) == FINDINGS
    assert len(place.copies()) == ACCEPTED
    for path in ledger.parent.glob("ledger.sqlite3*"):
        path.unlink()
    shutil.copyfile(tmp_path / "backup", ledger)
    return place.run()


def test_a_ledger_from_before_the_upload_sends_nothing(places: Places, tmp_path: Path) -> None:
    with places() as place:
        assert _sent_and_forgotten(place, tmp_path) == GUARD
        assert "went back in time" in place.said
        assert set(place.copies().values()) == {1}


def test_without_the_marker_it_would_send_everything_twice(places: Places, tmp_path: Path) -> None:
    with places() as place:
        assert _sent_and_forgotten(place, tmp_path, ("no marker",)) == FINDINGS
        assert set(place.copies().values()) == {2}
