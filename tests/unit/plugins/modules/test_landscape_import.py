# SPDX-License-Identifier: Apache-2.0
"""The module landscape_import: what it writes, what it refuses, that check mode tells the truth."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client
from ansible_collections.scs.landscape.plugins.modules import landscape_import

DEVICES = """\
name,model,serial number,mgmt ip,mgmt mac
node-1,R640,A1,10.0.0.11,3c:ec:ef:00:00:01
node-2,R640,A2,10.0.0.12,3c:ec:ef:00:00:02
leaf-1,AS7726,S1,10.0.0.101,3c:ec:ef:00:00:03
"""
CABLES = """\
# Cables

| source | source port | destination | destination port | type |
|--------|-------------|-------------|------------------|------|
| node-1 | eno1        | leaf-1      | Ethernet0        | SFP28/25G |
| leaf-1 | Ethernet0   | node-1      | eno1             | SFP28/25G |
| node-2 |             |             |                  |      |
"""


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the module on two small tables; ``check=True`` for check mode."""
    (tmp_path / "devices.csv").write_text(DEVICES)
    (tmp_path / "cables.md").write_text(CABLES)

    def call(check=False, **changes):
        params = {
            "format": "tables",
            "src": [str(tmp_path / "devices.csv"), str(tmp_path / "cables.md")],
            "dest": str(tmp_path / "out"),
            "mapping": {},
            "base": [],
            "naming": r"(?P<role>node|leaf)-\d+",
            "defaults": {"environment": "prod", "rack": "r01", "site": "dc1"},
            "header": ["SPDX-License-Identifier: CC0-1.0"],
            "overwrite": False,
        }
        return landscape_import.main({**params, **changes}, check)

    return call


def test_it_writes_a_landscape_that_can_be_read(run, tmp_path):
    result = run()
    assert result.changed
    assert result.steps_done == len(result.plan) == len(result.values["files"])
    landscape, findings = client.load([str(tmp_path / "out")])
    assert findings == []
    assert list(landscape.hosts) == ["node-1", "node-2"]
    assert list(landscape.switches) == ["leaf-1"]
    (cable,) = landscape.cables
    assert (cable.a, cable.b, cable.origin) == ("node-1/eno1", "leaf-1/Ethernet0", "cables.md:5, cables.md:6")
    assert (tmp_path / "out" / "hosts.yml").read_text().startswith("# SPDX-License-Identifier: CC0-1.0\n")


def test_counts_add_up_and_every_unused_row_is_told(run):
    values = run(check=True).values
    for counted in values["counts"].values():
        assert counted["rows"] == counted["used"] + counted["merged"] + counted["unused"]
    unused = [report for report in values["reports"] if report["kind"] == "unused"]
    assert [(report["file"], report["row"], report["reason"]) for report in unused] == [
        ("cables.md", 7, "it has no far end")
    ]
    assert run(check=True).warnings == ["cables.md: 1 of 3 rows could not be used, see reports"]


def test_check_mode_writes_nothing_and_plans_the_same(run, tmp_path):
    checked = run(check=True)
    assert not (tmp_path / "out").exists()
    real = run()
    assert checked.plan.digest == real.plan.digest
    assert checked.diff == real.diff
    assert checked.steps_done == 0


def test_a_second_run_changes_nothing(run):
    run()
    again = run()
    assert (again.changed, again.steps_done, again.diff) == (False, 0, [])


def test_one_file(run, tmp_path):
    result = run(dest=str(tmp_path / "one" / "lab.yaml"))
    assert result.values["files"] == ["lab.yaml"]
    assert list(yaml.safe_load((tmp_path / "one" / "lab.yaml").read_text())["hosts"]) == ["node-1", "node-2"]


def test_a_landscape_edited_by_hand_is_not_overwritten(run, tmp_path):
    run()
    hosts = tmp_path / "out" / "hosts.yml"
    hosts.write_text(hosts.read_text() + "# mine\n")
    with pytest.raises(InputError, match=r"hosts\.yml"):
        run()
    assert hosts.read_text().endswith("# mine\n")
    assert run(overwrite=True).plan.steps[0].object == "hosts.yml"
    assert not hosts.read_text().endswith("# mine\n")


def test_foreign_files_are_not_overwritten(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "hosts.yml").write_text("hosts: {}\n")
    with pytest.raises(InputError, match=r"hosts\.yml"):
        run()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["hosts.yml"]


def test_netbox_exports(run, tmp_path):
    devices = {
        "results": [{"name": "node-1", "device_type": {"slug": "r640"}, "role": {"slug": "compute"}, "site": None}]
    }
    (tmp_path / "devices.json").write_text(json.dumps(devices))
    result = run(format="netbox", src=[str(tmp_path / "devices.json")], dest=str(tmp_path / "nb"))
    assert result.values["counts"]["total"] == {"rows": 1, "used": 1, "merged": 0, "unused": 0}
    landscape, _findings = client.load([str(tmp_path / "nb")])
    assert landscape.hosts["node-1"].model == "r640"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"src": ["/nowhere/devices.csv"]}, "is no file"),
        ({"base": ["/nowhere/models.yml"]}, "does not exist"),
        ({"mapping": {"table": {}}}, "unknown key table"),
        ({"mapping": {"tables": {"devices.csv": {"kind": "device"}}}}, "kind is device"),
        ({"mapping": {"tables": {"devices.csv": {"columns": {"names": "name"}}}}}, "names the column names"),
        ({"mapping": {"tables": {"devices.csv": {"columns": {"name": "nam"}}}}}, "has the fields nam"),
        ({"mapping": {"values": {"roles": {}}}}, "unknown key roles"),
        ({"defaults": {"env": "prod"}}, "unknown key env"),
        ({"naming": "(?P<role>"}, "no regular expression"),
    ],
)
def test_bad_options_are_refused_before_a_row_is_read(run, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        run(**changes)
    assert not (tmp_path / "out").exists()


def test_json_that_is_none_is_refused(run, tmp_path):
    (tmp_path / "devices.json").write_text("{")
    with pytest.raises(InputError, match="is no JSON"):
        run(format="netbox", src=[str(tmp_path / "devices.json")])


def test_other_encodings_are_read_and_told(run, tmp_path):
    (tmp_path / "devices.csv").write_bytes(DEVICES.replace("A1", "M\u00fcller").encode("cp1252"))
    result = run()
    assert result.warnings[0] == "devices.csv is not UTF-8 and was read as Windows-1252"
    assert client.load([str(tmp_path / "out")])[0].hosts["node-1"].serial == "M\u00fcller"


def test_tables_of_the_same_name_are_told_apart(run, tmp_path):
    other = tmp_path / "second"
    other.mkdir()
    (other / "devices.csv").write_text(DEVICES.replace("node", "extra"))
    result = run(
        src=[str(tmp_path / "devices.csv"), str(other / "devices.csv")], naming=r"(?P<role>node|leaf|extra)-\d+"
    )
    assert len(result.values["counts"]) == 3
    assert result.values["counts"]["total"]["rows"] == 6


def test_the_base_wins_and_observed_facts_lie_beside_the_landscape(run, tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "a.yml").write_text("roles: {node: {kind: server, names: [node]}}\nnaming: {pattern: x}\n")
    (tmp_path / "base" / "b.yml").write_text("roles: {leaf: {kind: switch, description: from the base}}\n")
    (tmp_path / "uplinks.csv").write_text("host,interface,remote_as\nnode-1,eno1,65001\n")
    sources = [str(tmp_path / name) for name in ("devices.csv", "cables.md", "uplinks.csv")]
    result = run(src=sources, base=[str(tmp_path / "base")])
    landscape, findings = client.load([str(tmp_path / "out")])
    assert findings == []
    assert landscape.roles["leaf"].description == "from the base"
    assert "_observed/uplinks.yml" in result.values["files"]
    (seen,), misread = client.load_observed([str(tmp_path / "out" / "_observed" / "uplinks.yml")])
    assert misread == []
    assert seen.devices["node-1"].uplinks[0].remote_asn == 65001


def test_observed_tables_of_the_same_name_get_files_of_their_own(run, tmp_path):
    (tmp_path / "up").mkdir()
    for folder in (tmp_path, tmp_path / "up"):
        (folder / "uplinks.csv").write_text("host,interface,remote_as\nnode-1,eno1,65001\n")
    sources = [str(tmp_path / "devices.csv"), str(tmp_path / "uplinks.csv"), str(tmp_path / "up" / "uplinks.csv")]
    files = run(src=sources).values["files"]
    assert [name for name in files if name.startswith("_observed/")] == [
        "_observed/uplinks-2.yml",
        "_observed/uplinks.yml",
    ]


@pytest.mark.parametrize("content", ["a: [", "- list", "roles: {x: {kind: cat}}", "hosts: 5"])
def test_a_base_that_is_no_landscape_is_refused(run, tmp_path, content):
    (tmp_path / "base.yml").write_text(content + "\n")
    with pytest.raises(InputError, match="base"):
        run(base=[str(tmp_path / "base.yml")])
