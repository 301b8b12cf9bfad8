# SPDX-License-Identifier: Apache-2.0
"""Writes docs/landscape.schema.json and docs/landscape-format.md from the model; ``--check`` only compares.

python3 -m tests.tools.gen_schema [--check]
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SCHEMA_FILE = "docs/landscape.schema.json"
FORMAT_FILE = "docs/landscape-format.md"


def _collection() -> None:
    """Makes the collection importable from a bare checkout."""
    try:
        import ansible_collections.scs.landscape  # noqa: F401
    except ImportError:
        home = Path(tempfile.mkdtemp()) / "ansible_collections" / "scs"
        home.mkdir(parents=True)
        (home / "landscape").symlink_to(ROOT)
        sys.path.insert(0, str(home.parent.parent))


_collection()

from ansible_collections.scs.landscape.plugins.module_utils.landscape import schema_json  # noqa: E402
from ansible_collections.scs.landscape.plugins.module_utils.landscape.model import Landscape  # noqa: E402
from ansible_collections.scs.landscape.plugins.module_utils.landscape.schema import Spec, specs_of  # noqa: E402

#: Examples of fields whose kind does not suggest one; by field, or by model and field.
EXAMPLES: dict[str, str] = {
    "Naming.pattern": "'(?P<site>st01)-(?P<role>[a-z0-9]+)-(?P<rack>r[0-9]+)-u(?P<unit>[0-9]+)'",
    "Naming.exempt": "[st01-gw]",
    "PortGroup.names": '["Ethernet{0..47}"]',
    "PortGroup.aliases": '["Port{1..48}"]',
    "External.ports": '["et-0/0/{0..1}"]',
    "Role.names": "[sw25g]",
    "Device.groups": "[dhcp_static_nodes]",
    "Device.macs": '{MGMT: "3c:ec:ef:9e:d1:1a"}',
    "Device.power": "{Top: ups, Bottom: direct}",
    "Device.vars": "{chrony_servers: [10.10.23.254]}",
    "Device.unit": "27",
    "Device.index": "12",
    "Device.asn": "65404",
    "Device.serial": "E263338X1A07841",
    "Device.override_reason": "moved in from another room with its address",
    "Device.console": "DEABb113318",
    "Device.os": "Debian 12",
    "Device.origin": "devices.csv:14",
    "Cable.a": "st01-sw25g-r01-u34/Ethernet0",
    "Cable.b": "st01-comp-r01-u09/enp65s0f0np0",
    "Cable.lag": "PortChannel1",
    "Cable.group": "Production uplinks",
    "Cable.origin": "cables.csv:31",
    "Waiver.rule": "N01",
    "Waiver.object": "hosts/st01-gw-*",
    "Waiver.reason": "rented machine, named by its owner",
    "DeviceModel.psus": "[Top, Bottom]",
    "DeviceModel.bmc": "openbmc",
    "DeviceModel.mac_prefixes": '["3c:ec:ef"]',
    "DeviceModel.firmware": '{bios: "2.9", bmc: "01.01.06"}',
    "DeviceModel.vendor": "Supermicro",
    "DeviceModel.part_number": "AS-1114S-WTRT",
    "DeviceModel.sonic_hwsku": "Accton-AS7326-56X",
    "AsnScheme.prefix": "4210",
    "Network.vrf": "mgmt",
    "Network.vlan": "23",
    "Network.vni": "80",
    "Vrf.vni": "50100",
    "Vrf.vlan": "3100",
    "Peering.port": "Ethernet72",
    "Peering.asn": "64496",
    "Peering.max_prefixes": "1000",
    "Peering.local_v4": "203.0.113.1",
    "Peering.remote_v4": "203.0.113.0",
    "Peering.local_v6": '"2001:db8:ffff::1"',
    "Peering.remote_v6": '"2001:db8:ffff::"',
    "Peering.accepts_v4": "[0.0.0.0/0]",
    "Peering.accepts_v6": '["::/0"]',
    "Services.snmp_location": "Room 1, rack r01",
    "Services.snmp_contact": "noc@example.org",
    "Services.timezone": "Europe/Berlin",
    "Role.mtu": "9100",
    "Role.config_db": "{SSH_SERVER: {POLICIES: {login_timeout: 60}}}",
    "Group.config_db": "{SSH_SERVER: {POLICIES: {login_timeout: 60}}}",
    "Device.breakout": "{Ethernet48: 4x25G}",
    "Device.config_db": "{PORT: {Ethernet3: {admin_status: down}}}",
    "Landscape.title": "SCS lab",
    "Site.address": "Example Street 1, 10115 Berlin",
    "Site.contact": "+49 30 0000000",
    "Rack.units": "47",
    "Role.uplinks": "2",
}
_BY_KIND = {
    "boolean": "true",
    "date": "2026-12-31",
    "mac": '"3c:ec:ef:9e:d1:1a"',
    "address": "10.10.23.10",
    "ipv4": "10.10.23.10",
    "ipv6": '"fd00::10"',
    "prefix4": "10.10.23.0/24",
    "prefix6": '"fd00:1::/64"',
    "endpoint": "st01-sw25g-r01-u34/Ethernet0",
    "any": "anything",
    "text": "Anything in one line",
}
_BY_SECTION = {
    "sites": "st01",
    "feeds": "ups",
    "racks": "r01",
    "device_models": "H12SSL-NT",
    "asn_schemes": "nodes",
    "networks": "mgmt",
    "environments": "prod",
    "roles": "comp",
    "hosts": "st01-comp-r01-u09",
    "groups": "compute",
    "vrfs": "VrfBlue",
    "switches": "st01-sw25g-r01-u34",
}


def example_of(model: type, field: str, spec: Spec) -> str:
    """An example of a field as YAML; objects have none, their fields do."""
    stated = EXAMPLES.get(f"{model.__name__}.{field}")
    return stated if stated is not None else _example(spec)


def _example(spec: Spec) -> str:
    if spec.kind == "list" and spec.item and spec.item.kind != "object":
        return f"[{_example(spec.item)}]"
    if spec.kind == "reference":
        return _BY_SECTION[spec.sections[0]]
    if spec.kind == "integer":
        return str(spec.minimum)
    if spec.choices:
        return spec.choices[0]
    return _BY_KIND.get(spec.kind, "")


def kind_of(spec: Spec) -> str:
    """The kind and the rule of a field in words."""
    if spec.kind == "reference":
        return "name of one of " + ", ".join(f"`{section}`" for section in spec.sections)
    if spec.kind in ("list", "map"):
        inner = spec.item or spec
        plural = "objects, see below" if inner.kind == "object" else kind_of(inner)
        return f"list: {plural}" if spec.kind == "list" else f"mapping of names to: {plural}"
    if spec.choices:
        return "one of " + ", ".join(f"`{choice}`" for choice in spec.choices if choice)
    if spec.kind == "integer":
        return f"whole number {spec.minimum} to {spec.maximum}"
    if spec.pattern:
        return f"text like `{spec.pattern}`".replace("|", "\\|")
    return {
        "text": "text",
        "boolean": "true or false",
        "date": "date",
        "mac": "MAC address",
        "address": "IP address",
        "ipv4": "IPv4 address",
        "ipv6": "IPv6 address",
        "prefix4": "IPv4 prefix",
        "prefix6": "IPv6 prefix",
        "endpoint": "`device/port`",
        "object": "object, see below",
        "any": "anything",
    }[spec.kind]


def _rows(model: type) -> Iterator[str]:
    for field, spec in specs_of(model).items():
        default = schema_json.default_of(model, field)
        if spec.required:
            stated = "**required**"
        else:
            stated = "" if default is None else f"`{json.dumps(default).strip(chr(34))}`"
        example = example_of(model, field, spec).replace("|", "\\|")
        meaning = spec.doc.replace("``", "`").replace("|", "\\|")
        yield f"| `{field}` | {kind_of(spec)} | {stated} | {meaning} | {f'`{example}`' if example else ''} |"


def _heading(field: str, model: type) -> tuple[str, str]:
    spec = next((spec for name, spec in specs_of(Landscape).items() if name == field), None)
    if spec is None or model.__name__ == "Landscape":
        return field, ""
    shapes = {
        "map": f"`{field}` is a mapping of names to objects.",
        "list": f"`{field}` is a list of objects.",
        "object": "",
    }
    return field, shapes[spec.kind]


_INTRO = """\
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by tests/tools/gen_schema.py from the model; do not edit. -->
# The landscape format

A landscape is one YAML file, or a folder of YAML files (`*.yml`, `*.yaml`) whose sections are put together; names
that begin with a dot or an underscore are passed over. Every section may be left out. `version: 1` stands in one of
the files.

## Help in the editor

[landscape.schema.json](landscape.schema.json) is the same format as a JSON schema (draft 2020-12). Editors with the
YAML language server (VS Code, Neovim, Emacs, IntelliJ) check and complete a file that names it in its first line:

```yaml
# yaml-language-server: $schema=../docs/landscape.schema.json
version: 1
```

The path is relative to the file; a URL of the schema works as well. What the schema refuses,
`scs.landscape.landscape_validate` refuses too. The module sees more, because a JSON schema cannot say:

%s

## What every file keeps to

- UTF-8, at most 16 MiB, one document, plain data: no tags, so no vault either. Secrets do not belong into a landscape.
- Anchors, aliases and `<<` work inside one file.
- A text has one line and at most 1000 characters, none of them invisible (control, zero-width or direction marks).
  Only values of `vars` may have several lines.
- Names of objects match `%s`, because they become file names, DNS labels and variable names.
- Unquoted MAC addresses, versions (`1.10`) and `no` are read as they are written. Whole numbers stand without quotes.
- A value of nothing (`site:`) is refused; leave the key out. Sections, lists and mappings may be empty.
"""


def format_page() -> str:
    """The reference page of the format."""
    beyond = "\n".join(f"- {entry};" for entry in schema_json.BEYOND)[:-1] + "."
    lines: list[str] = [_INTRO % (beyond, Spec("text", "").key)]
    for field, model in [("The whole", Landscape), *schema_json.models_of(Landscape)]:
        title, shape = _heading(field, model)
        heading = title if model is Landscape else f"`{title}`"
        lines += [f"## {heading}", "", (model.__doc__ or "").strip().split("\n")[0], ""]
        if field == "hosts":
            lines += ["`switches` have the same fields.", ""]
        lines += [shape, ""] if shape else []
        lines += ["| Field | Kind and rule | Default | Meaning | Example |", "|---|---|---|---|---|", *_rows(model), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def schema_text() -> str:
    """The JSON schema as it is committed."""
    content: dict[str, Any] = schema_json.schema()
    return json.dumps(content, indent=2) + "\n"


def main() -> int:
    """Command line."""
    stale = 0
    for name, content in ((SCHEMA_FILE, schema_text()), (FORMAT_FILE, format_page())):
        path = ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == content:
            continue
        stale += 1
        if "--check" in sys.argv[1:]:
            print(f"{name} is stale: run python3 -m tests.tools.gen_schema")
        else:
            path.write_text(content, encoding="utf-8")
            print(f"{name} written")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
