# SPDX-License-Identifier: Apache-2.0
"""Cinder's NFS driver with plain copies for snapshots.

The one of Cinder asks Nova to make the snapshot of an attached volume, which the pretended computes cannot; and once a
volume has a snapshot, its backup silently holds the overlay only. Here a volume is one raw file, and so is a snapshot.
"""

import os
import subprocess

from cinder import coordination
from cinder.volume.drivers import nfs

_GIB = 1 << 30


def _copy(source, target):
    subprocess.run(["cp", "--sparse=always", "--preserve=mode", source, target], check=True)


def _is_raw(path):
    with open(path, "rb") as file:
        return file.read(4) != b"QFI\xfb"


def _at_least(path, size):
    """Writing back a backup leaves out what is zero at the end."""
    if _is_raw(path) and os.path.getsize(path) < size:
        os.truncate(path, size)


class LabNfsDriver(nfs.NfsDriver):
    """Volumes as raw files in one folder."""

    def _is_volume_attached(self, volume):
        return False

    def _snapshot_path(self, snapshot):
        return f"{self._local_path_volume(snapshot.volume)}.snap-{snapshot.id}"

    @coordination.synchronized("nfs-{snapshot.volume.id}")
    def create_snapshot(self, snapshot):
        """A copy of the volume as it is now."""
        _copy(self._local_path_volume(snapshot.volume), self._snapshot_path(snapshot))

    @coordination.synchronized("nfs-{snapshot.volume.id}")
    def delete_snapshot(self, snapshot):
        """Remove the copy; one that is gone is fine."""
        if os.path.exists(self._snapshot_path(snapshot)):
            os.unlink(self._snapshot_path(snapshot))

    def create_volume_from_snapshot(self, volume, snapshot):
        """A copy of the copy."""
        return self._from(volume, self._snapshot_path(snapshot), snapshot.volume)

    def create_cloned_volume(self, volume, src_vref):
        """A copy of the volume."""
        return self._from(volume, self._local_path_volume(src_vref), src_vref)

    def revert_to_snapshot(self, context, volume, snapshot):
        """Put the copy back."""
        _copy(self._snapshot_path(snapshot), self._local_path_volume(volume))
        _at_least(self._local_path_volume(volume), volume.size * _GIB)

    def _from(self, volume, path, origin):
        volume.provider_location = origin.provider_location
        target = self._local_path_volume(volume)
        _copy(path, target)
        self._set_rw_permissions(target)
        _at_least(target, volume.size * _GIB)
        return {"provider_location": origin.provider_location}

    def terminate_connection(self, volume, connector, **kwargs):
        """Whoever wrote may have left out zeros at the end."""
        path = self._local_path_volume(volume)
        if os.path.exists(path):
            _at_least(path, volume.size * _GIB)
        return super().terminate_connection(volume, connector, **kwargs)
