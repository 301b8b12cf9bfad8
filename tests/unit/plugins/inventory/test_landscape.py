# SPDX-License-Identifier: Apache-2.0
"""The inventory plugin with Ansible's own inventory: options, findings, cache, constructed groups, marking of texts."""

from __future__ import annotations

import os

import pytest
from ansible import template
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader

from ansible_collections.scs.landscape.plugins.inventory.landscape import InventoryModule
from ansible_collections.scs.landscape.plugins.plugin_utils import inventory as base

DEFAULTS = {
    "src": ["data.yml"],
    "on_finding": "warn",
    "states": ["active"],
    "group_by": {"role": "role_"},
    "group_names": "valid",
    "osism_vars": True,
    "landscape_vars": True,
    "connection_vars": False,
    "cache": False,
    "strict": False,
    "use_extra_vars": False,
    "compose": {},
    "groups": {},
    "keyed_groups": [],
    "leading_separator": True,
}
DATA = """
version: 1
environments: {prod: {}}
roles: {compute: {kind: server}}
device_models: {m: {kind: server}}
groups: {ceph-rgw: {children: [ceph-control]}, ceph-control: {hosts: [h1]}}
hosts:
  h1: {model: m, role: compute, environment: prod, description: "{{ x }}", vars: {a: [1, "$(id)"], b: {"{{ k }}": plain}}}
  h2: {model: m, role: compute, environment: prod, state: planned}
"""


class Plugin(InventoryModule):
    """The plugin with options as given, instead of those that its loader reads."""

    def __init__(self, **options):
        super().__init__()
        self.given = {**DEFAULTS, **options}
        self._cache = {}
        self.loads = 0

    def get_option(self, option, hostvars=None):
        return self.given[option]

    def get_options(self, hostvars=None):
        return dict(self.given)

    def get_cache_key(self, path):
        return f"key of {path}"

    def _read_config_data(self, path):
        return {}

    def load(self, sources):
        self.loads += 1
        return super().load(sources)


@pytest.fixture
def config(tmp_path):
    """A configuration file beside a landscape."""
    (tmp_path / "data.yml").write_text(DATA, encoding="utf-8")
    file = tmp_path / "x.landscape.yml"
    file.write_text("plugin: scs.landscape.landscape\n", encoding="utf-8")
    return file


@pytest.fixture
def parse(config):
    """Return a function that runs a plugin, or one with the given options: inventory, plugin, warnings."""

    def run(plugin=None, cache=True, **options):
        plugin = plugin or Plugin(**options)
        shown = []

        class Display:
            def __getattr__(self, name):
                return (
                    (lambda message, *_args, **_more: shown.append(message)) if name == "warning" else lambda *_a: None
                )

        plugin.display = Display()
        data = InventoryData()
        plugin.parse(data, DataLoader(), str(config), cache=cache)
        data.reconcile_inventory()
        return data, plugin, shown

    return run


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("x.landscape.yml", True), ("x.landscape.yaml", True), ("landscape.yml", False), ("x.landscape.json", False)],
)
def test_configuration_files_are_known_by_their_ending(tmp_path, name, wanted):
    (tmp_path / name).write_text("{}", encoding="utf-8")
    assert Plugin().verify_file(str(tmp_path / name)) is wanted
    assert Plugin().verify_file(str(tmp_path / "absent.landscape.yml")) is False


def test_hosts_groups_and_children(parse):
    data, _plugin, shown = parse()
    assert list(data.hosts) == ["h1"]
    assert [host.name for host in data.groups["ceph-rgw"].get_hosts()] == ["h1"]
    assert data.groups["ceph-rgw"].hosts == []
    assert [group.name for group in data.groups["ceph-rgw"].child_groups] == ["ceph-control"]
    assert {"role_compute", "ceph-control", "ceph-rgw"} <= set(data.groups)
    assert [text for text in shown if "left out" in text] == []


@pytest.mark.parametrize("form", ["relative", "absolute", "folder", "home"])
def test_sources_start_at_the_folder_of_the_configuration(parse, config, monkeypatch, form):
    monkeypatch.chdir("/")
    folder = config.parent
    monkeypatch.setenv("HOME", str(folder))
    forms = {"relative": f"../{folder.name}/data.yml", "absolute": f"{folder}/data.yml", "home": "~/data.yml"}
    if form == "folder":
        os.renames(folder / "data.yml", folder / "sub/data.yml")
    assert "h1" in parse(src=[forms.get(form, "sub")])[0].hosts


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"src": ["nowhere.yml"]}, "nowhere.yml does not exist"),
        ({"group_by": {"colour": "c"}}, "group_by does not know 'colour'"),
        ({"group_by": {"role": 1}}, "not a text"),
    ],
)
def test_options_that_cannot_be(parse, options, message):
    with pytest.raises(AnsibleParserError, match=message):
        parse(**options)


@pytest.mark.parametrize("on_finding", ["warn", "fail", "ignore"])
def test_what_is_no_yaml_always_fails(parse, config, on_finding):
    (config.parent / "data.yml").write_text("a: [1\n", encoding="utf-8")
    with pytest.raises(AnsibleParserError, match="The landscape cannot be read"):
        parse(on_finding=on_finding)


def test_findings(parse, config):
    broken = "".join(f"  x{number}: {{model: gone, role: compute, environment: prod}}\n" for number in range(7))
    (config.parent / "data.yml").write_text(DATA + broken, encoding="utf-8")
    data, _plugin, shown = parse()
    assert "x6" in data.hosts, "a typing error does not lock operators out"
    assert sum("gone" in text for text in shown) == 5
    assert any("more findings like these; scs.landscape.landscape_validate lists all of them" in text for text in shown)
    assert parse(on_finding="ignore")[2] == []
    with pytest.raises(AnsibleParserError, match="gone"):
        parse(on_finding="fail")


def test_a_waived_finding_is_no_warning(parse, config):
    broken = "  x1: {model: gone, role: compute, environment: prod}\n"
    waiver = 'waivers: [{rule: R01, object: "*", reason: known, expires: 2999-01-01}]\n'
    (config.parent / "data.yml").write_text(DATA + broken, encoding="utf-8")
    (rule,) = {text.split(" error ")[1].split()[0] for text in parse()[2] if "gone" in text}
    (config.parent / "data.yml").write_text(DATA + broken + waiver.replace("R01", rule), encoding="utf-8")
    assert not any("gone" in text for text in parse()[2])


def test_what_was_left_out_is_a_warning(parse, config):
    (config.parent / "data.yml").write_text(DATA.replace("vars: {", "vars: {ansible_user: root, "), encoding="utf-8")
    data, _plugin, shown = parse()
    assert "ansible_user" not in data.hosts["h1"].vars
    assert any("the variable ansible_user of h1 was left out" in text for text in shown)
    assert parse(connection_vars=True)[0].hosts["h1"].vars["ansible_user"] == "root"


def test_cache(parse, config):
    plugin = Plugin(cache=True)
    first, _plugin, warned = parse(plugin)
    assert plugin.loads == 1
    second, _plugin, again = parse(plugin)
    assert plugin.loads == 1, "the second run reads the cache"
    assert second.hosts["h1"].vars == first.hosts["h1"].vars
    assert again == warned, "what was to be said is said again"
    parse(plugin, cache=False)
    assert plugin.loads == 2, "meta: refresh_inventory reads anew"
    plugin.given["compose"] = {"x": "1"}
    parse(plugin)
    assert plugin.loads == 3, "another option, another entry"
    plugin.given["cache_timeout"] = 5
    parse(plugin)
    assert plugin.loads == 3, "options of the cache itself do not count"
    stat = (config.parent / "data.yml").stat()
    os.utime(config.parent / "data.yml", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    parse(plugin)
    assert plugin.loads == 4, "a file that was touched is read"
    plugin.given["src"] = ["data.yml", "more.yml"]
    (config.parent / "more.yml").write_text("hosts: {}\n", encoding="utf-8")
    parse(plugin)
    assert plugin.loads == 5, "another source"
    assert len(plugin._cache) == 1, "stale entries do not pile up"


def test_without_cache_every_run_reads(parse):
    plugin = Plugin()
    parse(plugin)
    parse(plugin)
    assert plugin.loads == 2
    assert plugin._cache == {}


def trusted(expression):
    """An expression as it comes from a configuration file: from core 2.19 on trusted by a tag."""
    return getattr(template, "trust_as_template", str)(expression)


def test_constructed(parse):
    data, _plugin, _shown = parse(
        compose={"composed": trusted("landscape_role ~ '!'"), "bad": trusted("nothing.here")},
        groups={"computers": trusted("landscape_role == 'compute'"), "later": trusted("composed == 'compute!'")},
        keyed_groups=[{"key": trusted("landscape_environment"), "prefix": "env", "parent_group": "envs"}],
    )
    assert data.hosts["h1"].vars["composed"] == "compute!"
    assert "bad" not in data.hosts["h1"].vars
    assert [host.name for host in data.groups["computers"].hosts] == ["h1"]
    assert [host.name for host in data.groups["later"].hosts] == ["h1"], "groups see composed variables"
    assert [host.name for host in data.groups["env_prod"].hosts] == ["h1"]
    assert "env_prod" in [group.name for group in data.groups["envs"].child_groups]


def test_strict(parse):
    with pytest.raises(Exception, match="bad"):
        parse(strict=True, compose={"bad": trusted("nothing.here")})


def is_marked(value):
    return getattr(value, "__UNSAFE__", False)


@pytest.mark.accept("F1.6")
def test_texts_that_could_be_evaluated_are_marked_where_the_core_needs_it(parse):
    values = parse()[0].hosts["h1"].vars
    needed = base.marked is not base._plain
    assert is_marked(values["landscape_description"]) is needed
    assert is_marked(values["a"][1]) is needed
    assert is_marked(next(iter(values["b"]))) is needed
    assert not is_marked(values["landscape_role"]), "names stay readable in ansible-inventory --list"
    assert values["landscape_description"] == "{{ x }}"
    assert values["a"] == [1, "$(id)"]
