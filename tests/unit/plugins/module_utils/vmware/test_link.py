# SPDX-License-Identifier: Apache-2.0
"""Whom a connection believes, before anything is sent."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.vmware.link import client as link

DIGITS = "5ca57fe4e691dd2a2e6890f37b996dd1d111c749f7691278f5a45b5a22e4efee"


@pytest.mark.parametrize(
    "text",
    [
        DIGITS,
        DIGITS.upper(),
        ":".join(DIGITS[i : i + 2] for i in range(0, 64, 2)).upper(),
        "sha256 Fingerprint=" + ":".join(DIGITS[i : i + 2] for i in range(0, 64, 2)),
    ],
    ids=["digits", "upper", "colons", "openssl"],
)
def test_a_thumbprint_in_all_its_forms(text):
    assert link.trust_of({"thumbprint_sha256": text}).thumbprint == DIGITS


@pytest.mark.parametrize(
    ("text", "reason"),
    [("A" * 40, "is a SHA-1 thumbprint"), ("xyz", "is 3 characters"), (DIGITS[:-1], "is 63 characters")],
    ids=["sha1", "word", "short"],
)
def test_what_is_no_thumbprint_is_refused(text, reason):
    with pytest.raises(InputError, match=reason):
        link.trust_of({"thumbprint_sha256": text})


def test_a_thumbprint_counts_instead_of_authorities_and_nothing_else_turns_them_off(tmp_path):
    assert link.context_of(link.trust_of({})).check_hostname
    assert link.context_of(link.trust_of({"validate_certs": None})).check_hostname
    pinned = link.context_of(link.trust_of({"thumbprint_sha256": DIGITS}))
    assert not pinned.check_hostname
    assert not link.context_of(link.trust_of({"validate_certs": False})).check_hostname


@pytest.mark.parametrize(
    "text",
    ["", "nothing", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"],
    ids=["empty", "text", "broken"],
)
def test_a_file_without_authorities_is_refused(tmp_path, text):
    file = tmp_path / "ca.pem"
    file.write_text(text)
    with pytest.raises(InputError, match="holds no certificates"):
        link.context_of(link.trust_of({"ca_path": str(file)}))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        link.trust_of({"ca_path": str(tmp_path / "ca.pem")})
