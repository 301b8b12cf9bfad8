# SPDX-License-Identifier: Apache-2.0
"""Settings of the SSH server: what is refused, and in which order its files are read."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.node import sshd


def test_bad_options_are_all_named():
    with pytest.raises(InputError) as caught:
        sshd.check("a/b.conf", {"Match": "all", "A B": 1, "Port": 0, "Xx": {"a": 1}, "Yy": "a\nb", "Zz": ["", None]})
    assert len(caught.value.details["problems"]) == 8, caught.value.details


@pytest.mark.parametrize(
    ("main", "expected"),
    [
        ("Include /etc/ssh/sshd_config.d/*.conf\nA 1\n", "B 2\nC 3\nA 1\n"),
        ('A 1\nInclude "sshd_config.d/*.conf"\n', "A 1\nB 2\nC 3\n"),
        ("include /etc/ssh/sshd_config.d/2*.conf /other/*\n", "Include /other/*\nC 3\n"),
        ("A 1\n", "A 1\n"),
    ],
)
def test_included_files_stand_where_their_include_is(main, expected):
    assert sshd.compose(main, {"2.conf": "C 3\n", "1.conf": "B 2\n", "0.txt": "D 4\n"}) == expected
