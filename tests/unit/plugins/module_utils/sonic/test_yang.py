# SPDX-License-Identifier: Apache-2.0
"""Verdicts of the YANG models equal those of SONiC's own validator, and every fault is found."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import (
    InputError,
    LandscapeError,
    MissingDependencyError,
)
from ansible_collections.scs.landscape.plugins.module_utils.sonic import client, yang, yang_check, yang_model
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import golden

pytestmark = pytest.mark.slow

#: Seconds per switch after loading, as the issue has it.
BUDGET = 0.060


@pytest.fixture(scope="module")
def judges():
    """libyang with the models of each release, loaded once."""
    with golden.judge("202411") as old, golden.judge("202605") as new:
        yield {"202411": old, "202605": new}


def judged(judges, release, config):
    return yang_check.check(golden.models(release), config, judges[release])


def test_every_golden_verdict_is_listed():
    names = {f"{name}.{release}.json" for name in golden.SWITCHES + golden.BACKUPS for release in golden.RELEASES}
    assert {path.name for path in golden.shared("golden", "yang").glob("*.json")} == names


@pytest.mark.accept("S1.1")
@pytest.mark.parametrize("release", golden.RELEASES)
@pytest.mark.parametrize("name", golden.SWITCHES + golden.BACKUPS)
def test_verdicts_equal_those_of_sonic(judges, name, release):
    told = json.loads(golden.shared("golden", "yang", f"{name}.{release}.json").read_text(encoding="utf-8"))
    verdict = judged(judges, release, golden.config(name))
    assert verdict.valid == told["valid"]
    assert {fault.where: fault.kind for fault in verdict.faults} == {
        (error["table"], error["key"], error["field"]): error["kind"] for error in told["errors"]
    }
    assert list(verdict.without_model) == told["tables_without_model"]


#: name of the fault: what is done to c/leaf1, the places that are refused, kinds.
FAULTS = {
    "unknown row": (lambda c: c["PORT"].update({"Ethernet0|x": {}}), {("PORT", "Ethernet0|x", ""): "unknown_row"}),
    "not a number": (
        lambda c: c["PORT"]["Ethernet0"].update(mtu="9k"),
        {("PORT", "Ethernet0", "mtu"): "not_a_number"},
    ),
    "hexadecimal": (
        lambda c: c["PORT"]["Ethernet0"].update(mtu="0x100"),
        {("PORT", "Ethernet0", "mtu"): "not_a_number"},
    ),
    "range": (lambda c: c["PORT"]["Ethernet0"].update(mtu="99999"), {("PORT", "Ethernet0", "mtu"): "type"}),
    "a text for a list": (
        lambda c: c["BGP_PEER_GROUP_AF"]["default|fabric|ipv4_unicast"].update(route_map_in="ALLOW"),
        {("BGP_PEER_GROUP_AF", "default|fabric|ipv4_unicast", "route_map_in"): "not_a_list"},
    ),
    "a list without items, which SONiC reads as one empty name": (
        lambda c: c["BGP_PEER_GROUP_AF"]["default|fabric|ipv4_unicast"].update(route_map_in=[]),
        {("BGP_PEER_GROUP_AF", "default|fabric|ipv4_unicast", "route_map_in"): "leafref"},
    ),
    "a list without items where the models have a pattern for it": (
        lambda c: c.update(ACL_TABLE={"A": {"type": "L3", "stage": "ingress", "ports": []}}),
        {},
    ),
    "a list for a text": (
        lambda c: c["PORT"]["Ethernet0"].update(admin_status=["up"]),
        {("PORT", "Ethernet0", "admin_status"): "not_a_text"},
    ),
    "a list for a text of any form": (
        lambda c: c["PORT"]["Ethernet0"].update(description=["x"]),
        {("PORT", "Ethernet0", "description"): "not_a_text"},
    ),
    "the same wrong value in two rows": (
        lambda c: [c["PORT"][name].update(admin_status="on") for name in ("Ethernet0", "Ethernet1")],
        {("PORT", "Ethernet0", "admin_status"): "enum", ("PORT", "Ethernet1", "admin_status"): "enum"},
    ),
    "a mandatory field is missing": (
        lambda c: c["VLAN_MEMBER"]["Vlan10|Ethernet0"].clear(),
        {("VLAN_MEMBER", "Vlan10|Ethernet0", "tagging_mode"): "mandatory"},
    ),
    "a wrong value of a mandatory field": (
        lambda c: c["VLAN_MEMBER"]["Vlan10|Ethernet0"].update(tagging_mode="both"),
        {("VLAN_MEMBER", "Vlan10|Ethernet0", "tagging_mode"): "enum"},
    ),
    "a wrong key, without what follows from it": (
        lambda c: c["VLAN"].update({"Vlan9999": {}}) or c["VLAN_INTERFACE"].update({"Vlan9999": {}}),
        {("VLAN", "Vlan9999", "name"): "pattern"},
    ),
    "a condition": (
        lambda c: c["VLAN"]["Vlan10"].update(vlanid="11"),
        {("VLAN", "Vlan10", "vlanid"): "must"},
    ),
    "markup and control characters": (
        lambda c: c["PORT"]["Ethernet0"].update(description="</description>&<\x01"),
        {("PORT", "Ethernet0", "description"): "characters"},
    ),
    "markup": (lambda c: c["PORT"]["Ethernet0"].update(description="</description>&\n<a b='\">"), {}),
}


@pytest.mark.accept("S1.1")
@pytest.mark.parametrize("name", FAULTS)
def test_each_kind_of_fault_is_placed(judges, name):
    change, expected = FAULTS[name]
    config = golden.config("c-l3vni.leaf1")
    before = {fault.where for fault in judged(judges, "202605", config).faults}
    change(config)
    found = {fault.where: fault.kind for fault in judged(judges, "202605", config).faults}
    assert {where: kind for where, kind in found.items() if where not in before} == expected


def test_a_map_of_qos_is_written_as_the_models_have_it(judges):
    config = {"DSCP_TO_TC_MAP": {"AZURE": {"8": "0", "9": "1"}, "BAD": {"99": "0"}}}
    verdict = judged(judges, "202605", config)
    assert {fault.where for fault in verdict.faults} == {("DSCP_TO_TC_MAP", "BAD", "99")}


def cpu_seconds(judge):
    """Processor time of this process and of yanglint, so that other work on the machine does not count."""
    fields = Path(f"/proc/{judge._process.pid}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("name", ["c-l3vni.leaf1", "st01-sw25g-r01-u34"])
def test_one_configuration_takes_no_longer_than_the_budget(judges, name):
    config, rounds = golden.config(name), 20
    start = cpu_seconds(judges["202605"])
    for _round in range(rounds):
        judged(judges, "202605", config)
    assert (cpu_seconds(judges["202605"]) - start) / rounds < BUDGET


def test_an_empty_configuration_is_valid(judges):
    assert judged(judges, "202605", {}).valid


def test_issues_of_a_verdict():
    verdict = yang_check.Verdict((yang.Fault("PORT", "Ethernet0", "mtu", "range", "too much"),), ("REST_SERVER",))
    assert [(issue.rule, issue.severity, issue.where) for issue in yang_check.issues(verdict, "leaf1", "202605")] == [
        ("SY001", "error", ("PORT", "Ethernet0", "mtu")),
        ("SY002", "warning", ("REST_SERVER", "", "")),
    ]


def test_a_complaint_about_nothing_we_wrote_is_not_hidden():
    models = yang_model.Models({})
    with pytest.raises(LandscapeError, match="as a whole"):
        yang_check.check(models, {}, lambda _text: yang_check.Complaint("out of memory"))
    missing = yang_check.Complaint("no", "/a:a/PORT/PORT_LIST[name='x']/mtu")
    assert [fault.where for fault in yang_check.check(models, {}, lambda _text: missing).faults] == [("PORT", "", "")]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            'libyang[0]: Invalid value "x]". (path: Data location "/a:a/PORT/PORT_LIST[name=\'x\']/mtu".)\n',
            yang_check.Complaint('Invalid value "x]".', "/a:a/PORT/PORT_LIST[name='x']/mtu"),
        ),
        (
            'libyang[0]: Must condition "a\nor (/b:c/D = 1)" not satisfied. (path: Data location "/a:a/PORT".)\n',
            yang_check.Complaint('Must condition "a\nor (/b:c/D = 1)" not satisfied.', "/a:a/PORT"),
        ),
        (
            "libyang[0]: Invalid. (path: Data location \"/a:a/P/L[n='a\nb (c), d.)']/f[.='x\ny']\".)\nYANGLINT[E]: no\n",
            yang_check.Complaint("Invalid.", "/a:a/P/L[n='a\nb (c), d.)']/f[.='x\ny']"),
        ),
        (
            'libyang[0]: Invalid value. (path: Data location "/a:a/PORT", line number 12.)\nYANGLINT[E]: no\n',
            yang_check.Complaint("Invalid value.", "/a:a/PORT", 12),
        ),
        (
            "libyang err : Invalid value. (data path: /a:a/PORT, line: 12)\n",
            yang_check.Complaint("Invalid value.", "/a:a/PORT", 12),
        ),
    ],
    ids=["path", "condition", "hostile", "line", "version 3"],
)
def test_messages_are_read(said, expected):
    assert client._first(said) == expected


BROKEN = {
    "open bracket": "module a { prefix b;",
    "open string": 'module a { prefix "b; }',
    "two modules": "module a { } module b { }",
    "no module": "leaf a { }",
    "nothing": "",
    "too deep": "module a {" + "container x {" * 100 + "}" * 101,
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_model_is_refused(name):
    with pytest.raises(InputError, match=r"bad\.yang"):
        yang_model.parse(BROKEN[name], "bad.yang")


def test_models_are_found(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no YANG models"):
        client.load_models(str(tmp_path))
    (tmp_path / "202605").mkdir()
    monkeypatch.setenv("SONIC_YANG_DIR", str(tmp_path))
    assert client.models_dir("202605") == str(tmp_path / "202605")
    assert client.models_dir("202411") == str(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    assert client.models_dir("202605", str(tmp_path / "elsewhere")) == str(tmp_path / "elsewhere")


def test_without_a_folder_of_models_it_is_said_what_to_do(tmp_path, monkeypatch):
    monkeypatch.delenv("SONIC_YANG_DIR", raising=False)
    monkeypatch.setattr(client, "SWITCH_MODELS", str(tmp_path / "none"))
    with pytest.raises(InputError, match="where the YANG models of 202605 are") as caught:
        client.models_dir("202605")
    assert "yang_dir or SONIC_YANG_DIR" in caught.value.hint
    (tmp_path / "own").mkdir()
    monkeypatch.setattr(client, "SWITCH_MODELS", str(tmp_path / "own"))
    assert client.models_dir("202605") == str(tmp_path / "own")


def test_a_folder_of_models_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for name, reason in (("file", "Not a directory"), ("gone", "No such file")):
        with pytest.raises(InputError, match=f"{name} cannot be read: {reason}"):
            client.models_dir("202605", str(tmp_path / name))


def test_models_that_do_not_load_are_named(tmp_path):
    (tmp_path / "bad.yang").write_text('module bad { namespace "urn:b"; prefix b; leaf x { type none; } }')
    golden.need_yanglint()
    with pytest.raises(InputError, match="do not load"):
        with client.Yanglint(str(tmp_path), client.load_models(str(tmp_path)).names):
            pass


def test_without_yanglint_one_sentence_says_so(tmp_path):
    with pytest.raises(MissingDependencyError, match="yanglint"):
        client.Yanglint(str(tmp_path), [], "no-such-program")


def test_a_program_that_ends_is_an_error(tmp_path):
    with pytest.raises(LandscapeError, match="ended"):
        with client.Yanglint(str(tmp_path), [], "true"):
            pass


#: Falls over the first document it is given, and finds nothing wrong with later ones.
FALLS_OVER = """#!/bin/sh
while read -r word rest; do
  case $word in
  data)
    if mkdir "$(dirname "$0")/been" 2>/dev/null; then
      echo 'libyang[0]: Missing key. (data path: /a:a/PORT, line: 3)' >&2
      exit 139
    fi
    ;;
  end-*) echo "YANGLINT[E]: Unknown command \\"$word\\", type help" >&2 ;;
  esac
done
"""


def test_a_program_that_falls_over_is_started_again_with_what_it_said(tmp_path):
    program = tmp_path / "yanglint"
    program.write_text(FALLS_OVER)
    program.chmod(0o755)
    with client.Yanglint(str(tmp_path), [], str(program)) as judge:
        first = judge._process.pid
        assert judge("<a/>") == yang_check.Complaint("Missing key.", "/a:a/PORT", 3)
        assert judge("<a/>") is None
        assert judge._process.pid != first


def test_files_of_folders(tmp_path):
    for name in ("b/two.json", "a/one.json", "a/readme.md", ".git/three.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    files = client.config_files([str(tmp_path), str(tmp_path / "a" / "one.json")])
    assert [path[len(str(tmp_path)) :] for path in files] == ["/a/one.json", "/b/two.json"]
    with pytest.raises(InputError, match="neither"):
        client.config_files([str(tmp_path / "none")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no \.json"):
        client.config_files([str(tmp_path / "empty")])


@pytest.mark.parametrize(
    "text", ["{", '{"A": {}, "A": {}}', "[" * 100000, "\udcff"], ids=["cut off", "key twice", "deep", "bytes"]
)
def test_files_that_are_no_configuration(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=r"x\.json"):
        client.load_json(str(path))
