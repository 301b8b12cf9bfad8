# SPDX-License-Identifier: Apache-2.0
"""The static inventory for OSISM; that Ansible reads it like the plugin's is shown in tests/play/test_inventory.py."""

from __future__ import annotations

import yaml

from ansible_collections.scs.landscape.plugins.module_utils.landscape.inventory import Options, build
from ansible_collections.scs.landscape.plugins.module_utils.landscape.render import osism
from ansible_collections.scs.landscape.plugins.module_utils.landscape.render.options import RenderOptions


class Reader(yaml.SafeLoader):
    """Reads ``!unsafe`` as a pair, so that a test sees which texts are marked."""


Reader.add_constructor("!unsafe", lambda loader, node: ("unsafe", loader.construct_scalar(node)))


def variables(view, host, options=None):
    rendered = osism.host_vars(view, options or RenderOptions())
    return yaml.load(rendered[f"inventory/host_vars/{host}/50-landscape.yml"], Loader=Reader)  # noqa: S506


def test_variables_are_those_of_the_inventory(lab):
    rendered = osism.host_vars(lab, RenderOptions())
    expected = build(lab).hosts
    assert len(rendered) == 33
    for host, values in expected.items():
        assert yaml.safe_load(rendered[f"inventory/host_vars/{host}/50-landscape.yml"]) == values


def test_groups(small):
    view = small("switches:", "groups: {a-b: {roles: [manager], children: [c]}, c: {}}\nswitches:")
    rendered = osism.groups(view, RenderOptions(Options(group_by={})))
    assert rendered == {
        "inventory/10-landscape": """\
# Made by scs.landscape.landscape_render. Changes made here are lost: change the landscape.
dark
l1

[a-b]
m1
m2

[a-b:children]
c

[c]
"""
    }


def test_texts_that_could_be_evaluated_are_marked(small):
    hostile = """description: "lookup('pipe', 'x')", vars: {k: ["a|b", 5, {"f(x)": "$(id)"}], plain: 10.0.0.1}"""
    host = variables(small("index: 10", f"index: 10, {hostile}"), "m1")
    assert host["landscape_description"] == ("unsafe", "lookup('pipe', 'x')")
    assert host["k"] == [("unsafe", "a|b"), 5, {("unsafe", "f(x)"): ("unsafe", "$(id)")}]
    assert host["plain"] == "10.0.0.1"


def test_templates_stay_out_and_that_is_said(small):
    hostile = """description: "{{ x }}", vars: {a: ["{% x %}"], b: {"{# k": 1}, c: "{ x }"}"""
    view = small("index: 10", f"index: 10, {hostile}")
    host = variables(view, "m1")
    assert not {"landscape_description", "a", "b"} & set(host)
    assert host["c"] == ("unsafe", "{ x }")
    said = osism.refused(view, RenderOptions())
    assert [text.split(" was ")[0] for text in said] == [
        "the variable a of m1",
        "the variable b of m1",
        "the variable landscape_description of m1",
    ]


def test_what_the_inventory_refuses_is_said(small):
    view = small("index: 10", "index: 10, vars: {ansible_user: x}")
    assert "ansible_user" not in variables(view, "m1")
    assert "ansible_user of m1 was left out" in osism.refused(view, RenderOptions())[0]
    permitted = RenderOptions(Options(connection_vars=True))
    assert variables(view, "m1", permitted)["ansible_user"] == "x"
