"""Requests that are more, or less, than one stage."""
