# SPDX-License-Identifier: Apache-2.0
"""A cluster made of recorded answers: what Ceph 18.2.7 of the lab once said, with what a test changes in it."""

from __future__ import annotations

import copy
import json
from pathlib import Path

_FILE = Path(__file__).resolve().parents[3] / "fixtures" / "ceph" / "one-pg-undersized.json"
_RECORDED = json.loads(_FILE.read_text(encoding="utf-8"))


class Recorded:
    """A runner that answers as the cluster did; ``said`` is every command line it was given.

    :param healthy: the one placement group that was undersized is clean, and no health check is raised.
    """

    def __init__(self, healthy=True):
        self.answers = copy.deepcopy(_RECORDED)
        self.said, self.results, self.attributes = [], {}, {}
        if healthy:
            groups = self.answers["pg dump pgs_brief"]["pg_stats"]
            for group in groups:
                group["state"] = "active+clean"
            self.answers["status"]["pgmap"]["pgs_by_state"] = [{"state_name": "active+clean", "count": len(groups)}]
            for words in ("status", "health detail"):
                found = self.answers[words]
                found.get("health", found).update(status="HEALTH_OK", checks={})

    def __call__(self, argv, seconds, environment):
        assert seconds > 0
        assert environment["LC_ALL"] == "C"
        argv = list(argv)
        self.said.append(argv)
        if "rados" in argv:
            return self._rados(argv[argv.index("rados") + 1 :])
        words = argv[argv.index("ceph") + 1 :]
        words = words[3:]  # behind the limits
        text = " ".join(word for word in words if word not in ("--format", "json"))
        for start, result in self.results.items():
            if text.startswith(start):
                return result
        if text.startswith("tell mon."):
            return 0, "{}", ""
        return (0, "\n" + json.dumps(self.answers[text]), "") if text in self.answers else (22, "", f"no {text}")

    def _rados(self, words):
        if "rados" in self.results:
            return self.results["rados"]
        limits = [word.partition("=")[0] for word in words[:3]]
        assert limits == ["--client-mount-timeout", "--rados-mon-op-timeout", "--rados-osd-op-timeout"]
        _pool, pool, action, name, *more = words[3:]
        assert pool in [found["pool_name"] for found in self.answers["osd pool ls detail"]]
        if action == "setxattr":
            self.attributes[name] = more[1]
        if action == "rm":
            del self.attributes[name]
            return 0, "", ""
        return 0, self.attributes[name], ""
