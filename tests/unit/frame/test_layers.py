# SPDX-License-Identifier: Apache-2.0
"""The walls of the house stand: nobody imports what the architecture forbids."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.tests.tools import layers


def test_no_file_breaks_a_wall(repo):
    files = sorted((repo / "plugins").rglob("*.py"))
    assert files
    broken = [v for file in files for v in layers.check(file.relative_to(repo).as_posix(), file.read_text("utf-8"))]
    assert not broken, "\n" + "\n".join(map(str, broken))


UTILS = "plugins/module_utils"
FORBIDDEN = [
    (f"{UTILS}/core/plan.py", "import yaml", "standard library only"),
    (f"{UTILS}/core/plan.py", "from ansible.module_utils.basic import AnsibleModule", "know Ansible"),
    (f"{UTILS}/core/plan.py", "from ..landscape.model import Host", "standard library only"),
    (f"{UTILS}/core/plan.py", "from .. import adapter", "standard library only"),
    (f"{UTILS}/sonic/plan.py", "from ..vmware.model import Disk", "do not import each other"),
    (f"{UTILS}/sonic/codec/port.py", "from ...vmware import model", "do not import each other"),
    (f"{UTILS}/sonic/plan.py", "def late():\n    from ..ceph import model", "do not import each other"),
    (f"{UTILS}/sonic/plan.py", "try:\n    import yaml\nexcept ImportError:\n    yaml = None", "only client.py imports"),
    (f"{UTILS}/sonic/rules.py", "import socket", "talks to the world"),
    (f"{UTILS}/sonic/rules.py", "from urllib import request", "talks to the world"),
    (f"{UTILS}/sonic/rules.py", "import subprocess as sp", "talks to the world"),
    (f"{UTILS}/sonic/client.py", "from ansible.module_utils.urls import open_url", "know Ansible"),
    (f"{UTILS}/sonic/client.py", "from ..flows import migrate", "for plugins only"),
    (f"{UTILS}/sonic/client.py", "from ..adapter import run", "for plugins only"),
    (
        f"{UTILS}/sonic/plan.py",
        "from ansible_collections.scs.landscape.plugins.plugin_utils.action import Action",
        "know no plugin",
    ),
    (
        "plugins/modules/landscape_docs.py",
        "from ansible_collections.scs.landscape.tests.unit import fakes",
        "without its tests",
    ),
    (f"{UTILS}/flows/client.py", "import socket", "talks to the world"),
    (f"{UTILS}/flows/copying.py", "import pyVmomi", "only client.py imports"),
    (f"{UTILS}/openstack/volumes/sinks.py", "from ...flows import copying", "for plugins only"),
    (f"{UTILS}/sonic/client.py", "try:\n    pass\nexcept Exception:\n    pass", "broad except"),
    (f"{UTILS}/sonic/client.py", "try:\n    pass\nexcept:\n    pass", "broad except"),
    ("plugins/modules/x.py", "try:\n    pass\nexcept (ValueError, Exception):\n    pass", "broad except"),
    (f"{UTILS}/core/plan.py", "x = 1\n" * 400, "files stay below"),
    (f"{UTILS}/core/plan.py", "def long():\n" + "    x = 1\n" * 45, "functions stay below"),
]


@pytest.mark.parametrize(("path", "source", "reason"), FORBIDDEN)
def test_violation_is_caught(path, source, reason):
    (violation,) = layers.check(path, source)
    assert reason in violation.message


ALLOWED = [
    (f"{UTILS}/core/transport.py", "import subprocess\nfrom .errors import LandscapeError"),
    (f"{UTILS}/sonic/plan.py", "from ..core.plan import Step\nfrom ..landscape.model import Host\nfrom . import rules"),
    (f"{UTILS}/sonic/client.py", "import socket\ntry:\n    import redis\nexcept ImportError:\n    redis = None"),
    (f"{UTILS}/flows/migrate.py", "from ..vmware import model\nfrom ..openstack import plan"),
    (
        f"{UTILS}/adapter.py",
        "from ansible.module_utils.basic import AnsibleModule\nfrom .core.errors import InputError",
    ),
    ("plugins/plugin_utils/action.py", "try:\n    import ansible\nexcept Exception:\n    raise"),
    ("plugins/modules/x.py", 'DOCUMENTATION = r"""\n' + "line\n" * 500 + '"""'),
]


@pytest.mark.parametrize(("path", "source"), ALLOWED)
def test_what_the_architecture_allows_passes(path, source):
    assert layers.check(path, source) == []
