"""What a reconciliation is made of: messages and observations as Arrow tables, and the ledger's own counts of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels.strings import Mask
from pipeline.model import Batch, NumberCheck

#: texts of which a table has few different ones
WORD = pa.dictionary(pa.int32(), pa.string())
TIME = pa.timestamp("us", "UTC")

#: messages in the order in which reports show them
MESSAGES = pa.schema(
    [
        ("row_number", pa.int64()),
        ("smsid", pa.large_string()),
        ("msisdn", pa.large_string()),
        ("batch_id", WORD),
        ("campaign", WORD),
        ("cost_centre", WORD),
        ("state", WORD),
        ("reason", WORD),
        ("characters", pa.int32()),
        ("double_byte", pa.bool_()),
        ("sent_at", TIME),
    ]
)

#: observations in an order that means nothing
OBSERVATIONS = pa.schema(
    [
        ("smsid", pa.large_string()),
        ("msisdn", pa.large_string()),
        ("status", WORD),
        ("status_time", TIME),
        ("carrier", WORD),
        ("parts_total", pa.int32()),
        ("registered_at", TIME),
        # when it reached us, where no pull says so
        ("received_at", TIME),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is known of some batches. The tables are ``MESSAGES`` and ``OBSERVATIONS``, in any chunks.

    ``batches`` has the batch of every message. ``observed`` is the ledger's own count of the observations, to check
    ours against. Smsids that begin with ``prefix`` are of this ledger. ``cancelled`` are those of messages of which the
    gateway has answered that it cancelled them.
    """

    messages: pa.Table
    observations: pa.Table
    batches: tuple[Batch, ...]
    observed: int
    prefix: str
    cancelled: frozenset[str] = frozenset()

    def asked(self, check: NumberCheck) -> Mask:
        """Say of which messages the gateway was asked for this check."""
        wanted = {batch.batch_id for batch in self.batches if batch.number_check is check}
        if not wanted:
            return np.zeros(len(self.messages), bool)
        batch, names = kernel.words(self.messages["batch_id"])
        return np.array([name in wanted for name in names] or [False])[batch]
