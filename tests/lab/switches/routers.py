# SPDX-License-Identifier: Apache-2.0
"""Hosts that route: FRR on each speaks BGP without addresses to both leaves and announces the host's loopback.

This is the lab's own short way to traffic that crosses the fabric; nothing of the collection is used for it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from . import renderer
from .fabric import Fabric

_SCRIPT = """
set -e
sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv4.ip_forward=1 net.ipv4.fib_multipath_hash_policy=1
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.all.ignore_routes_with_linkdown=1
ip address replace "$1/32" dev lo
[ -z "$2" ] || ip address replace "$2/128" dev lo
sed -i 's/^bgpd=no/bgpd=yes/; s/^bfdd=no/bfdd=yes/' /etc/frr/daemons
cat >/etc/frr/frr.conf
systemctl restart frr
"""


def conf(asn: str, v4: str, v6: str, ports: list[str]) -> str:
    """frr.conf of a host."""
    lines = ["frr defaults datacenter", f"ip prefix-list OWN permit {v4}/32"]
    lines += [f"ipv6 prefix-list OWN6 permit {v6}/128"] if v6 else []
    lines += ["route-map OWN permit 10", " match ip address prefix-list OWN", "route-map OWN6 permit 10"]
    lines += [" match ipv6 address prefix-list OWN6"] if v6 else []
    # replies leave with the address that is announced
    lines += ["route-map SOURCE permit 10", f" set src {v4}", f"router bgp {asn}", f" bgp router-id {v4}"]
    lines += [" no bgp ebgp-requires-policy", " bgp bestpath as-path multipath-relax", " neighbor leaves peer-group"]
    lines += [" neighbor leaves remote-as external", " neighbor leaves timers 3 9"]
    lines += [f" neighbor {port} interface peer-group leaves" for port in ports]
    for family, policy in (("ipv4", "OWN"), ("ipv6", "OWN6")):
        lines += [f" address-family {family} unicast", f"  redistribute connected route-map {policy}"]
        lines += ["  neighbor leaves activate", " exit-address-family"]
    return "\n".join([*lines, "exit", "ip protocol bgp route-map SOURCE", ""])


def start(fabric: Fabric) -> dict[str, dict[str, str]]:
    """Let every host of a fabric route; their AS numbers and loopbacks by name."""
    known = renderer.routers(fabric.landscape, fabric.hosts)

    def one(name: str) -> None:
        ports = [
            end[1] for cable in fabric.wiring.cables if cable.active for end in (cable.a, cable.b) if end[0] == name
        ]
        said = known[name]
        text = conf(said["asn"], said["v4"], said["v6"], sorted(ports))
        fabric.machine(name).run(["sh", "-c", _SCRIPT, "routers", said["v4"], said["v6"]], input=text)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, fabric.hosts))
    return known
