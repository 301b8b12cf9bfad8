# SPDX-License-Identifier: Apache-2.0
"""The module sonic_convert: files in, files and a list of changes out."""

from __future__ import annotations

import json

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.modules import sonic_convert

CONFIG = {
    "DEVICE_METADATA": {"localhost": {"hwsku": "Accton-AS7326-56X", "docker_routing_config_mode": "split"}},
    "PORT": {
        "Ethernet0": {
            "alias": "Eth6/3(Port1)",
            "lanes": "3",
            "index": "1",
            "parent_port": "Ethernet5",
            "speed": "25000",
        }
    },
    "REST_SERVER": {"default": {"client_auth": "user"}},
    "SNMP_COMMUNITY": {"canary-value": {"TYPE": "RO"}},
}


def run(source, *, check=False, **options):
    params = {"src": [str(source)], "dest": None, "release": "202605", "adopt": False, "reports": [], **options}
    return sonic_convert.main(params, check)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "backups"
    path.mkdir()
    (path / "leaf1.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    return path


def test_it_converts_once_and_then_rests(source, tmp_path):
    first = run(source, dest=str(tmp_path / "out"), reports=[str(tmp_path / "report.md")])
    assert first.changed
    assert first.steps_done == len(first.plan) == 2
    assert first.values["files"] == ["leaf1.json"]
    written = json.loads((tmp_path / "out" / "leaf1.json").read_text(encoding="utf-8"))
    assert written["PORT"]["Ethernet0"] == {"alias": "twentyfiveGigE1", "lanes": "3", "index": "1", "speed": "25000"}
    assert "REST_SERVER" not in written
    again = run(source, dest=str(tmp_path / "out"), reports=[str(tmp_path / "report.md")])
    assert not again.changed
    assert again.values["notes"] == first.values["notes"]


def test_check_mode_writes_nothing_and_plans_the_same(source, tmp_path):
    checked = run(source, dest=str(tmp_path / "out"), check=True)
    assert not (tmp_path / "out").exists()
    assert checked.plan.as_dict() == run(source, dest=str(tmp_path / "out")).plan.as_dict()


def test_without_a_folder_it_only_tells(source):
    done = run(source)
    assert not done.changed
    assert {note["table"] for note in done.values["notes"]["leaf1"]} >= {"PORT", "REST_SERVER", "DEVICE_METADATA"}
    assert done.values["counts"]["dropped"] == 2


def test_secrets_stand_in_the_file_alone(source, tmp_path):
    done = run(source, dest=str(tmp_path / "out"), reports=[str(tmp_path / "report.md")])
    said = json.dumps([done.values, done.diff, done.plan.as_dict()]) + (tmp_path / "report.md").read_text("utf-8")
    assert "canary-value" not in said
    assert "canary-value" in (tmp_path / "out" / "leaf1.json").read_text("utf-8")
    assert (tmp_path / "out" / "leaf1.json").stat().st_mode & 0o777 == 0o600


def test_findings_about_a_community_do_not_name_it(source):
    config = {**CONFIG, "SNMP_COMMUNITY": {"public": {"TYPE": "RO"}}}
    (source / "leaf1.json").write_text(json.dumps(config), encoding="utf-8")
    found = run(source).values["findings"]
    assert "SL601" in {issue["rule"] for issue in found}
    assert "public" not in json.dumps(found)


def test_a_backup_of_the_community_is_refused_before_anything_is_written(source, tmp_path):
    community = {"DEVICE_METADATA": {"localhost": {"frr_mgmt_framework_config": "true"}}}
    (source / "leaf2.json").write_text(json.dumps(community), encoding="utf-8")
    with pytest.raises(InputError, match=r"leaf2 \(unified\)") as caught:
        run(source, dest=str(tmp_path / "out"))
    assert "leaf1" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_an_unknown_form_of_report_is_refused(source):
    with pytest.raises(InputError, match=r"report\.pdf"):
        run(source, reports=["report.pdf"])
