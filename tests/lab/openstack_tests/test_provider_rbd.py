# SPDX-License-Identifier: Apache-2.0
"""The back end ``rbd``: Cinder on the lane's Ceph, judged by what Ceph itself holds."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

_STORY = """
import json, openstack
cloud = openstack.connect("member")
volumes = cloud.block_storage
def there(one, wait=volumes.wait_for_status):
    return wait(one, "available", ["error", "error_restoring"], 1, 600)
image = cloud.image.create_image(name="content", disk_format="raw", container_format="bare")
cloud.image.import_image(image, method="web-download", uri=URL)
cloud.image.wait_for_status(image, "active", ["killed"], 1, 600)
volume = there(volumes.create_volume(image_id=image.id, size=1, name="origin"))
snapshot = there(volumes.create_snapshot(volume_id=volume.id, name="snapshot"))
second = there(volumes.create_volume(snapshot_id=snapshot.id, size=1, name="second"))
backup = there(volumes.create_backup(volume_id=volume.id, name="backup"))
back = there(volumes.create_volume(size=1, name="back"))
backup.restore(volumes, volume_id=back.id)
there(volumes.get_volume(back.id))
print(json.dumps([volume.id, second.id, back.id]))
"""


@pytest.fixture
def on_ceph() -> Iterator[Cloud]:
    """A cloud whose volumes lie on a Ceph of its own; both are down afterwards."""
    found = Cloud(lane("rbd"), profile="volume", backend="rbd")
    found.down()
    try:
        found.up()
        yield found
    finally:
        found.down()
        CephCluster(found.lane).down()


@pytest.mark.full
@pytest.mark.accept("O1.1")
def test_image_snapshot_and_backup_give_the_same_bytes_on_rbd(on_ceph, seed):
    url = on_ceph.fetches().url("good", seed, 8 << 20)
    argv = [str(on_ceph.python), "-W", "ignore", "-c", _STORY.replace("URL", repr(url))]
    done = on_ceph.run(argv, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr
    cluster = CephCluster(on_ceph.lane)
    sums = set()
    for volume in json.loads(done.stdout):
        export = [
            "sh",
            "-c",
            f"rbd --pool volumes export --no-progress volume-{volume} - | head -c 8388608 | sha256sum",
        ]
        sums.add(cluster.run(export).stdout.split()[0])
    assert sums == {on_ceph.fetches().digest(seed, 8 << 20)}
