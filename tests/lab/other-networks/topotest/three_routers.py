"""Three routers on one network, one of them with a host behind it."""

import os

import pytest
from lib.topogen import Topogen, get_topogen

CWD = os.path.dirname(os.path.realpath(__file__))
ROUTERS = 3


def build_topo(tgen):
    for number in range(1, ROUTERS + 1):
        tgen.add_router(f"r{number}")
    tgen.add_host("h1", "192.168.3.2/24", "via 192.168.3.1")

    switch = tgen.add_switch("s1")
    for name in ("r1", "r2", "r3"):
        switch.add_link(tgen.gears[name])

    switch = tgen.add_switch("s2")
    switch.add_link(tgen.gears["r3"])
    switch.add_link(tgen.gears["h1"])

    # Directly, with a name of its own at one end.
    tgen.add_link(tgen.gears["r1"], tgen.gears["r2"], ifname2="r2-direct")


def setup_module(mod):
    tgen = Topogen(build_topo, mod.__name__)
    tgen.start_topology()
    for name, router in tgen.routers().items():
        router.load_config("zebra", os.path.join(CWD, f"{name}/zebra.conf"))
        router.load_config("bgpd", os.path.join(CWD, f"{name}/bgpd.conf"))
    tgen.start_router()


def test_converges():
    tgen = get_topogen()
    if tgen.routers_have_failure():
        pytest.skip(tgen.errors)
