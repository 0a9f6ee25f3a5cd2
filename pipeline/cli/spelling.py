"""Commands as they are suggested: whole, quoted for a shell, and for the installation that suggests them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

#: the configuration of a command that names none
CONFIG = Path("mediasms.toml")
#: a command within a sentence of the catalogue
_WITHIN = re.compile(r"`(mediasms [^`]+)`")


def spelled(config: Path, *words: object) -> str:
    """Return a command ready to paste: these ``words``, and the configuration where it is not the usual one."""
    return shlex.join(["mediasms", *map(str, words)]) + _configuration(config)


def completed(hint: str, config: Path) -> str:
    """Return a hint whose commands name the configuration: without it they would look into another installation."""
    return _WITHIN.sub(lambda found: f"`{found[1]}{_configuration(config)}`", hint)


def _configuration(config: Path) -> str:
    return "" if config == CONFIG else f" --config {shlex.quote(str(config))}"
