"""Where a chunk is worked on."""

from pipeline.compute.threads import in_order

__all__ = ["in_order"]
