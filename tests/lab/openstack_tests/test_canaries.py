# SPDX-License-Identifier: Apache-2.0
"""Secrets of logins, of addresses and of the service itself are in nothing that the modules say, log or leave.

The modules are called by Ansible as the programs they are, with everything it can be asked to show.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors import sets
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk

pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

#: Words that are secret, each in a place of its own.
WORDS = {
    "password": "cAnArYpassword1",
    "token": "gAAAAABcAnArYtoken2",
    "application": "cAnArYapplication3",
    "mirror": "cAnArYmirror4",
    "signature": "cAnArYsignature5",
    "listed": "cAnArYlisted6",
    "sums": "cAnArYsums7",
}
#: What Keystone's tokens look like (Fernet).
_TOKEN = re.compile(r"gAAAAA[A-Za-z0-9_-]{40,}")
#: What modules send to the system's log goes into a file; there need be no log service here.
SPY = """
import os, syslog
def _noted(*said):
    with open(os.environ["LAB_SYSLOG"], "a", encoding="utf-8") as stream:
        stream.write(" ".join(map(str, said)) + "\\n")
syslog.syslog = syslog.openlog = _noted
"""
MODULES = ("image_import", "image_lifecycle", "image_headroom_info", "flavor_set")


@dataclass
class Stage:
    """Where tasks are run, and everything that is found afterwards.

    :param known: files in which we ourselves wrote secrets.
    """

    desk: Desk
    folder: Path
    root: Path
    known: set[Path] = field(default_factory=set)

    @property
    def login(self) -> dict[str, Any]:
        """A whole configuration of an administrator."""
        clouds = json.loads(self.desk.cloud.clouds_yaml.read_text(encoding="utf-8"))
        return dict(clouds["clouds"]["admin"])

    def logins(self) -> dict[str, dict[str, Any]]:
        """Options of logins, good ones and refused ones, with secrets everywhere."""
        entry = self.login
        auth = entry["auth"]
        plain = {key: auth[key] for key in auth if key not in ("username", "password", "user_domain_name")}
        known = {"auth_url": auth["auth_url"]}
        application = {**known, "application_credential_id": "0" * 32}
        application["application_credential_secret"] = WORDS["application"]
        with self.desk.session() as session:
            token = str(session.connection.session.get_token())
        return {
            "dictionary": {"cloud": entry},
            "options": {"auth": auth, "region_name": entry.get("region_name")},
            "token": {"cloud": {**entry, "auth_type": "token", "auth": {**plain, "token": token}}},
            "wrong password": {"cloud": {**entry, "auth": {**auth, "password": WORDS["password"]}}},
            "wrong token": {"auth_type": "token", "auth": {**plain, "token": WORDS["token"]}},
            "application": {"cloud": {**entry, "auth_type": "v3applicationcredential", "auth": application}},
        }

    def play(self, tasks: list[dict[str, Any]]) -> str:
        """What Ansible says at its loudest."""
        book, spy = self.folder / "book.yml", self.folder / "spy" / "sitecustomize.py"
        # As operators have it: Ansible shows lines of the playbook beside errors, so secrets are kept elsewhere.
        vault, tasks = self.folder / "vault.json", [dict(task) for task in tasks]
        given = [options for task in tasks for name, options in task.items() if name.startswith("scs.landscape.")]
        vault.write_text(json.dumps({"given": given}), encoding="utf-8")
        for task in tasks:
            for name in [name for name in task if name.startswith("scs.landscape.")]:
                place = given.index(task[name])
                task[name] = {
                    key: value if "{{" in str(value) else f"{{{{ given[{place}].{key} }}}}"
                    for key, value in task[name].items()
                }
        head = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
        # An environment of its own makes every module a program.
        book.write_text(yaml.safe_dump([{**head, "environment": {"SCS_FACE": "module"}}]), encoding="utf-8")
        spy.parent.mkdir(exist_ok=True)
        spy.write_text(SPY, encoding="utf-8")
        self.known.add(vault)
        argv = [*self.desk.cloud.entering(), str(Path(sys.executable).parent / "ansible-playbook"), "-vvv", "--diff"]
        environ = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(self.root),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "local"),
            "ANSIBLE_REMOTE_TEMP": str(self.folder / "remote"),
            "ANSIBLE_LOG_PATH": str(self.folder / "log"),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "LAB_SYSLOG": str(self.folder / "syslog"),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(spy.parent), os.environ.get("PYTHONPATH")])),
        }
        done = subprocess.run(
            [*argv, "-e", f"@{vault}", str(book)],
            env=environ,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        said = done.stdout + done.stderr
        assert f"ok={len(tasks)} " in said, said[-8000:]
        return said

    def judge(self, said: str, *modules: str) -> None:
        """No secret was said, logged, left in a file, or written into the cloud."""
        logged = (self.folder / "syslog").read_text(encoding="utf-8")
        for module in modules:
            assert module in logged, f"what {module} logs was not seen"
        assert "Invoked with" in logged
        places = {"what was said": said, "the system's log": logged}
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self.known:
                places[str(path)] = path.read_bytes().decode("utf-8", "replace")
        secrets = {**WORDS, "admin's password": self.login["auth"]["password"]}
        assert all(len(secret) >= 8 for secret in secrets.values())
        found = [
            (name, place, text.partition(secret)[0][-200:])
            for place, text in places.items()
            for name, secret in secrets.items()
            if secret in text
        ]
        found += [("a token", place, "") for place, text in places.items() if _TOKEN.search(text)]
        assert found == []
        assert any(path.endswith("/log") for path in places)


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path, collections_root: Path) -> Iterator[Stage]:
    desk = Desk(cloud, tmp_path)
    yield Stage(desk, tmp_path, collections_root)
    with desk.session() as session:
        for identifier, image in desk.images().items():
            if image["name"].startswith("canary") or str(image.get("scs_landscape_entry")).startswith("Canary"):
                session.call("image", "DELETE", f"/images/{identifier}", accept=(404,))


def secretly(url: str) -> str:
    """The same address with a user, a password and a signature; the lab's web server does not mind."""
    scheme, _mark, rest = url.partition("://")
    return f"{scheme}://robot:{WORDS['mirror']}@{rest}?X-Signature={WORDS['signature']}&rate=900000000"


def options_of(module: str, stage: Stage) -> dict[str, Any]:
    """Options of a module but for its login, with secrets where it takes some."""
    fetches = stage.desk.cloud.fetches()
    image = {
        "name": "canary",
        "disk_format": "raw",
        "digest": f"sha256:{fetches.digest('canary', 300_000, 'image.raw')}",
    }
    place = secretly(fetches.url("good", "canary", 300_000, "image.raw"))
    entry = stage.desk.entry("Canary 1", "20260101")
    entry["versions"][0]["url"] = place
    return {
        "image_import": {"images": [{**image, "url": [place]}], "cache_dir": str(stage.folder / "cache")},
        "image_lifecycle": {"images": [entry]},
        "flavor_set": {"sets": ["scs-mandatory"]},
    }.get(module, {})


@pytest.mark.accept("O1.14")
@pytest.mark.parametrize("module", MODULES)
def test_no_secret_of_a_login_or_an_address_is_said_logged_or_left(stage: Stage, module: str) -> None:
    said = called(stage, module)
    if module == "image_import":
        (image,) = [one for one in stage.desk.images().values() if one["name"] == "canary"]
        assert image["status"] == "active"
        assert "cAnArY" not in json.dumps(image)
    # Three logins are refused and one call is; the others succeed where the cloud has the service.
    assert f"ignored={8 if module == 'flavor_set' else 4}" in said


@pytest.mark.accept("O1.14")
def test_no_secret_is_said_where_flavors_are_made(compute_cloud: Cloud, tmp_path: Path, collections_root: Path) -> None:
    stage = Stage(Desk(compute_cloud, tmp_path), tmp_path, collections_root)
    try:
        assert "ignored=4" in called(stage, "flavor_set")
    finally:
        stage.desk.run("flavor_set", flavors=[{"name": name, "state": "absent"} for name in sets.MANDATORY])


def called(stage: Stage, module: str) -> str:
    """What Ansible says when a module is called with every login; there is no secret in it."""
    options, tasks = options_of(module, stage), []
    for number, (name, login) in enumerate(stage.logins().items()):
        given = {**options, **login}
        tasks.append({"name": name, f"scs.landscape.{module}": given, "ignore_errors": True, "register": f"r{number}"})
    tasks.insert(0, {**tasks[0], "name": "check", "check_mode": True})
    # What is wrong in a call must not make Ansible show the rest of it.
    odd = {**options, "cloud": stage.login, "no_such_option": 1}
    tasks.append({"name": "refused options", f"scs.landscape.{module}": odd, "ignore_errors": True})
    tasks.append({"name": "everything", "ansible.builtin.debug": {"msg": "{{ [r0, r1, r2, r3, r4, r5] }}"}})
    said = stage.play(tasks)
    stage.judge(said, module)
    return said


@pytest.mark.accept("O1.14")
def test_a_catalogue_with_secret_addresses_is_imported_and_none_is_said(stage: Stage) -> None:
    """As the role does: what is missing is told by the one module and imported by the other."""
    fetches = stage.desk.cloud.fetches()
    entry = stage.desk.entry("Canary 2", "20260101")
    version = entry["versions"][0]
    del version["checksum"]
    version["url"] = secretly(version["url"])
    sums = fetches.url("sums", "canary-2-20260101", 300_000, "image.raw")
    version["checksums_url"] = f"{sums}?algorithm=sha256&token={WORDS['sums']}"
    catalogue = stage.folder / "catalogue.yml"
    catalogue.write_text(yaml.safe_dump({"images": [entry]}), encoding="utf-8")
    stage.known.add(catalogue)
    login, cache = {"cloud": stage.login}, str(stage.folder / "cache")
    switch = {**login, "catalogue": [str(catalogue)]}
    said = stage.play(
        [
            {"scs.landscape.image_lifecycle": switch, "check_mode": True, "register": "before"},
            {"scs.landscape.image_import": {**login, "images": "{{ before.imports }}", "cache_dir": cache}},
            {"scs.landscape.image_lifecycle": switch},
        ]
    )
    stage.judge(said, "image_import", "image_lifecycle")
    (image,) = [one for one in stage.desk.images().values() if one.get("scs_landscape_entry") == "Canary 2"]
    assert (image["name"], image["visibility"], image["os_hidden"]) == ("Canary 2", "public", False)
    assert "cAnArY" not in json.dumps(image)
    paths = [one for one in stage.desk.cloud.access_log("fetches") if "canary-2" in one.path]
    assert any(WORDS["signature"] in one.query for one in paths), "the address was not asked for as it is"


#: A checkout that says what it should, and things of a login that it should not.
CHECKER = """
import json, os, sys
entry = json.load(open(os.environ["OS_CLIENT_CONFIG_FILE"]))["clouds"]["member"]
print("scs-0103-flavor-1v-2: PASS")
print("ERROR: login failed with " + json.dumps(entry["auth"]), file=sys.stderr)
print("scs-0103-flavor-2v-8: FAIL")
sys.exit(1)
"""


@pytest.mark.accept("O1.14")
def test_compliance_tests_that_say_a_password_are_not_quoted_with_it(stage: Stage) -> None:
    tests = stage.folder / "standards" / "Tests"
    tests.mkdir(parents=True)
    (tests / "scs-compliance-check.py").write_text(CHECKER, encoding="utf-8")
    (tests / "scs-compatible-iaas.yaml").touch()
    clouds = stage.folder / "clouds.yaml"
    entry = stage.login
    member = {**entry, "auth": {**entry["auth"], "password": WORDS["listed"]}}
    clouds.write_text(json.dumps({"clouds": {"member": member}}), encoding="utf-8")
    stage.known.add(clouds)
    task = {
        "checkout": str(stage.folder / "standards"),
        "cloud": "member",
        "clouds_file": str(clouds),
        "python": sys.executable,
        "junit": str(stage.folder / "scs.xml"),
    }
    said = stage.play(
        [
            {"scs.landscape.scs_check": task, "ignore_errors": True, "register": "done"},
            {"ansible.builtin.debug": {"var": "done"}},
        ]
    )
    assert "login failed with" in said
    assert (stage.folder / "scs.xml").is_file()
    stage.judge(said, "scs_check")
