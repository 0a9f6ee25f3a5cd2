"""All that the embedded gateway knows, shared by its interfaces and its owner."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pipeline.simulator.access import Access
from pipeline.simulator.desk import Desk
from pipeline.simulator.fates import Fates
from pipeline.simulator.knobs import Knobs
from pipeline.simulator.notifications import Notifications
from pipeline.simulator.results import ResultsWriter, shown_status
from pipeline.simulator.store import Message, Store
from pipeline.simulator.stories import Storyteller

if TYPE_CHECKING:
    from pipeline.simulator.clock import VirtualClock
    from schemas.profile import Profile


class GatewayState:
    """One account of the gateway. The server's thread takes messages; any thread turns knobs and looks."""

    def __init__(self, profile: Profile, *, seed: int, credentials: tuple[str, str], clock: VirtualClock) -> None:
        """Open an account with ``credentials`` (user name, password) and no messages."""
        limits = profile.limits
        self.profile = profile
        self.clock = clock
        self.credentials = credentials
        self.teller = Storyteller(profile, seed)
        self.store = Store()
        self.fates = Fates(self.teller)
        self.results = ResultsWriter(profile, self.teller, self.store, self.fates)
        self.desk = Desk(profile, self.teller, self.store)
        self.notifications = Notifications(
            self.fates, clock, credentials, lambda: self.knobs, partial(shown_status, profile)
        )
        self.access = Access(
            *credentials,
            lockout_answers=limits.lockout_answers.value,
            per_second=limits.requests_per_second.value,
            get_bytes=limits.get_bytes.value,
        )
        self.requests: Counter[str] = Counter()
        self._knobs = Knobs()
        self._lock = threading.Lock()

    @property
    def knobs(self) -> Knobs:
        """The knobs as they stand."""
        with self._lock:
            return self._knobs

    @knobs.setter
    def knobs(self, knobs: Knobs) -> None:
        with self._lock:
            self._knobs = knobs

    def knobs_for_a_send(self) -> Knobs:
        """Return the knobs for one send and use up one of the faults they hold."""
        with self._lock:
            knobs = self._knobs
            if knobs.fault is not None:
                self._knobs = replace(knobs, faults=knobs.faults - 1)
            return knobs

    def messages(self) -> tuple[Message, ...]:
        """Return what was taken, one entry per smsid and number; messages without smsid stand alone."""
        found: dict[tuple[str, str, int], Message] = {}
        for registration in self.store.registrations():
            for message in registration.batch:
                key = (message.smsid, message.digits, 0 if message.smsid else len(found))
                copies = found[key].copies + 1 if key in found else 1
                first = found.get(key) or Message(
                    smsid=message.smsid,
                    msisdn=message.digits,
                    text=message.text,
                    carrier=self.teller.carrier(message.digits),
                    csvid=registration.csvid,
                    registered_at=registration.registered_at,
                    copies=copies,
                    parameters=message.parameters,
                )
                found[key] = replace(first, copies=copies)
        return tuple(found.values())
