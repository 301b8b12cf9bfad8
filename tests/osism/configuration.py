# SPDX-License-Identifier: Apache-2.0
"""An OSISM manager in a folder: configuration repository, what its reconciler makes of it, and ``osism apply``.

The layout is that of osism/cfg-cookiecutter, the reconciled inventory that of osism/container-image-inventory-reconciler
(``hosts.yml``, and ``fast/`` with a JSON index, which wins where it exists), the command line and the variables those of
``run-custom.sh`` in osism/container-image-osism-ansible and of osism/python-osism, which starts it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

#: As osism/defaults sets it, less what needs other containers or outlives a test: Redis as fact cache (a folder here), the
#: callback of osism.commons that breaks silences (so ours must break them alone), connections kept for half an hour.
_ANSIBLE_CFG = """\
[defaults]
pipelining = true
use_persistent_connections = true
deprecation_warnings = false
force_valid_group_names = ignore
host_key_checking = false
interpreter_python = auto_silent
log_filter = paramiko.transport
log_path = {home}/logs/ansible.log
private_key_file = {home}/secrets/id_rsa.operator
retry_files_enabled = false
gathering = smart
fact_caching = jsonfile
fact_caching_timeout = 86400
fact_caching_connection = {home}/cache
remote_user = dragon
forks = 16

[ssh_connection]
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile={home}/known_hosts -o IdentityAgent=none -F /dev/null
"""
#: The five files must hold a variable each, or Ansible refuses them.
_DUMMY = "---\n# Dummy variable, because a file without one is refused.\ndummy:\n"
#: Seconds after which OSISM gives up on a run that prints nothing.
OSISM_SILENCE = 300


@dataclass(frozen=True)
class Finished:
    """How a run ended.

    :param output: standard output and errors, as OSISM reads them from one pipe.
    :param silence: seconds of the longest time in which nothing came.
    """

    rc: int
    output: str
    silence: float

    def results(self) -> dict[str, dict[str, int]]:
        """The recap: counters by host."""
        _before, _title, recap = self.output.rpartition("PLAY RECAP")
        lines = (line.split(":", 1) for line in recap.splitlines()[1:] if " : " in line)
        return {
            host.strip(): {name: int(count) for name, _is, count in (part.partition("=") for part in counters.split())}
            for host, counters in lines
        }


@dataclass
class Manager:
    """The manager node: ``/opt/configuration`` and ``/ansible`` below ``home``.

    :param programs: the bin folder of what the container holds.
    """

    home: Path
    programs: Path
    environ: dict[str, str] = field(default_factory=dict)
    #: What stands before the command line, when the manager's network is another one.
    prefix: list[str] = field(default_factory=list)

    @property
    def repository(self) -> Path:
        return self.home / "opt/configuration"

    @property
    def custom(self) -> Path:
        return self.repository / "environments/custom"

    @property
    def inventory(self) -> Path:
        return self.home / "ansible/inventory"

    def create(self, collection: Path, wrappers: Path) -> None:
        """Makes the configuration repository, with the collection and the wrappers beside the other custom plays."""
        environments = self.repository / "environments"
        for folder in (self.custom, self.repository / "inventory/host_vars"):
            folder.mkdir(parents=True)
        for folder in ("cache", "logs", "secrets"):
            (self.home / "ansible" / folder).mkdir(parents=True)
        self._configure(environments / "ansible.cfg")
        (environments / ".vault_pass").write_text("a password of the site\n", encoding="utf-8")
        for name in ("configuration", "secrets", "images"):
            (environments / f"{name}.yml").write_text(_DUMMY, encoding="utf-8")
            (self.custom / f"{name}.yml").write_text(_DUMMY, encoding="utf-8")
        place = self.custom / "collections/ansible_collections/scs/landscape"
        shutil.copytree(collection, place)
        for wrapper in wrappers.glob("*.yml"):
            shutil.copy(wrapper, self.custom)
        (self.repository / "inventory/10-custom").write_text("# groups of one's own\n", encoding="utf-8")

    def _configure(self, path: Path) -> None:
        path.write_text(_ANSIBLE_CFG.format(home=self.home / "ansible"), encoding="utf-8")

    def copy(self, home: Path) -> Manager:
        """Another manager in the same state."""
        shutil.copytree(self.home, home)
        other = Manager(home, self.programs, dict(self.environ), list(self.prefix))
        for path in (other.repository / "environments/ansible.cfg", other.inventory / "ansible/ansible.cfg"):
            other._configure(path)
        return other

    def set(self, file: str, **variables: Any) -> None:
        """Sets variables in one of the files that become extra variables: ``configuration``, ``custom/secrets``..."""
        path = self.repository / "environments" / f"{file}.yml"
        known = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        path.write_text(yaml.safe_dump({**known, **variables}, sort_keys=False), encoding="utf-8")

    def reconcile(self) -> None:
        """What the reconciler does with the repository's inventory: one flat file, and the fast folder."""
        shutil.rmtree(self.inventory, ignore_errors=True)
        (self.inventory / "ansible").mkdir(parents=True)
        shutil.copy(self.repository / "environments/ansible.cfg", self.inventory / "ansible")
        source, flat = self.repository / "inventory", self.inventory / "hosts.yml"
        listing = ["ansible-inventory", "-i", str(source), "--list", "-y", "--output", str(flat)]
        # No collection is installed where the reconciler runs.
        environ = {**self._environ(), "ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS": "ignore"}
        listing[0] = str(self.programs / listing[0])
        subprocess.run(listing, cwd=source, env=environ, check=True, capture_output=True, timeout=60)
        groups = yaml.safe_load(flat.read_text(encoding="utf-8"))
        fast = self.inventory / "fast"
        fast.mkdir()
        (fast / "hosts.json").write_text(json.dumps(_without_variables(groups)), encoding="utf-8")
        for name in ("host_vars", "group_vars"):
            if (source / name).is_dir():
                shutil.copytree(source / name, fast / name)

    def apply(self, service: str, *arguments: str, fast: bool = True, seconds: float = 300) -> Finished:
        """``osism apply <service> -- <arguments>``: run-custom.sh's command line, its folder and its variables.

        :param fast: with the fast inventory, which run-custom.sh prefers; else with ``hosts.yml``.
        :param seconds: the run is ended after this time.
        """
        environments = self.repository / "environments"
        argv = ["--vault-password-file", str(environments / ".vault_pass")]
        argv += ["-e", f"@{environments}/configuration.yml", "-e", f"@{environments}/secrets.yml"]
        argv += ["-e", "@secrets.yml", "-e", "@images.yml", "-e", "@configuration.yml"]
        argv += [*arguments, f"playbook-{service}.yml"]
        sockets = tempfile.mkdtemp(prefix=".ansible-ssh-")
        environ = {
            **self._environ(),
            "ANSIBLE_CONFIG": str(self.inventory / "ansible/ansible.cfg"),
            "ANSIBLE_INVENTORY": f"{self.inventory}/fast/" if fast else str(self.inventory / "hosts.yml"),
            "ANSIBLE_SSH_RETRIES": "3",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
            "ENVIRONMENT": "custom",
            "PWD": str(self.custom),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore::UserWarning",
            "VAULT": str(environments / ".vault_pass"),
        }
        try:
            return run([*self.prefix, str(self.programs / "ansible-playbook"), *argv], self.custom, environ, seconds)
        finally:
            shutil.rmtree(sockets, ignore_errors=True)

    def _environ(self) -> dict[str, str]:
        path = f"{self.programs}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        home = {"HOME": str(self.home), "ANSIBLE_HOME": str(self.home / ".ansible"), "PATH": path}
        return {**home, "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1", **self.environ}


def _without_variables(tree: Any) -> Any:
    """The groups and hosts of an inventory without variables, as the index of the fast inventory has them."""
    if not isinstance(tree, dict):
        return tree
    kept = {}
    for name, value in tree.items():
        if name == "hosts" and isinstance(value, dict):
            kept[name] = {host: {} for host in value}
        elif name != "vars":
            kept[name] = _without_variables(value)
    return kept


def run(argv: list[str], cwd: Path, environ: dict[str, str], seconds: float) -> Finished:
    """Runs a command with one pipe for everything it says, and takes the time between its lines.

    :raises AssertionError: when it does not end in time; it is ended, with everything it started.
    """
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    started = last = time.monotonic()
    silence, said = 0.0, b""
    try:
        for piece in _pieces(process, started + seconds):
            now = time.monotonic()
            silence, last = max(silence, now - last), now
            said += piece
        rc = process.wait(timeout=10)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()
    return Finished(rc, said.decode(errors="replace"), max(silence, time.monotonic() - last))


def _pieces(process: subprocess.Popen[bytes], until: float) -> Iterator[bytes]:
    """What a process says, as it comes, until the process itself ends: an SSH master may keep the pipe open for long."""
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    ended = False
    while True:
        piece = process.stdout.read()
        if piece:
            yield piece
        elif ended or piece == b"":
            return
        else:
            ended = process.poll() is not None
            assert time.monotonic() < until, f"{process.args!r} did not end in time"
            time.sleep(0 if ended else 0.05)
