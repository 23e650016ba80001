"""The network of a seed and an index: always the same one."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from random import Random

from bgpsim.fuzz import draws
from bgpsim.fuzz.announcements import Announcer, draw_speakers
from bgpsim.fuzz.changes import Changes
from bgpsim.fuzz.draft import Draft
from bgpsim.fuzz.sessions import draw_link
from bgpsim.fuzz.shapes import draw_as_numbers, draw_shape
from bgpsim.fuzz.sketch import Action, End, Host, Sketch, Step

MOST_ROUTERS = 10
START = "start"


def network(seed: int, index: int, changes: int = 4) -> Sketch:
    """Network `index` of `seed`, with so many changes; with fewer they are the first ones."""
    random = Random(f"{seed}/{index}")
    shape, edges = draw_shape(random)
    numbers = sorted({router for edge in edges for router in edge})
    plan, as_numbers = draw_as_numbers(random, shape, numbers)
    drafts = {n: Draft(n, f"r{n}", as_numbers[n]) for n in numbers}
    for draft in drafts.values():
        _loopbacks(random, draft)
        draws.begin(random, draft)
    links: list[tuple[End, End]] = []
    for number, (a, b) in enumerate(edges):
        near, far = draw_link(random, number, drafts[a], drafts[b])
        links.append(((drafts[a].name, near), (drafts[b].name, far)))
    cabled = list(links)
    hosts = _hosts(random, list(drafts.values()), links)
    for draft in drafts.values():
        draws.finish(random, draft)
        if random.random() < 0.1:
            draft.commands.append(f"ip route add blackhole 10.8.{draft.number}.0/24")
    routers = tuple(draft.made() for draft in drafts.values())
    speakers = draw_speakers(random, list(drafts.values()))
    announcer = Announcer(speakers)
    first = [Action("announce", *announcer.announce(random)) for _ in range(_announcements(random, len(speakers)))]
    steps = [Step(START, tuple(_once(first)))]
    changing = Changes({draft.name: draft for draft in drafts.values()}, cabled, announcer)
    for number in range(1, changes + 1):
        steps.append(Step(f"change {number}", (changing.draw(random),)))
    about = f"Network {index} of seed {seed}: {shape}, {len(numbers)} routers, AS numbers: {plan}."
    return Sketch(f"fuzz-{seed}-{index}", about, routers, hosts, tuple(links), tuple(speakers), tuple(steps))


def _announcements(random: Random, speakers: int) -> int:
    return random.randint(1, 2 * speakers) if speakers else 0


def _once(actions: list[Action]) -> list[Action]:
    """Without a second announcement of the same route to the same router: one step says one thing."""
    found: dict[tuple[str, str, int], Action] = {}
    for action in actions:
        found.setdefault((action.device, action.value["prefix"], action.value.get("path-id", 0)), action)
    return list(found.values())


def _loopbacks(random: Random, draft: Draft) -> None:
    draft.commands.append(f"ip addr add {draft.loopback}/32 dev lo")
    draft.prefixes.append(IPv4Network(f"{draft.loopback}/32"))
    if random.random() < 0.5:
        draft.ipv6 = True
        draft.commands.append(f"ip addr add {draft.loopback6}/128 dev lo")
        draft.prefixes.append(IPv6Network(f"{draft.loopback6}/128"))


def _hosts(random: Random, drafts: list[Draft], links: list[tuple[End, End]]) -> tuple[Host, ...]:
    """Up to three, each behind a router of its own: packets go between every two."""
    count = min(len(drafts), random.choice((0, 1, 2, 2, 3)))
    hosts = []
    for number, draft in enumerate(random.sample(drafts, k=count), start=1):
        net4, net6 = IPv4Network(f"10.2.{number}.0/24"), IPv6Network(f"fd00:2:{number}::/64")
        draft.commands.append(f"ip addr add {net4[1]}/24 dev host")
        draft.prefixes.append(net4)
        commands = [f"ip addr add {net4[2]}/24 dev net0", f"ip route replace default via {net4[1]}"]
        if draft.ipv6 and random.random() < 0.7:
            draft.commands.append(f"ip addr add {net6[1]}/64 dev host")
            draft.prefixes.append(net6)
            commands += [f"ip addr add {net6[2]}/64 dev net0", f"ip -6 route replace default via {net6[1]}"]
        hosts.append(Host(f"h{number}", tuple(commands)))
        links.append(((draft.name, "host"), (f"h{number}", "net0")))
    return tuple(hosts)
