"""Repeats: has the same gone out in another campaign?

Asked before anything leaves, and once more about whatever others begin meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from pipeline.context import Context
from pipeline.core.digests import Text
from pipeline.errors import GuardStopped
from pipeline.ledger.batches import made_from, origins
from pipeline.ledger.repeats import (
    Earlier,
    Overtaken,
    Seen,
    anything_sent_elsewhere,
    cancelled_before,
    look_at_others,
    repeats_elsewhere,
    same_content_elsewhere,
    texts_of,
)
from pipeline.model import Batch
from pipeline.stages.planning import accepted_rows, digests, rows_with
from pipeline.stages.unreached import unreached_of
from schemas.recipients import ROW_NUMBER

#: so many rows are named
_SHOWN = 3
_Begun = TypeVar("_Begun")


def stop_if_repeated(context: Context, batch: Batch, waiting: Container[str]) -> None:
    """Stop when the same went out before in another campaign, or was cancelled by a person in this one."""
    if cancelled := cancelled_before(context.ledger, batch):
        raise GuardStopped("guard.cancelled_before", batch=batch.batch_id, cancelled=cancelled)
    others = _Others(context, batch)
    others.stop_if_same_content()
    if others.may_have_texts():
        others.stop_if_same_texts(_numbered(context, batch, waiting))


def _numbered(context: Context, batch: Batch, waiting: Container[str]) -> Iterator[list[tuple[int, Text]]]:
    """Yield row number and text of what waits, chunk by chunk."""
    for chunk in accepted_rows(context, batch):
        rows = rows_with(chunk, waiting)
        yield list(
            zip(rows[ROW_NUMBER].tolist(), zip(rows["msisdn"].tolist(), digests(rows), strict=True), strict=True)
        )


class _Others:
    """What other campaigns have sent, as far as it may be what a batch is to send.

    Of a batch for those whom another campaign has not reached, their messages there are known not to have arrived, and
    so may those be of other campaigns for the same people. Where one of them is not known for that, or not any more, it
    counts however long ago it was sent: results may come late.
    """

    def __init__(self, context: Context, batch: Batch) -> None:
        from_ = origins(context.ledger, batch.batch_id)
        self.context = context
        self.batch = batch
        self.related = (from_ | made_from(context.ledger, from_)) - {batch.campaign}
        self.failed = unreached_of(context, self.related)

    @property
    def since(self) -> datetime:
        """Return after when a text counts as a repeat."""
        return self.context.now() - timedelta(days=self.context.settings.send.repeat_guard_days)

    def stop_if_same_content(self) -> None:
        """Stop when another campaign has sent the same content."""
        if elsewhere := same_content_elsewhere(self.context.ledger, self.batch, self.failed):
            raise GuardStopped("guard.same_content", campaign=elsewhere, batch=self.batch.batch_id)

    def may_have_texts(self) -> bool:
        """Say whether any text can be a repeat at all: if not, nothing has to be read."""
        return bool(self.related) or anything_sent_elsewhere(self.context.ledger, self.batch.campaign, self.since)

    def stop_if_same_texts(self, chunks: Iterable[Collection[tuple[int, Text]]]) -> None:
        """Stop when any of these texts, by row number, went to its number in another campaign."""
        count, first = 0, dict[int, Earlier]()
        for chunk in chunks:
            texts = [text for _, text in chunk]
            found = repeats_elsewhere(
                self.context.ledger, self.batch.campaign, texts, self.since, self.failed, self.related
            )
            repeated = [(row, found[text]) for row, text in chunk if text in found]
            count += len(repeated)
            first |= dict(repeated[: _SHOWN - len(first)])
        if count:
            shown = ", ".join(f"{row} ({_told(earlier)})" for row, earlier in first.items())
            more = " …" if count > len(first) else ""
            days = self.context.settings.send.repeat_guard_days
            raise GuardStopped("guard.repeated_text", count=count, days=days, rows=shown + more)


def _told(earlier: Earlier) -> str:
    when = f"{earlier.sent_at:%Y-%m-%d %H:%M}" if earlier.sent_at else "?"
    return f"{earlier.campaign}, {when}"


class Meanwhile:
    """What other campaigns begin while a batch is asked about, planned and sent: two may send one list at a time.

    Make it before the guards are asked. Whoever begins is told in that very transaction that another one was first.
    """

    def __init__(self, context: Context, batch: Batch, *, again: bool) -> None:
        """``again``: a person permits that the same goes out twice, so nobody looks."""
        self._context = context
        self._batch = batch
        self._seen: Seen | None = None if again else look_at_others(context.ledger)
        #: once others have come first, whatever begins later is compared with what they sent, too
        self._others: _Others | None = None

    def begin(self, dispatches: Collection[str], begin: Callable[[Seen | None], _Begun]) -> _Begun:
        """Begin some dispatches, looking again as often as others came first.

        Raises ``GuardStopped`` when they have begun to send the same; then nothing was begun.
        """
        while True:
            if self._others:
                self._others.stop_if_same_texts([texts_of(self._context.ledger, dispatches)])
            try:
                return begin(self._seen)
            except Overtaken:
                self._seen = look_at_others(self._context.ledger)
                self._others = _Others(self._context, self._batch)
                self._others.stop_if_same_content()
