"""Snapshots of closed months: tables of messages, kept as Arrow files."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from pipeline.adapters.files import write_durable
from pipeline.model import Artefact


def write_snapshot(path: Path, table: pa.Table) -> Artefact:
    """Write a table durably, compressed."""
    sink = pa.BufferOutputStream()
    with ipc.new_file(sink, table.schema, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return write_durable(path, memoryview(sink.getvalue()))


def read_snapshot(path: Path) -> pa.Table:
    """Read what ``write_snapshot`` wrote."""
    with pa.memory_map(str(path)) as source:
        return ipc.open_file(source).read_all()
