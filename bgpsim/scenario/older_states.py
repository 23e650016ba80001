"""States by step, of a lab that stays: the last few as they are, older ones packed. Most are never asked for again."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterator, MutableMapping

from bgpsim.network.state import NetworkState

WHOLE = 3
"""The step that is played, the one before it, and one more that is often asked for."""
_LEVEL = 1
"""Fast: a state packs to a tenth all the same."""


class OlderStates(MutableMapping[str, NetworkState]):
    """Step -> state. A packed one is unpacked each time that it is asked for."""

    def __init__(self) -> None:
        self._whole: dict[str, NetworkState] = {}
        self._packed: dict[str, bytes] = {}

    def __getitem__(self, step: str) -> NetworkState:
        if step in self._whole:
            return self._whole[step]
        # Bytes that were made here and never left this process's memory.
        state = pickle.loads(zlib.decompress(self._packed[step]))
        assert isinstance(state, NetworkState)
        return state

    def __setitem__(self, step: str, state: NetworkState) -> None:
        self._packed.pop(step, None)
        self._whole[step] = state
        for older in list(self._whole)[:-WHOLE]:
            self._packed[older] = zlib.compress(pickle.dumps(self._whole.pop(older), pickle.HIGHEST_PROTOCOL), _LEVEL)

    def __delitem__(self, step: str) -> None:
        del (self._whole if step in self._whole else self._packed)[step]

    def __iter__(self) -> Iterator[str]:
        yield from self._packed
        yield from self._whole

    def __len__(self) -> int:
        return len(self._packed) + len(self._whole)

    def __contains__(self, step: object) -> bool:
        return step in self._packed or step in self._whole
