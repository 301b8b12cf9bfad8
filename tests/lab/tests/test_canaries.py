# SPDX-License-Identifier: Apache-2.0
"""Secrets that a deploy handles appear where they are meant to be and nowhere else: not at -vvv, not in records, reports,
documentation, temporary files or logs, neither on the controller nor on machines."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS, Controller, renew

PROXY, VAULTED, VAULT = "canary-proxy-4711", "canary-vaulted-4712", "canary-vault-4713"
BMC, BECOME = "canary-bmc-4714", "canary-become-4715"
HOSTS = ("em01-ctl-r01-u03", "em01-comp-r01-u04")
#: Where on a machine anything of a run may lie. Settings are not among them: a proxy's password is meant to be there.
PLACES = ("/var/lib/scs-landscape", "/var/log", "/var/tmp", "/tmp", "/home", "/root", "/run")


def _landscape(lab: Lab, folder: Path) -> Path:
    """The lab's landscape with the password of a BMC among a host's variables, where nobody should put it."""
    copy = folder / "landscape"
    shutil.copytree(lab.landscape, copy)
    hosts = yaml.safe_load((copy / "hosts.yml").read_text(encoding="utf-8"))
    hosts["hosts"][HOSTS[0]]["vars"] = {"bmc_password": BMC, "ipmi_password": BMC}
    (copy / "hosts.yml").write_text(yaml.safe_dump(hosts, sort_keys=False), encoding="utf-8")
    return copy


def _vaulted(folder: Path) -> tuple[Path, Path]:
    """A file of variables, encrypted, and the file with its password."""
    password, variables = folder / "vault-pass", folder / "secrets.yml"
    password.write_text(VAULT + "\n", encoding="utf-8")
    proxy = {"http": f"http://deploy:{PROXY}@10.20.0.2:3142", "https": f"http://deploy:{VAULTED}@10.20.0.2:3142"}
    # The forwarder of the lab serves whoever asks; package managers keep their own settings.
    others = {"bmc_password": BMC, "ansible_become_password": BECOME}
    content = {"node_baseline_proxy": {**proxy, "packages": False}, **others}
    variables.write_text(yaml.safe_dump(content), encoding="utf-8")
    encrypt = [PROGRAMS / "ansible-vault", "encrypt", "--vault-password-file", password, variables]
    environ = {**os.environ, "ANSIBLE_HOME": str(folder / "vault-home")}
    subprocess.run(encrypt, check=True, capture_output=True, timeout=60, env=environ)
    assert VAULTED not in variables.read_text(encoding="utf-8")
    return password, variables


def _key_material(lab: Lab) -> str:
    """A line out of the middle of the private key that logs in."""
    return lab.lane.file("keys").joinpath("login").read_text(encoding="utf-8").splitlines()[2]


def _holding(folder: Path, secrets: list[str]) -> list[str]:
    """Files below a folder that hold one of the secrets."""
    found = []
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            text = file.read_bytes()
            found += [f"{file}: {secret[:14]}" for secret in secrets if secret.encode() in text]
    return found


@pytest.fixture(scope="module", autouse=True)
def _leave_none(lab: Lab) -> Iterator[None]:
    """Other tests find machines without these secrets."""
    yield
    renew(lab, *HOSTS)


@pytest.mark.accept("L1.9")
@pytest.mark.parametrize("mode", ["deploy", "check", "failing", "refused"])
def test_secrets_are_nowhere_but_where_they_are_meant_to_be(
    lab: Lab, tmp_path: Path, collections_root: Path, mode: str
) -> None:
    renew(lab, *HOSTS)
    controller = Controller(lab, tmp_path / "controller", collections_root)
    if mode == "refused":
        controller = Controller(lab, tmp_path / "controller", collections_root, _landscape(lab, tmp_path))
    safe = tmp_path / "safe"
    safe.mkdir()
    password, variables = _vaulted(safe)
    secrets = [PROXY, VAULTED, VAULT, BMC, BECOME, _key_material(lab)]
    assert all(len(secret) > 10 for secret in secrets)
    arguments = ["--vault-password-file", str(password), "-e", f"@{variables}", "-vvv", "--diff"]
    if mode == "check":
        arguments.append("--check")
    if mode == "failing":
        # The task that handles the secrets fails: errors are where secrets like to get out.
        lab.machine(HOSTS[0]).run(["mount", "--bind", "/etc", "/etc"])
        lab.machine(HOSTS[0]).run(["mount", "-o", "remount,bind,ro", "/etc"])
    before = {entry.name for entry in Path("/tmp").iterdir()}
    done = controller.run("scs.landscape.lab_deploy", "--limit", ",".join(HOSTS), *arguments)
    assert (done.rc != 0) == (mode in ("failing", "refused")), done.output[-4000:]

    said = [secret for secret in secrets if secret in done.output]
    assert not said, [line[:300] for line in done.output.splitlines() if any(secret in line for secret in said)]
    assert _holding(controller.folder, secrets) == []
    left = [Path("/tmp") / name for name in {entry.name for entry in Path("/tmp").iterdir()} - before]
    assert [found for path in left if path.is_dir() for found in _holding(path, secrets)] == []
    for host in HOSTS:
        machine = lab.machine(host)
        pattern = [part for secret in secrets for part in ("-e", secret)]
        grep = machine.run(["grep", "-rlaF", *pattern, *PLACES], check=False)
        assert grep.stdout == "", f"{host}: {grep.stdout}"
        journal = machine.run(["journalctl", "--no-pager", "--output", "cat"]).stdout
        assert journal.strip()
        assert not [secret for secret in secrets if secret in journal], host
    settings = lab.machine(HOSTS[1]).run(["cat", "/etc/environment"]).stdout
    # The control: they were really handled.
    assert all((secret in settings) == (mode in ("deploy", "failing")) for secret in (PROXY, VAULTED)), settings


def test_the_search_finds_what_is_there(lab: Lab, tmp_path: Path) -> None:
    """The control of the test above: a secret that does lie about is found, on the controller and on a machine."""
    (tmp_path / "report.json").write_text(json.dumps({"proxy": f"http://x:{PROXY}@y"}), encoding="utf-8")
    assert _holding(tmp_path, [PROXY])
    machine = lab.machine(HOSTS[0])
    machine.run(["sh", "-c", f"echo {PROXY} >/var/tmp/left"])
    assert machine.run(["grep", "-rlaF", "-e", PROXY, *PLACES], check=False).stdout == "/var/tmp/left\n"
    machine.run(["rm", "/var/tmp/left"])
