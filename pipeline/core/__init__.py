"""Pure thinking: no file, no network, no clock. Values in, values out."""
