# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a switch must show for its configuration, and what of it is missing. Pure.

Everything is a set of sentences, so that what was wrong before a change can be taken off what is wrong after it.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...core.redact import MASK
from .. import codec, diff, masking, model
from ..frr import faults, lines
from ..model import ConfigDb
from . import peers

_ADDRESSED = ("LOOPBACK_INTERFACE", "INTERFACE", "PORTCHANNEL_INTERFACE", "VLAN_INTERFACE", "MGMT_INTERFACE")
#: The bridge that vlanmgrd makes for all VLANs.
_BRIDGE = "Bridge"
#: Words of FRR's daemons behind which a secret stands: whole, or after the number and the kind of a key.
_SECRET = re.compile(
    r"(?:^|[\s-])(?:password|passwd|secret|snmp-server community|key-string|authentication-key|message-digest-key"
    r"|tcp-md5-auth|authentication string|nhrp authentication|hash-algo \S+ key|md5 key)\s+(?=\S)"
)


def line(text: str) -> str:
    """A line of FRR as it may be shown: whatever follows a word of secrets is masked."""
    found = _SECRET.search(text)
    return text[: found.end()] + MASK if found else text


def vnis(config: ConfigDb) -> list[tuple[str, str]]:
    """The lines that no release brings into FRR, each with its section: the L3VNI of every VRF."""
    found = []
    for name, row in sorted(config.get("VRF", {}).items()):
        vni = str(row.get("vni", "0"))
        if vni.isdecimal() and int(vni):
            found.append((f"vrf {name}", f"vni {vni}"))
    return found


def frr(config: ConfigDb, running: str, *, fixups: bool = False) -> set[str]:
    """How FRR differs from what its boot path and its live path would give.

    :param fixups: the lines of :func:`vnis` are wanted, too.
    """
    if model.dialect_of(config) != "unified":
        return set()  # bgpcfgd's templates and an operator's frr.conf are not ours to judge
    if not running:
        return {"FRR does not answer"}
    parsed = lines.parse(running)
    boot, live = faults.expected(config), faults.expected(config, "live")
    lacking = set(lines.missing(boot, parsed)) - set(lines.missing(boot, live))
    too_much = set(lines.missing(parsed, boot)) & set(lines.missing(parsed, live)) - set(vnis_of(config))
    # What both paths write in their own way has to be there in one of them.
    nowhere = {_variant(*one) for one in _all(boot)} - {_variant(*one) for one in _all(parsed)}
    lacking |= {one for one in lines.missing(live, parsed) if _variant(*one) in nowhere}
    found = {f"FRR lacks: {_shown(*one)}" for one in lacking}
    found |= {f"FRR has too much: {_shown(*one)}" for one in too_much if one[1] or not one[0][-1].startswith("vrf ")}
    if fixups:
        found |= {f"FRR lacks: {section} / {text}" for section, text in lost(config, running)}
    return found


def _all(found: lines.Lines) -> Iterator[tuple[lines.Section, str]]:
    for section, texts in found.items():
        yield from ((section, text) for text in texts)


def _variant(section: lines.Section, text: str) -> tuple[lines.Section, str]:
    """What a line is of, where two paths word it differently: an entry of a prefix list is known by its number."""
    words = text.split()
    return section, " ".join(words[:5]) if words[1:2] == ["prefix-list"] else text


def _shown(section: lines.Section, text: str) -> str:
    return " / ".join(filter(None, (*section, line(text))))


def vnis_of(config: ConfigDb) -> list[tuple[lines.Section, str]]:
    """The same as :func:`vnis`, as sections of FRR."""
    return [((section,), text) for section, text in vnis(config)]


def lost(config: ConfigDb, running: str) -> list[tuple[str, str]]:
    """The lines of :func:`vnis` that FRR does not have."""
    parsed = lines.parse(running)
    return [(section, text) for section, text in vnis(config) if text not in parsed.get((section,), frozenset())]


def kernel(config: ConfigDb, addresses: Any) -> set[str]:
    """Devices, their masters, addresses, MTU and state of ports that the kernel does not have as configured.

    Sources: sonic-swss' cfgmgr (vlanmgr, teammgr, vrfmgr, intfmgr, vxlanmgr) and syncd for ports, whose device is there without
    optics, too.
    """
    if not isinstance(addresses, list):
        return {"the kernel's addresses cannot be read"}
    devices = {str(one.get("ifname")): one for one in addresses if isinstance(one, dict)}
    if not devices:
        return {"the kernel tells no device at all, not even lo"}
    found = {f"the kernel has no {name}" for name in _devices(config) - devices.keys()}
    found |= _masters(config, devices) | _tunnels(config, devices)
    held = {name: set(_addresses(one)) for name, one in devices.items()}
    for table in _ADDRESSED:
        for key in config.get(table, {}):
            name, _bar, address = key.partition(model.SEPARATOR)
            wanted = _interface(address)
            if wanted and wanted not in held.get(name, ()):
                found.add(f"the kernel lacks {address} on {name}")
    return found | _ports(config, devices)


def _ports(config: ConfigDb, devices: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """MTU and state of ports; teamd gives those of a LAG its own MTU, and takes them up unless their row says otherwise."""
    keys = [key.partition(model.SEPARATOR) for key in config.get("PORTCHANNEL_MEMBER", {})]
    lags = {port: config.get("PORTCHANNEL", {}).get(lag, {}) for lag, _bar, port in keys}
    found = set()
    for name, row in config.get("PORT", {}).items():
        device = devices.get(name)
        if device is None:
            continue
        mtu = lags.get(name, row).get("mtu")
        if mtu is not None and str(device.get("mtu")) != str(mtu):
            found.add(f"{name} has the MTU {device.get('mtu')} in the kernel, not {mtu}")
        is_up, said = "UP" in device.get("flags", ()), row.get("admin_status", "up" if name in lags else "down")
        if is_up != (said == "up"):
            found.add(f"{name} is {'up' if is_up else 'down'} in the kernel, not {'down' if is_up else 'up'}")
    return found


def _devices(config: ConfigDb) -> set[str]:
    """What has a device of its own in the kernel; the rows `default` and `mgmt` of VRF have none or another one."""
    found = {name for table in ("PORT", "VLAN", "PORTCHANNEL") for name in config.get(table, {})}
    found |= {name for name in config.get("VRF", {}) if name.startswith("Vrf")}
    return found | {name for name in config.get("LOOPBACK_INTERFACE", {}) if model.SEPARATOR not in name}


def _masters(config: ConfigDb, devices: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Members that the kernel does not know as such; of devices that are there, the others are told anyway."""
    masters = {name: {str(one.get("master", ""))} for name, one in devices.items()}
    tagged: dict[str, set[str]] = {}
    for one in devices.values():
        tagged.setdefault(str(one.get("link")), set()).add(str(one.get("master", "")))
    missing = []
    for key in config.get("PORTCHANNEL_MEMBER", {}):
        group, _bar, name = key.partition(model.SEPARATOR)
        missing += [] if group in masters.get(name, ()) else [(name, group)]
    for key in config.get("VLAN_MEMBER", {}):
        group, _bar, name = key.partition(model.SEPARATOR)
        # All VLANs of SONiC stand on one bridge; elsewhere each has its own, and tagged members a device on the port.
        seen = masters.get(name, set()) | tagged.get(name, set())
        missing += [] if seen & {_BRIDGE, group} else [(name, group)]
    for table in _ADDRESSED:
        for name, row in config.get(table, {}).items():
            group = str(row.get("vrf_name", ""))
            if group.startswith("Vrf") and group not in masters.get(name, ()):
                missing.append((name, group))
    return {
        f"{name} is no member of {group} in the kernel" for name, group in missing if {name, group} <= devices.keys()
    }


def _tunnels(config: ConfigDb, devices: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """VNIs of VLANs that no tunnel of the kernel carries; a tunnel without a number of its own may carry any."""
    kinds = [one.get("linkinfo", {}) for one in devices.values()]
    known = {str(one.get("info_data", {}).get("id", "")) for one in kinds if one.get("info_kind") == "vxlan"}
    found = set()
    for key, row in config.get("VXLAN_TUNNEL_MAP", {}).items():
        tunnel = config.get("VXLAN_TUNNEL", {}).get(key.partition(model.SEPARATOR)[0], {})
        vni, vlan = str(row.get("vni", "")), str(row.get("vlan", ""))
        if tunnel.get("src_ip") and vlan in config.get("VLAN", {}) and vni and known.isdisjoint((vni, "")):
            found.add(f"the kernel has no tunnel with the VNI {vni} of {vlan}")
    return found


def _addresses(device: Mapping[str, Any]) -> Iterator[str]:
    for one in device.get("addr_info", ()):
        yield f"{one.get('local')}/{one.get('prefixlen')}"


def _interface(text: str) -> str:
    try:
        return str(ipaddress.ip_interface(text)) if text else ""
    except ValueError:
        return ""


def sessions(answer: Any, vrf: str = "default") -> dict[tuple[str, str], str]:
    """The state of every BGP session by routing instance and neighbour; the worst of its families."""
    found: dict[tuple[str, str], str] = {}
    if not isinstance(answer, Mapping):
        return found
    for name, value in answer.items():
        if name == "peers" and isinstance(value, Mapping):
            for peer, facts in value.items():
                state = str(facts.get("state", "")) if isinstance(facts, Mapping) else ""
                if found.get((vrf, peer), "Established") == "Established":
                    found[(vrf, peer)] = state
        elif isinstance(value, Mapping):
            family = name[:4] in ("ipv4", "ipv6", "l2Vp")
            found.update(sessions(value, vrf if family else str(value.get("vrfName", name))))
    return found


def ended(before: Any, after: Any, config: ConfigDb) -> set[str]:
    """Sessions that were established, are still configured, and are not established any more."""
    now = sessions(after)
    return {
        f"the BGP session of {peer} in {vrf} is {now.get((vrf, peer)) or 'gone'}, it was established"
        for (vrf, peer), state in sessions(before).items()
        if state == "Established" and peers.knows(config, vrf, peer) and now.get((vrf, peer)) != "Established"
    }


def neighbours(answer: Any) -> dict[str, tuple[str, str]]:
    """Who is heard by LLDP, by port: name and port of the other end."""
    found: dict[str, tuple[str, str]] = {}
    raw = answer.get("lldp", {}).get("interface", {}) if isinstance(answer, Mapping) else {}
    for entry in raw if isinstance(raw, list) else [raw]:
        for name, facts in entry.items() if isinstance(entry, Mapping) else ():
            if isinstance(facts, Mapping):
                chassis, port = facts.get("chassis", {}), facts.get("port", {})
                system = next(iter(chassis), "") if "id" not in chassis else ""
                found[str(name)] = (str(system), str((port.get("id") or {}).get("value", "")))
    return found


def unheard(before: Any, after: Any, config: ConfigDb) -> set[str]:
    """Neighbours that were heard, whose port is still up by configuration, and that are not heard any more."""
    now = neighbours(after)
    return {
        f"{port} does not hear {system or other} any more"
        for port, (system, other) in neighbours(before).items()
        if port not in now and config.get("PORT", {}).get(port, {}).get("admin_status") == "up"
    }


def unsaved(rows: ConfigDb, saved: str | None, ignore: Iterable[str]) -> list[str]:
    """Names of rows that differ between what runs and what is saved; secret keys masked."""
    try:
        config = json.loads(saved or "{}")
    except ValueError:
        return ["the saved file is no JSON"]
    known, wrong = codec.check(config)
    names = [f"{table}|{masking.key(table, key)}" for table, key, _field, _message in wrong]
    return names + [change.shown for change in diff.changes(known, rows, ignore)]
