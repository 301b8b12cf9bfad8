# SPDX-License-Identifier: Apache-2.0
"""What is refused before the first write, and what nobody can judge after the last."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Impact
from ansible_collections.scs.landscape.plugins.module_utils.sonic import codec
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import change, changing
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.changing import Seen

from .linked import BoxLink, settings
from .switchbox import Box

MODES: dict[str, dict[str, Any]] = {
    "unified": {"docker_routing_config_mode": "unified", "frr_mgmt_framework_config": "true"},
    "separated": {},
    "split": {"docker_routing_config_mode": "split"},
}
VERSIONS = {"VERSIONS": {"DATABASE": {"VERSION": "version_202505_01"}}}
GLOBALS = {"BGP_GLOBALS": {"default": {"local_asn": "65001"}}}


def seen(mode: str, **tables: Any) -> Seen:
    config = {"DEVICE_METADATA": {"localhost": {"hostname": "leaf1", **MODES[mode]}}, **GLOBALS, **tables}
    answer = {"rows": codec.to_redis(config), "digest": "", "saved": json.dumps(config)}
    return Seen.of("leaf1", {**answer, "version": {"build_version": "SONiC.202505.1"}})


def refused(switch: Seen, config: Any, **more: Any) -> list[str]:
    wish = settings(config, **more)
    return changing.refusals(changing.make(switch, wish), switch, wish)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("table", "key"), [("BGP_NEIGHBOR", "default|192.0.2.9"), ("BGP_PEER_GROUP", "default|fabric")]
)
def test_a_password_that_no_frr_gets_is_refused_in_every_mode(mode: str, table: str, key: str) -> None:
    row = {"auth_password": "s3cret", "asn": "65000"}
    (why,) = refused(seen(mode), {table: {key: row}})
    assert f"leaf1: auth_password of {table}|{key} reaches FRR on no release" in why
    assert "s3cret" not in why
    there = seen(mode, **{table: {key: row}})
    (why,) = refused(there, {table: {key: {"auth_password": "s3cret-new"}}}, max_impact=Impact.DESTROYED)
    assert f"auth_password of {table}|{key}" in why


@pytest.mark.parametrize("mode", MODES)
def test_a_password_that_is_there_already_stops_nobody(mode: str) -> None:
    there = seen(mode, BGP_NEIGHBOR={"default|192.0.2.9": {"auth_password": "s3cret", "asn": "65000"}})
    assert refused(there, {"BGP_NEIGHBOR": {"default|192.0.2.9": {"name": "new", "asn": "65009"}}}) == []
    assert refused(there, {"BGP_NEIGHBOR": {"default|192.0.2.9": {}}}, state="deleted") == []
    assert refused(there, {"BGP_NEIGHBOR": {"default|192.0.2.9": {"asn": "65000"}}}, state="replaced") == []


@pytest.mark.parametrize(
    ("mode", "said"), [("unified", ""), ("separated", "in routing mode separated"), ("split", "in routing mode split")]
)
def test_who_does_not_judge_frr_says_so(box: Box, mode: str, said: str) -> None:
    box.fill(
        {
            "DEVICE_METADATA": {"localhost": {"hostname": "leaf1", **MODES[mode]}},
            "NTP_SERVER": {"192.0.2.1": {}},
            **VERSIONS,
        }
    )
    frr = "hostname leaf1\n!\nip prefix-list P seq 10 permit 192.0.2.0/24\n!\n"
    (box.folder / "frr").write_text(frr)
    (box.folder / "frr.boot").write_text(frr)
    done = change.run(BoxLink(box), settings({"NTP_SERVER": {"192.0.2.2": {}}}))
    assert (done.failed, [one for one in done.warnings if "not judged" in one]) == ("", [])
    wish = {"PREFIX_SET": {"P": {"mode": "IPv4"}}, "PREFIX": {"P|10|192.0.2.0/24|exact": {"action": "permit"}}}
    done = change.run(BoxLink(box), settings(wish, token="b" * 32))
    assert done.failed == ""
    told = [one for one in done.warnings if "not judged" in one]
    assert len(told) == bool(said)
    assert all(one.startswith("leaf1: FRR is not judged ") and said in one for one in told)
