"""Folders as FRR's own topotests have them -> `TopologyFile`: who is linked to whom, read and never executed."""

from bgpsim.inputs.files.topotest.folder import load_topotest

__all__ = ["load_topotest"]
