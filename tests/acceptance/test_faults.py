"""Limits of the machine, met by the installed command: a disk that is full, a folder that may not be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

RUN = ("run", "sample_data/recipients.csv", "--campaign", "demo", "--yes", "--json")
#: the command in a process that may write no file beyond so many bytes: what a full disk looks like from inside
LIMITED = """
import resource, pipeline.cli.main as m
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, before[1]))
try:
    m.main()
finally:  # what measures the tests writes at the very end
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
"""


@pytest.mark.parametrize("limit", [4_096, 40_000, 120_000, 200_000])
def test_a_disk_that_is_full_is_said_and_a_retry_sends_everything_once(
    home: Home, gateway: EmbeddedGateway, limit: int
) -> None:
    home.init()
    done = home(*RUN, python=("-c", LIMITED.format(limit=limit)))
    assert done.code in {4, 5}, done
    assert (done.code == 5) == bool(gateway.messages and done.document["error"] == "send.unrecorded"), done
    assert "Traceback" not in done.err
    assert "hint: " in done.err
    assert [path for path in home.workspace.rglob("*.part*") if path.is_file()] == []
    for _ in range(3):
        home(*RUN)
    (batch,) = home("status", "--json").document["batches"]
    assert batch["states"] == {"taken": 455}
    assert {message.copies for message in gateway.messages} == {1}
    assert home("ledger", "check").code == 0
