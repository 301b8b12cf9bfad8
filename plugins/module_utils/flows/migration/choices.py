# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What people choose for a migration: maps, waves, limits, measured rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from ...core.errors import InputError
from ...vmware.finding import NOTHING_SAID
from ...vmware.finding import Limits as TargetLimits

#: How many disks of one ESXi host are read at once when nobody says otherwise, and from where on its memory for NFC
#: (48 MiB by default) becomes short: research of the field and virt-v2v's notes on it.
PER_HOST, MANY = 4, 10
METHODS = ("volume", "image")
TRANSPORTS = ("auto", "nfc", "folder", "ssh", "local")


@dataclass(frozen=True)
class Mapped:
    """Where a network of the source goes.

    :param network: name or id at the target.
    :param groups: names of security groups; ``None`` takes those of the task.
    """

    network: str
    groups: tuple[str, ...] | None = None
    keep_mac: bool | None = None
    keep_ip: bool | None = None
    port_security: bool | None = None


@dataclass(frozen=True)
class Override:
    """What holds for one machine only.

    :param boot_disk: key or label of the disk to boot from.
    :param addresses: fixed IPs by label or key of the network card.
    :param properties: of the boot volume; null takes one away.
    """

    server: str = ""
    flavor: str = ""
    zone: str = ""
    boot_disk: str = ""
    groups: tuple[str, ...] | None = None
    volume_type: str = ""
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    networks: Mapping[str, Mapped] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    drivers: str = ""
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rates:
    """Measured rates in bytes per second; 0 when nobody measured.

    :param stream: of one disk alone; the others are of everything together there.
    """

    stream: float = 0
    host: float = 0
    datastore: float = 0
    converter: float = 0
    target: float = 0


@dataclass(frozen=True)
class Limits:
    """How many disks are on their way at once; 0 is no limit.

    :param total: of all of them together.
    """

    host: int = PER_HOST
    datastore: int = 0
    converter: int = 0
    total: int = 0


@dataclass(frozen=True)
class WaveChoice:
    """Machines that are to go together, by uuid, ``name@endpoint`` or name."""

    name: str
    vms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choices:
    """Everything that people choose.

    :param networks: by the name of a port group; ``*`` for all others. Likewise ``volume_types`` by datastore.
    :param ignore: ids of findings that do not stop a machine.
    :param drivers: whether guests have the drivers of virtio, see ``vmware.properties``.
    :param target: what the target can take.
    :param image_format: of images that are sent, one of ``sparse.FORMATS``.
    :param wave_size: how many machines of those that no wave names go together; 0 is all of them.
    """

    networks: Mapping[str, Mapped] = field(default_factory=dict)
    volume_types: Mapping[str, str] = field(default_factory=dict)
    vms: Mapping[str, Override] = field(default_factory=dict)
    waves: tuple[WaveChoice, ...] = ()
    wave_size: int = 0
    groups: tuple[str, ...] = ("default",)
    zone: str = ""
    method: str = "volume"
    image_format: str = "auto"
    transport: str = "auto"
    keep_mac: bool = True
    keep_ip: bool = True
    limits: Limits = Limits()
    rates: Rates = Rates()
    converters: int = 1
    ignore: tuple[str, ...] = ()
    drivers: str = "auto"
    target: TargetLimits = NOTHING_SAID


def _texts(value: Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(str(one) for one in value)


def _mapped(name: str, value: Any) -> Mapped:
    if isinstance(value, str):
        return Mapped(value)
    if not isinstance(value, Mapping) or not value.get("network"):
        raise InputError(f"networks: {name} names no network of the target")
    known = {"network", "security_groups", "keep_mac", "keep_ip", "port_security"}
    _refuse_others(f"networks: {name}", value, known)
    return Mapped(
        network=str(value["network"]),
        groups=_texts(value.get("security_groups")),
        keep_mac=value.get("keep_mac"),
        keep_ip=value.get("keep_ip"),
        port_security=value.get("port_security"),
    )


def _override(name: str, value: Any) -> Override:
    if not isinstance(value, Mapping):
        raise InputError(f"overrides: {name} is no dictionary")
    texts = ("server", "flavor", "zone", "boot_disk", "volume_type", "drivers")
    known = {*texts, "security_groups", "ips", "networks", "properties", "ignore"}
    _refuse_others(f"overrides: {name}", value, known)
    return Override(
        **{key: str(value.get(key) or "") for key in texts},
        properties=dict(value.get("properties") or {}),
        ignore=_texts(value.get("ignore")) or (),
        groups=_texts(value.get("security_groups")),
        addresses={str(key): _texts(ips) or () for key, ips in (value.get("ips") or {}).items()},
        networks={str(key): _mapped(f"{name}: {key}", one) for key, one in (value.get("networks") or {}).items()},
    )


def _refuse_others(where: str, value: Mapping[str, Any], known: set[str]) -> None:
    other = sorted(str(key) for key in value if key not in known)
    if other:
        raise InputError(f"{where} has {', '.join(other)}; known are {', '.join(sorted(known))}")


def _numbers(kind: Any, given: Mapping[str, Any] | None, option: str, scale: float = 1) -> Any:
    known = {one.name for one in fields(kind)}
    values = {key: value for key, value in (given or {}).items() if value is not None}
    _refuse_others(option, values, known)
    low = sorted(key for key, value in values.items() if value < 0)
    if low:
        raise InputError(f"{option}: {', '.join(low)} is less than 0")
    return kind(**{key: value * scale if scale != 1 else value for key, value in values.items()})


def choices_of(params: Mapping[str, Any]) -> Choices:
    """The choices of a task; rates are given in MiB per second.

    :raises InputError: something is not as it should be.
    """
    waves = tuple(WaveChoice(str(one["name"]), _texts(one.get("vms")) or ()) for one in params.get("waves") or ())
    twice = _twice([one.name for one in waves])
    if twice:
        raise InputError(f"Several waves are called {', '.join(twice)}")
    return Choices(
        networks={str(key): _mapped(str(key), one) for key, one in (params.get("networks") or {}).items()},
        volume_types={str(key): str(one) for key, one in (params.get("volume_types") or {}).items()},
        vms={str(key): _override(str(key), one) for key, one in (params.get("overrides") or {}).items()},
        waves=waves,
        wave_size=max(0, int(params.get("wave_size") or 0)),
        groups=_texts(params.get("security_groups")) or (),
        zone=str(params.get("availability_zone") or ""),
        method=str(params.get("method") or "volume"),
        image_format=str(params.get("image_format") or "auto"),
        transport=str(params.get("transport") or "auto"),
        keep_mac=params.get("keep_mac") is not False,
        keep_ip=params.get("keep_ip") is not False,
        limits=_numbers(Limits, params.get("limits"), "limits"),
        rates=_numbers(Rates, params.get("rates"), "rates", 1024.0 * 1024.0),
        converters=max(1, int(params.get("converters") or 1)),
        ignore=_texts(params.get("ignore")) or (),
        drivers=str(params.get("drivers") or "auto"),
        target=_numbers(TargetLimits, params.get("target"), "target"),
    )


def _twice(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
