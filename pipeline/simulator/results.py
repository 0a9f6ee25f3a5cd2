"""The results CSV: what has happened to the messages of a period, as far as the clock has come."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.model import StatusClass
from pipeline.simulator.fates import Fates, Happening
from pipeline.simulator.intake import echoed
from pipeline.simulator.numbers import shown
from pipeline.simulator.store import Registration, Store, Taken
from pipeline.simulator.stories import Event, Storyteller
from pipeline.simulator.texts import Cutter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.simulator.knobs import Knobs
    from schemas.profile import Profile

_SENDER = "05000000000"
_SETTING = "組み込みゲートウェイ"
_PIECE_ROWS = 500


def shown_status(profile: Profile, label: str, knobs: Knobs) -> str:
    """Return a status as the account has them: as a label, perhaps with a space in it, or as a number."""
    known = profile.status_by_label.get(label)
    if knobs.numeric_status and known is not None and known.number is not None:
        return str(known.number)
    # The specification prints labels with spaces at such places ("au 自 NW 障害", "ドコモその他 失敗").
    return f"{label[:2]} {label[2:]}" if knobs.spaced_labels else label


class ResultsWriter:
    """Writes result rows of 64 columns in the profile's layout; LF line ends, no header."""

    def __init__(self, profile: Profile, teller: Storyteller, store: Store, fates: Fates) -> None:
        """Read the layout and the forms of times from ``profile``."""
        self._profile = profile
        self._teller = teller
        self._fates = fates
        self._store = store
        self._cutter = Cutter(profile)
        self._at = {column.field: column.number - 1 for column in profile.layout.column}
        self._echo = echoed(profile.layout)
        self._constant = {field: _SENDER for field in self._at if field.startswith("sender_")}
        self._constant |= dict.fromkeys(("clicks2", "clicks3", "clicks4"), "0")
        self._constant["sender_setting"] = _SETTING

    @staticmethod
    def seen_until(now: datetime, knobs: Knobs) -> datetime:
        """Return until when results are shown."""
        return now - timedelta(seconds=knobs.results_delay)

    def pieces(self, start: datetime, end: datetime, now: datetime, knobs: Knobs) -> Iterator[str]:
        """Yield the CSV of messages registered in [start, end), as of ``now``, in pieces of 500 rows."""
        seen_until = self.seen_until(now, knobs)
        rows = self._rows(start, end, seen_until, knobs)
        if knobs.duplicate_results:
            rows = (row for row in rows for _ in range(2))
        rows = islice(rows, knobs.results_cap)
        while piece := list(islice(rows, _PIECE_ROWS)):
            buffer = io.StringIO(newline="")
            csv.writer(buffer, lineterminator="\n").writerows(piece)
            yield buffer.getvalue()

    def _rows(self, start: datetime, end: datetime, seen_until: datetime, knobs: Knobs) -> Iterator[list[str]]:
        for registration in [
            *_foreign(self._store, knobs.foreign, len(self._echo)),
            *self._store.registrations(),
        ]:
            if start <= registration.registered_at < end and registration.registered_at <= seen_until:
                for message in registration.batch:
                    yield from self._history(message, registration.registered_at, seen_until, knobs)

    def _history(
        self, message: Taken, registered_at: datetime, seen_until: datetime, knobs: Knobs
    ) -> Iterator[list[str]]:
        for happening in self._fates.until(message, registered_at, seen_until):
            yield self._row(message, registered_at, happening, knobs)

    def _row(self, message: Taken, registered_at: datetime, happening: Happening, knobs: Knobs) -> list[str]:
        times, event = self._profile.results, happening.event
        out_at = self._fates.goes_out(message, registered_at)
        values = self._constant | dict(zip(self._echo, message.echo, strict=True))
        values |= {
            "msisdn": shown(message.digits),
            "text": message.text,
            "clicks": str(event.clicks),
            "status": shown_status(self._profile, event.label, knobs),
            "status_time": happening.at.strftime(times.status_time_format.value),
            "scheduled": out_at.strftime(times.registered_time_format.value),
            "smsid": message.smsid,
            "carrier": self._teller.carrier(message.digits),
            "parts": self._parts(message.text, event),
        }
        row = [""] * self._profile.layout.columns.value
        for field, at in self._at.items():
            row[at] = values.get(field, "")
        return row

    def _parts(self, text: str, event: Event) -> str:
        parts = self._cutter.parts(text)
        if parts is None:
            return ""
        received = {StatusClass.DELIVERED: parts, StatusClass.PARTIAL: parts // 2}.get(event.received, 0)
        return f"{received}/{parts}"


def _foreign(store: Store, count: int, echo_fields: int) -> list[Registration]:
    """Return the messages of another system of the account: half without smsid, half with its own prefix."""
    registrations = store.registrations()
    if not count or not registrations:
        return []
    messages = [
        Taken(
            smsid=f"web{number:07d}" if number % 2 else "",
            digits=f"0809{number:07d}",
            text="他システムからのお知らせ",
            linked=False,
            echo=("",) * echo_fields,
        )
        for number in range(1, count + 1)
    ]
    return [Registration("", registrations[0].registered_at, tuple(messages))]
