"""What a container of an FRR image does when it starts: FRR's own images start FRR, unless the topology says otherwise.

`docker/alpine/Dockerfile` of FRR: ENTRYPOINT tini, CMD docker-start, which reads /etc/frr/daemons and runs watchfrr in
the foreground; it does so when the container starts, before containerlab has made a link. Docker takes `cmd` in place
of the image's CMD, and an `entrypoint` in place of both.
"""

from __future__ import annotations

import re

from bgpsim.inputs.files.containerlab import NodeDefinition

_STARTS = re.compile(r"docker-start\b|\bfrrinit\.sh['\"]? +(re)?start\b|/watchfrr\b|\bfrr +(re)?start\b")


def has_frr(image: str | None) -> bool:
    """Whether an image is one of FRR's, by its name."""
    return image is not None and "frr" in image


def starts_frr(node: NodeDefinition) -> bool:
    """Whether FRR runs before the node's first `exec` line.

    A node without a `cmd` of its own whose `exec` lines start FRR is left to them (docs/other-networks.md).
    """
    if not has_frr(node.image):
        return False
    if node.cmd is not None or node.entrypoint is not None:
        return _STARTS.search(f"{node.entrypoint or ''} {node.cmd or ''}") is not None
    return not starts_by_line(node)


def starts_by_line(node: NodeDefinition) -> bool:
    """Whether one of its `exec` lines starts FRR."""
    return any(_STARTS.search(line.text) for line in node.exec)
