# SPDX-License-Identifier: Apache-2.0
"""What a cloud of either release must be able to do, told by openstacksdk and judged by what the services hold."""

from __future__ import annotations

import hashlib
import json
import time

from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.looking import script

_SIZE = 8 << 20
# the SDK's own call says nothing when Glance refuses, and the image then waits for ever
_IMPORT = """
image = cloud.image.create_image(name="disk", disk_format="raw", container_format="bare")
way = {"method": {"name": "web-download", "uri": URL}, "stores": [STORE]}
answer = cloud.image.post(f"/images/{image.id}/import", json=way)
assert answer.status_code == 202, answer.text
cloud.image.wait_for_status(image, "active", ["killed"], 1, 600)
"""
_SERVER = """
network, flavor = cloud.network.find_network("shared"), cloud.compute.find_flavor("lab-tiny")
server = cloud.compute.create_server(
    name="server", image_id=image.id, flavor_id=flavor.id, networks=[{"uuid": network.id}]
)
server = cloud.compute.wait_for_server(server, "ACTIVE", ["ERROR"], 1, 600)
volume = cloud.block_storage.create_volume(size=1, name="more")
volume = cloud.block_storage.wait_for_status(volume, "available", ["error"], 1, 600)
cloud.compute.create_volume_attachment(server, volume_id=volume.id)
cloud.block_storage.wait_for_status(volume, "in-use", ["error"], 1, 600)
copy = cloud.compute.create_server_image(server, "copy", wait=True, timeout=600)
ports = [[one.status, one.device_id] for one in cloud.network.ports(device_id=server.id)]
admin = openstack.connect("admin")
host = admin.compute.get_server(server.id).compute_host
hosts = sorted(one.host for one in admin.compute.services(binary="nova-compute") if one.state == "up")
print(json.dumps([server.id, copy.id, ports, host, hosts]))
"""
_CEPH = """
volumes = cloud.block_storage
def there(one, wait=volumes.wait_for_status):
    return wait(one, "available", ["error", "error_restoring"], 1, 600)
volume = there(volumes.create_volume(image_id=image.id, size=1, name="origin"))
snapshot = there(volumes.create_snapshot(volume_id=volume.id, name="snapshot"))
second = there(volumes.create_volume(snapshot_id=snapshot.id, size=1, name="second"))
backup = there(volumes.create_backup(volume_id=volume.id, name="backup"))
back = there(volumes.create_volume(size=1, name="back"))
backup.restore(volumes, volume_id=back.id)
there(volumes.get_volume(back.id))
print(json.dumps([image.id, volume.id, second.id, back.id]))
"""


def _imported(url: str, store: str) -> str:
    return _IMPORT.replace("URL", repr(url)).replace("STORE", repr(store))


def server(cloud: Cloud, seed: int) -> None:
    """A server boots from an image, gets a volume, and an image is made of it."""
    since = time.time()
    address = cloud.fetches().url("good", seed, _SIZE)
    found, copy, ports, host, hosts = script(cloud, _imported(address, "fast") + _SERVER)
    assert ports == [["ACTIVE", found]]
    assert hosts == ["compute-1", "compute-2", "compute-3"]
    assert host in hosts
    disk = (cloud.store("fast") / copy).read_bytes()
    assert disk == hashlib.shake_256(found.encode()).digest(1 << 20)
    rows = cloud.database(f"SELECT status, size FROM glance.images WHERE id = '{copy}'")  # noqa: S608 - an id of Glance's
    assert rows == [["active", str(1 << 20)]]
    created = [request.status for request in cloud.writes("nova", since) if request.path == "/v2.1/servers"]
    assert created == [202]
    cloud.clean("demo")
    left = "print(json.dumps([len(list(cloud.compute.servers())), len(list(cloud.block_storage.volumes()))]))"
    assert script(cloud, left) == [0, 0]


def on_ceph(cloud: Cloud, seed: int) -> None:
    """Image, volume, snapshot and backup hold the same bytes, as far as Ceph can tell."""
    fetches = cloud.fetches()
    image, *volumes = script(cloud, _imported(fetches.url("good", seed, _SIZE), "ceph") + _CEPH)
    cluster = CephCluster(cloud.lane)
    sums = set()
    for name in (f"images/{image}", *(f"volumes/volume-{volume}" for volume in volumes)):
        export = f"rbd export --no-progress {name} - | head -c {_SIZE} | sha256sum"
        sums.add(cluster.run(["sh", "-c", export]).stdout.split()[0])
    assert sums == {fetches.digest(seed, _SIZE)}
    # the first is none of Glance's bytes, only a reference to them
    told = json.loads(cluster.run(["rbd", "info", "--format", "json", f"volumes/volume-{volumes[0]}"]).stdout)
    assert (told["parent"]["pool"], told["parent"]["image"]) == ("images", image)
