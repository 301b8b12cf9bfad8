# SPDX-License-Identifier: Apache-2.0
"""The inventory of VMs by Ansible's own program: several endpoints, names that are there twice, and how many calls it takes."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere
from ansible_collections.scs.landscape.tests.lab.vsphere_tests import desk
from ansible_collections.scs.landscape.tests.lab.vsphere_tests.conftest import endpoint
from ansible_collections.scs.landscape.tests.tools import yardstick

HOSTILE = "{{ lookup('pipe', 'touch never') }}"


def written(folder: Path, endpoints: dict[str, Vsphere], **options: Any) -> Path:
    """A configuration file for some endpoints."""
    entries = [
        {
            "name": name,
            "hostname": "127.0.0.1",
            "port": one.port,
            "username": one.username,
            "password": one.password,
            "thumbprint_sha256": one.thumbprint,
        }
        for name, one in endpoints.items()
    ]
    file = folder / "lab.vmware.yml"
    file.write_text(json.dumps({"plugin": "scs.landscape.vmware_vms", "endpoints": entries, **options}))
    return file


def calls(endpoints: dict[str, Vsphere]) -> dict[str, int]:
    """How many SOAP calls each endpoint was asked."""
    return {name: len(one.calls()) for name, one in endpoints.items()}


def test_an_esxi_and_a_vcenter_in_one_inventory(esxi: Vsphere, vcenter: Vsphere, tmp_path: Path) -> None:
    both = {"alone": esxi, "dc1": vcenter}
    file = written(tmp_path, both, waves={"1": ["running"]}, cache=True, cache_plugin="ansible.builtin.jsonfile")
    file.write_text(json.dumps({**json.loads(file.read_text()), "cache_connection": str(tmp_path / "cache")}))
    before = calls(both)
    found = desk.inventory(file, tmp_path)
    after = calls(both)
    assert all(after[name] - before[name] < 15 for name in both)
    assert set(esxi.machines) == set(vcenter.machines)
    names = {
        place: [f"{name.replace(' ', '_')}@{place}" for name in sorted(one.machines)] for place, one in both.items()
    }
    assert sorted(found["_meta"]["hostvars"]) == sorted(itertools.chain(*names.values()))
    assert "böse_1@alone" in names["alone"]
    assert found["wave_1"]["hosts"] == ["running@alone", "running@dc1"]
    assert sorted(found["endpoint_alone"]["hosts"]) == names["alone"]
    assert "böse_1@dc1" in found["firmware_uefi"]["hosts"]
    values = found["_meta"]["hostvars"]["böse_1@alone"]
    assert values["vmware_vm"]["name"] == "böse 1"
    assert values["vmware_transports"] == ["nfc"]
    assert found == desk.inventory(file, tmp_path)
    assert calls(both) == after
    for text in (json.dumps(found), *(path.read_text() for path in (tmp_path / "cache").iterdir())):
        assert esxi.password not in text
        assert vcenter.password not in text


def test_a_name_of_an_owner_is_no_template(tmp_path: Path) -> None:
    machines = [{"name": HOSTILE, "annotation": HOSTILE, "disks": [{"size": 1 << 20}]}]
    with endpoint("hostile", "esxi", {"machines": machines}) as one:
        file = written(tmp_path, {"e": one}, compose={"copied": "vmware_vm.name"}, strict=True)
        found = desk.inventory(file, tmp_path)
    ((host, values),) = found["_meta"]["hostvars"].items()
    assert host.replace("_", "").isalnum()
    assert values["vmware_vm"]["annotation"] == HOSTILE
    assert values["copied"] == HOSTILE
    assert not list(tmp_path.rglob("never"))


@contextlib.contextmanager
def estate(per_host: int) -> Iterator[dict[str, Vsphere]]:
    """Three hosts alone and a vCenter with two more, each name on every one of them."""

    def machines(hosts: int = 1) -> list[dict[str, Any]]:
        card, disk = {"network": "VM Network"}, {"size": 1 << 20}
        plain = {"guest_id": "debian12_64Guest", "disks": [disk], "nics": [card]}
        return [
            {"name": f"vm{number:04d}-{host}", "host": host, **plain}
            for host in range(hosts)
            for number in range(per_host)
        ]

    with contextlib.ExitStack() as stack:
        found = {
            name: stack.enter_context(endpoint(f"scale-{name}", "esxi", {"machines": machines()}))
            for name in ("a", "b", "c")
        }
        vcenter = {"machines": machines(2), "hosts": 2}
        yield {**found, "vc": stack.enter_context(endpoint("scale-vc", "vcenter", vcenter))}


def _scale(per_host: int, folder: Path) -> None:
    with estate(per_host) as all_of_them:
        file = written(folder, all_of_them)
        before, began = calls(all_of_them), time.monotonic()
        found = desk.inventory(file, folder)
        took = time.monotonic() - began
        asked = {name: count - before[name] for name, count in calls(all_of_them).items()}
        hosts = found["_meta"]["hostvars"]
        assert len(hosts) == 5 * per_host
        assert all(count < 50 for count in asked.values()), asked
        assert len([name for name in hosts if name.startswith("vm0000-0@")]) == 4
        assert "vm0000-1" in hosts
        assert took < (30 + 0.12 * 5 * per_host) * max(1.0, yardstick.pace())
        assert json.dumps(found) == json.dumps(desk.inventory(file, folder))
    print(f"{5 * per_host} VMs of {len(all_of_them)} endpoints: {took:.0f} s, {asked} calls")


@pytest.mark.accept("V1.19")
def test_hundreds_of_vms_of_four_endpoints_take_few_calls(tmp_path: Path) -> None:
    _scale(40, tmp_path)


@pytest.mark.full
@pytest.mark.accept("V1.19")
def test_five_thousand_vms_of_four_endpoints_take_few_calls(tmp_path: Path) -> None:
    _scale(1000, tmp_path)
