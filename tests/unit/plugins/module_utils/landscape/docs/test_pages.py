# SPDX-License-Identifier: Apache-2.0
"""What the pages say, and that nothing in them can be broken by foreign texts."""

from __future__ import annotations

import copy
import datetime
import functools
import ipaddress
import json
import operator
import posixpath
import re

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape.docs import build, markdown, model, tables
from ansible_collections.scs.landscape.plugins.module_utils.landscape.finding import Finding, Place
from ansible_collections.scs.landscape.plugins.module_utils.landscape.model import Landscape
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate
from ansible_collections.scs.landscape.plugins.module_utils.landscape.schema import Spec, specs_of

LANDSCAPES = ["lab_pages", "hostile_pages", "large_pages"]


def markdown_of(pages):
    return {name: text for name, text in pages.items() if name.endswith(".md")}


def section(page, heading):
    """The part of a page below a heading."""
    return page.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def rows(part):
    """Cells of the tables of a part of a page."""
    lines = [line for line in part.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@pytest.mark.parametrize("landscape", LANDSCAPES)
def test_every_link_and_picture_leads_to_a_file(landscape, request):
    pages = request.getfixturevalue(landscape)
    links = 0
    for name, text in markdown_of(pages).items():
        for target in re.findall(r"(?<!\\)\]\(([^)]*)\)", text):
            assert posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) in pages, (name, target)
            links += 1
    assert links > 50


def test_every_page_is_reachable_from_the_index(lab_pages):
    reached, todo = set(), ["index.md"]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            found = re.findall(r"\]\(([^)]*)\)", lab_pages[name]) if name.endswith(".md") else []
            todo += [posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) for target in found]
    assert reached == set(lab_pages)


@pytest.mark.parametrize("landscape", LANDSCAPES)
def test_tables_are_whole(landscape, request):
    for name, text in markdown_of(request.getfixturevalue(landscape)).items():
        for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1, (name, block)


def test_foreign_texts_stay_texts(hostile_pages):
    for name, text in markdown_of(hostile_pages).items():
        shown = text.replace("<br/>", "")
        assert not re.search(r"[<>{}]", shown), name
        assert "javascript:x" not in re.findall(r"(?<!\\)\]\(([^)]*)\)", text)
        assert not re.search(r"(?<!\\)[`$~]{1}(?=\[|d~|x\$)", shown), name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("{{ x }}", "&#123;&#123; x &#125;&#125;"),
        ("snake_case stays, _this_ does not lean", r"snake_case stays, \_this\_ does not lean"),
        ("line\nbreak\t\u202e", "line break"),
        ("[x](y) `z` *w* #1 $m$ ~s~ \\", r"\[x\](y) \`z\` \*w\* \#1 \$m\$ \~s\~ " + "\\\\"),
        ("st01-ctl-r01-u27 Eth1/1 10.0.0.1", "st01-ctl-r01-u27 Eth1/1 10.0.0.1"),
    ],
)
def test_escaping(text, shown):
    assert markdown.escape(text) == shown


def test_addresses_stand_in_order(lab_pages):
    networks = {part.splitlines()[0]: part for part in lab_pages["addresses.md"].split("\n## ")[1:]}
    listed = [row[0].split(" ")[0] for row in rows(networks["mgmt"]) if re.match(r"[\d.]+( -|$)", row[0])]
    assert listed == sorted(listed, key=ipaddress.ip_address)
    assert listed[0] == "10.10.23.5"
    assert listed[-1] == "10.10.23.254"
    assert "10.10.22.102" in networks["mgmt-p2p"]
    loopbacks = [row[0] for row in rows(networks["zone1"])]
    assert loopbacks.index("10.10.21.30") < loopbacks.index("fd0c:cc24:75a0:1:10:10:21:10")


def test_addresses_of_no_network_are_not_lost(lab_data, view_of):
    networks = {name: one for name, one in lab_data["networks"].items() if name != "mgmt-p2p"}
    switches = {**lab_data["switches"]}
    switches["st01-sw1g-r01-u47"] = {**switches["st01-sw1g-r01-u47"], "oob_address": "192.0.2.7"}
    view = view_of({**lab_data, "networks": networks, "switches": switches})
    page = build.pages(view, [], model.Options(include=("addresses",)))["addresses.md"]
    assert "192.0.2.7" in section(page, "In no network")


def references_of(data, spec, path=()):
    """Where a document refers to something, as the steps that lead there."""
    if spec.kind == "reference":
        yield path
    elif spec.kind == "object":
        fields = specs_of(spec.model)
        for name, value in data.items():
            yield from references_of(value, fields[name], (*path, name))
    elif spec.kind in ("map", "list"):
        for key, value in data.items() if spec.kind == "map" else enumerate(data):
            yield from references_of(value, spec.item, (*path, key))


@pytest.mark.slow
def test_every_reference_may_lead_nowhere(lab_data, view_of):
    """A typing error in any of them is a finding on the index, and all pages are there."""
    fields = {}
    for path in references_of(lab_data, Spec("object", "", model=Landscape)):
        fields.setdefault((path[0], *(step for step in path[2:] if isinstance(step, str))), path)
    assert {("roles", "uplinks_to"), ("hosts", "role"), ("hosts", "rack")} <= set(fields)
    for path in fields.values():
        data = copy.deepcopy(lab_data)
        functools.reduce(operator.getitem, path[:-1], data)[path[-1]] = "nowhere"
        view = view_of(data)
        found = validate.check(view, [], today=datetime.date(2026, 11, 1))
        pages = build.pages(view, found, model.Options())
        assert any("nowhere" in str(one) for one in found), path
        assert "nowhere" in pages["index.md"], path


def test_cables_are_sorted_like_ports(lab_pages):
    ports = [row[0] for row in rows(section(lab_pages["cables.md"], "st01-sw25g-r01-u34"))[1:]]
    assert ports[:4] == ["Ethernet0", "Ethernet1", "Ethernet2", "Ethernet4"]
    assert ports[-3:] == ["Ethernet72", "Ethernet76", "eth0"]
    assert "**deactivated**" in section(lab_pages["cables.md"], "st01-sw1g-r01-u32")
    outside = rows(section(lab_pages["cables.md"], "Between other devices"))
    assert outside[1][1:4] == ["Port37", outside[1][2], "eno2"]


def test_a_device_page_says_everything(lab_pages):
    page = lab_pages["devices/st01-comp-r01-u09.md"]
    for text in ("10.10.23.25", "10.10.21.25", "fd0c:cc24:75a0:1:10:10:21:25", "4210021025", "3c:ec:ef:9f:e2:40"):
        assert text in page
    assert ["enp65s0f0np0", "[st01-sw25g-r01-u35](st01-sw25g-r01-u35.md)", "65405"] in rows(page)
    assert ["Bottom", "direct"] in rows(page)
    assert "[r01](../racks/r01.md), unit 9" in page


def test_variables_are_not_shown(lab_data, view_of):
    hosts = {name: {**one, "vars": {"password": "canary-5c1e"}} for name, one in lab_data["hosts"].items()}
    written = build.pages(view_of({**lab_data, "hosts": hosts}), [], model.Options())
    assert not [name for name, text in written.items() if "canary" in text]


def test_findings_are_shown_where_they_belong(lab):
    device = lab.devices["st01-ctl-r01-u27"]
    cable = device.links[0].cable
    findings = [
        Finding("C01", "warning", cable.ref, "loose | plug", Place("/x/cables.yml", 7), hint="push"),
        Finding("H01", "error", device.device.ref, "too warm", Place("/x/hosts.yml", 3)),
        Finding("H02", "error", device.device.ref, "too old", Place("/x/hosts.yml", 3), waived="will be replaced"),
    ]
    written = build.pages(lab, findings, model.Options(svg=False))
    index, page = written["index.md"], written["devices/st01-ctl-r01-u27.md"]
    assert index.index("too warm") < index.index("loose \\| plug") < index.index("Looked at and accepted")
    assert index.index("Looked at and accepted") < index.index("will be replaced")
    assert all(text in page for text in ("too warm", "loose \\| plug", "will be replaced"))
    assert "/x/" not in index + page
    assert build.pages(lab, reversed(findings), model.Options(svg=False)) == written


def test_power_lists_what_goes_dark(lab_pages):
    dark = rows(section(lab_pages["power.md"], "What goes dark with a feed"))
    assert dark[1][:2] == ["USV", "5"]
    assert "st01-ctl-r01-u27" in dark[1][2]


def test_front_matter_is_yaml_with_a_title(lab):
    matter = {"sidebar_class_name": "a: b # c", "tags": ["x", "ä"]}
    written = build.pages(lab, [], model.Options(front_matter=matter, include=("racks",), svg=False))
    for text in written.values():
        head = yaml.safe_load(text.split("---\n")[1])
        assert head == {"title": head["title"], **matter}
        assert text.startswith("---\n")
    plain = build.pages(lab, [], model.Options(include=(), svg=False))
    assert plain["index.md"].startswith("# SCS lab\n")


@pytest.mark.parametrize("key", ["a b", "a: b", "", "x\ny"])
def test_front_matter_with_impossible_keys_is_refused(lab, key):
    with pytest.raises(InputError, match="front_matter"):
        build.pages(lab, [], model.Options(front_matter={key: 1}))


def test_only_what_is_asked_for(lab):
    for name in tables.SECTIONS:
        written = build.pages(lab, [], model.Options(include=(name,), svg=False))
        assert len(written) > 1
        assert not [file for file in written if file.endswith(".svg")]
        for text in written.values():
            assert "![" not in text
            assert not [
                link
                for link in re.findall(r"\]\(([^)]*\.md)\)", text)
                if posixpath.basename(link) not in map(posixpath.basename, written)
            ]
    with pytest.raises(InputError, match="nothing"):
        build.pages(lab, [], model.Options(include=("nothing",)))


def test_a_large_landscape_is_split_by_rack(large_pages):
    assert "cables/r01.md" in large_pages
    assert "power/r01.svg" in large_pages
    assert "## st01-leaf-r01-u45" in large_pages["cables/r01.md"]
    assert max(len(text) for name, text in large_pages.items() if name.endswith(".md")) < 512 * 1024


def test_the_index_says_where_things_are(lab_pages):
    index = lab_pages["index.md"]
    assert "# SCS lab" in index
    assert ["**Hosts**", "21"] in rows(index)
    assert ["**Cables**", "99"] in rows(index)
    assert "![Elevation of rack r01, front view](racks/r01.svg)" in index
    assert json.dumps(sorted(lab_pages)) == json.dumps(sorted({posixpath.normpath(name) for name in lab_pages}))
