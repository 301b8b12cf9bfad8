# SPDX-License-Identifier: Apache-2.0
"""What a module hands to the code that runs programs: the real thing."""

from __future__ import annotations

import contextlib
import json
import os
from unittest import mock

import pytest
from ansible.module_utils import basic

from ansible_collections.scs.landscape.plugins.module_utils import adapter


@pytest.fixture
def module():
    """An Ansible module without options, in this process."""
    text = json.dumps({"ANSIBLE_MODULE_ARGS": {"_ansible_remote_tmp": "/tmp"}}).encode()
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(basic, "_ANSIBLE_ARGS", text))
        if hasattr(basic, "_ANSIBLE_PROFILE"):  # ansible-core 2.19 and later
            stack.enter_context(mock.patch.object(basic, "_ANSIBLE_PROFILE", "legacy"))
        yield basic.AnsibleModule(argument_spec={}, supports_check_mode=True)


@pytest.fixture
def programs(module):
    """Runs programs of this machine."""
    kept = os.dup(0)
    try:
        yield adapter.programs(module)
    finally:
        os.dup2(kept, 0)
        os.close(kept)
