# SPDX-License-Identifier: Apache-2.0
"""The files that make a switch out of a machine of the lab."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..images import USER
from ..seeds import Seed, write
from ..wiring import Machine
from . import renderer

#: Debian packages of switches and of hosts that route.
PACKAGES = ("frr", "frr-pythontools", "tcpdump", "valkey-server", "valkey-tools")
_LIBRARY = "usr/local/lib/sonic-standin"
_STANDIN = Path(__file__).with_name("standin")
_COMMANDS = ("config", "show", "sonic-cfggen", "sonic-db-cli")
#: The group whose members may speak to the database, as on SONiC.
_GROUP = f"redis:x:990:{USER}\n"
_PROGRAM = f"""#!/usr/bin/python3
import sys

sys.path.insert(0, "/{_LIBRARY}")
from standin.commands import main

sys.exit(main())
"""
_PYTHON = f"/usr/bin/python3 -m standin.{{}}\nEnvironment=PYTHONPATH=/{_LIBRARY}\n"
_VALKEY = (
    "/usr/bin/valkey-server --port 0 --unixsocket /run/redis/redis.sock --unixsocketperm 770 --save '' "
    "--appendonly no --databases 16 --notify-keyspace-events AKE --daemonize no --dir /run/redis --loglevel warning"
)
_AGAIN = "Restart=always\nRestartSec=1\n"
_UNITS = {
    "database.service": (
        "[Unit]\nDescription=CONFIG_DB\nStartLimitIntervalSec=0\n\n[Service]\nRuntimeDirectory=redis\nGroup=redis\n"
        f"ExecStart={_VALKEY}\nExecStartPost={_PYTHON.format('database')}{_AGAIN}"
        "\n[Install]\nWantedBy=multi-user.target\n"
    ),
    "swss.service": (
        "[Unit]\nDescription=Ports, addresses and tunnels of CONFIG_DB\nStartLimitIntervalSec=0\n"
        "Requires=database.service\nAfter=database.service\n\n[Service]\nType=notify\nTimeoutStartSec=120\n"
        f"ExecStart={_PYTHON.format('swss')}{_AGAIN}\n[Install]\nWantedBy=multi-user.target\n"
    ),
    "bgp.service": (
        "[Unit]\nDescription=FRR of CONFIG_DB\nStartLimitIntervalSec=0\n"
        "Requires=database.service\nAfter=database.service swss.service\n\n[Service]\nType=notify\n"
        "TimeoutStartSec=120\nRuntimeDirectory=standin\nRuntimeDirectoryPreserve=yes\n"
        f"ExecStart={_PYTHON.format('bgp')}{_AGAIN}\n[Install]\nWantedBy=multi-user.target\n"
    ),
}
_MASKED = ("frr.service", "valkey-server.service", "redis-server.service")


def switch(root: Path, machine: Machine, config: Mapping[str, Any], release: str) -> None:
    """Write what a switch has more than a machine, below its root, before it boots."""
    metadata = config.get("DEVICE_METADATA", {}).get("localhost", {})
    platform, hwsku = str(metadata.get("platform", "")), str(metadata.get("hwsku", ""))
    files = [
        Seed("etc/sonic/config_db.json", json.dumps(config, indent=4) + "\n"),
        Seed("etc/sonic/sonic_version.yml", _version(release)),
        Seed("host/machine.conf", f"onie_platform={platform}\nonie_machine={platform}\n"),
        Seed("etc/scs-lab/lease", f"{machine.address}\n"),
        *(Seed(f"etc/systemd/system/{name}", text) for name, text in _UNITS.items()),
        *(Seed(f"usr/local/bin/{name}", _PROGRAM, 0o755) for name in _COMMANDS),
        *(Seed(f"{_LIBRARY}/standin/{path.name}", path.read_text(encoding="utf-8")) for path in _STANDIN.glob("*.py")),
    ]
    ini = renderer.port_config(hwsku)
    if ini and platform:
        files.append(Seed(f"usr/share/sonic/device/{platform}/{hwsku}/port_config.ini", ini))
    write(root, files)
    _link(root, {f"multi-user.target.wants/{name}": f"../{name}" for name in _UNITS})
    _link(root, {"lldp.service": "/usr/lib/systemd/system/lldpd.service"})
    _link(root, dict.fromkeys(_MASKED, "/dev/null"))
    (root / "usr/local/bin/lldpctl").symlink_to("/usr/sbin/lldpctl")
    with open(root / "etc/group", "a", encoding="utf-8") as group:
        group.write(_GROUP)
    lldp = root / "etc/lldpd.d/lab.conf"
    text = lldp.read_text(encoding="utf-8").replace(
        "interface pattern *,!controller", "interface pattern eth0,Ethernet*"
    )
    lldp.write_text(text, encoding="utf-8")


def host(root: Path) -> None:
    """A host has the same packages; nothing of them starts by itself."""
    _link(root, {"valkey-server.service": "/dev/null"})
    (root / "etc/systemd/system/multi-user.target.wants/frr.service").unlink(missing_ok=True)


def _link(root: Path, links: Mapping[str, str]) -> None:
    units = root / "etc/systemd/system"
    for name, target in links.items():
        path = units / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)


def _version(release: str) -> str:
    return (
        f"build_version: '{release}.0-standin'\ndebian_version: '13'\nkernel_version: ''\nasic_type: vs\n"
        f"asic_subtype: 'vs'\ncommit_id: '00000000'\nbranch: '{release}'\nrelease: '{release}'\n"
        "build_date: Thu Jan  1 00:00:00 UTC 2026\nbuild_number: 0\nbuilt_by: scs.landscape\nsonic_os_version: 13\n"
    )
