"""Coverage-guided fuzzing of the reader of input files: any bytes become a table, or a failure with a code.

    .venv-fuzz/bin/python -m tests.fuzz.fuzz_reader --seconds 60
    .venv-fuzz/bin/python -m tests.fuzz.fuzz_reader --replay FINDING

What must hold stands in ``examine``; besides, no input takes longer than ``TIMEOUT`` or more memory than ``MEMORY``.
Each kind of finding is kept as the smallest input that shows it, and the fuzzer goes on.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.fuzz.seeds import WORDS, made, seeds

ROOT: Final = Path(__file__).parents[2]
#: seconds for one input
TIMEOUT: Final = 10
#: megabytes for the process: numpy, pandas and the reader's blocks of 16 MiB are in it
MEMORY: Final = 1000
#: seconds for one process: the fuzzer itself keeps some 12 KiB an input, which is not to be taken for the reader's
ROUND: Final = 120
#: bytes of one input
LONGEST: Final = 2048


def main(arguments: list[str]) -> int:
    """Fuzz, or replay; 1 when something was found."""
    parser = argparse.ArgumentParser(description="Fuzz the reader of input files.")
    parser.add_argument("--seconds", type=int, default=60, help="how long (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="repeat a run (default: another one each time)")
    parser.add_argument("--corpus", type=Path, help="folder of inputs to begin with and to add to (default: none)")
    parser.add_argument("--findings", type=Path, help="folder for what was found (default: a temporary one)")
    parser.add_argument("--replay", type=Path, nargs="+", metavar="FINDING", help="only examine these files")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.replay:
        return _replay(options.replay)
    if options.child:
        _fuzz(options)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        options.corpus = options.corpus or Path(folder, "corpus")
        options.findings = options.findings or Path(tempfile.mkdtemp(prefix="mediasms-fuzz-"))
        return _watch(options)


def _watch(options: argparse.Namespace) -> int:
    """Run the fuzzer as a child: libFuzzer ends its process as it likes, and hangs and crashes must be told too."""
    for folder in (options.corpus, options.findings):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds(LONGEST):
        (options.corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    codes: list[int] = []
    for begun in range(0, options.seconds, ROUND):
        seconds = min(ROUND, options.seconds - begun)
        command = [sys.executable, "-m", "tests.fuzz.fuzz_reader", "--child", f"--seconds={seconds}"]
        command += [f"--corpus={options.corpus}", f"--findings={options.findings}"]
        command += [f"--seed={options.seed + begun if options.seed else 0}"]
        # What takes longer hangs, and not even libFuzzer's own alarm ended it.
        codes.append(subprocess.run(command, cwd=ROOT, check=False, timeout=seconds + 10 * TIMEOUT).returncode)
    found = sorted(options.findings.iterdir())
    for path in found:
        _say(f"\n{path.name}\n  bytes (base64): {base64.b64encode(path.read_bytes()).decode()}")
        _say(f"  again: {sys.executable} -m tests.fuzz.fuzz_reader --replay {path}")
    _say(f"\nfindings: {len(found)}; the fuzzer ended with {', '.join(map(str, codes))}")
    return 1 if found or any(codes) else 0


def _fuzz(options: argparse.Namespace) -> None:
    # Only in .venv-fuzz, and only here: seeds and replays need no fuzzer.
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["pipeline"]):
        examine: Callable[[bytes], str] = importlib.import_module("tests.fuzz.examine").examine
    smallest: dict[str, int] = {}
    outcomes: Counter[str] = Counter()

    def one(mutated: bytes) -> None:
        data = made(mutated)
        try:
            outcomes[examine(data)] += 1
        except Exception as error:  # noqa: BLE001 - any exception is a finding
            kind = _kind(error)
            if len(data) < smallest.get(kind, sys.maxsize):
                smallest[kind] = len(data)
                (options.findings / kind).write_bytes(data)
                _say(f"found: {kind}: {error!r:.300}")
        if outcomes.total() % 5000 == 0:
            _say(f"outcomes: {dict(outcomes.most_common())}")

    with tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".dict") as words:
        for word in WORDS:
            escaped = "".join(f"\\x{byte:02x}" for byte in word)
            words.write(f'"{escaped}"\n')
        words.flush()
        flags = [f"-max_total_time={options.seconds}", f"-timeout={TIMEOUT}", f"-rss_limit_mb={MEMORY}"]
        flags += [f"-max_len={LONGEST}", f"-artifact_prefix={options.findings}/stopped-", f"-dict={words.name}"]
        flags += [f"-seed={options.seed}", "-print_final_stats=1", str(options.corpus)]
        atheris.Setup([sys.argv[0], *flags], one)
        atheris.Fuzz()


def _replay(paths: list[Path]) -> int:
    examine: Callable[[bytes], str] = importlib.import_module("tests.fuzz.examine").examine
    failed = 0
    for path in paths:
        try:
            _say(f"{path}: {examine(path.read_bytes())}")
        except Exception:  # noqa: BLE001 - any exception is a finding
            failed += 1
            _say(f"{path}:\n{traceback.format_exc()}")
    return 1 if failed else 0


def _kind(error: Exception) -> str:
    """Name a finding by what does not hold, or by where it was raised, so that each is kept once."""
    if type(error).__name__ == "BrokenError":
        return str(error.args[0])
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "pipeline" in Path(frame.filename).parts]
    frame = (ours or frames)[-1]
    return f"{type(error).__name__}-{Path(frame.filename).stem}-{frame.lineno}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
