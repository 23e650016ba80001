"""FRR's configuration language: its command syntax, its modes, and the one registry of statements."""
