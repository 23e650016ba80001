"""The shipped lab's input files are those of the text that published it, byte for byte."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SEED = REPOSITORY / "scenarios" / "cilium-bgp"

PUBLISHED = {
    "topo.yml": "8fe263bf39da89f493c4a4be2a3ffcc6ddfd76ce4edcc2b075a9031583cdefa2",
    "cluster.yml": "04de6793e18026346223f4f204e06d36ef19a5984f19d4dd4f7a9c4ae6ad4c8d",
    "cilium-bgp-peering-policies.yaml": "9139054c974ab562c1eed9a5a1f5c44bccc369a795d31389d24544c566be8d08",
    "netshoot-ds.yaml": "247901e7692c7d6be34915a96465c58bd592c37244e3df806237f7cae36d97c8",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_file_is_as_it_was_published(name: str) -> None:
    """SHA-256 of the fenced code blocks of the lab's published text ("BGP on Cilium"), from the line after the opening
    fence to the newline before the closing one, that newline included.
    """
    assert hashlib.sha256((SEED / name).read_bytes()).hexdigest() == PUBLISHED[name]


def test_git_leaves_their_line_ends_alone() -> None:
    """Or a checkout with `core.autocrlf` would change them, and the digests with them."""
    lines = (REPOSITORY / ".gitattributes").read_text().splitlines()
    assert {"scenarios/cilium-bgp/*.yml -text", "scenarios/cilium-bgp/*.yaml -text"} <= set(lines)
