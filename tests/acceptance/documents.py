"""Pages whose console blocks are executed.

Before a block stands ``<!-- console: exits 0 1 -->``, one exit code a command; ``gateway`` in it has the embedded
gateway running. Other lines of a block have to occur in what the commands before them said; ``…`` stands for anything
within a line, ``BATCH`` for the id of the only batch, ``CHECKOUT`` for the folder of the sources. A block of TOML
behind ``<!-- mediasms.toml -->`` is added to the configuration.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.acceptance.conftest import Home

_ROOT = Path(__file__).parents[2]
CONSOLE = re.compile(r"<!-- console: (gateway, )?exits ([0-9 ]+) -->\n```console\n(.*?)```", re.DOTALL)
_PART = re.compile(rf"{CONSOLE.pattern}|<!-- mediasms.toml -->\n```toml\n(.*?)```", re.DOTALL)


def execute(page: str, home: Home) -> None:
    """Do what a page says, in its order."""
    account = dict(home.environment)
    for needs_gateway, exits, block, toml in _PART.findall(page):
        if toml:
            with (home.folder / "mediasms.toml").open("a", encoding="utf-8") as file:
                file.write(f"\n{toml}")
            continue
        home.environment = account if needs_gateway else {}
        _execute(block, [int(code) for code in exits.split()], home)
    home.environment = account


def _execute(block: str, exits: list[int], home: Home) -> None:
    said, codes = "", []
    for line in block.splitlines():
        if not line.startswith("$ "):
            pattern = ".*".join(map(re.escape, line.split("…")))
            assert re.search(pattern, said), line
            continue
        command = line.removeprefix("$ ")
        if "BATCH" in command:
            (batch,) = home("status", "--json").document["batches"]
            command = command.replace("BATCH", batch["batch_id"])
        program, *arguments = shlex.split(command.replace("CHECKOUT", str(_ROOT)))
        if program == "cp":
            codes.append(subprocess.run([program, *arguments], cwd=home.folder, check=False).returncode)
            continue
        assert program == "mediasms"
        done = home(*arguments)
        said = done.out + done.err
        codes.append(done.code)
    assert codes == exits, block
