# SPDX-License-Identifier: Apache-2.0
"""The plan of a migration: pure, whole, and never smaller than what was there."""

from __future__ import annotations

import json
import random
import re
from fractions import Fraction

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import model, plan, target
from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors.model import Flavor

from . import fakes_migration as fakes

GIB = fakes.GIB


def only(document):
    (machine,) = document.machines
    return machine


def test_everything_of_a_machine_is_in_the_plan():
    document = fakes.made([fakes.vm()], volume_types={"ds1": "ssd"})
    machine = only(document)
    assert document.ready
    assert not document.collisions
    assert (machine.flavor, machine.flavor_id, machine.wave) == ("middle", "f-middle", "wave-1")
    assert machine.properties["hw_disk_bus"] == "scsi"
    assert machine.properties["os_distro"] == "debian"
    (disk,) = machine.disks
    assert (disk.position, disk.size, disk.volume_type, disk.volume) == (0, 10, "ssd", "vm1-0")
    (port,) = machine.ports
    assert (port.mac, port.addresses, port.network_id) == ("00:50:56:00:00:01", ("10.0.0.11",), "n1")
    assert port.groups == ("g1",)


@pytest.mark.accept("V1.7")
@pytest.mark.parametrize(
    ("capacity", "size"),
    [(512, 1), (GIB, 1), (GIB + 512, 2), (20 * GIB - 512, 20), (GIB + 2**20, 2)],
)
def test_a_volume_is_as_large_as_the_disk_or_up_to_a_gib_larger(capacity, size):
    machine = only(fakes.made([fakes.vm(disks=[fakes.disk(capacity_bytes=capacity, allocated_bytes=0)])]))
    assert machine.disks[0].size == size


@pytest.mark.accept("V1.8")
@pytest.mark.parametrize(
    ("boot_disk", "override", "first", "reason"),
    [
        (None, {}, 2010, "first one that the firmware finds"),
        ({"key": 2001, "reason": "its boot order begins with it", "certain": True}, {}, 2001, "its boot order"),
        (
            {"key": 2001, "reason": "its boot order", "certain": True},
            {"boot_disk": "Hard disk 1"},
            2000,
            "an option says",
        ),
    ],
    ids=["controllers", "firmware", "option"],
)
def test_the_boot_disk_is_chosen_by_evidence(boot_disk, override, first, reason):
    disks = [
        fakes.disk(2000, bus="sata", controller="ahci", controller_key=15000, unit=0),
        fakes.disk(2001, controller_number=1, controller_key=1001, unit=0),
        fakes.disk(2010, unit=3, label="boot"),
    ]
    machine = only(fakes.made([fakes.vm(disks=disks, boot_disk=boot_disk)], overrides={"vm1": override}))
    assert [disk.position for disk in machine.disks] == [0, 1, 2]
    assert machine.disks[0].key == first
    assert reason in machine.disks[0].reason
    rest = [disk.key for disk in machine.disks[1:]]
    assert rest == [key for key in (2010, 2001, 2000) if key != first]


def test_bytes_are_announced_by_size_and_by_allocation():
    disks = [fakes.disk(2000, allocated_bytes=300 * 2**20), fakes.disk(2001, allocated_bytes=None)]
    vm = fakes.vm(disks=disks)
    capacity, allocated = 20 * GIB, 10 * GIB + 300 * 2**20
    assert fakes.made([vm]).bytes == model.Bytes(capacity, allocated, allocated, allocated)
    assert fakes.made([vm], transport="folder").bytes == model.Bytes(capacity, allocated, capacity, allocated)
    assert fakes.made([vm], method="image").bytes == model.Bytes(capacity, allocated, allocated, capacity)


def test_the_plan_is_the_same_in_whatever_order_the_facts_come(seed):
    chance = random.Random(seed)
    vms = [fakes.vm(number) for number in range(1, 20)]
    first = fakes.made(vms)
    chance.shuffle(vms)
    assert fakes.made(vms).text() == first.text()


def test_a_file_gives_the_plan_back_and_a_changed_one_is_refused():
    document = fakes.made([fakes.vm(1), fakes.vm(2)], rates={"stream": 50})
    assert model.parse(document.text(), "plan.json") == document
    data = json.loads(document.text())
    data["vms"][0]["ports"][0]["mac"] = "00:50:56:00:00:99"
    with pytest.raises(InputError, match="changed after it was made"):
        model.document_of(data, "plan.json")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is no plan"),
        ("[]", "is no plan of a migration"),
        ('{"format": "scs.landscape.migration", "version": 9}', "has version 9"),
    ],
    ids=["no JSON", "something else", "another version"],
)
def test_a_file_that_is_no_plan_is_refused(text, reason):
    with pytest.raises(InputError, match=reason):
        model.parse(text, "plan.json")


PROBLEMS = [
    ("network", {}, {"networks": {"other": "front"}}, "does not say where VM Network goes"),
    ("no such network", {}, {"networks": {"*": "nowhere"}}, "there is no network nowhere"),
    ("foreign network", {}, {"networks": {"*": "provider"}}, "belongs to another project"),
    ("subnet", {"nics": [fakes.nic(ips=["192.0.2.7"])]}, {}, "192.0.2.7 is in no subnet"),
    ("group", {}, {"security_groups": ["db"]}, "there is no security group db"),
    ("type", {}, {"volume_types": {"*": "nvme"}}, "there is no volume type nvme"),
    ("flavor", {"cpus": 64}, {}, "no flavor has 64 vCPUs"),
    ("small flavor", {}, {"overrides": {"vm1": {"flavor": "small"}}}, "1 vCPUs, 2 are needed"),
    ("no flavor", {}, {"overrides": {"vm1": {"flavor": "none"}}}, "there is no flavor none"),
    ("zone", {}, {"availability_zone": "az9"}, "there is no availability zone az9"),
    ("boot disk", {}, {"overrides": {"vm1": {"boot_disk": "Hard disk 7"}}}, "there is no disk Hard disk 7"),
    ("no disk", {"disks": []}, {}, "no disk to boot from"),
]


@pytest.mark.parametrize(
    ("facts", "options", "reason"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS]
)
def test_what_stands_against_a_machine_keeps_it_out_of_every_wave(facts, options, reason):
    document = fakes.made([fakes.vm(**facts)], **options)
    machine = only(document)
    assert any(reason in problem for problem in machine.problems), machine.problems
    assert machine.wave == ""
    assert document.waves == ()
    assert not document.ready
    assert any("is left out" in line for line in plan.warnings_of(document))


def test_one_machine_that_cannot_go_does_not_stop_the_others():
    document = fakes.made([fakes.vm(1), fakes.vm(2, cpus=64)])
    assert document.ready
    assert document.waves[0].machines == (fakes.vm(1)["uuid"],)


def test_findings_stop_unless_they_are_ignored():
    facts = fakes.vm(passthrough=[{"kind": "pci", "label": "a card"}])
    stopped = only(fakes.made([facts]))
    (rule,) = {text.partition("(")[2].partition(")")[0] for text in stopped.problems}
    machine = only(fakes.made([facts], ignore=[rule]))
    assert not machine.problems
    assert any("(ignored)" in note for note in machine.notes)
    assert not only(fakes.made([facts], overrides={"vm1": {"ignore": [rule]}})).problems
    with pytest.raises(InputError, match="no rule"):
        fakes.made([facts], ignore=["no-such-rule"])


TRANSPORTS = [
    ({}, "auto", "nfc", ""),
    ({"free_licence": True}, "auto", "folder", ""),
    ({"free_licence": True}, "nfc", "", "cannot be read by nfc"),
    ({}, "ssh", "ssh", ""),
    ({"free_licence": True, "disks": [fakes.disk(datastore_type="vsan")]}, "auto", "", "cannot be read"),
]


@pytest.mark.parametrize(("facts", "wanted", "transport", "reason"), TRANSPORTS)
def test_the_way_to_the_disks_is_chosen_and_told(facts, wanted, transport, reason):
    machine = only(fakes.made([fakes.vm(**facts)], transport=wanted))
    assert machine.transport == transport
    assert bool(reason) == any(reason in problem for problem in machine.problems if reason)


def test_properties_can_be_overridden_for_one_machine():
    overrides = {"vm1": {"properties": {"hw_watchdog_action": None, "os_version": "12"}}}
    machine = only(fakes.made([fakes.vm()], overrides=overrides))
    assert machine.properties["os_version"] == "12"
    assert "hw_watchdog_action" not in machine.properties


@pytest.mark.accept("V1.10")
def test_a_foreign_network_is_fine_for_an_administrator_and_without_own_addresses():
    assert fakes.made([fakes.vm()], fakes.cloud(admin=True), networks={"*": "provider"}).ready
    there = {"*": {"network": "provider", "keep_mac": False, "keep_ip": False}}
    document = fakes.made([fakes.vm()], networks=there)
    assert document.ready
    assert (only(document).ports[0].mac, only(document).ports[0].addresses) == ("", ())


@pytest.mark.accept("V1.10")
@pytest.mark.parametrize("kind", ["mac", "ip", "name"])
def test_two_machines_that_want_the_same_collide(kind):
    same = {
        "mac": {"nics": [fakes.nic(1, ips=[])]},
        "ip": {"nics": [fakes.nic(2, ips=["10.0.0.11"])]},
        "name": {"name": "vm1", "endpoint": "esx2.example"},
    }[kind]
    document = fakes.made([fakes.vm(1), fakes.vm(2, **same)])
    assert [one.kind for one in document.collisions] == [kind]
    assert len(document.collisions[0].machines) == 2
    assert not document.ready


@pytest.mark.accept("V1.10")
def test_what_is_taken_at_the_target_collides_unless_it_is_ours():
    def there(vm):
        port = target.Taken("port1", "n1", "00:50:56:00:00:01", ("10.0.0.11",), vm)
        return fakes.cloud(ports=(port,), servers=(("vm1", vm),))

    foreign = fakes.made([fakes.vm()], there(""))
    assert sorted(one.kind for one in foreign.collisions) == ["ip", "mac", "name"]
    assert fakes.made([fakes.vm()], there(fakes.vm()["uuid"])).ready


def test_the_gateway_is_nobodys_address():
    document = fakes.made([fakes.vm(nics=[fakes.nic(ips=["10.0.0.1"])])])
    assert "gateway" in document.problems[0]


def test_quota_need_is_counted_and_compared():
    vms = [fakes.vm(1), fakes.vm(2, disks=[fakes.disk(2000), fakes.disk(2001, capacity_bytes=GIB + 512)])]
    quota = {"volumes": target.Bound(10, 8), "gigabytes_ssd": target.Bound(None, 3), "gigabytes": target.Bound(100, 50)}
    document = fakes.made(vms, fakes.cloud(quota=quota), volume_types={"*": "ssd"})
    need = {one.name: one.need for one in document.quota}
    assert need == {
        "instances": 2,
        "cores": 4,
        "ram": 8192,
        "ports": 2,
        "volumes": 3,
        "volumes_ssd": 3,
        "gigabytes": 22,
        "gigabytes_ssd": 22,
    }
    assert document.problems == ("quota volumes: 3 are needed, 2 of 10 are free",)


def test_what_an_earlier_run_made_is_not_needed_again():
    uuid = fakes.vm()["uuid"]
    made = target.Made(instances=1, ports=1, volumes={"hdd": (10,)})
    document = fakes.made([fakes.vm()], fakes.cloud(made={uuid: made}))
    assert document.quota == ()


def test_waves_are_those_that_people_name_and_the_rest_by_size():
    vms = [fakes.vm(number) for number in range(1, 6)]
    document = fakes.made(vms, waves=[{"name": "first", "vms": ["vm5", "vm1@esx1.example"]}], wave_size=2)
    assert [(one.name, len(one.machines)) for one in document.waves] == [("first", 2), ("wave-1", 2), ("wave-2", 1)]
    assert document.waves[0].machines == (vms[4]["uuid"], vms[0]["uuid"])
    named = [machine.name for machine in model.machines_of(document, "wave-1")]
    assert named == ["vm2", "vm3"]
    with pytest.raises(InputError, match="no wave second"):
        model.machines_of(document, "second")


def test_a_name_that_means_nothing_or_several_is_told():
    vms = [fakes.vm(1), fakes.vm(2, name="vm1", endpoint="esx2.example")]
    document = fakes.made(
        vms, waves=[{"name": "a", "vms": ["vm1", "vm9"]}], overrides={"vm1@esx2.example": {"server": "x"}}
    )
    assert any("vm1 is the name of vm1@esx1.example, vm1@esx2.example" in line for line in document.problems)
    assert any("there is no machine vm9" in line for line in document.problems)


def test_a_machine_in_two_waves_is_told():
    waves = [{"name": "a", "vms": ["vm1"]}, {"name": "b", "vms": ["vm1"]}]
    assert "is in waves a, b" in fakes.made([fakes.vm(1)], waves=waves).problems[0]


ESTIMATES = [
    ({"stream": 100}, {}, 300 * 10.24, "one disk"),
    ({"stream": 100, "host": 100}, {}, 8 * 300 * 10.24, "ESXi host esx1.example"),
    ({"stream": 100}, {"host": 2}, 4 * 300 * 10.24, "ESXi host esx1.example: 2 disks at once"),
    ({"stream": 100, "target": 50}, {}, 16 * 300 * 10.24, "the target"),
    ({"stream": 100, "datastore": 100}, {}, 8 * 300 * 10.24, "datastore ds1"),
    ({"stream": 100, "converter": 100}, {}, 8 * 300 * 10.24, "the converter"),
    ({"stream": 100}, {"total": 4, "host": 0}, 2 * 300 * 10.24, "all disks: 4"),
]


@pytest.mark.parametrize(("rates", "limits", "factor", "limit"), ESTIMATES)
def test_an_estimate_names_what_it_is_due_to(rates, limits, factor, limit):
    size = 3000 * 1024**2
    vms = [fakes.vm(number, disks=[fakes.disk(allocated_bytes=size)]) for number in range(1, 9)]
    document = fakes.made(vms, rates=rates, limits={"host": 8, **limits})
    assert document.estimate.seconds == pytest.approx(factor / 102.4, rel=0.01)
    assert limit in document.estimate.limit


def test_nothing_is_estimated_without_a_measured_rate():
    assert fakes.made([fakes.vm()]).estimate == model.Estimate(None, "no rate was measured")


@pytest.mark.accept("V1.18")
def test_many_disks_of_one_host_at_once_are_warned_of():
    document = fakes.made([fakes.vm()], limits={"host": 11})
    assert "11 disks of one ESXi host" in plan.warnings_of(document)[0]
    assert not plan.warnings_of(fakes.made([fakes.vm()]))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"networks": {"a": {"subnet": "x"}}}, "names no network"),
        ({"networks": {"a": {"network": "x", "subnet": "y"}}}, "has subnet; known are"),
        ({"overrides": {"vm1": {"flavour": "x"}}}, "has flavour; known are"),
        ({"waves": [{"name": "a"}, {"name": "a"}]}, "called a"),
        ({"limits": {"host": -1}}, "host is less than 0"),
    ],
    ids=["no network", "unknown key", "typo", "two waves", "negative"],
)
def test_options_that_make_no_sense_are_refused(options, reason):
    with pytest.raises(InputError, match=reason):
        fakes.made([fakes.vm()], **options)


def test_facts_that_are_not_whole_are_refused_with_their_name():
    broken = fakes.vm(2)
    del broken["uuid"]
    with pytest.raises(InputError, match=r"vms\[1\]: The facts of vm2 are not whole"):
        fakes.made([fakes.vm(1), broken])
    with pytest.raises(InputError, match="have one uuid"):
        fakes.made([fakes.vm(1), fakes.vm(1, name="copy")])


def scs_flavors(chance):
    """A set of flavors as clouds have them: SCS names of all kinds, names that say nothing, and one that is being made anew."""
    found = []
    for number in range(chance.randint(3, 40)):
        cpus, gib = (
            chance.choice((1, 2, 3, 4, 8, 16, 32, 64)),
            chance.choice((0.5, 1, 2, 4, 8, 16, 30, 32, 64, 128, 256)),
        )
        disk = chance.choice((0, 0, 0, 5, 10, 20, 50, 100, 200))
        kind = chance.choice("LVVVTC")
        tail = (f"-{disk}" + chance.choice(("", "n", "h", "s", "p")) if disk else "") + chance.choice(
            ("", "", "", "_a")
        )
        name = f"SCS-{cpus}{kind}-{gib}{tail}" if chance.random() < 0.9 else f"m1.{number}"
        name += "~scs-landscape" if chance.random() < 0.03 else ""
        specs = {"pci_passthrough:alias": "gpu:1"} if chance.random() < 0.05 else chance.choice(({}, None))
        found.append(Flavor(id=f"f{number}", name=name, vcpus=cpus, ram=int(gib * 1024), disk=disk, specs=specs))
    return list({one.name: one for one in found}.values())


def too_much(flavor, cpus, memory):
    """What a machine would get and has not asked for, by the rules of the documentation; nothing when it does not fit.

    Shares of the CPUs and of the memory that it had; 100 GB of a disk that nobody boots from, a dedicated CPU and a rare device count as
    much as all of its CPUs, and a crowded CPU a quarter of that.
    """
    if (
        flavor.name.endswith("~scs-landscape")
        or flavor.name.endswith("_a")
        or flavor.vcpus < cpus
        or flavor.ram < memory
    ):
        return None
    kind = re.match(r"SCS-[0-9]+([LVTC])-", flavor.name)
    extra = Fraction(flavor.vcpus - cpus, cpus) + Fraction(flavor.ram - memory, memory) + Fraction(flavor.disk, 100)
    extra += {"L": Fraction(1, 4), "T": 1, "C": 1}.get(kind.group(1) if kind else "", 0)
    return extra + len(flavor.specs or {})


@pytest.mark.slow
@pytest.mark.accept("V1.20")
def test_a_thousand_machines_get_the_least_flavor_that_is_not_smaller(seed):
    chance, chosen_ones, none = random.Random(seed), 0, 0
    for _round in range(1000):
        flavors = scs_flavors(chance)
        cpus, memory = chance.randint(1, 64), chance.choice((256, 512, 1024, 4 * chance.randint(64, 40_000)))
        machine = only(fakes.made([fakes.vm(cpus=cpus, memory_mb=memory)], fakes.cloud(flavors=tuple(flavors))))
        costs = {one.id: too_much(one, cpus, memory) for one in flavors}
        fits = {identifier: cost for identifier, cost in costs.items() if cost is not None}
        if not fits:
            assert any(f"no flavor has {cpus} vCPUs and {memory} MiB" in problem for problem in machine.problems)
            none += 1
            continue
        (chosen,) = [one for one in flavors if one.id == machine.flavor_id]
        assert (chosen.vcpus >= cpus, chosen.ram >= memory) == (True, True)
        # The plan rounds to four digits.
        assert fits[chosen.id] <= min(fits.values()) + Fraction(1, 10_000), (cpus, memory, chosen.name)
        chosen_ones += 1
    assert chosen_ones > 100
    assert none > 10


@pytest.mark.accept("V1.20")
def test_a_flavor_that_people_choose_may_not_be_for_another_architecture():
    arm = Flavor(id="f-arm", name="SCS-2V-4_a", vcpus=2, ram=4096, disk=0)
    document = fakes.made([fakes.vm()], fakes.cloud(flavors=(arm,)), overrides={"vm1": {"flavor": arm.name}})
    assert "flavor SCS-2V-4_a is not for x86_64" in only(document).problems
    assert "no flavor has 2 vCPUs" in only(fakes.made([fakes.vm()], fakes.cloud(flavors=(arm,)))).problems[0]
