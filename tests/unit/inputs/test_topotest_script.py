"""A topotest's Python file: read, never executed."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent, indent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.errors import InputError
from bgpsim.inputs.files.topotest.plan import Plan
from bgpsim.inputs.files.topotest.script import read_script

START = "def setup_module(mod):\n    tgen = Topogen(build_topo, mod.__name__)\n"


def read(body: str, before: str = "") -> Plan:
    text = f"{dedent(before)}\ndef build_topo(tgen):\n{indent(dedent(body).strip(chr(10)), '    ')}\n{START}"
    plan = read_script(text, "test_x.py")
    assert plan is not None
    return plan


def links(plan: Plan) -> list[tuple[str, ...]]:
    return [tuple(f"{name}:{interface}" for name, interface in link.ends) for link in plan.links]


WRITTEN_OUT = [
    # One by one.
    """
    tgen.add_router("r1")
    tgen.add_router("r2")
    switch = tgen.add_switch("s1")
    switch.add_link(tgen.gears["r1"])
    switch.add_link(tgen.gears["r2"])
    """,
    # Loops, formats.
    """
    for number in range(1, 3):
        tgen.add_router("r{}".format(number))
    switch = tgen.add_switch("s%d" % 1)
    for name in ("r1", "r2"):
        switch.add_link(tgen.gears[name])
    """,
    # Names of what was made.
    """
    logger.info("building")
    routers = []
    switches = {}
    for number in [1, 2]:
        routers.append(tgen.add_router(f"r{number}"))
    switches["s1"] = tgen.add_switch("s1")
    for router in routers:
        tgen.add_link(switches["s1"], router)
    """,
    # Keywords, an index of the switches, no assignment.
    """
    names = ["r" + str(n + 1) for n in ()] or 0
    tgen.add_router(name="r1")
    tgen.add_router(name="r2")
    tgen.add_switch("s1")
    tgen.gears["s1"].add_link(node=tgen.gears["r1"])
    tgen.gears["s1"].add_link(tgen.gears["r2"])
    """,
    # Lists of what is made.
    """
    one, two = [tgen.add_router("r%s" % n) for n in range(1, 3)]
    tgen.add_switch("s1").add_link(one)
    gear = tgen.gears["s1"]
    gear.add_link(two)
    """,
    # Topogen's own names.
    """
    tgen = get_topogen(tgen)
    one, two = tgen.add_router(), tgen.add_router()
    switch = tgen.add_switch()
    if len("x") == 1:
        switch.add_link(tgen.routers()["r1"])
    with open("x") as file:
        switch.add_link(tgen.get_gear("r2"))
    """,
]


@pytest.mark.parametrize("body", WRITTEN_OUT)
def test_ways_to_write_two_routers_at_a_switch(body: str) -> None:
    plan = read(body)
    assert {gear.name: gear.kind for gear in plan.gears.values()} == {"r1": "router", "r2": "router", "s1": "switch"}
    assert links(plan) == [("s1:s1-eth0", "r1:r1-eth0"), ("s1:s1-eth1", "r2:r2-eth0")]


def test_names_of_interfaces_that_are_given_take_no_number() -> None:
    plan = read(
        """
        r1, r2 = tgen.add_router("r1"), tgen.add_router("r2")
        tgen.add_link(r1, r2, "own", "far")
        r1.add_link(r2, nodeif="second")
        tgen.add_link(r2, r1)
        """
    )
    assert links(plan) == [("r1:own", "r2:far"), ("r1:r1-eth0", "r2:second"), ("r2:r2-eth0", "r1:r1-eth1")]
    assert [link.source.line for link in plan.links] == [4, 5, 6]


def test_functions_of_the_file_are_followed() -> None:
    plan = read(
        """
        for name in NAMES:
            tgen.add_router(name)
        connect(tgen, "s1", NAMES[0], far=NAMES[1])
        """,
        """
        NAMES = ("r1", "r2")
        def connect(tgen, switch, near, far="r9"):
            s = tgen.add_switch(switch)
            s.add_link(tgen.gears[near])
            s.add_link(tgen.gears[far])
        """,
    )
    assert links(plan) == [("s1:s1-eth0", "r1:r1-eth0"), ("s1:s1-eth1", "r2:r2-eth0")]


@pytest.mark.parametrize(
    "text",
    [
        'def setup_module(mod):\n    topodef = {"s1": ("r1", "r2:far:near"), "s2": "r1"}\n    Topogen(topodef, "x")\n',
        'Topogen({"s2": "r1", "s1": ["r1", "r2:far:near"]}, "x")\n',
        'topodef = {"s1": ("r" + "1", "r2:far:near"), "s2": ("r1",)}\n',
    ],
)
def test_a_dictionary_of_switches(text: str) -> None:
    plan = read_script(text, "t.py")
    assert plan is not None
    assert links(plan) == [("s1:s1-eth0", "r1:r1-eth0"), ("s1:near", "r2:far"), ("s2:s2-eth0", "r1:r1-eth1")]


def test_a_class_of_older_tests() -> None:
    text = """\
class NetworkTopo(Topo):
    def build(self, **_opts):
        tgen = get_topogen(self)
        tgen.add_router("r1")
        tgen.add_switch("s1").add_link(tgen.gears["r1"])

def setup_module(module):
    tgen = Topogen(NetworkTopo, module.__name__)
"""
    plan = read_script(text, "t.py")
    assert plan is not None
    assert links(plan) == [("s1:s1-eth0", "r1:r1-eth0")]


def test_hosts_have_an_address_and_a_way_out() -> None:
    plan = read(
        """
        tgen.add_router("r1")
        tgen.add_host("h1", "192.0.2.2/24", "via 192.0.2.1")
        peer = tgen.add_exabgp_peer("peer1", ip="192.0.2.3", defaultRoute="via 192.0.2.1")
        """
    )
    assert [(g.name, g.address, g.default) for g in plan.gears.values() if g.kind == "host"] == [
        ("h1", "192.0.2.2/24", "via 192.0.2.1"),
        ("peer1", "192.0.2.3", "via 192.0.2.1"),
    ]
    assert [note.source.line for note in plan.unmodelled] == [5]


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("tgen.add_router(name_of(1))", 3, "found `name_of(1)`, expected a name or number that is written out"),
        ("for n in range(ROUTERS):\n    tgen.add_router('r%d' % n)", 3, "found `range(ROUTERS)`"),
        ("if os.path.exists('x'):\n    tgen.add_router('r1')", 3, "found `os.path.exists('x')`"),
        ("while True:\n    tgen.add_router('r1')", 3, "found links or routers below `while`"),
        ("try:\n    tgen.add_router('r1')\nexcept KeyError:\n    pass", 3, "below `try`"),
        (
            "tgen.add_router('r1')\ntgen.add_router('r1')",
            4,
            "found 'r1' twice, expected each name once (first at line 3)",
        ),
        ("tgen.add_switch('s1').add_link(tgen.gears['r1'])", 3, "found a link to 'r1', expected a router"),
        ("tgen.add_router('r 1')", 3, "found the name 'r 1'"),
        ("r = tgen.add_router('r1')\nr.add_link(r, 'a-name-that-is-long')", 4, "expected at most 15 characters"),
        ("r = tgen.add_router('r1')\nr.add_link(r, 'a', 'b')\nr.add_link(r, 'b')", 5, "found r1:b at two links"),
    ],
)
def test_what_is_not_written_out_is_told_with_its_line(body: str, line: int, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(body)
    assert (caught.value.file, caught.value.line) == ("test_x.py", line), caught.value.message
    assert message in caught.value.message


def test_no_python_is_told_with_its_line() -> None:
    with pytest.raises(InputError) as caught:
        read_script("x = 1\ndef (:\n", "t.py")
    assert (caught.value.file, caught.value.line) == ("t.py", 2)


def test_a_file_that_builds_nothing_is_none() -> None:
    assert read_script("import os\n\ndef helper():\n    return 1\n", "t.py") is None
    assert read_script('def setup_module(mod):\n    Topogen("x.json", mod.__name__)\n', "t.py") is None


def test_endless_loops_and_recursion_end() -> None:
    for body, before in (
        ("again(tgen)", "def again(tgen):\n    tgen.add_switch('s1')\n    again(tgen)\n"),
        ("for a in range(9999):\n    for b in range(9999):\n        x = tgen.add_link", ""),
    ):
        with pytest.raises(InputError):
            read(body, before)


def test_commands_of_the_setup_are_listed() -> None:
    text = "def build_topo(tgen):\n    tgen.add_router('r1')\n" + START + "    tgen.net['r1'].cmd('ip link add x')\n"
    plan = read_script(text, "t.py")
    assert plan is not None
    assert [(note.source.line, note.effect) for note in plan.unmodelled] == [(5, "possible")]


def test_nothing_is_called(tmp_path: object) -> None:
    """What would have an effect, were it executed, has none."""
    plan = read(
        f"""
        open({str(tmp_path)!r} + "/made", "w")
        os.system("touch {tmp_path}/made")
        __import__("os").system("touch {tmp_path}/made")
        tgen.add_router("r1")
        tgen.net["r1"].cmd("ip addr add 10.0.0.1/8 dev lo")
        """
    )
    assert list(plan.gears) == ["r1"]
    assert [note.text for note in plan.unmodelled] == ['tgen.net["r1"].cmd("ip addr add 10.0.0.1/8 dev lo")']
    assert not list(__import__("pathlib").Path(str(tmp_path)).iterdir())


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, list[str]]]]:
    routers = [f"r{n}" for n in range(1, draw(st.integers(1, 6)) + 1)]
    switches = [
        (f"s{n}", draw(st.lists(st.sampled_from(routers), max_size=5))) for n in range(1, draw(st.integers(0, 4)) + 1)
    ]
    return routers, switches


def expected(routers: Sequence[str], switches: Sequence[tuple[str, list[str]]]) -> list[tuple[str, ...]]:
    """Interfaces in the order in which links are added, counted for each gear by itself."""
    numbers = dict.fromkeys((*routers, *(name for name, _ in switches)), 0)
    found = []
    for switch, ends in switches:
        for router in ends:
            found.append((f"{switch}:{switch}-eth{numbers[switch]}", f"{router}:{router}-eth{numbers[router]}"))
            numbers[switch] += 1
            numbers[router] += 1
    return found


@given(networks(), st.booleans(), st.booleans())
def test_a_written_network_is_read_as_it_was_meant(
    network: tuple[list[str], list[tuple[str, list[str]]]], looped: bool, by_name: bool
) -> None:
    routers, switches = network
    lines = [f"for n in range(1, {len(routers) + 1}):", '    tgen.add_router("r{}".format(n))']
    if not looped:
        lines = [f'tgen.add_router("{name}")' for name in routers]
    for switch, ends in switches:
        lines.append(f'switch = tgen.add_switch("{switch}")')
        if looped:
            lines += [f"for name in {ends!r}:", "    switch.add_link(tgen.gears[name])"]
        else:
            receiver = f'tgen.gears["{switch}"]' if by_name else "switch"
            lines += [f'{receiver}.add_link(tgen.gears["{router}"])' for router in ends]
    plan = read("\n".join(lines))
    assert links(plan) == expected(routers, switches)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    told = None
    try:
        read_script(f"def build_topo(tgen):\n    tgen.add_router('r1')\n{text}", "t.py")
    except InputError as error:
        told = error
    assert told is None or (told.file == "t.py" and told.line is not None)
