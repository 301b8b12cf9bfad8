# SPDX-License-Identifier: Apache-2.0
"""Root file systems of the machines: built once per Debian release and package list, shared read-only by all.

Everything a machine ever needs is inside, so that starting one needs no network.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from ..tools import apt
from ..tools.console import Unavailable, say
from ..tools.paths import CACHE, digest, locked
from . import kernel

RELEASES = ("bookworm", "trixie")
#: What the address of a repository is in the machines; the forwarder of the lane knows where it really is.
DEBIAN, SECURITY = "http://packages.lab/debian", "http://packages.lab/debian-security"
USER = "dragon"
_PACKAGES = [
    "ca-certificates",
    "chrony",
    "cron",
    "dbus",
    "dmidecode",
    "ethtool",
    "iproute2",
    "iputils-ping",
    "kmod",
    "less",
    "libfaketime",
    "lldpd",
    "lsb-release",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "rsyslog",
    "sudo",
    "systemd",
    "systemd-sysv",
    "tzdata",
]
#: What only a machine with a kernel of its own has a use for.
_GUESTS = ["bridge-utils", "cryptsetup-bin", "e2fsprogs", "lvm2", "udev"]
#: Units that a machine without disks, consoles and Internet has no use for; each of them costs time at boot.
_MASKED = [
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "logrotate.timer",
    "getty.target",
    "console-getty.service",
    "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path",
    "systemd-firstboot.service",
    "systemd-hwdb-update.service",
    "systemd-journal-catalog-update.service",
    "systemd-journal-flush.service",
    "systemd-logind.service",
    "systemd-machine-id-commit.service",
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-pcrphase.service",
    "systemd-random-seed.service",
    "systemd-tmpfiles-clean.timer",
    "systemd-update-done.service",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-timesyncd.service",
    "nftables.service",
]
#: Units and generators that cost a guest time at boot: every program that starts takes a tenth of a second there.
_GUESTS_MASKED = [
    "blk-availability.service",
    "dev-mqueue.mount",
    "kmod-static-nodes.service",
    "lab-sysctl.service",
    "lvm2-monitor.service",
    "modprobe@.service",
    "proc-sys-fs-binfmt_misc.automount",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "systemd-binfmt.service",
    "systemd-modules-load.service",
    "systemd-remount-fs.service",
    "systemd-sysusers.service",
    "systemd-tmpfiles-setup-dev.service",
    "systemd-tmpfiles-setup-dev-early.service",
]
_FILES = {
    # machines cannot set the clock: it is the one of this machine
    "etc/default/chrony": 'DAEMON_OPTS="-F 1 -x"\n',
    "etc/apt/apt.conf.d/90lab": (
        'APT::Install-Recommends "false";\nAcquire::Languages "none";\n'
        # it would take 50 MB of every machine's memory; the other half of the cache comes with the image
        'Dir::Cache::pkgcache "";\n'
    ),
    f"etc/sudoers.d/{USER}": f"{USER} ALL=(ALL) NOPASSWD: ALL\n",
    # of all that udev knows when a guest starts, programs ask for its disks
    "etc/systemd/system/systemd-udev-trigger.service.d/lab.conf": (
        "[Service]\nExecStart=\nExecStart=-udevadm trigger --subsystem-match=block --action=add\n"
    ),
    "etc/default/locale": "LANG=C.UTF-8\n",
    # systemd-nspawn makes all of /proc/sys read-only; what is under net belongs to the machine's own namespace
    "etc/systemd/system/lab-sysctl.service": (
        "[Unit]\nDescription=Settings of the machine's own network can be written\nDefaultDependencies=no\n"
        "Before=systemd-sysctl.service sysinit.target\n\n[Service]\nType=oneshot\n"
        "ExecStart=mount --bind /proc/sys/net /proc/sys/net\n"
        "ExecStart=mount -o remount,bind,rw /proc/sys/net\n\n[Install]\nWantedBy=sysinit.target\n"
    ),
}
_SSHD = {
    "bookworm": "UseDNS no\n",
    # OpenSSH 10 turns impatient clients away: "Not allowed at this time"
    "trixie": "UseDNS no\nPerSourcePenalties no\n",
}
#: Raise it when the way of building changes, so that old trees are built anew.
_RECIPE = 4
#: Ends with whoever started it, and everything that it started itself with it: mmdebstrap has many children.
_TOGETHER = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--pid", "--fork", "--kill-child", "--mount", "--propagation", "unchanged", "--mount-proc"),
    # what is mounted for the build is seen nowhere else; in a chroot that is up to whoever entered it
    *("sh", "-c", 'mount --make-rprivate / 2>/dev/null; exec "$@"', "build"),
)
_SECONDS = 1800
_KEPT = 14 * 86400.0


def image(release: str, guests: bool = False, packages: Sequence[str] = ()) -> Path:
    """The root of a release, built at first use: about a minute, 350 MB.

    :param guests: the root of machines with a kernel of their own.
    :param packages: what the machines of one provider need more than the others; each list is a root of its own.
    :raises Unavailable: when that takes rights or packages that we do not have.
    """
    if release not in RELEASES:
        raise Unavailable(f"the lab knows the Debian releases {' and '.join(RELEASES)}, not {release!r}")
    wanted = [*_PACKAGES, *(_GUESTS if guests else []), *sorted(packages)]
    masked = _MASKED + (_GUESTS_MASKED if guests else [])
    parts = (release, str(_RECIPE), USER, DEBIAN, SECURITY, *wanted, *masked, repr(_FILES), _SSHD[release])
    root = CACHE / "lab" / "roots" / f"{release}{'-guests' if guests else ''}-{digest(*parts)}"
    with locked(root):
        if not root.is_dir():
            _build(release, root, wanted, masked)
    return root


def _build(release: str, root: Path, packages: list[str], masked: list[str]) -> None:
    more = [name for name in packages if name not in _PACKAGES]
    why = f"the machines' Debian {release}" + (f" with {', '.join(more[:3])}" if more else "")
    if os.geteuid() != 0:
        raise Unavailable(f"{why} can only be built as root")
    apt.ensure(["mmdebstrap", "debian-archive-keyring"], why)
    for left in root.parent.glob(f"{root.name}.partial-*"):
        _remove(left)
    partial = root.with_name(f"{root.name}.partial-{os.getpid()}")
    say(f"building {why}: about a minute, once")
    command = [
        *_TOGETHER,
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(packages)}",
        '--aptopt=Acquire::Languages "none"',
        "--dpkgopt=force-unsafe-io",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--skip=cleanup/apt/lists",
        f'--customize-hook=chroot "$1" useradd --create-home --shell /bin/bash {USER}',
        f'--customize-hook=chroot "$1" systemctl mask {" ".join(masked)}',
        release,
        str(partial),
        *sources(release),
    ]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{why} was not built within {_SECONDS} s; is the package mirror slow?") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith(("E:", "W:", "Err"))] or [
            "no reason given"
        ]
        raise Unavailable(f"{why} could not be built: {'; '.join(said[:3])}")
    _settle(release, partial)
    partial.rename(root)
    _prune(root)


def _remove(partial: Path) -> None:
    """Remove what a killed build left, but never what is mounted in it."""
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    for point in reversed([line.split()[1] for line in mounts]):
        if point.startswith(f"{partial}/"):
            subprocess.run(["umount", "--lazy", point], capture_output=True, check=True, timeout=30)
    shutil.rmtree(partial, ignore_errors=True)


def _prune(root: Path) -> None:
    """Remove roots that an older recipe built and that nobody asked for in two weeks."""
    used = "".join(_mounts(pid) for pid in kernel.processes())
    for lock in root.parent.glob("*.lock"):
        old = lock.with_suffix("")
        if time.time() - lock.stat().st_mtime > _KEPT and str(old) not in used:
            _remove(old)
            lock.unlink()


def _mounts(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8")
    except OSError:
        return ""


def _settle(release: str, root: Path) -> None:
    """The settings that all machines share."""
    files = {**_FILES, "etc/ssh/sshd_config.d/00-lab.conf": _SSHD[release]}
    files["etc/apt/sources.list"] = (
        f"deb {DEBIAN} {release} main\ndeb {DEBIAN} {release}-updates main\ndeb {SECURITY} {release}-security main\n"
    )
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (root / "etc/sudoers.d" / USER).chmod(0o440)
    _quieten(root)
    rsyslog = root / "etc/rsyslog.conf"
    text = rsyslog.read_text(encoding="utf-8")
    # a machine has no kernel log of its own: the module would spin on an empty one
    rsyslog.write_text(text.replace('module(load="imklog")', '#module(load="imklog")'), encoding="utf-8")
    wanted = root / "etc/systemd/system/sysinit.target.wants"
    wanted.mkdir(exist_ok=True)
    (wanted / "lab-sysctl.service").symlink_to("../lab-sysctl.service")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    # The kernel's messages are not a machine's to read, and rsyslog would try without a pause.
    rsyslog = root / "etc/rsyslog.conf"
    rsyslog.write_text(
        re.sub(r'(?m)^(module\(load="imklog"\))', r"#\1", rsyslog.read_text(encoding="utf-8")), encoding="utf-8"
    )
    for name in ("etc/machine-id", "var/lib/dbus/machine-id", "etc/hostname", "etc/resolv.conf"):
        (root / name).unlink(missing_ok=True)
    _name_lists(root / "var/lib/apt/lists")
    subprocess.run(["chroot", root, "apt-cache", "gencaches"], check=True, capture_output=True, timeout=120)
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if bundle.exists():
        shutil.copy(bundle, root / "etc/ssl/certs/ca-certificates.crt")


def _quieten(root: Path) -> None:
    """Leave out the programs that write units at boot, but the one that reads /etc/fstab: a lab has nothing for them."""
    folder = root / "etc/systemd/system-generators"
    folder.mkdir(exist_ok=True)
    for path in (root / "usr/lib/systemd/system-generators").iterdir():
        if path.name != "systemd-fstab-generator":
            (folder / path.name).symlink_to("/dev/null")


def _name_lists(folder: Path) -> None:
    """Give the package lists the names they have when they come from the address that the machines know."""

    def prefix(address: str) -> str:
        return f"{address.partition('//')[2].replace('/', '_')}_dists_"

    for known, mirror in mirrors().items():
        for path in folder.glob(f"{prefix(mirror)}*"):
            path.rename(folder / path.name.replace(prefix(mirror), prefix(known), 1))


def mirrors() -> dict[str, str]:
    """Where this machine's apt gets the repositories :data:`DEBIAN` and :data:`SECURITY` from."""
    query = ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        label, _space, address = line.partition(" ")
        found.setdefault({"Debian": DEBIAN, "Debian-Security": SECURITY}.get(label, ""), address.rstrip("/"))
    found.pop("", None)
    if DEBIAN not in found:
        raise Unavailable("apt knows no Debian mirror on this machine (run `apt-get update` once, as root)")
    found.setdefault(SECURITY, f"{found[DEBIAN]}-security")
    return found


def sources(release: str) -> list[str]:
    """Lines of a sources.list that reach this machine's mirrors."""
    known = mirrors()
    return [
        f"deb {known[DEBIAN]} {release} main",
        f"deb {known[DEBIAN]} {release}-updates main",
        f"deb {known[SECURITY]} {release}-security main",
    ]
