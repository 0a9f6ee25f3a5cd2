"""The same places as those in which runs are killed, with a wire in front of the gateway."""

from __future__ import annotations

from tests.crash.conftest import nursery, places, profile

__all__ = ["nursery", "places", "profile"]
