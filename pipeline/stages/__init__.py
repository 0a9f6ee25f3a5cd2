"""The stages, in order. Each is a short script: read, think, record, write."""

STAGES = ("validate", "send", "pull", "reconcile")
