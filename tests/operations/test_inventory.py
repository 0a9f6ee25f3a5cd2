"""What of the files that the ledger knows is gone, and whether that stops anything."""

from __future__ import annotations

import errno
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.adapters.marks import Mark
from pipeline.errors import GuardStopped
from pipeline.ledger.dispatches import list_dispatches
from pipeline.operations.inventory import Gap, gaps, mark_again
from pipeline.operations.run import run
from pipeline.simulator import Knobs
from pipeline.stages import send as sending
from pipeline.stages.send import send
from pipeline.stages.validate import Request

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.context import Context
    from pipeline.model import Batch
    from tests.stages.conftest import House


def _over(house: House, context: Context) -> tuple[Batch, Path]:
    """Take a batch of two uploads the whole way, until nothing is left to do."""
    done = run(context, Request(house.recipients(7), "c"))
    house.clock.advance(timedelta(days=9))
    run(context, Request(house.folder / "list.csv", "c"))
    batch = done.validated.batch
    return batch, context.workspace.batch_folder(batch.batch_id)


def test_where_nothing_is_gone_nothing_is_said(house: House, context: Context) -> None:
    _over(house, context)
    house.batch(context, house.recipients(3, "waits.csv", 20))
    assert list(gaps(context)) == []
    assert mark_again(context) == 0


def test_a_marker_that_is_gone_is_said_and_written_again(house: House, context: Context) -> None:
    batch, folder = _over(house, context)
    (folder / "dispatch-0002.begun").unlink()
    (gap,) = gaps(context)
    assert gap == Gap(batch.batch_id, ("dispatch-0002.begun",), has_folder=True, is_over=True, stops=None)
    assert gap.is_finding
    assert mark_again(context) == 1
    # Recovering an older ledger looks for results around the time of sending that stands in a marker.
    (begun,) = (one.begun_at for one in list_dispatches(context.ledger, batch.batch_id) if one.number == 2)
    assert begun is not None
    assert Mark(batch.batch_id, 2, 1, begun, "dispatch-0002.csv") in list(context.workspace.begun())
    assert list(gaps(context)) == []


def test_an_attempt_without_a_byte_needs_no_marker(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = house.recipients(3)
    with monkeypatch.context() as patched:
        patched.setattr(context.workspace.__class__, "mark_begun", _no_room)
        with pytest.raises(OSError, match="no room"):
            house.sent(context, source)
    assert list(gaps(context)) == []
    house.sent(context, source)
    assert list(gaps(context)) == []


def _no_room(*_arguments: object) -> None:
    raise OSError(errno.ENOSPC, "no room")


def test_a_folder_that_was_cleared_away_is_said_and_no_finding_once_its_batch_is_over(
    house: House, context: Context
) -> None:
    batch, folder = _over(house, context)
    shutil.rmtree(folder)
    (gap,) = gaps(context)
    assert (gap.batch_id, gap.has_folder, gap.is_finding, gap.stops) == (batch.batch_id, False, False, None)
    assert {"accepted.csv", "dispatch-0001.csv", "dispatch-0001.begun"} < set(gap.files)
    assert mark_again(context) == 0
    assert not folder.exists()


@pytest.mark.parametrize("planned", [False, True])
def test_what_is_needed_to_send_the_rest_is_named(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, *, planned: bool
) -> None:
    batch = house.batch(context, house.recipients(7))
    name = "accepted.csv"
    if planned:
        name = "dispatch-0001.csv"
        with monkeypatch.context() as patched:
            patched.setattr(sending, "begin_dispatch", _no_room)
            with pytest.raises(OSError, match="no room"):
                send(context, batch)
    path = context.workspace.batch_folder(batch.batch_id) / name
    path.write_bytes(path.read_bytes()[:-1])
    (gap,) = gaps(context)
    assert (gap.files, gap.stops, gap.is_finding) == ((name,), path, True)
    with pytest.raises(GuardStopped):
        send(context, batch)
    assert house.uploads() == 0


def test_of_what_is_unknown_a_lost_folder_is_a_finding(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(http_503_before_reading=True)
    done = run(context, Request(house.recipients(3), "c"))
    assert done.is_unknown
    shutil.rmtree(context.workspace.batch_folder(done.validated.batch.batch_id))
    (gap,) = gaps(context)
    assert (gap.has_folder, gap.is_over, gap.is_finding, gap.stops) == (False, False, True, None)
