"""The command line: parse, one call, print. The only place that prints, asks or exits."""
