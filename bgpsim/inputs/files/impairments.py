"""What a step does to a link short of taking it down: delay, loss and rate, or silence. As written, values resolved."""

from __future__ import annotations

from dataclasses import dataclass

from bgpsim.inputs.quantities import duration_text, rate_text
from bgpsim.source import Source

MOST_DELAY = 2_000_000
"""Microseconds, with jitter: a TCP connection over more hardly comes to be within a BGP connect timer."""
MOST_CERTAIN_LOSS = 10.0
"""Per cent up to which a session is sure to hold. A keepalive has some five transmissions (0.2 s, doubled each time;
RFC 6298) before a hold time of 9 s is over, so one in 100,000 comes too late; with 30 %, one in 400."""
LEAST_CERTAIN_RATE = 64_000
"""Bits per second below which keepalives may wait behind updates for longer than a hold time."""
MOST_CERTAIN_DELAY = 250_000
"""Microseconds, with jitter, up to which TCP has no reason to send again what is only late."""


@dataclass(frozen=True, slots=True)
class Impairment:
    """What becomes of packets that leave by an interface; all zero: nothing."""

    delay: int = 0
    """Microseconds."""
    jitter: int = 0
    """Microseconds by which the delay varies, evenly, to either side."""
    loss: float = 0.0
    """Per cent; 100: nothing passes."""
    rate: int = 0
    """Bits per second; 0: no limit."""

    @property
    def nothing(self) -> bool:
        return self == Impairment()

    @property
    def silent(self) -> bool:
        return self.loss >= 100

    def uncertain(self) -> str | None:
        """Why sessions over it may come and go; None where they hold."""
        if self.loss > MOST_CERTAIN_LOSS:
            return f"with a loss of more than {MOST_CERTAIN_LOSS:g}% keepalives may be lost for a whole hold time"
        if 0 < self.rate < LEAST_CERTAIN_RATE:
            return f"below {rate_text(LEAST_CERTAIN_RATE)} keepalives may wait behind updates for a whole hold time"
        if self.delay + self.jitter > MOST_CERTAIN_DELAY:
            return f"with a delay of more than {duration_text(MOST_CERTAIN_DELAY)} connections may not come up in time"
        return None

    def __str__(self) -> str:
        said = [
            ("delay", duration_text(self.delay), self.delay),
            ("jitter", duration_text(self.jitter), self.jitter),
            ("loss", f"{self.loss:g}%", self.loss),
            ("rate", rate_text(self.rate), self.rate),
        ]
        return " ".join(f"{name} {text}" for name, text, value in said if value) or "nothing"


@dataclass(frozen=True, slots=True)
class Impaired:
    """An impairment in force at one interface."""

    device: str
    interface: str
    impairment: Impairment
    source: Source
    both: bool = True
    """The other end is impaired alike."""
