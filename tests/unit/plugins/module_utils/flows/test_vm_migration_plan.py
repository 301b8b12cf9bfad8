# SPDX-License-Identifier: Apache-2.0
"""The module that plans: reads the target alone, writes one file, the same one in check mode and in a run."""

from __future__ import annotations

import json

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import model, reading, target
from ansible_collections.scs.landscape.plugins.modules import vm_migration_plan

from . import fakes_cloud, fakes_migration


def params(dest, vms, **more):
    given = {name: spec.get("default") for name, spec in vm_migration_plan.ARGUMENTS.items()}
    return {**given, "dest": dest and str(dest), "vms": vms, "networks": {"*": "front"}, **more}


def run(dest, vms, cloud=None, check=False, **more):
    cloud = cloud or fakes_cloud.Cloud()
    result = vm_migration_plan.main(params(dest, vms, **more), check, connect=lambda _params: cloud)
    return result, cloud


def many(count):
    return [
        fakes_migration.vm(number, nics=[fakes_migration.nic(number, ips=[f"10.0.1.{number}"])])
        for number in range(1, count + 1)
    ]


def test_facts_of_the_target_are_read():
    mine = "50000000-0000-4000-8000-000000000001"
    cloud = fakes_cloud.Cloud(
        servers=[{"name": "web", "metadata": {"migration_vm": mine}}, {"name": "old", "metadata": {}}],
        volumes=[{"size": 10, "volume_type": "ssd", "metadata": {"migration_vm": mine}}, {"size": 1, "metadata": {}}],
        ports=[
            {
                "id": "port1",
                "network_id": "n1",
                "mac_address": "00:50:56:AA:00:01",
                "fixed_ips": [{"ip_address": "10.0.0.7"}],
                "tags": ["x", f"migration_vm={mine}"],
            }
        ],
    )
    found = reading.read(cloud)
    assert [one.name for one in found.flavors] == ["SCS-2V-8", "SCS-4V-16"]
    assert found.networks[0].subnet_of("10.0.3.4").cidr == "10.0.0.0/16"
    assert found.ports == (target.Taken("port1", "n1", "00:50:56:aa:00:01", ("10.0.0.7",), mine),)
    assert found.groups == {"default": "g1", "g1": "g1"} | {one: one for one in ("g2", "g3")}
    assert (found.volume_types, found.default_type, found.zones) == (("ssd",), "ssd", ("nova",))
    assert found.servers == (("web", mine), ("old", ""))
    assert found.made == {mine: target.Made(1, 1, {"ssd": (10,)})}
    assert found.quota["instances"] == target.Bound(100, 1)
    assert found.quota["cores"] == target.Bound(None, 0)
    assert found.quota["volumes"] == target.Bound(200, 4)
    assert found.quota["gigabytes_ssd"] == target.Bound(None, 7)
    assert found.quota["ports"].free == 497
    assert "backups" not in found.quota
    assert not found.admin


def test_what_a_service_does_not_tell_bounds_nothing():
    cloud = fakes_cloud.Cloud()
    for path in ("/os-quota-sets/p1", "/quotas/p1/details.json", "/types/default"):
        del cloud.answers[path]
    found = reading.read(cloud)
    assert set(found.quota) == {"instances", "cores", "ram"}
    assert found.default_type == ""


@pytest.mark.accept("V1.12", "V1.23")
def test_fifty_machines_in_check_mode_write_nothing_and_give_the_plan_of_the_run(tmp_path):
    dest = tmp_path / "plans" / "plan.json"
    checked, cloud = run(dest, many(50), check=True)
    assert cloud.writes == []
    assert len(cloud.calls) < 20
    assert not dest.exists()
    assert (checked.changed, checked.steps_done) == (True, 0)
    done, cloud = run(dest, many(50))
    assert cloud.writes == []
    assert done.plan.digest == checked.plan.digest
    assert done.values["document"] == checked.values["document"]
    assert done.values["ready"]
    assert json.loads(dest.read_text("utf-8")) == done.values["document"]
    assert model.parse(dest.read_text("utf-8"), str(dest)).digest == done.values["digest"]
    again, _cloud = run(dest, many(50))
    assert (again.changed, again.steps_done) == (False, 0)


def test_another_choice_is_another_digest_and_a_diff(tmp_path):
    dest = tmp_path / "plan.json"
    first, _cloud = run(dest, many(1))
    second, _cloud = run(dest, many(1), overrides={"vm1": {"server": "renamed"}})
    assert first.values["digest"] != second.values["digest"]
    assert '"server": "renamed"' in json.dumps(second.diff).replace('\\"', '"')


def test_a_plan_that_is_not_ready_fails_only_when_that_is_wanted(tmp_path):
    vms = [*many(1), fakes_migration.vm(2, cpus=64)]
    vms[1]["nics"] = vms[0]["nics"]
    fine, _cloud = run(None, vms)
    assert not fine.failed
    assert fine.values["ready"]
    assert "no flavor has 64 vCPUs" in fine.warnings[0]
    bad = many(2)
    bad[1]["nics"] = bad[0]["nics"]
    failed, _cloud = run(tmp_path / "p", bad, required=True)
    assert "want the MAC address" in failed.failed
    assert (tmp_path / "p").exists()


def test_nothing_is_asked_of_the_target_when_the_facts_are_no_facts():
    cloud = fakes_cloud.Cloud()
    with pytest.raises(InputError, match="not whole"):
        run(None, [{"name": "x"}], cloud)
    assert cloud.calls == []


def test_documentation_and_arguments_name_the_same_options():
    import yaml

    documented = yaml.safe_load(vm_migration_plan.DOCUMENTATION)["options"]
    own = {name: spec for name, spec in vm_migration_plan.ARGUMENTS.items() if name in documented}
    assert len(own) == len(documented)
    for name, spec in own.items():
        told = documented[name]
        assert told["type"] == spec["type"], name
        assert told.get("default") == spec.get("default"), name
