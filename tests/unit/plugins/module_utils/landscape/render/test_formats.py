# SPDX-License-Identifier: Apache-2.0
"""All formats together: they are pure, stay below their folder, and refuse options that no program would understand."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.core.files import confined
from ansible_collections.scs.landscape.plugins.module_utils.landscape.inventory import Options
from ansible_collections.scs.landscape.plugins.module_utils.landscape.render.formats import FORMATS, warnings
from ansible_collections.scs.landscape.plugins.module_utils.landscape.render.options import RenderOptions


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_same_bytes_again_and_names_that_stay_inside(lab, name):
    rendered = FORMATS[name](lab, RenderOptions())
    assert rendered
    assert rendered == FORMATS[name](lab, RenderOptions())
    for file, content in rendered.items():
        assert confined(file) == file
        assert content.endswith("\n")


@pytest.mark.parametrize("name", ["hosts", "osism_groups", "osism_host_vars", "prometheus_sd", "ssh_config"])
def test_only_devices_in_the_chosen_states(small, name):
    view = small("index: 11", "index: 11, state: retired")
    active, retired = (
        "".join("".join(pair) for pair in FORMATS[name](view, RenderOptions(Options(states=states))).items())
        for states in (("active",), ("retired",))
    )
    assert "m1" in active
    assert "m2" not in active
    assert "m1" not in retired
    assert "m2" in retired


def test_no_two_formats_write_the_same_file(lab):
    names = [file for render in FORMATS.values() for file in render(lab, RenderOptions())]
    assert len(names) == len(set(names))


def test_a_device_called_localhost_is_not_rendered(small):
    view = small("  m2:", "  localhost:")
    for render in (FORMATS[name] for name in ("hosts", "ssh_config", "prometheus_sd", "osism_groups")):
        assert "localhost" not in "".join(render(view, RenderOptions()).values())


def test_warnings_come_with_the_formats_that_leave_things_out(small):
    view = small("index: 10", "index: 10, description: '{{ x }}'")
    assert len(warnings(view, ["hosts", "osism_host_vars"], RenderOptions())) == 1
    assert warnings(view, ["hosts"], RenderOptions()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ssh_user": "root\n  ProxyCommand touch x"}, "login name"),
        ({"ssh_user": "-oProxyCommand=x"}, "login name"),
        ({"management_suffix": " evil"}, "suffix"),
        ({"management_suffix": "\n"}, "suffix"),
        ({"node_port": 0}, "port 0"),
        ({"node_port": 65536}, "port 65536"),
    ],
)
def test_options_that_other_programs_would_misread(options, message):
    with pytest.raises(InputError, match=message):
        RenderOptions(**options)
