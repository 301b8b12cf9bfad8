# SPDX-License-Identifier: Apache-2.0
"""Views that the pages are made from."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.docs import build, model
from ansible_collections.scs.landscape.tests.bench import generate
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.landscape.docs import hostile


@pytest.fixture(scope="session")
def lab_data(repo):
    """The SCS lab as plain data, one document."""
    data: dict = {}
    for file in sorted((repo / "examples" / "scs-lab").glob("*.yml")):
        data.update(yaml.safe_load(file.read_text(encoding="utf-8")))
    return data


@pytest.fixture(scope="session")
def view_of(tmp_path_factory):
    """Function that turns plain data into a view; what cannot be read fails the test."""
    folder = tmp_path_factory.mktemp("landscapes")

    def view(data):
        file = Path(folder) / "landscape.yml"
        file.write_text(yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=1000), encoding="utf-8")
        landscape, findings = client.load([str(file)])
        assert findings == []
        return derive.resolve(landscape)

    return view


@pytest.fixture(scope="session")
def lab(lab_data, view_of):
    return view_of(lab_data)


@pytest.fixture(scope="session")
def lab_pages(lab):
    return build.pages(lab, [], model.Options())


@pytest.fixture(scope="session")
def hostile_pages(view_of):
    return build.pages(view_of(hostile.landscape()), [], model.Options())


@pytest.fixture(scope="session")
def large_pages(tmp_path_factory):
    """Pages of a generated landscape of 200 hosts and 1,000 cables."""
    folder = generate.write(Path(tmp_path_factory.mktemp("large")), 200, 1000)
    landscape, findings = client.load([str(folder)])
    assert findings == []
    return build.pages(derive.resolve(landscape), [], model.Options())
