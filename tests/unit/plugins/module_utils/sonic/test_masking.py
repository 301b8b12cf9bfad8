# SPDX-License-Identifier: Apache-2.0
"""No secret of a configuration is shown anywhere, and a change of one still makes another plan."""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Impact
from ansible_collections.scs.landscape.plugins.module_utils.core.redact import MASK
from ansible_collections.scs.landscape.plugins.module_utils.sonic import (
    client,
    codec,
    diff,
    fleet,
    inspection,
    masking,
    plan,
    plan_report,
)
from ansible_collections.scs.landscape.plugins.module_utils.sonic.model import Issue
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import golden

#: Every word that a leaf with a secret could be called by.
_LOOKS_SECRET = re.compile("pass|secret|key|_cak|_ckn|psk|token|cred|communi|priv", re.IGNORECASE)
#: Leaves of the models that look so and hold none.
_HARMLESS = {
    "BGP_ALLOWED_PREFIXES community": "a BGP community",
    "BGP_NEIGHBOR passive_mode": "waits for the other side to connect",
    "BGP_NEIGHBOR_AF remove_private_as_all": "AS numbers",
    "BGP_NEIGHBOR_AF remove_private_as_enabled": "AS numbers",
    "BGP_NEIGHBOR_AF replace_private_as": "AS numbers",
    "BGP_NEIGHBOR_AF send_community": "BGP communities",
    "BGP_PEER_GROUP passive_mode": "waits for the other side to connect",
    "BGP_PEER_GROUP_AF remove_private_as_all": "AS numbers",
    "BGP_PEER_GROUP_AF remove_private_as_enabled": "AS numbers",
    "BGP_PEER_GROUP_AF replace_private_as": "AS numbers",
    "BGP_PEER_GROUP_AF send_community": "BGP communities",
    "COMMUNITY_SET community_member": "BGP communities",
    "EXTENDED_COMMUNITY_SET community_member": "BGP communities",
    "GNMI server_key": "the path of a file",
    "GRPCCLIENT client_key": "the name of a file",
    "GRPCCLIENT grpc_ssl_credential": "the name of a file",
    "MACSEC_PROFILE fallback_ckn": "the name of a key, sent in the clear",
    "MACSEC_PROFILE primary_ckn": "the name of a key, sent in the clear",
    "MACSEC_PROFILE rekey_period": "seconds",
    "NTP_SERVER key": "the number of a row of NTP_KEY",
    "PASSW_HARDENING reject_user_passw_match": "a rule for passwords",
    "PBH_RULE gre_key": "a number in packets",
    "PORTCHANNEL lacp_key": "a number in packets",
    "RESTAPI server_key": "the path of a file",
    "ROUTE_MAP match_community": "BGP communities",
    "ROUTE_MAP match_ext_community": "BGP communities",
    "ROUTE_MAP set_community_inline": "BGP communities",
    "ROUTE_MAP set_community_ref": "BGP communities",
    "ROUTE_MAP set_ext_community_inline": "BGP communities",
    "ROUTE_MAP set_ext_community_ref": "BGP communities",
    "SSH_SERVER password_authentication": "whether passwords are taken",
    "STP keyleaf": "the key of the row",
    "STP_MST keyleaf": "the key of the row",
    "TACPLUS key_encrypt": "whether the key is kept encrypted",
    "TACPLUS_SERVER key_encrypt": "whether the key is kept encrypted",
    "TELEMETRY server_key": "the path of a file",
}
#: One row of each kind that holds a secret, also in tables that no model has.
SECRETS = {
    "BGP_GLOBALS": {"default": {"auth_password": "canary"}},
    "BGP_NEIGHBOR": {"default|192.0.2.9": {"auth_password": "canary"}},
    "BGP_PEER_GROUP": {"default|x": {"auth_password": "canary"}},
    "LDAP": {"global": {"bind_password": "canary"}},
    "MACSEC_PROFILE": {"test": {"primary_cak": "canary", "fallback_cak": "canary", "primary_ckn": "ab"}},
    "NTP_KEY": {"1": {"value": "canary"}},
    "OSPFV2_INTERFACE": {"Ethernet0|0.0.0.0": {"authentication-key": "canary", "authentication-md5-key": "canary"}},
    "RADIUS": {"global": {"passkey": "canary"}},
    "RADIUS_SERVER": {"192.0.2.1": {"passkey": "canary", "key": "canary"}},
    "SNMP_AGENT_COMMUNITY": {"canary": {"TYPE": "RO"}},
    "SNMP_COMMUNITY": {"canary": {"TYPE": "RO"}},
    "SNMP_SERVER_USER": {"u": {"shaKey": "canary", "md5Key": "canary", "aesKey": "canary", "desKey": "canary"}},
    "SNMP_TRAP_CONFIG": {"v2TrapDest": {"Community": "canary", "DestIp": "192.0.2.3"}},
    "SNMP_USER": {"u": {"SNMP_USER_AUTH_PASSWORD": "canary", "SNMP_USER_ENCRYPTION_PASSWORD": "canary"}},
    "TACPLUS": {"global": {"passkey": "canary"}},
    "TACPLUS_SERVER": {"192.0.2.1": {"passkey": "canary", "key": "canary"}},
    "USER": {"admin": {"pwd": "canary", "hash": "canary"}},
    "VENDOR_KEYS": {"x": {"pre_shared_key": "canary", "ssh_key": "canary", "key_string": "canary", "key": "canary"}},
    "VENDOR_THING": {"x": {"api_token": "canary", "clientSecret": "canary", "rocommunity": "canary"}},
}


def leaves():
    """Every leaf of both releases as ``TABLE leaf``."""
    return {
        f"{name} {leaf}"
        for release in golden.RELEASES
        for name, table in golden.models(release).tables.items()
        for row in (*table.lists, *table.fixed.values())
        for leaf in row.leaves
    }


def test_every_leaf_of_the_models_that_looks_secret_is_or_is_explained():
    looking = {leaf for leaf in leaves() if _LOOKS_SECRET.search(leaf.split()[1])}
    secret = {leaf for leaf in leaves() if masking.is_secret(*leaf.split())}
    assert looking - secret == set(_HARMLESS)
    assert not secret & set(_HARMLESS)
    assert secret - looking == {"NTP_KEY value"}
    assert {f"{table} {field}" for table, field in masking.NO_SECRETS} <= set(_HARMLESS)


@pytest.mark.parametrize("table", SECRETS)
def test_a_secret_is_shown_nowhere_and_still_changes_the_plan(table, tmp_path):
    before = {table: SECRETS[table]}
    after = json.loads(json.dumps(before).replace("canary", "canarx"))
    made = plan.plan_fabric([plan.plan_switch("leaf1", before, after, ignore=())])
    reports = plan_report.written(
        made, [str(tmp_path / f"x.{form}") for form in ("md", "json", "html", "xml")], Impact.NONE
    )
    one = made.switches["leaf1"]
    refused = plan_report.refusals(made, Impact.NONE)
    said = json.dumps([made.plan.as_dict(), one.as_dict(), one.text_diff(), reports, refused, masking.config(before)])
    assert "canar" not in said + repr(made.plan)
    assert MASK in said
    other = json.loads(json.dumps(before).replace("canary", "another"))
    digests = {
        plan.plan_fabric([plan.plan_switch("leaf1", before, wanted, ignore=())]).plan.digest
        for wanted in (after, other, json.loads(json.dumps(after)))
    }
    assert len(digests) == 2, "each secret has its digest, and the same one has the same"
    assert masking.holds_secrets(before)
    assert masking.values(table, before[table])


def test_a_digest_cannot_be_looked_up():
    """The same secret under another name gives another seal, and a seal is no plain hash of anything shown."""
    one, other = ({"passkey": "canary"} for _row in range(2))
    assert masking.seal("RADIUS", "global", one) != masking.seal("TACPLUS", "global", other)
    assert masking.seal("PORT", "Ethernet0", {"mtu": "9100"}) == ""
    assert len(masking.seal("RADIUS", "global", None, one)) == 64
    assert masking.seal("RADIUS", "global", None, one) != masking.seal("RADIUS", "global", one, None)


def test_what_is_harmless_is_shown():
    rows = {"ROUTE_MAP": {"m|10": {"match_community": "C"}}, "SNMP_COMMUNITY": {}, "VENDOR": {"x": {"passive": "true"}}}
    assert masking.config(rows) == rows
    assert not masking.holds_secrets({**rows, "RADIUS": {"global": {"passkey": ""}}})
    assert masking.row("RADIUS", {"passkey": "{{ vault_key }}"}) == {"passkey": "{{ vault_key }}"}


@pytest.mark.parametrize(
    "text",
    [
        '{"SNMP_COMMUNITY": {"canary": "text"}}',
        '{"SNMP_COMMUNITY": {"canary": null}}',
        '{"SNMP_COMMUNITY": {"canary": {"TYPE": 7}}}',
        '{"SNMP_COMMUNITY": {"canary": {"brew_canary": []}}, "RADIUS": {"global": {"passkey": ["canary", 1]}}}',
    ],
)
def test_findings_and_refusals_name_no_community(tmp_path, text):
    path = tmp_path / "leaf1.json"
    path.write_text(text.replace("brew_canary", "brew"), encoding="utf-8")
    found = inspection.inspect(inspection.read([str(path)]), inspection.Settings("202605", checks=("lint",)))
    assert any(issue.rule == "SL001" for issue in found.issues) or "brew" in text
    assert "canary" not in " ".join(map(str, found.issues))
    if any(issue.rule == "SL001" for issue in found.issues):
        with pytest.raises(InputError) as caught:
            fleet.from_files([str(path)])
        assert "canary" not in f"{caught.value} {caught.value.details}"


def test_a_community_that_stands_twice_is_told_by_its_line(tmp_path):
    path = tmp_path / "leaf1.json"
    path.write_text('{"SNMP_COMMUNITY": {\n "canary": {},\n "canary": {}}}', encoding="utf-8")
    with pytest.raises(InputError, match=r"twice in one object, the second time in line 3: SNMP_COMMUNITY") as caught:
        client.load_json(str(path))
    assert "canary" not in str(caught.value)
    path.write_text('[{"a": 1},\n {"a": 1},\n {"b": 1, "b": 2}]', encoding="utf-8")
    with pytest.raises(InputError, match=r"twice in one object$"):
        client.load_json(str(path))
    path.write_text('{"PORT": {"Ethernet0": {"mtu": "1", "mtu": "2"}}}', encoding="utf-8")
    with pytest.raises(InputError, match="line 1: PORT Ethernet0 mtu"):
        client.load_json(str(path))


@pytest.mark.parametrize(
    "act",
    [
        lambda: codec.to_redis({"SNMP_COMMUNITY": {"canary": {"x": ["canary,"]}}}),
        lambda: diff.rows_of({"SNMP_COMMUNITY": {"canary": "text"}}),
        lambda: diff.apply({}, [diff.RowChange("SNMP_COMMUNITY", "canary", {}, None)]),
        lambda: diff.apply_patch({}, [{"op": "remove", "path": "/SNMP_COMMUNITY/canary"}]),
        lambda: diff.apply_patch(
            {"RADIUS": {"global": {"passkey": "canary"}}},
            [{"op": "test", "path": "/RADIUS/global/passkey", "value": "canary-2"}],
        ),
    ],
    ids=["codec", "rows", "apply", "patch", "patch test"],
)
def test_messages_of_the_library_name_no_secret(act):
    with pytest.raises(InputError) as caught:
        act()
    assert "canary" not in str(caught.value)


def test_findings_are_masked_by_the_switch_they_are_about():
    configs = {"leaf1": {"RADIUS": {"global": {"passkey": "canary"}}}}
    issue = Issue("SY001", "error", "leaf1", "RADIUS", "global", "passkey", 'Invalid value "canary"')
    assert masking.issues([issue], configs)[0].message == f'Invalid value "{MASK}"'
    assert masking.issues([issue], {})[0].message == issue.message
