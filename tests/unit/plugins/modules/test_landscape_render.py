# SPDX-License-Identifier: Apache-2.0
"""The module landscape_render: what it writes, when it refuses, that check mode tells the truth."""

from __future__ import annotations

import os

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape.inventory import DEFAULT_PREFIXES
from ansible_collections.scs.landscape.plugins.modules import landscape_render


@pytest.fixture
def render(repo, tmp_path):
    """Return a function that runs the module on the SCS lab; its result. ``check=True`` for check mode."""

    def run(check=False, **changes):
        params = {
            "src": [str(repo / "examples/scs-lab")],
            "dest": str(tmp_path / "out"),
            "formats": ["hosts", "ssh_config"],
            "prune": True,
            "adopt": False,
            "on_finding": "fail",
            "as_of": None,
            "ssh_user": "",
            "jump_role": "",
            "management_suffix": "-mgmt",
            "node_port": 9100,
            "states": ["active"],
            "group_by": dict(DEFAULT_PREFIXES),
            "group_names": "valid",
            "osism_vars": True,
            "landscape_vars": True,
            "connection_vars": False,
        }
        return landscape_render.main({**params, **changes}, check)

    return run


def written(folder):
    """Names of all files below a folder, without our record of them."""
    return sorted(
        os.path.relpath(os.path.join(base, name), folder)
        for base, _folders, names in os.walk(folder)
        for name in names
        if ".scs-landscape" not in base
    )


@pytest.mark.accept("F1.9")
def test_check_mode_writes_nothing_and_plans_what_is_done(render, tmp_path):
    checked = render(check=True, formats=sorted(landscape_render.FORMATS))
    assert not (tmp_path / "out").exists()
    assert checked.steps_done == 0
    real = render(formats=sorted(landscape_render.FORMATS))
    assert checked.plan == real.plan
    assert checked.changed is real.changed is True
    assert real.steps_done == len(real.plan) == len(written(tmp_path / "out"))
    assert real.values["files"] == written(tmp_path / "out")


def test_a_second_run_changes_nothing(render):
    render()
    again = render()
    assert (again.changed, len(again.plan), again.diff, again.steps_done) == (False, 0, [], 0)


def test_diff_shows_what_changes(render):
    render()
    again = render(ssh_user="dragon")
    (entry,) = again.diff
    assert entry["before_header"] == "ssh_config"
    assert "User dragon" in entry["after"]
    assert "User dragon" not in entry["before"]


def test_tasks_with_different_formats_share_a_destination(render, tmp_path):
    render(formats=["hosts"])
    render(formats=["prometheus_sd"])
    assert written(tmp_path / "out") == ["hosts"] + [f"prometheus_sd/{name}.json" for name in ("node", "ping", "snmp")]


def test_prune_removes_what_is_not_wanted_any_more(render, tmp_path):
    render(formats=["osism_host_vars"])
    assert len(written(tmp_path / "out")) == 33
    render(formats=["osism_host_vars"], states=["planned"], prune=False)
    assert len(written(tmp_path / "out")) == 33
    by_hand = tmp_path / "out/inventory/host_vars/st01-ctl-r01-u27/50-landscape.yml"
    by_hand.write_text("mine: true\n", encoding="utf-8")
    render(formats=["osism_host_vars"], states=["planned"])
    assert written(tmp_path / "out") == ["inventory/host_vars/st01-ctl-r01-u27/50-landscape.yml"]


@pytest.fixture
def src(tmp_path):
    """Return a function that writes a landscape of one host, with the given fields, and gives it as option."""

    def write(fields):
        file = tmp_path / "small.yml"
        file.write_text(
            "version: 1\nroles: {compute: {kind: server}}\ndevice_models: {m: {kind: server}}\nenvironments: {prod: {}}\n"
            f"hosts: {{x1: {{model: m, role: compute, environment: prod, {fields}}}}}\n",
            encoding="utf-8",
        )
        return [str(file)]

    return write


def test_what_is_left_out_is_a_warning(render, src):
    result = render(src=src("description: '{{ x }}'"), formats=["osism_host_vars"], on_finding="ignore")
    assert [text for text in result.warnings if "landscape_description of x1 was left out" in text]


def test_errors_in_the_landscape_stop_it_unless_told_otherwise(render, src, tmp_path):
    wrong = src("oob_network: nowhere")
    refused = render(src=wrong)
    assert "nowhere" in refused.failed
    assert refused.values["files"] == []
    assert refused.values["findings"]
    assert not (tmp_path / "out").exists()
    warned = render(src=wrong, on_finding="warn")
    assert not warned.failed
    assert any("nowhere" in text for text in warned.warnings)
    silent = render(src=wrong, on_finding="ignore")
    assert not silent.failed
    assert silent.warnings == []


@pytest.mark.parametrize("on_finding", ["fail", "warn", "ignore"])
def test_what_is_not_part_of_the_format_always_stops_it(render, src, tmp_path, on_finding):
    refused = render(src=src("enviroment: prod"), on_finding=on_finding)
    assert "did you mean environment?" in refused.failed
    assert not (tmp_path / "out").exists()


def test_unknown_names_are_refused_before_anything_is_written(render, tmp_path):
    with pytest.raises(InputError, match="group_by does not know 'rol'"):
        render(group_by={"rol": ""})
    with pytest.raises(InputError, match="as_of"):
        render(as_of="yesterday")
    with pytest.raises(InputError, match="jump role"):
        render(jump_role="nobody")
    assert not (tmp_path / "out").exists()
