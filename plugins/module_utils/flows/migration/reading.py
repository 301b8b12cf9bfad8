# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Facts of the target cloud, out of its services: about fifteen lists, whatever the number of machines. Reads only.

A plain member may read all of it; what a service does not tell (quotas per type, quotas of Neutron) bounds nothing, and then
the service itself is the one that refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...openstack.flavors.nova import Flavors
from .target import Bound, Made, Network, Subnet, Taken, TargetCloud, normal_address, normal_mac

NOVA, CINDER, NEUTRON = "compute", "block-storage", "network"
#: Key of metadata, and begin of a tag, that name the machine at the source.
MARK = "migration_vm"
_POWERFUL = ("admin", "service")
_LIMITS = {"instances": "Instances", "cores": "Cores", "ram": "RAMSize"}
_USED = {"instances": "Instances", "cores": "Cores", "ram": "RAM"}

Body = Mapping[str, Any]


def read(cloud: Any) -> TargetCloud:
    """Everything a plan needs to know of the project of the token.

    :param cloud: :class:`..openstack.client.Cloud`.
    :raises CloudError: a list cannot be read.
    """
    flavors = Flavors(cloud).offered()
    servers = list(cloud.pages(NOVA, "/servers/detail", "servers", limit=500))
    volumes = list(cloud.pages(CINDER, "/volumes/detail", "volumes", limit=1000))
    ports = list(cloud.pages(NEUTRON, "/ports", "ports"))
    types = [one for one in cloud.pages(CINDER, "/types", "volume_types") if one.get("name") != "__DEFAULT__"]
    return TargetCloud(
        project=cloud.project_id,
        admin=any(role in _POWERFUL for role in cloud.roles),
        flavors=tuple(flavors),
        networks=networks_of(
            cloud.pages(NEUTRON, "/networks", "networks"), list(cloud.pages(NEUTRON, "/subnets", "subnets"))
        ),
        ports=tuple(taken_of(one) for one in ports),
        groups=_groups(cloud),
        volume_types=tuple(sorted(str(one["name"]) for one in types)),
        default_type=_default_type(cloud),
        zones=_zones(cloud),
        servers=tuple((str(one["name"]), _mark(one)) for one in servers),
        quota=quota_of(cloud),
        made=made_of(servers, volumes, [taken_of(one) for one in ports]),
    )


def _mark(body: Body) -> str:
    return str((body.get("metadata") or {}).get(MARK) or "")


def networks_of(networks: Iterable[Body], subnets: Iterable[Body]) -> tuple[Network, ...]:
    """Networks that ports can be made on, with their subnets."""
    listed = list(subnets)
    return tuple(
        Network(
            id=str(one["id"]),
            name=str(one.get("name") or ""),
            project=str(one.get("project_id") or one.get("tenant_id") or ""),
            shared=bool(one.get("shared")),
            mtu=int(one.get("mtu") or 0),
            port_security=one.get("port_security_enabled") is not False,
            subnets=tuple(
                Subnet(str(net["id"]), str(net["cidr"]), str(net.get("gateway_ip") or ""), str(net.get("name") or ""))
                for net in sorted(listed, key=lambda net: str(net["id"]))
                if net["network_id"] == one["id"]
            ),
        )
        for one in networks
    )


def taken_of(port: Body) -> Taken:
    """A port that is there."""
    marks = [str(tag) for tag in port.get("tags") or () if str(tag).startswith(f"{MARK}=")]
    return Taken(
        id=str(port["id"]),
        network=str(port["network_id"]),
        mac=normal_mac(str(port.get("mac_address") or "")),
        addresses=tuple(normal_address(str(one["ip_address"])) for one in port.get("fixed_ips") or ()),
        vm=marks[0].partition("=")[2] if marks else "",
    )


def _groups(cloud: Any) -> dict[str, str]:
    """Ids of the project's own security groups by name; a name that two of them have means none."""
    found: dict[str, list[str]] = {}
    for one in cloud.pages(NEUTRON, "/security-groups", "security_groups", project_id=cloud.project_id):
        found.setdefault(str(one["name"]), []).append(str(one["id"]))
        found.setdefault(str(one["id"]), []).append(str(one["id"]))
    return {name: ids[0] for name, ids in found.items() if len(ids) == 1}


def _default_type(cloud: Any) -> str:
    answer = cloud.call(CINDER, "GET", "/types/default", accept=(403, 404))
    found = ((answer.body or {}).get("volume_type") or {}).get("name") if answer.status == 200 else ""
    return str(found or "")


def _zones(cloud: Any) -> tuple[str, ...]:
    body = cloud.get(NOVA, "/os-availability-zone") or {}
    zones = body.get("availabilityZoneInfo") or ()
    return tuple(sorted(str(one["zoneName"]) for one in zones if (one.get("zoneState") or {}).get("available", True)))


# Quotas.


def quota_of(cloud: Any) -> dict[str, Bound]:
    """What the project may have, and has."""
    found = dict(_nova(cloud.get(NOVA, "/limits")))
    sets = cloud.call(CINDER, "GET", f"/os-quota-sets/{cloud.project_id}", params={"usage": "true"}, accept=(403, 404))
    if sets.status == 200:
        found.update(_sets((sets.body or {}).get("quota_set") or {}))
    path = f"/quotas/{cloud.project_id}/details.json"
    details = cloud.call(NEUTRON, "GET", path, accept=(403, 404))
    if details.status == 200:
        ports = ((details.body or {}).get("quota") or {}).get("port")
        found.update({"ports": _bound(ports)} if isinstance(ports, Mapping) else {})
    return found


def _nova(body: Body) -> Iterator[tuple[str, Bound]]:
    absolute = (body.get("limits") or {}).get("absolute") or {}
    for name, key in _LIMITS.items():
        limit = int(absolute.get(f"maxTotal{key}", -1))
        used = int(absolute.get(f"total{_USED[name]}Used", 0))
        yield name, Bound(None if limit < 0 else limit, used)


def _sets(body: Body) -> Iterator[tuple[str, Bound]]:
    for name, value in body.items():
        if isinstance(value, Mapping) and name.partition("_")[0] in ("volumes", "gigabytes"):
            yield name, _bound(value)


def _bound(numbers: Body) -> Bound:
    limit = int(numbers.get("limit", -1))
    used = int(numbers.get("in_use", numbers.get("used", 0))) + int(numbers.get("reserved", 0))
    return Bound(None if limit < 0 else limit, used)


def made_of(servers: Iterable[Body], volumes: Iterable[Body], ports: Iterable[Taken]) -> dict[str, Made]:
    """What earlier runs made, by uuid of the source machine."""
    sums: dict[str, dict[str, Any]] = {}

    def of(vm: str) -> dict[str, Any]:
        return sums.setdefault(vm, {"instances": 0, "ports": 0, "volumes": {}})

    for one in servers:
        if _mark(one):
            of(_mark(one))["instances"] += 1
    for port in ports:
        if port.vm:
            of(port.vm)["ports"] += 1
    for volume in volumes:
        if _mark(volume):
            kinds = of(_mark(volume))["volumes"]
            kinds.setdefault(str(volume.get("volume_type") or ""), []).append(int(volume["size"]))
    return {
        vm: Made(one["instances"], one["ports"], {kind: tuple(sizes) for kind, sizes in one["volumes"].items()})
        for vm, one in sums.items()
    }
