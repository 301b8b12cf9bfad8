# SPDX-License-Identifier: Apache-2.0
"""A machine made of a folder, and programs that say what they would say on it."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.scs.landscape.plugins.module_utils.node.client import Host, Outcome
from ansible_collections.scs.landscape.plugins.module_utils.node.model import User
from ansible_collections.scs.landscape.plugins.modules import node_state

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti operator@example.org"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE9S6vXUqMWnNIs1R5bz1Rrb7Uv8pUA8p5v3cTI4QzPc second@example.org"
RELEASES = {
    "Debian 12": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "Debian 13": 'ID=debian\nVERSION_ID="13"\n',
    "Ubuntu 22.04": 'ID=ubuntu\nVERSION_ID="22.04"\n',
    "Ubuntu 24.04": 'ID=ubuntu\nVERSION_ID="24.04"\n',
    "Enterprise Linux 9": 'ID="rocky"\nVERSION_ID="9.4"\n',
    "Enterprise Linux 10": 'ID="almalinux"\nVERSION_ID="10.0"\n',
}
_FILES = {
    "etc/hostname": "old\n",
    "etc/hosts": "127.0.0.1\tlocalhost\n10.0.0.9\tby-hand\n",
    "etc/chrony/chrony.conf": "# comment\npool 2.debian.pool.ntp.org iburst\nconfdir /etc/chrony/conf.d\n",
    "proc/sys/net/ipv4/ip_forward": "0\n",
    "proc/sys/kernel/panic": "0\n",
    "run/systemd/system/x": "",
}


class Machine(Host):
    """A host in a folder. ``installed`` and ``units`` are what its package manager and systemd say."""

    def __init__(self, root: Path, release: str = "Debian 12") -> None:
        super().__init__(self.told, str(root))
        self.calls: list[list[str]] = []
        self.installed = {"chrony", "rsyslog", "sudo"}
        self.units_active = {"chrony.service": "active", "chronyd.service": "active", "rsyslog.service": "active"}
        self.units_active["systemd-journald.service"] = "active"
        self.units_active["systemd-resolved.service"] = "active"
        self.answers: dict[str, Outcome] = {}
        self.name = "old"
        self.accounts = {"dragon": User("dragon", 1000, 1000, "/home/dragon"), "root": User("root", 0, 0, "/root")}
        for path, content in {**_FILES, "etc/os-release": RELEASES[release]}.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        for folder in ("home/dragon", "root", "var/lib"):
            (root / folder).mkdir(parents=True)

    def user(self, name: str) -> User | None:
        return self.accounts.get(name)

    def nodename(self) -> str:
        return self.name

    def set_nodename(self, name: str) -> None:
        self.name = name

    def told(self, argv, seconds, _environment) -> tuple[int, str, str]:
        done = self.program(argv, seconds)
        return done.code, done.out, done.err

    def program(self, argv, _seconds) -> Outcome:
        self.calls.append(list(argv))
        line = " ".join(argv)
        for start, outcome in self.answers.items():
            if line.startswith(start):
                return outcome
        if argv[0] in ("dpkg-query", "rpm"):
            names = [name for name in argv[argv.index("--") + 1 :] if name in self.installed]
            return Outcome(0, "".join(f"{name} ii \n" if argv[0] == "dpkg-query" else f"{name}\n" for name in names))
        if argv[0] in ("apt-get", "dnf") and "install" in argv:
            self._install(argv[argv.index("install") + 1 :])
        if argv[0] == "dnf" and "remove" in argv:
            self.installed -= set(argv)
        if argv[:2] == ["systemctl", "show"]:
            names = argv[argv.index("--") + 1 :]
            blocks = [
                f"Id={name}\nActiveState={self.units_active.get(name, 'inactive')}\n"
                f"LoadState={'loaded' if name in self.units_active else 'not-found'}\n"
                for name in names
            ]
            return Outcome(0, "\n".join(blocks))
        if argv[:2] == ["systemctl", "restart"]:
            self.units_active[argv[2]] = "active"
        if argv[0] == "chronyc" and "sources" in argv and "reload" not in argv:
            text = self.text("/etc/chrony/sources.d/50-scs-landscape.sources") + self.text("/etc/chrony.conf")
            servers = [text.split()[1] for text in text.splitlines() if text.startswith("server ")]
            return Outcome(0, "".join(f"^,?,{name},0,6,0,0\n" for name in servers))
        return Outcome(0)

    def _install(self, names) -> None:
        for name in names:
            if name.endswith("-"):
                self.installed.discard(name[:-1])
            elif name != "--":
                self.installed.add(name)
                if name == "chrony":
                    Path(self.at("/etc/chrony/chrony.conf")).write_text(_FILES["etc/chrony/chrony.conf"])

    def content(self, path: str) -> str:
        return Path(self.at(path)).read_text()

    def record(self) -> dict:
        return json.loads(self.content("/var/lib/scs-landscape/node_state.json"))

    def tree(self) -> dict[str, tuple[str, int]]:
        """Every file with content and mode."""
        files = [path for path in Path(self.root).rglob("*") if path.is_file()]
        return {str(path.relative_to(self.root)): (path.read_text(), path.stat().st_mode & 0o7777) for path in files}

    def state(self, *, check: bool = False, **options):
        """What the module node_state says, with its defaults filled in."""
        return node_state.main(filled(node_state.SPEC, options), check, self)


def filled(spec, options):
    """Options as Ansible hands them over: every one there, defaults and suboptions filled in."""
    result = {}
    for name, rule in spec.items():
        value = options.get(name, rule.get("default"))
        nested = rule.get("options")
        if nested and isinstance(value, dict):
            value = filled(nested, value)
        elif nested and isinstance(value, list):
            value = [filled(nested, entry) for entry in value]
        result[name] = value
    return result


def write(machine, path, text):
    """Puts a text where a file of the machine is."""
    file = Path(machine.at(path))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def fit(root):
    """A machine with two processors, 32 GiB and a disk."""
    found = Machine(root)
    write(found, "/proc/cpuinfo", "processor\t: 0\nflags\t\t: aes sse4_2\n\nprocessor\t: 1\nflags\t\t: aes sse4_2\n")
    write(found, "/proc/meminfo", "MemTotal:       33554432 kB\nMemFree: 1 kB\n")
    for name, size, removable in (("sda", "937703088", 0), ("sdb", "0", 0), ("sdc", "1000", 1), ("loop0", "9", 0)):
        write(found, f"/sys/block/{name}/size", f"{size}\n")
        write(found, f"/sys/block/{name}/removable", f"{removable}\n")
    write(found, "/sys/block/sda/queue/rotational", "1\n")
    write(found, "/sys/class/net/eno1/mtu", "9100\n")
    return found
