"""The embedded gateway: a real HTTP server on loopback that keeps the gateway's contract.

It knows nothing of our own rendering, parsing or sending, so that it is an honest counterpart: what reaches
it was really sent, and what it answers was really read. Carriers and phones are stories told from a seed,
time is virtual, and knobs make it fail the ways gateways and networks fail.
"""

from pipeline.simulator.clock import VirtualClock
from pipeline.simulator.knobs import Knobs
from pipeline.simulator.notifications import Notification
from pipeline.simulator.server import EmbeddedGateway, serve
from pipeline.simulator.store import Message

__all__ = ["EmbeddedGateway", "Knobs", "Message", "Notification", "VirtualClock", "serve"]
