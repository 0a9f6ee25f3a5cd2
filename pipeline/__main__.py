"""``python -m pipeline`` is ``mediasms``."""

from pipeline.cli.main import main

main()
