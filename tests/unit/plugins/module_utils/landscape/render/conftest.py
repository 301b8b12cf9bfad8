# SPDX-License-Identifier: Apache-2.0
"""Two landscapes to render: the SCS lab, and a small one to change."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive

SMALL = """
version: 1
networks: {mgmt: {purpose: management, v4: 10.0.23.0/24}, nodes: {purpose: loopback, v4: 10.0.21.0/24}}
environments: {prod: {}}
roles:
  manager: {kind: server, oob_network: mgmt, loopback_network: nodes}
  leaf: {kind: switch, oob_network: mgmt}
  bare: {kind: server}
device_models: {m: {kind: server}, s: {kind: switch}}
hosts:
  m1: {model: m, role: manager, environment: prod, index: 10}
  m2: {model: m, role: manager, environment: prod, index: 11}
  dark: {model: m, role: bare, environment: prod}
switches:
  l1: {model: s, role: leaf, environment: prod, index: 100}
"""


@pytest.fixture
def lab(repo):
    """The SCS lab."""
    return derive.resolve(client.load([str(repo / "examples/scs-lab")])[0])


@pytest.fixture
def small(tmp_path):
    """Return a function that resolves the small landscape, with one text replaced by another."""

    def resolve(old="", new=""):
        assert old in SMALL
        file = tmp_path / "landscape.yml"
        file.write_text(SMALL.replace(old, new, 1) if old else SMALL, encoding="utf-8")
        return derive.resolve(client.load([str(file)])[0])

    return resolve
