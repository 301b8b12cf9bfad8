# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which system a VM runs: from VMware's guest ids, and from what the guest itself told, to OpenStack's image properties.

Ids are the values of ``VirtualMachineGuestOsIdentifier`` (vSphere Web Services API 9.1); names of systems are the short ones of
libosinfo, as Glance's "Useful image properties" wants them for ``os_distro``; versions are those of the distributor.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from .model import OsGuess

#: What OpenStack calls a system that has no name there.
OTHER = "unknown"

#: Windows by guest id, without bits and "Guest" at its end. ``windows8Server`` is Server 2012 and 2012 R2, which the id does not tell apart.
_WINDOWS: Mapping[str, str] = {
    "win31": "3.1",
    "win95": "95",
    "win98": "98",
    "winMe": "me",
    "winNT": "nt4",
    "win2000Pro": "2000",
    "win2000Serv": "2000",
    "win2000AdvServ": "2000",
    "winXPHome": "xp",
    "winXPPro": "xp",
    "winNetWeb": "2003",
    "winNetStandard": "2003",
    "winNetEnterprise": "2003",
    "winNetDatacenter": "2003",
    "winNetBusiness": "2003",
    "winVista": "vista",
    "winLonghorn": "2008",
    "windows7": "7",
    "windows7Server": "2008r2",
    "windows8": "8",
    "windows8Server": "2012",
    "windows9": "10",
    "windows9Server": "2016",
    "windows11": "11",
    "windows12": "12",
    "windowsHyperV": "",
    "windows2019srv": "2019",
    "windows2019srvNext": "2022",
    "windows2022srvNext": "2025",
}
#: Families of systems whose version, where there is one, follows the name in the id: ``debian12_64Guest``, ``rhel9_64Guest``.
_FAMILIES: Mapping[str, str] = {
    "almalinux": "almalinux",
    "amazonlinux": "amzn",
    "asianux": "asianux",
    "centos": "centos",
    "coreos": "coreos",
    "debian": "debian",
    "fedora": "fedora",
    "flatcar": "flatcar",
    "fusionos": "fusionos",
    "kylinlinux": "kylin",
    "mandrake": "mandrake",
    "mandriva": "mandriva",
    "miraclelinux": "miraclelinux",
    "nld": "nld",
    "oes": "oes",
    "opensuse": "opensuse",
    "oracleLinux": "ol",
    "pardus": "pardus",
    "prolinux": "prolinux",
    "redhat": "rhel",
    "rhel": "rhel",
    "rockylinux": "rocky",
    "sjds": "sjds",
    "sles": "sles",
    "suse": "sles",
    "turboLinux": "turbolinux",
    "ubuntu": "ubuntu",
    "vmwarePhoton": "photon",
}
#: Systems that are neither Windows nor Linux.
_OTHERS: Mapping[str, tuple[str, str]] = {
    "freebsd": ("freebsd", "freebsd"),
    "solaris": ("solaris", "solaris"),
    "netware": ("netware", "netware"),
    "darwin": ("macos", "macosx"),
    "vmkernel": ("vmkernel", "esxi"),
    "crxPod": ("linux", "photon"),
    "crxSys": ("linux", "photon"),
    "dos": ("dos", "msdos"),
    "os2": ("os2", "os2"),
    "eComStation": ("os2", "ecomstation"),
    "openServer": ("unix", "openserver"),
    "unixWare": ("unix", "unixware"),
}
#: Names that guests give themselves (``ID`` of os-release or the first words of their pretty names), in lower case.
_TOLD: tuple[tuple[str, str], ...] = (
    ("red hat enterprise linux", "rhel"),
    ("rhel", "rhel"),
    ("centos", "centos"),
    ("rocky", "rocky"),
    ("alma", "almalinux"),
    ("oracle", "ol"),
    ("ubuntu", "ubuntu"),
    ("debian", "debian"),
    ("suse linux enterprise", "sles"),
    ("sles", "sles"),
    ("opensuse", "opensuse"),
    ("fedora", "fedora"),
    ("amazon linux", "amzn"),
    ("vmware photon", "photon"),
    ("photon", "photon"),
    ("flatcar", "flatcar"),
    ("alpine", "alpinelinux"),
    ("arch linux", "archlinux"),
)
#: What an id ends with: bits and "Guest", in either order.
_END = re.compile(r"(_?64)?Guest(64)?$")
_NAME = re.compile(r"([A-Za-z]+?)(\d*)$")
_DETAIL = re.compile(r"(\w+)='([^']*)'")
_SERVER = re.compile(r"Windows Server (\d{4})( R2)?", re.IGNORECASE)
_CLIENT = re.compile(r"Windows (XP|Vista|7|8\.1|8|10|11|12)\b", re.IGNORECASE)


def guess(guest_id: str, *, told_id: str = "", details: str = "", full_name: str = "") -> OsGuess:
    """What a VM runs.

    :param guest_id: of its configuration.
    :param told_id: guest id that VMware Tools told.
    :param details: ``guest.guestDetailedData`` of VMware Tools: ``distroName='Ubuntu' distroVersion='22.04' ...``.
    :param full_name: what VMware calls it, for people.
    """
    known = of_id(guest_id, full_name)
    told = of_id(told_id, full_name)
    if told.type and told.distro != OTHER and (told.type, told.distro) != (known.type, known.distro):
        known = dataclasses.replace(told, source="tools")
    said = dict(_DETAIL.findall(details))
    return _detailed(known, said) if said else known


def of_id(guest_id: str, full_name: str = "") -> OsGuess:
    """What a guest id stands for; ``type`` is empty and ``distro`` :data:`OTHER` for one that says nothing."""
    end = _END.search(guest_id)
    arch = "x86_64" if end and (end.group(1) or end.group(2)) else "i686"
    stem = guest_id[: end.start()] if end else guest_id
    if stem in _WINDOWS:
        return OsGuess("windows", "windows", _WINDOWS[stem], arch, full_name=full_name)
    found = _NAME.match(stem)
    name, version = found.groups() if found and stem not in _OTHERS else (stem, "")
    if name in _FAMILIES:
        return OsGuess("linux", _FAMILIES[name], version, arch, full_name=full_name)
    if name in _OTHERS:
        kind, distro = _OTHERS[name]
        if kind == "vmkernel" and len(version) > 1:
            version = f"{version[0]}.{version[1:]}"
        return OsGuess(kind, distro, version, arch, full_name=full_name)
    return OsGuess("linux" if "linux" in stem.lower() else "", OTHER, "", arch, full_name=full_name)


def _detailed(known: OsGuess, said: Mapping[str, str]) -> OsGuess:
    """The same, with the name and the version that the guest's own tools told."""
    pretty = said.get("prettyName", "")
    if said.get("familyName", "").lower() == "windows" or pretty.startswith("Microsoft Windows"):
        server, client = _SERVER.search(pretty), _CLIENT.search(pretty)
        version = known.version
        if server:
            version = server.group(1) + ("r2" if server.group(2) else "")
        elif client:
            version = client.group(1).lower()
        return dataclasses.replace(known, type="windows", distro="windows", version=version, source="tools")
    told = [text.lower() for text in (said.get("distroName", ""), pretty) if text]
    distro = next((short for text in told for name, short in _TOLD if text.startswith(name)), "")
    if not distro:
        return known
    version = said.get("distroVersion", "") or (known.version if distro == known.distro else "")
    return dataclasses.replace(known, type="linux", distro=distro, version=version, source="tools")
