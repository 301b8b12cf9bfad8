# SPDX-License-Identifier: Apache-2.0
"""Names of flavors: every example of the standard's text, and what it strikes out."""

from __future__ import annotations

import dataclasses
import itertools
import random

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors import names, sets

# Examples of scs-0100-v3 in its own order.
GOOD = [
    "SCS-2C-4-10n",
    "SCS-2T-4-10n",
    "SCS-2V-4-10n",
    "SCS-2L-4-10n",
    "SCS-2Li-4-10n",
    "SCS-2C-3.5-10n",
    "SCS-2C-4u-10n",
    "SCS-2C-4o-10n",
    "SCS-2C-4uo-10n",
    "SCS-2C-4-10s",
    "SCS-2C-4-10s_bms_z3",
    "SCS-2C-4-3x10s",
    "SCS-2C-4-3x10s_bms_z3",
    "SCS-2C-4-10",
    "SCS-2C-4-10_bms_z3",
    "SCS-2C-4-n",
    "SCS-2C-4-n_bms_z3",
    "SCS-2C-4-",
    "SCS-2C-4-_bms_z3",
    "SCS-2C-4-_bms_z3h_GNa-64_ib",
    "SCS-2C-4-_ib",
    "SCS-2C-4",
    "SCS-2C-4_bms_z3",
    "SCS-2C-4-3x10",
    "SCS-1C-1.5-8s",
    "SCS-1T-1-5n",
    "SCS-1V-1-5",
    "SCS-2V-4-20p",
    "SCS-2C-4-10n_bms",
    "SCS-2C-4-10n_bms_z3h",
    "SCS-2C-4-10_kvm_hwv",
    "SCS-2C-4-10_hwv",
    "SCS-2C-4-10_bms_hwv",
    "SCS-2C-4-10n_z",
    "SCS-2C-4-10n_z3hh",
    "SCS-16V-64-500s_GNa-14-6h",
    "SCS-8T-16-50n_i2",
    "SCS-8Ti-32-50p_i1",
    "SCS-1L-1u-5",
    "SCS-16T-64-200s_GNa-72-24_ib",
    "SCS-4C-16-2x200p_a1",
    "SCS-1V-0.5",
    "SCS-2C-4-10_GNa_ib",
    "SCS-2C-4_gA3.1-12h-8hh",
    "SCS-2C-4_chy_hwv_r_GI0.95",
]

BAD = [
    ("SCS-2-4-10n", "CPUs or memory"),
    ("SCS-2iT-4-10n", "CPUs or memory"),
    ("SCS-2C-4ou-10n", "not understood"),
    ("SCS-2C-4-1.5n", "not understood"),
    ("SCS-2C-4-10_hwv_xen", "'_xen' is not understood"),
    ("SCS-2C-4-10n_ib_z", "'_z' is not understood"),
    ("SCS-2C-4_z7", "generations up to 6"),
    ("SCS-2C-4_r1", "generations up to 0"),
    ("SCS-2C-4_GNx", "not understood"),
    ("SCS-2C-4_zhhhh", "not understood"),
    ("SCS-2C-1.3", "halves of a GiB"),
    ("SCS-2C-0", "halves of a GiB"),
    ("SCS-0V-4", "CPUs or memory"),
    ("SCS-2v-4", "CPUs or memory"),
    ("SCS-2V:4:10", "CPUs or memory"),
    ("m1.small", "does not begin with SCS-"),
]


@pytest.mark.parametrize("text", GOOD)
def test_examples_of_the_standard_survive_the_round_trip(text):
    assert str(names.parse(text)) == text


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_what_is_no_name_is_refused_with_the_place(text, reason):
    with pytest.raises(InputError, match=reason):
        names.parse(text)


def test_a_name_is_taken_apart():
    name = names.parse("SCS-16Ti-64.5uo-2x200s_bms_hwv_z3hh_GNa-72h-24hh_ib")
    assert name == names.Name(
        vcpus=16,
        cpu="T",
        ram=64.5,
        insecure=True,
        no_ecc=True,
        oversubscribed=True,
        disk=200,
        disks=2,
        disk_type="s",
        hypervisor="bms",
        nested=True,
        vendor="z",
        generation=3,
        frequency="hh",
        gpu=names.Gpu(True, "N", "a", 72, "h", 24, "hh"),
        infiniband=True,
    )
    assert (name.ram_mib, name.cpu_type, name.architecture) == (66048, "dedicated-thread", "x86_64")


def test_any_name_that_can_be_built_can_be_read(seed):
    chance = random.Random(seed)
    gpus = [None, names.Gpu(True, "N", "a", 14, "", 6, "h"), names.Gpu(False, "I", "0.9"), names.Gpu(False, "A", "", 3)]
    for _number in range(2000):
        vendor = chance.choice(["", "i", "z", "a", "r"])
        disk = chance.choice([None, 0, 10, 200])
        name = names.Name(
            vcpus=chance.randint(1, 256),
            cpu=chance.choice("LVTC"),
            ram=chance.randint(1, 512) / 2,
            insecure=chance.random() < 0.5,
            no_ecc=chance.random() < 0.5,
            oversubscribed=chance.random() < 0.5,
            disk=disk,
            disks=1 if disk is None else chance.choice([1, 3]),
            disk_type="" if disk is None else chance.choice(["", "n", "h", "s", "p"]),
            hypervisor=chance.choice(["", *names.HYPERVISORS]),
            nested=chance.random() < 0.5,
            vendor=vendor,
            generation=chance.randint(0, names.GENERATIONS.get(vendor, 0)),
            frequency=chance.choice(["", "h", "hhh"]) if vendor else "",
            gpu=chance.choice(gpus),
            infiniband=chance.random() < 0.5,
        )
        assert names.parse(str(name)) == name


# The rows of scs-0103-v1: name, vCPUs, type, GiB, GB, type of the disk.
MANDATORY = """
1V-4 1 shared-core 4 0 - | 2V-8 2 shared-core 8 0 - | 4V-16 4 shared-core 16 0 - | 4V-16-100s 4 shared-core 16 100 ssd
8V-32 8 shared-core 32 0 - | 1V-2 1 shared-core 2 0 - | 2V-4 2 shared-core 4 0 - | 2V-4-20s 2 shared-core 4 20 ssd
4V-8 4 shared-core 8 0 - | 8V-16 8 shared-core 16 0 - | 16V-32 16 shared-core 32 0 - | 1V-8 1 shared-core 8 0 -
2V-16 2 shared-core 16 0 - | 4V-32 4 shared-core 32 0 - | 1L-1 1 crowded-core 1 0 -
"""


@pytest.mark.accept("O1.6")
def test_the_mandatory_set_is_the_table_of_the_standard():
    rows = [row.split() for line in MANDATORY.strip().splitlines() for row in line.split("|")]
    assert len(rows) == 15
    found = {one.name: one for one in sets.members(["scs-mandatory"])}
    assert set(found) == {f"SCS-{row[0]}" for row in rows}
    for short, vcpus, kind, ram, disk, disk_kind in rows:
        one = found[f"SCS-{short}"]
        assert (one.vcpus, one.ram, one.disk) == (int(vcpus), int(ram) * 1024, int(disk))
        expected = {"scs:name-v1": one.name.replace("-", ":").replace("SCS:", "SCS-"), "scs:name-v2": one.name}
        expected["scs:cpu-type"] = kind
        if disk_kind != "-":
            expected["scs:disk0-type"] = disk_kind
        assert one.specs == expected


def test_the_recommended_set_has_thirteen_with_a_disk_and_three_without():
    found = sets.members(["scs-recommended", "scs-mandatory"], "ssd")
    assert len(found) == 31
    recommended = [one for one in found if one.name in sets.RECOMMENDED]
    with_disk = [one for one in recommended if one.disk]
    assert (len(recommended), len(with_disk)) == (16, 13)
    assert {one.specs["scs:disk0-type"] for one in with_disk} == {"ssd"}
    assert not any("scs:disk0-type" in one.specs for one in found if not one.disk)


def test_extensions_turn_into_dashes_in_the_old_name():
    assert names.parse("SCS-2C-4-10n_bms_z3_GNa-14-6h").v1 == "SCS-2C:4:10n-bms-z3-GNa:14:6h"


def test_several_disks_have_a_type_each():
    specs = names.parse("SCS-2C-4-3x10s").specs()
    assert {key: value for key, value in specs.items() if "disk" in key} == {
        f"scs:disk{n}-type": "ssd" for n in range(3)
    }


@pytest.mark.parametrize("name", ["SCS-2C-4-", "SCS-2C-4-3x10s"])
def test_a_name_without_one_disk_is_no_definition(name):
    with pytest.raises(InputError, match="one size of disk"):
        sets.definition(name)


def test_an_unknown_set_is_refused():
    with pytest.raises(InputError, match="scs-optional"):
        sets.members(["scs-optional"])


def test_what_a_flavor_has_less_than_its_name_says():
    name = names.parse("SCS-4V-16-100s")
    assert names.overpromises(name, 4, 16384, 100) == []
    for fields in itertools.product([3, 4], [16383, 16384], [99, 100]):
        short = sum(has < says for has, says in zip(fields, (4, 16384, 100)))
        assert len(names.overpromises(name, *fields)) == short


def test_names_are_values():
    name = names.parse("SCS-2V-8")
    assert str(dataclasses.replace(name, disk=50, disk_type="p")) == "SCS-2V-8-50p"
