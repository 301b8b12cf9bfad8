# SPDX-License-Identifier: Apache-2.0
"""What a new cloud holds: projects, users, endpoints, types. Run by the cloud's own Python; reads JSON, idempotent."""

from __future__ import annotations

import json
import sys
from typing import Any

import openstack


def _project(cloud: Any, name: str) -> Any:
    return cloud.identity.find_project(name) or cloud.identity.create_project(name=name, domain_id="default")


def _role(cloud: Any, name: str) -> Any:
    return cloud.identity.find_role(name) or cloud.identity.create_role(name=name)


def _user(cloud: Any, name: str, password: str, project: Any, roles: list[str]) -> None:
    user = cloud.identity.find_user(name) or cloud.identity.create_user(
        name=name, password=password, domain_id="default", default_project_id=project.id
    )
    for role in roles:
        cloud.identity.assign_project_role_to_user(project, user, _role(cloud, role))


def identity(cloud: Any, data: dict[str, Any]) -> None:
    """Projects, users and the catalogue."""
    secrets = data["secrets"]
    service, demo, second = (_project(cloud, name) for name in ("service", "demo", "second"))
    _user(cloud, "service", secrets["service"], service, ["admin", "service"])
    _user(cloud, "member", secrets["member"], demo, ["member", "creator"])
    _user(cloud, "reader", secrets["reader"], demo, ["reader"])
    _user(cloud, "second", secrets["second"], second, ["member", "creator"])
    # Glance asks Keystone for limits of all projects
    cloud.identity.assign_system_role_to_user(cloud.identity.find_user("service"), _role(cloud, "admin"), "all")
    for name, (kind, address) in data["catalogue"].items():
        known = cloud.identity.find_service(name) or cloud.identity.create_service(name=name, type=kind)
        present = {(one.interface, one.url) for one in cloud.identity.endpoints(service_id=known.id)}
        for interface in ("public", "internal", "admin"):
            if (interface, address) not in present:
                cloud.identity.create_endpoint(service_id=known.id, interface=interface, url=address, region_id="lab")
    _limits(cloud)


def _limits(cloud: Any) -> None:
    """What a project may have in images, unless it has limits of its own: more than any test needs; sizes in MiB."""
    service = cloud.identity.find_service("glance")
    present = {limit.resource_name for limit in cloud.identity.registered_limits(service_id=service.id)}
    for name in ("image_count_total", "image_size_total", "image_stage_total", "image_count_uploading"):
        if name not in present:
            cloud.identity.create_registered_limit(
                service_id=service.id, region_id="lab", resource_name=name, default_limit=1_000_000
            )


def resources(cloud: Any, catalogue: dict[str, Any]) -> None:
    """What the tests of volumes and servers take for granted, as far as the cloud has the services."""
    if not any(one.name == "lab" for one in cloud.block_storage.types()):
        cloud.block_storage.create_type(name="lab", extra_specs={"volume_backend_name": "lab"})
    if "nova" in catalogue and not cloud.compute.find_flavor("lab-tiny"):
        cloud.compute.create_flavor(name="lab-tiny", ram=512, vcpus=1, disk=1)
        cloud.compute.create_flavor(name="lab-small", ram=2048, vcpus=2, disk=0)
    if "neutron" in catalogue and not cloud.network.find_network("shared"):
        shared = cloud.network.create_network(name="shared", shared=True)
        cloud.network.create_subnet(network_id=shared.id, name="shared", ip_version=4, cidr="10.99.0.0/24")


def main() -> None:
    """Does what the given data says."""
    data = json.load(sys.stdin)
    cloud = openstack.connect(**data["admin"])
    if "identity" in data["what"]:
        identity(cloud, data)
    if "resources" in data["what"]:
        resources(openstack.connect(**data["admin"]), data["catalogue"])
    json.dump({"done": data["what"]}, sys.stdout)


if __name__ == "__main__":
    main()
