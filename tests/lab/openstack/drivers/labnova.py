# SPDX-License-Identifier: Apache-2.0
"""Nova's fake driver, with images of servers (those of Nova's own stay queued, as it uploads nothing), and for images that want QEMU."""

import hashlib
import io

from nova.image import glance
from nova.virt import fake

_SIZE = 1 << 20


class LabDriver(fake.FakeDriverWithoutFakeNodes):
    """A pretended host whose servers have something on their disks; it takes what a host with libvirt takes."""

    def __init__(self, virtapi, read_only=False):
        super().__init__(virtapi, read_only)
        kinds = [(arch, "qemu", "hvm") for arch in ("x86_64", "i686")] + [("x86_64", "kvm", "hvm")]
        self.host_status_base["supported_instances"] += kinds

    def snapshot(self, context, instance, image_id, update_task_state):
        """Upload a disk of one MiB that is different for each server, and the same each time."""
        super().snapshot(context, instance, image_id, update_task_state)
        disk = io.BytesIO(hashlib.shake_256(instance.uuid.encode()).digest(_SIZE))
        formats = {"disk_format": "raw", "container_format": "bare"}
        glance.API().update(context, image_id, formats, data=disk)
