"""The generator as a hypothesis strategy."""

from hypothesis import strategies as st

from bgpsim.fuzz.generator import network
from bgpsim.fuzz.sketch import Sketch


@st.composite
def sketches(draw: st.DrawFn, changes: int = 2) -> Sketch:
    """Random networks of any seed."""
    return network(draw(st.integers(0, 1 << 20)), draw(st.integers(0, 1 << 10)), changes)
