# SPDX-License-Identifier: Apache-2.0
"""Which VMs are meant, and how little is asked to find out."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.vmware import facts, reading
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.vmware import trees
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.vmware.fakes import FakeSession


@pytest.fixture
def session():
    folder = {"kind": "Folder", "moid": "f-2", "name": "old", "parent": "ha-folder-vm"}
    machines = [
        trees.machine("web", moid="7", config__instanceUuid="52aa-7"),
        trees.machine("db", moid="8", config__instanceUuid="52aa-8"),
        trees.machine("web", moid="9", config__instanceUuid="52aa-9", parent="f-2"),
    ]
    return FakeSession([*copy.deepcopy(trees.AROUND), folder, *machines])


def test_all_of_them_by_path(session):
    assert [vm.path for vm in reading.read(session)] == [
        "/ha-datacenter/vm/db",
        "/ha-datacenter/vm/old/web",
        "/ha-datacenter/vm/web",
    ]


@pytest.mark.parametrize(
    ("wanted", "moids"),
    [
        (["db", "52AA-7"], ["8", "7"]),
        (["/ha-datacenter/vm/old/web"], ["9"]),
        (["9", "db", "9", "52aa-9"], ["9", "8"]),
    ],
    ids=["name-and-uuid", "path", "each-once"],
)
def test_those_that_are_named_in_that_order(session, wanted, moids):
    found = reading.read(session, wanted)
    assert [vm.moid for vm in found] == moids
    assert all(vm.disks for vm in found)
    # A light pass over all of them, and everything only of those that are meant.
    whole = ("VirtualMachine", len(moids), len(facts.VM_PROPERTIES))
    assert session.asked == [("VirtualMachine", -1, 3), ("HostAutoStartManager", 1, 1), whole]


def test_what_fits_nothing_or_several_is_told_at_once(session):
    with pytest.raises(InputError) as caught:
        reading.read(session, ["web", "nobody", "db"])
    assert "'web' is the name of 2 VMs: /ha-datacenter/vm/old/web (9), /ha-datacenter/vm/web (7)" in str(caught.value)
    assert "no VM is called 'nobody'" in str(caught.value)
    assert [kind for kind, _objects, _names in session.asked] == ["VirtualMachine", "HostAutoStartManager"]


def test_what_is_not_there_holds_up_no_other_where_that_is_wanted(session):
    found, lacking = reading.read_some(session, ["web", "52aa-8", "gone"])
    assert [vm.moid for vm in found] == ["8"]
    assert sorted(lacking) == ["gone", "web"]
    assert lacking["gone"] == "no VM is called 'gone'"
    assert reading.read_some(session, ["gone"]) == ([], {"gone": "no VM is called 'gone'"})
