"""Typed contents of the input files, with file:line on everything: what is written, not what it means."""
