"""A sketch with a prefix before the name of every device: many networks of one lab need names of their own."""

from __future__ import annotations

from dataclasses import replace

from bgpsim.fuzz.sketch import Action, Sketch


def prefixed(sketch: Sketch, prefix: str) -> Sketch:
    """The same network otherwise."""

    def action(one: Action) -> Action:
        value = one.value
        if one.key in ("announce", "replace", "withdraw"):
            value = {**value, "to": [prefix + router for router in value["to"]]}
        return replace(one, device=prefix + one.device, value=value)

    return replace(
        sketch,
        name=prefix + sketch.name,
        routers=tuple(replace(router, name=prefix + router.name) for router in sketch.routers),
        hosts=tuple(replace(host, name=prefix + host.name) for host in sketch.hosts),
        links=tuple(((prefix + a, i), (prefix + b, j)) for (a, i), (b, j) in sketch.links),
        speakers=tuple(
            replace(s, name=prefix + s.name, peers=tuple(prefix + peer for peer in s.peers)) for s in sketch.speakers
        ),
        steps=tuple(replace(step, actions=tuple(map(action, step.actions))) for step in sketch.steps),
    )
