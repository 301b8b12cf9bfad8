# SPDX-License-Identifier: Apache-2.0
"""The page and the picture of the fabric."""

from __future__ import annotations

import copy
from xml.etree import ElementTree

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.landscape import fabric
from ansible_collections.scs.landscape.plugins.module_utils.landscape.docs import build, model
from ansible_collections.scs.landscape.tests.tools import svg_check

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def data(repo):
    file = repo / "tests" / "unit" / "fixtures" / "fabric" / "landscape.yml"
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pages(data, view_of):
    return build.pages(view_of(data), [], model.Options(include=("fabric",)))


def parts(svg, tag="g"):
    return {element.get("id") for element in ElementTree.fromstring(svg).iter(f"{SVG}{tag}") if element.get("id")}


@pytest.mark.accept("S1.12")
def test_everything_of_the_fabric_is_drawn(pages):
    drawn = pages["fabric.svg"]
    assert svg_check.problems(drawn) == []
    boxes = {name for name in parts(drawn) if name.startswith("box-")}
    assert boxes == {
        *(f"box-{name}" for name in ("spine1", "spine2", "leaf1", "leaf2", "border1")),
        *(f"box-{name}" for name in ("cloud", "lab", "storage")),
        "box-peering_20_uplink",
    }
    lines = parts(drawn, "path")
    assert {f"session-{spine}--{leaf}" for spine in ("spine1", "spine2") for leaf in ("leaf1", "leaf2")} < lines
    assert "session-border1--peering_20_uplink" in lines
    # its one cable to the second leaf is switched off
    assert ("session-leaf1--lab" in lines, "session-leaf2--lab" in lines) == (True, False)


@pytest.mark.accept("S1.12")
def test_no_rule_is_drawn_over_nothing(data, view_of, pages):
    rules = len(list(ElementTree.fromstring(pages["fabric.svg"]).iter(f"{SVG}line")))
    bare = copy.deepcopy(data)
    for network in bare["networks"].values():
        for name in ("vlan", "vni", "vrf", "environment"):
            network.pop(name, None)
    for environment in bare["environments"].values():
        for name in ("separated", "vrf", "reaches"):
            environment.pop(name, None)
    written = build.pages(view_of(bare), [], model.Options(include=("fabric",)))["fabric.svg"]
    assert rules == 2, "one over the tables, one below the head of the networks"
    assert list(ElementTree.fromstring(written).iter(f"{SVG}line")) == []


@pytest.mark.accept("S1.12")
def test_instances_and_vnis_are_shown(data, view_of):
    changed = copy.deepcopy(data)
    changed["vrfs"]["blue"] = {"vni": 50100, "vlan": 3100}
    changed["environments"]["storage"]["vrf"] = "blue"
    changed["networks"]["ceph-cluster"] |= {"vrf": "blue", "vlan": 40, "vni": 10040}
    written = build.pages(view_of(changed), [], model.Options(include=("fabric",)))
    texts = [element.text for element in ElementTree.fromstring(written["fabric.svg"]).iter(f"{SVG}text")]
    assert {"blue (VNI 50100)", "10040", "40", "routing instance blue"} <= set(texts)
    assert svg_check.problems(written["fabric.svg"]) == []
    assert "| blue | 50100 | 3100 |" in written["fabric.md"]


def test_the_page_says_what_the_picture_says(pages):
    page = pages["fabric.md"]
    assert "| cloud | default | yes | yes | all | – | – | part |" in page
    assert "| cloud | storage | ceph |" in page
    assert "| uplink | border1 | Ethernet72 | 64496 | provider | 0.0.0.0/0 |" in page
    assert "| spine1 | spine | 4210001000 | 10.1.0.11, fd00:1::10:1:0:11 | 3 |" in page


def test_many_switches_are_drawn_together(large_pages):
    boxes = {name for name in parts(large_pages["fabric.svg"]) if name.startswith("box-")}
    assert "box-leaf_20_r01" in boxes
    assert len(boxes) < 40


def test_without_routing_there_is_no_picture(view_of):
    written = build.pages(view_of({"version": 1}), [], model.Options(include=("fabric",)))
    assert sorted(written) == ["fabric.md", "index.md"]
    assert "No switch has an AS number" in written["fabric.md"]


@pytest.mark.parametrize(
    ("listener", "other", "wanted"),
    [
        ({}, {}, "all"),
        ({"separated": True}, {}, "none"),
        ({}, {"separated": True}, "none"),
        ({"vrf": "blue"}, {}, "none"),
        ({"separated": True, "reaches": [{"environment": "b"}]}, {}, "all"),
        ({"separated": True, "reaches": [{"environment": "b", "networks": ["n"]}]}, {}, "some"),
        ({"reaches": [{"environment": "b", "networks": ["n"]}]}, {}, "all"),
    ],
)
def test_who_hears_of_whom(listener, other, wanted, view_of):
    document = {"version": 1, "environments": {"a": listener, "b": other}, "vrfs": {"blue": {}}}
    document["networks"] = {"n": {"purpose": "lab", "environment": "b"}}
    environments = view_of(document).landscape.environments
    assert fabric.hears(environments["a"], environments["b"]) == wanted
    assert fabric.hears(environments["a"], environments["a"]) == "all"
