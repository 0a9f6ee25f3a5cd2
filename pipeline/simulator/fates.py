"""How far a message has come: what was decided when it was taken, then its story, unless it was cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pipeline.model import StatusClass
from pipeline.simulator.stories import CHECKED_OTHER, PROCESSING, Event, Storyteller

if TYPE_CHECKING:
    from pipeline.simulator.store import Taken

CANCELLED = "キャンセル済"
BEFORE_SENDING = "送信前"

_AT_ONCE = timedelta(seconds=1)


class Happening(NamedTuple):
    """Something that happened to a message, and when."""

    at: datetime
    event: Event


class Fates:
    """Tells what happened to messages until a moment. Written by the server's thread."""

    def __init__(self, teller: Storyteller) -> None:
        """Begin without cancellations."""
        self._teller = teller
        self._cancelled: dict[str, datetime] = {}

    def goes_out(self, message: Taken, registered_at: datetime) -> datetime:
        """Return when the message leaves the gateway, if nothing stops it."""
        return datetime.fromisoformat(message.due) if message.due else registered_at

    def is_waiting(self, message: Taken, registered_at: datetime, now: datetime) -> bool:
        """Say whether the message can still be cancelled."""
        if message.verdict or self._is_cancelled(message, registered_at):
            return False
        return now < self.goes_out(message, registered_at)

    def cancel(self, smsid: str, now: datetime) -> None:
        """Cancel what is waiting under ``smsid``."""
        self._cancelled[smsid] = now

    def all(self, message: Taken, registered_at: datetime) -> list[Happening]:
        """Return everything that will have happened to a message, in order of time."""
        if self._is_cancelled(message, registered_at):
            return [Happening(self._cancelled[message.smsid], Event(timedelta(0), CANCELLED))]
        start = self.goes_out(message, registered_at)
        if message.verdict:
            return [Happening(start + _AT_ONCE, Event(_AT_ONCE, message.verdict))]
        checked: list[Happening] = []
        if message.check:
            verdict = self._teller.checked(message.digits, message.smsid)
            checked = [Happening(start + _AT_ONCE, Event(_AT_ONCE, verdict, received=StatusClass.NO_VERDICT))]
            if message.check == "check" or verdict == CHECKED_OTHER:
                return checked
        events = self._teller.events(message.digits, message.smsid, linked=message.linked, fate=message.fate)
        return [*checked, *(Happening(start + event.after, event) for event in events)]

    def until(self, message: Taken, registered_at: datetime, moment: datetime) -> list[Happening]:
        """Return what had happened at ``moment``: never nothing, as a message that waits is in some state too."""
        happened = [one for one in self.all(message, registered_at) if one.at <= moment]
        if happened:
            return happened
        waits = message.due and moment < self.goes_out(message, registered_at)
        return [Happening(registered_at, Event(timedelta(0), BEFORE_SENDING if waits else PROCESSING))]

    def _is_cancelled(self, message: Taken, registered_at: datetime) -> bool:
        # Those of the same smsid that came later, or had left already, were not meant.
        at = self._cancelled.get(message.smsid) if message.smsid else None
        return at is not None and not message.verdict and registered_at <= at < self.goes_out(message, registered_at)
