# SPDX-License-Identifier: Apache-2.0
"""Secrets are known by their value or by the name they are kept under."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.redact import MASK, is_secret_name, redact, redact_text


@pytest.mark.parametrize(
    "name",
    ["password", "bmc_password", "admin-pass", "snmp_community", "api_key", "apiToken", "psk", "PRIVATE_KEY", "db.secret",
     "passphrase", "os_credentials", "wireguard_psks"],
)  # fmt: skip
def test_names_of_secrets(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["sort_key", "keys", "passive", "compass", "bypass_list", "community_edition_x"[:3], "tokenizer", "monkey"]
)
def test_names_that_only_look_like_it(name):
    assert not is_secret_name(name)


def test_values_are_cut_out_of_texts_longest_first():
    assert redact({"url": "https://u:abcd@x/abc"}, ["abc", "abcd", ""]) == {"url": f"https://u:{MASK}@x/{MASK}"}


def test_values_under_secret_names_are_masked_at_any_depth():
    data = {"hosts": [{"bmc": {"password": "p", "user": "u"}}], "tokens": ["a"], "password": ""}
    assert redact(data) == {"hosts": [{"bmc": {"password": MASK, "user": "u"}}], "tokens": MASK, "password": ""}


def test_references_and_switches_are_no_secrets():
    data = {"bmc_password": "{{ vault_bmc }}", "no_password": False, "token": None}
    assert redact(data) == data


def test_the_input_is_left_alone():
    data = {"password": "p"}
    redact(data)
    assert data == {"password": "p"}


def test_lines_of_a_configuration():
    text = "user: admin\nbmc_password: 'geheim'\n  - snmp_community = public\nvault_token: \"{{ t }}\"\npassword:\n"
    assert redact_text(text) == (
        f'user: admin\nbmc_password: {MASK}\n  - snmp_community = {MASK}\nvault_token: "{{{{ t }}}}"\npassword:\n'
    )
