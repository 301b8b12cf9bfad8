# SPDX-License-Identifier: Apache-2.0
"""OSDs on logical volumes, encrypted and with a database of their own, on a host with a kernel of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster, Layout
from ansible_collections.scs.landscape.tests.lab.ceph_tests import asking
from ansible_collections.scs.landscape.tests.lab.ceph_tests.asking import left, put, read
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

pytestmark = pytest.mark.accept("O1.1")

HOST = "ceph-lvm-1"
#: Seconds for a boot of such a host, and for its OSD.
BOOT = 240.0
_MARK = b"plain as day, "


@pytest.fixture(scope="module")
def encrypted() -> Iterator[CephCluster]:
    """A cluster with one such OSD beside three others."""
    cluster = CephCluster(lane("lvm"), Layout(rgw=False, lvm=1, dmcrypt=True, separate_db=True))
    cluster.down()
    cluster.up()
    yield cluster
    cluster.down()
    assert left(cluster) == {}
    assert not cluster.lab.lane.folder.exists()


def number(cluster: CephCluster, host: str = HOST) -> int:
    """The OSD of a host."""
    (found,) = cluster.ask("osd", "ls-tree", host)
    return int(found)


def listed(cluster: CephCluster, host: str) -> list[dict[str, Any]]:
    """What ``ceph-volume lvm list`` says of the OSDs of a host: of each its volumes by their type."""
    found = json.loads(cluster.machine(host).run(["ceph-volume", "lvm", "list", "--format", "json"]).stdout)
    return [{volume["type"]: volume for volume in found[osd]} for osd in sorted(found, key=int)]


def volumes(cluster: CephCluster, host: str = HOST) -> dict[str, dict[str, Any]]:
    """The same of the only OSD of a host."""
    (found,) = listed(cluster, host)
    return found


def shell(cluster: CephCluster, *lines: str) -> str:
    """What a script on the host says that ends at its first error."""
    return cluster.machine(HOST).run(["sh", "-ec", "\n".join(lines)]).stdout


@pytest.mark.full
def test_it_is_what_ceph_ansible_leaves_behind(encrypted):
    status = encrypted.status()
    assert status["ceph"]["health"]["status"] == "HEALTH_OK"
    machine = status["machines"][HOST]
    print(f"\n{machine['kind']}: SSH after {machine['seconds']} s, {machine['memory_mib']} MiB")
    osd, found = number(encrypted), volumes(encrypted)
    fsid = found["block"]["tags"]["ceph.osd_fsid"]
    assert found.keys() == {"block", "db"}
    # the group and the volume of the data bear one name, as OSISM has them
    name = found["block"]["vg_name"].removeprefix("ceph-")
    assert found["block"]["lv_path"] == f"/dev/ceph-{name}/osd-block-{name}"
    assert found["db"]["lv_path"] == f"/dev/{found['db']['vg_name']}/osd-db-{name}"
    assert (found["block"]["devices"], found["db"]["devices"]) == (["/dev/ubdb"], ["/dev/ubdc"])
    for volume in found.values():
        tags = volume["tags"]
        assert (tags["ceph.encrypted"], tags["ceph.osd_id"]) == ("1", str(osd))
        assert tags["ceph.db_uuid"] == found["db"]["lv_uuid"]
        assert tags["ceph.cluster_fsid"] == status["ceph"]["fsid"]
        shell(encrypted, f"cryptsetup isLuks {volume['lv_path']}")
    folder = f"/var/lib/ceph/osd/ceph-{osd}"
    for link, kind in (("block", "block"), ("block.db", "db")):
        target = shell(encrypted, f"readlink {folder}/{link}").strip()
        assert target == f"/dev/mapper/{found[kind]['lv_uuid']}"
    assert shell(encrypted, f"findmnt --noheadings --output FSTYPE {folder}").strip() == "tmpfs"
    wants = "/etc/systemd/system/{}.target.wants/{}.service"
    shell(
        encrypted,
        f"test -L {wants.format('multi-user', f'ceph-volume@lvm-{osd}-{fsid}')}",
        f"test -L {wants.format('ceph-osd', f'ceph-osd@{osd}')}",
        "test ! -e /etc/ceph/ceph.client.admin.keyring",
    )
    metadata = encrypted.ask("osd", "metadata", str(osd))
    assert (metadata["bluefs_dedicated_db"], metadata["bluefs_db_devices"], metadata["hostname"]) == ("1", "ubdc", HOST)


@pytest.mark.full
def test_its_key_lies_with_the_mons_and_nothing_opens_it_without(encrypted):
    osd, found = number(encrypted), volumes(encrypted)
    fsid = found["block"]["tags"]["ceph.osd_fsid"]
    key = f"dm-crypt/osd/{fsid}/luks"
    secret = encrypted.run(["ceph", "config-key", "get", key]).stdout
    lockbox = f"client.osd-lockbox.{fsid}"
    (user,) = encrypted.ask("auth", "get", lockbox)
    assert user["caps"] == {"mon": f'allow command "config-key get" with key="{key}"'}
    assert user["key"] == found["block"]["tags"]["ceph.cephx_lockbox_secret"]
    opens = ["cryptsetup", "open", "--test-passphrase", "--key-file", "-", found["block"]["lv_path"]]
    machine = encrypted.machine(HOST)
    assert machine.run(opens, input=secret.strip()).returncode == 0
    assert machine.run(opens, input=secret.strip()[::-1], check=False).returncode != 0

    before = asking.boots(encrypted, osd)
    activate = ["ceph-volume", "lvm", "activate", str(osd), fsid]
    machine.run(["systemctl", "stop", f"ceph-osd@{osd}"])
    machine.run(["ceph-volume", "lvm", "deactivate", str(osd)])
    assert "crypt" not in shell(encrypted, "lsblk --noheadings --raw --output TYPE /dev/ubdb /dev/ubdc").split()
    encrypted.run(["ceph", "config-key", "rm", key])
    try:
        refused = machine.run(activate, check=False, timeout=BOOT)
    finally:
        encrypted.run(["ceph", "config-key", "set", key, "-i", "-"], input=secret)
    assert refused.returncode != 0
    assert asking.boots(encrypted, osd) == 0
    machine.run(["systemctl", "reset-failed"])
    machine.run(activate, timeout=BOOT)
    asking.await_boot(encrypted, osd, before, BOOT * asking.pace())


def data(path: Path) -> Iterator[bytes]:
    """The parts of a file that are no holes."""
    with open(path, "rb") as file:
        end, place = file.seek(0, os.SEEK_END), 0
        while place < end:
            try:
                start = os.lseek(file.fileno(), place, os.SEEK_DATA)
            except OSError:  # nothing but a hole up to the end
                return
            place = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            file.seek(start)
            yield file.read(place - start)


def write(cluster: CephCluster, osd: int) -> list[int]:
    """Write what is easily found again to an OSD and others; all of them."""
    acting: list[int] = []
    names = (f"open-{count}" for count in range(200))
    while osd not in acting:
        name = next(names)
        acting = cluster.ask("osd", "map", "volumes", name)["acting"]
    cluster.run(["rados", "--pool", "volumes", "put", name, "-"], input=(_MARK * 80_000).decode())
    return acting


def shows(cluster: CephCluster, host: str) -> bool:
    """Whether what was written is to be read on the disks of a host."""
    if host in cluster.layout.stores:
        disks = sorted(cluster.lab.lane.file("machines").glob(f"{host}.disk*"))
    else:
        disks = sorted((cluster.machine(host).root / cluster.lab.disks).glob("*.img"))
    assert disks
    return any(_MARK * 10 in part for path in disks for part in data(path))


@pytest.mark.full
def test_what_is_written_is_not_to_be_read_on_its_disks(encrypted):
    osd = number(encrypted)
    other = next(one for one in write(encrypted, osd) if one != osd)
    assert not shows(encrypted, HOST)
    assert shows(encrypted, encrypted.ask("osd", "find", str(other))["host"])


@pytest.mark.full
def test_a_reboot_brings_it_back(encrypted):
    osd = number(encrypted)
    before, leader = asking.boots(encrypted, osd), encrypted.machine(HOST).leader
    put(encrypted, "rebooted")
    encrypted.machine(HOST).run(["systemctl", "reboot"], check=False)
    patience = BOOT * asking.pace()
    assert kernel.wait_for(lambda: encrypted.machine(HOST).leader not in (0, leader), patience, 0.2)
    asking.await_boot(encrypted, osd, before, patience)
    assert read(encrypted) == "rebooted"
    # started once, by the unit that opened its volumes
    assert shell(encrypted, f"systemctl show --property NRestarts --value ceph-osd@{osd}").strip() == "0"
    assert shell(encrypted, "systemctl --failed --plain --no-legend") == ""


@pytest.mark.full
def test_a_pulled_plug_keeps_its_disks(encrypted):
    osd, fsid = number(encrypted), volumes(encrypted)["block"]["tags"]["ceph.osd_fsid"]
    before = asking.boots(encrypted, osd)
    put(encrypted, "pulled")
    encrypted.lab.stop(HOST)
    encrypted.lab.start(HOST)
    asking.await_boot(encrypted, osd, before, BOOT * asking.pace())
    assert read(encrypted) == "pulled"
    assert volumes(encrypted)["block"]["tags"]["ceph.osd_fsid"] == fsid
    assert encrypted.status()["state"] == "up"


@pytest.mark.full
def test_all_data_can_lie_on_such_hosts():
    cluster = CephCluster(lane("stores"), Layout(osds=0, rgw=False, lvm=3))
    cluster.down()
    try:
        cluster.up()
        assert cluster.status()["ceph"]["health"]["status"] == "HEALTH_OK"
        assert {number(cluster, host) for host in cluster.layout.stores} == {0, 1, 2}
        for host in cluster.layout.stores:
            found = volumes(cluster, host)
            assert found.keys() == {"block"}
            assert found["block"]["tags"]["ceph.encrypted"] == "0"
        # what the same look does not find on an encrypted disk
        assert number(cluster) in write(cluster, number(cluster))
        assert shows(cluster, HOST)
    finally:
        cluster.down()
    assert left(cluster) == {}


@pytest.mark.full
def test_two_share_a_disk_for_their_databases():
    cluster = CephCluster(lane("shared"), Layout(rgw=False, lvm=1, lvm_osds=2, separate_db=True))
    cluster.down()
    try:
        cluster.up()
        osds = cluster.ask("osd", "ls-tree", HOST)
        first, second = listed(cluster, HOST)
        assert [one["block"]["tags"]["ceph.osd_id"] for one in (first, second)] == [str(osd) for osd in osds]
        assert first["db"]["vg_name"] == second["db"]["vg_name"]
        assert first["block"]["vg_name"] != second["block"]["vg_name"]
        sizes = [int(one["db"]["lv_size"]) for one in (first, second)]
        assert abs(sizes[0] - sizes[1]) <= 4 << 20
        patience, boots = BOOT * asking.pace(), [asking.boots(cluster, osd) for osd in osds]
        cluster.machine(HOST).run(["systemctl", "reboot"], check=False)
        for osd, before in zip(osds, boots):
            asking.await_boot(cluster, osd, before, patience)
        assert cluster.status()["ceph"]["health"]["status"] == "HEALTH_OK"
    finally:
        cluster.down()
    assert left(cluster) == {}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--dmcrypt"], "only hosts with logical volumes have that kind of OSD"),
        (["--separate-db"], "only hosts with logical volumes have that kind of OSD: say how many hosts"),
        (["--lvm-osds", "2"], "only hosts with logical volumes have that kind of OSD"),
        (["--osds", "0", "--lvm", "2"], "pools keep 3 copies, so 3 hosts need OSDs"),
    ],
    ids=["dmcrypt", "db", "osds", "few"],
)
def test_what_cannot_be_is_refused_in_one_sentence(repo, options, says):
    argv = [sys.executable, "-B", "-m", "tests.lab", "ceph", "up", "--lane", lane("never"), *options]
    done = subprocess.run(argv, cwd=repo, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert says in done.stderr
