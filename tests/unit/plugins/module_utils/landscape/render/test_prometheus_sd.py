# SPDX-License-Identifier: Apache-2.0
"""Prometheus targets: who is asked by which exporter, under which labels."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape.render import prometheus_sd
from ansible_collections.scs.landscape.plugins.module_utils.landscape.render.options import RenderOptions
from ansible_collections.scs.landscape.tests.tools import apt


def targets(rendered, name):
    entries = json.loads(rendered[f"prometheus_sd/{name}.json"])
    return {target: entry["labels"] for entry in entries for target in entry["targets"]}


def test_targets(small):
    rendered = prometheus_sd.files(small(), RenderOptions(node_port=9200))
    assert set(rendered) == {f"prometheus_sd/{name}.json" for name in ("node", "ping", "snmp")}
    assert set(targets(rendered, "node")) == {"10.0.21.10:9200", "10.0.21.11:9200"}
    assert set(targets(rendered, "ping")) == {"10.0.23.10", "10.0.23.11", "10.0.23.100"}
    assert targets(rendered, "snmp") == {
        "10.0.23.100": {"host": "l1", "role": "leaf", "environment": "prod", "model": "s"}
    }


def test_labels_say_where_it_is(lab):
    rendered = prometheus_sd.files(lab, RenderOptions())
    assert targets(rendered, "node")["10.10.21.12:9100"] == {
        "host": "st01-ctl-r01-u27",
        "site": "st01",
        "rack": "r01",
        "unit": "27",
        "role": "control",
        "environment": "prod",
        "model": "supermicro-a2sdv-8c-ln8f",
    }
    assert [len(targets(rendered, name)) for name in ("node", "ping", "snmp")] == [21, 33, 12]
    for name in ("node", "ping", "snmp"):
        for labels in targets(rendered, name).values():
            assert all(re.fullmatch("[a-z_]+", label) and isinstance(value, str) for label, value in labels.items())


@pytest.mark.slow
def test_promtool_reads_it(lab, tmp_path):
    promtool = apt.program("promtool", "prometheus", "checking Prometheus targets")
    jobs = []
    for name, content in prometheus_sd.files(lab, RenderOptions()).items():
        file = tmp_path / name.replace("/", "-")
        file.write_text(content, encoding="utf-8")
        jobs.append({"job_name": file.stem, "file_sd_configs": [{"files": [str(file)]}]})
    config = tmp_path / "prometheus.yml"
    config.write_text(json.dumps({"scrape_configs": jobs}), encoding="utf-8")
    done = subprocess.run([promtool, "check", "config", config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
