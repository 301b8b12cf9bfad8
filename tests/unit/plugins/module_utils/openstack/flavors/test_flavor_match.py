# SPDX-License-Identifier: Apache-2.0
"""The flavor that fits is never too small, and the reasons are true."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors import match, model, sets
from ansible_collections.scs.landscape.plugins.modules import flavor_match
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.flavors.fake_nova import (
    FakeNova,
    flavor,
)

STANDARD = [
    flavor(one.name, one.vcpus, one.ram, one.disk, one.specs)
    for one in sets.members(["scs-mandatory", "scs-recommended"])
]


def run(*requests: dict[str, Any], flavors: Any = STANDARD, required: bool = True, cloud: Any = None) -> Any:
    defaults = {"cloud": None, "required": required}
    whole = [{"vcpus": 1, "ram": 1, "disk": 0, **one} for one in requests]
    cloud = cloud or FakeNova(*flavors)
    done = flavor_match.main({**defaults, "requests": whole}, False, connect=lambda *_args, **_more: cloud)
    assert cloud.writes == []
    assert not done.changed
    return done


CHOICES = [
    ({"vcpus": 2, "ram": 6144}, "SCS-2V-8"),
    ({"vcpus": 2, "ram": 8192}, "SCS-2V-8"),
    ({"vcpus": 2, "ram": 8193}, "SCS-2V-16"),
    ({"vcpus": 1, "ram": 512}, "SCS-1L-1"),
    ({"vcpus": 1, "ram": 512, "cpu_type": "shared-core"}, "SCS-1V-2"),
    ({"vcpus": 4, "ram": 16384, "disk": 80, "disk_type": "ssd"}, "SCS-4V-16-100s"),
    ({"vcpus": 2, "ram": 4096, "disk": 10}, "SCS-2V-4-10"),
    ({"vcpus": 2, "ram": 4096, "disk": 11}, "SCS-2V-4-20s"),
    ({"vcpus": 16, "ram": 65537, "max_disk": 0}, "SCS-16V-128"),
    ({"vcpus": 32}, None),
    ({"vcpus": 1, "cpu_type": "dedicated-core"}, None),
    ({"vcpus": 2, "ram": 4097, "max_ram": 8000}, None),
    ({"architecture": "aarch64"}, None),
]


@pytest.mark.parametrize(("request_", "name"), CHOICES, ids=[str(number) for number in range(len(CHOICES))])
def test_the_best_of_the_standard_flavors(request_, name):
    done = run({"name": "m", **request_}, required=False)
    assert done.values["chosen"] == {"m": name}


def test_nothing_that_is_too_small_is_ever_returned(seed):
    chance = random.Random(seed)
    flavors = [model.flavor_of(one) for one in STANDARD]
    for _number in range(500):
        wanted = match.Request(
            "m",
            vcpus=chance.randint(1, 20),
            ram=chance.randint(1, 140_000),
            disk=chance.choice([0, chance.randint(1, 110)]),
            cpu_type=chance.choice(["", *match.CPU_ORDER]),
            disk_type=chance.choice(["", *match.DISK_ORDER]),
        )
        fits, rejected = match.rank(wanted, flavors)
        assert len(fits) + len(rejected) == len(flavors)
        assert all(rejected.values())
        for one in fits:
            has = one.flavor
            assert (has.vcpus >= wanted.vcpus, has.ram >= wanted.ram, has.disk >= wanted.disk) == (True, True, True)
            kind = (has.specs or {})["scs:cpu-type"]
            assert not wanted.cpu_type or match.CPU_ORDER.index(kind) >= match.CPU_ORDER.index(wanted.cpu_type)
        assert [one.score for one in fits] == sorted(one.score for one in fits)


def test_reasons_say_what_is_too_much_and_what_is_missing():
    done = run({"name": "m", "vcpus": 2, "ram": 6144, "max_disk": 0})
    best = done.values["matches"]["m"][0]
    assert best["reasons"] == [
        "2 vCPUs, as needed",
        "8192 MiB of memory, 2048 more than needed",
        "no disk: boots from a volume",
    ]
    rejected = done.values["rejected"]["m"]
    assert rejected["SCS-1V-4"] == ["1 vCPUs, 2 are needed", "4096 MiB of memory, 6144 are needed"]
    assert rejected["SCS-2V-8-20"] == ["20 GB of disk, at most 0 are allowed"]


def test_unknown_is_not_enough():
    done = run({"name": "m", "cpu_type": "crowded-core"}, flavors=[flavor("m1.large")], required=False)
    assert "does not say of which type its CPU is" in done.values["rejected"]["m"]["m1.large"][0]


def test_a_name_says_what_extra_specs_do_not():
    flavors = [flavor("SCS-2C-4_a1", 2, 4096), flavor("pinned", 2, 4096, specs={"hw:cpu_policy": "dedicated"})]
    done = run(
        {"name": "arm", "architecture": "aarch64"}, {"name": "pinned", "cpu_type": "dedicated-thread"}, flavors=flavors
    )
    assert done.values["chosen"] == {"arm": "SCS-2C-4_a1", "pinned": "pinned"}


def test_rare_things_are_left_to_those_who_ask():
    gpu = {"pci_passthrough:alias": "a100:1"}
    flavors = [flavor("gpu", 2, 4096, specs=gpu), flavor("plain", 2, 6144), flavor("odd SCS", 2, 8192)]
    done = run({"name": "m", "vcpus": 2, "ram": 4096}, {"name": "g", "vcpus": 2, "properties": gpu}, flavors=flavors)
    assert done.values["chosen"] == {"m": "plain", "g": "gpu"}
    (taken,) = [one for one in done.values["matches"]["m"] if one["name"] == "gpu"]
    assert taken["reasons"][-1] == "pci_passthrough:alias, which was not asked for"


def test_a_flavor_that_is_being_made_anew_is_not_offered():
    done = run({"name": "m"}, flavors=[flavor(f"a{model.HOLDER}")], required=False)
    assert done.values["matches"] == {"m": []}
    assert done.values["rejected"] == {"m": {}}


PRIVATE = {"os-flavor-access:is_public": False}


@pytest.mark.parametrize("project", ["p1", "p3", ""])
def test_an_administrator_is_offered_what_the_own_project_may_use(project):
    cloud = FakeNova(
        flavor("open"), flavor("ours", **PRIVATE), flavor("theirs", **PRIVATE), flavor("nobodys", **PRIVATE)
    )
    cloud.access = {"id-ours": {"p1", "p3"}, "id-theirs": {"p2"}}
    cloud.project_id = project
    done = run({"name": "m"}, cloud=cloud)
    assert {one["name"] for one in done.values["matches"]["m"]} == ({"open", "ours"} if project else {"open"})


def test_who_may_not_ask_for_access_is_offered_what_is_listed():
    cloud = FakeNova(flavor("open"), flavor("ours", **PRIVATE))
    cloud.admin = False
    done = run({"name": "m"}, cloud=cloud)
    assert {one["name"] for one in done.values["matches"]["m"]} == {"open", "ours"}


def test_a_disabled_flavor_is_not_offered():
    flavors = [flavor("off", **{"OS-FLV-DISABLED:disabled": True}), flavor("on", **{"OS-FLV-DISABLED:disabled": False})]
    done = run({"name": "m"}, flavors=flavors)
    assert [one["name"] for one in done.values["matches"]["m"]] == ["on"]


def test_better_classes_count_against_a_flavor():
    flavors = [
        flavor("SCS-2C-4-20p", 2, 4096, 20),
        flavor("SCS-2V-4-20s", 2, 4096, 20),
        flavor("SCS-2T-4-bad-", 2, 4096),
    ]
    wanted = {"name": "m", "vcpus": 2, "ram": 4096, "disk": 20, "cpu_type": "shared-core", "disk_type": "hdd"}
    best, second = run(wanted, flavors=flavors).values["matches"]["m"]
    assert (best["name"], second["name"]) == ("SCS-2V-4-20s", "SCS-2C-4-20p")
    assert "dedicated-core instead of shared-core" in second["reasons"]


def test_no_flavor_fails_with_everything_returned():
    done = run({"name": "m", "vcpus": 99})
    assert done.failed == "None of 31 flavors fits m; rejected says why"
    assert len(done.values["rejected"]["m"]) == 31


def test_bad_requests_are_refused():
    with pytest.raises(InputError, match="m: vcpus is less than 1"):
        run({"name": "m", "vcpus": 0})
    with pytest.raises(InputError, match="Several machines are called m"):
        run({"name": "m"}, {"name": "m"})
