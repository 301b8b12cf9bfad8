# SPDX-License-Identifier: Apache-2.0
"""A real Barbican loses its secrets and a real Cinder its backups: an encrypted volume is rebuilt from two files and the store."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.keys import client, model
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import past
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.disks import PATIENCE, Disks, until
from ansible_collections.scs.landscape.tests.lab.openstack_tests.test_volume_backup_record import in_tenant, lose
from ansible_collections.scs.landscape.tests.tools import yardstick

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.full,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

_KEYS, _CINDER = "key-manager", "block-storage"
PASSWORD, TYPE = "nothing but a test's password", "luks"


@pytest.fixture
def desk(volume_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(volume_cloud, tmp_path, "member")
    volume_cloud.clean("demo")
    encrypting(found)
    yield found
    volume_cloud.clean("demo")


def encrypting(desk: Desk) -> None:
    """A type of volumes that Cinder formats with LUKS."""
    with desk.session("admin") as cloud:
        if any(one["name"] == TYPE for one in cloud.get(_CINDER, "/types")["volume_types"]):
            return
        body = {"volume_type": {"name": TYPE, "extra_specs": {"volume_backend_name": "lab"}}}
        made = cloud.call(_CINDER, "POST", "/types", json=body).body["volume_type"]["id"]
        spec = {"provider": "luks", "cipher": "aes-xts-plain64", "key_size": 256, "control_location": "front-end"}
        cloud.call(_CINDER, "POST", f"/types/{made}/encryption", json={"encryption": spec})


def key_of(desk: Desk, kind: str, identifier: str) -> str:
    """Which secret a volume or a backup names."""
    with desk.session() as cloud:
        found = cloud.get(_CINDER, f"/{kind}s/{identifier}", microversion="3.64")[kind]
    return str(found["encryption_key_id"])


def payload(desk: Desk, key: str) -> bytes:
    """What is in a secret: read by the test itself."""
    with desk.session() as cloud:
        return b"".join(
            cloud.stream(_KEYS, f"/secrets/{key}/payload", timeout=60.0, headers={"Accept": "application/octet-stream"})
        )


def secrets(desk: Desk) -> list[str]:
    """Ids of all secrets of the project."""
    with desk.session() as cloud:
        return [model.id_of(one["secret_ref"]) for one in cloud.pages(_KEYS, "/secrets", "secrets", limit=100)]


def qemu(desk: Desk, key: bytes, volume: str, plain: Path, *, into: bool) -> None:
    """The bytes of an encrypted volume in or out by qemu-img, which gets the key as Nova gives it to QEMU: in hexadecimal."""
    file = desk.cloud.share / f"volume-{volume}"
    handed = Path("/dev/shm") / f"scs-{os.getpid()}"
    handed.touch(0o600)
    try:
        handed.write_text(binascii.hexlify(key).decode(), encoding="ascii")
        begin = ["qemu-img", "convert", "--object", f"secret,id=s,format=raw,file={handed}"]
        there = f"driver=qcow2,encrypt.key-secret=s,file.driver=file,file.filename={file}"
        if into:
            argv = [*begin, "-n", "-f", "raw", str(plain), "--target-image-opts", there]
        else:
            argv = [*begin, "--image-opts", there, "-O", "raw", str(plain)]
        subprocess.run(argv, check=True, capture_output=True, timeout=300)
    finally:
        handed.unlink()


def sha256(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(1 << 22), b""):
            found.update(piece)
    return found.hexdigest()


def play(desk: Desk, root: Path, *, remote: bool = False, check: bool = False, **options: Any) -> dict[str, Any]:
    """A task by Ansible at its loudest: what it returned, and as ``said`` all that was written."""
    result = desk.folder / "result.json"
    result.unlink(missing_ok=True)
    task = {"scs.landscape.secret_bundle": {"cloud": desk.user, **options}, "register": "found", "diff": True}
    keep = {"ansible.builtin.copy": {"content": "{{ found | to_json }}", "dest": str(result)}, "check_mode": False}
    head = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task, keep]}
    book = desk.folder / "book.yml"
    face = {"environment": {"SCS_FACE": "module"}} if remote else {}
    book.write_text(yaml.safe_dump([{**head, **face}]), encoding="utf-8")
    argv = [
        *desk.cloud.entering(),
        str(Path(sys.executable).parent / "ansible-playbook"),
        "-vvvvv",
        "--diff",
        str(book),
    ]
    environ = {
        **os.environ,
        "OS_CLIENT_CONFIG_FILE": str(desk.cloud.clouds_yaml),
        "ANSIBLE_COLLECTIONS_PATH": str(root),
        "ANSIBLE_LOCAL_TEMP": str(desk.folder / "local"),
        "ANSIBLE_REMOTE_TEMP": str(desk.folder / "remote"),
        "ANSIBLE_KEEP_REMOTE_FILES": "1",
        "ANSIBLE_LOG_PATH": str(desk.folder / "log"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    done = subprocess.run(
        [*argv, *(["--check"] if check else [])],
        env=environ,
        cwd=desk.folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return {**json.loads(result.read_text(encoding="utf-8")), "said": done.stdout + done.stderr}


def nowhere(desk: Desk, key: bytes, *said: str) -> None:
    """A key is in no file that was left, in nothing that was said, and in no log of the cloud."""
    forms = {one.encode() for one in model.forms(key)} | {key, key.hex().upper().encode(), repr(key)[2:-1].encode()}
    forms |= {base64.b64encode(key.hex().encode()).rstrip(b"="), base64.b64encode(key).rstrip(b"=")}
    texts = {f"output {place}": text.encode() for place, text in enumerate(said)}
    for path in desk.folder.rglob("*"):
        if path.is_file() and path.name != "plain":
            texts[str(path)] = path.read_bytes()
    for service in ("barbican", "cinder", "glance", "keystone", "cinder-volume", "cinder-backup", "cinder-scheduler"):
        texts[service] = desk.cloud.log(service).encode()
    assert [place for place, text in texts.items() for form in forms if form in text] == []
    assert any(place.endswith("/log") for place in texts)


@pytest.mark.accept("B1.14")
def test_an_encrypted_volume_is_rebuilt_from_the_bundle(desk: Desk, collections_root: Path, seed: int) -> None:
    disks, plain = Disks(desk, f"keys-{seed}", random.Random(seed)), desk.folder / "plain"
    with desk.session() as session:
        there = cinder.Cinder(session)
        volume = there.begin_volume(size=1, name=f"{disks.mark}-source", metadata={}, kind=TYPE)
    disks.until(volume, "available")
    key = payload(desk, key_of(desk, "volume", volume))
    with plain.open("wb") as file:
        file.write(random.Random(seed).randbytes(1 << 21))
        file.truncate(1 << 30)
    qemu(desk, key, volume, plain, into=True)
    recorded = sha256(plain)
    backup = past.back_up(desk, volume)
    before = key_of(desk, "backup", backup)

    bundle, records = desk.folder / "keys.json", desk.folder / "records.json"
    sealing = {"path": str(bundle), "passphrase": PASSWORD}
    wanted = {"state": "exported", "method": "vault", "volumes": [volume], **sealing}
    predicted = play(desk, collections_root, check=True, **wanted)
    assert (predicted["changed"], bundle.exists()) == (True, False)
    out = play(desk, collections_root, **wanted)
    assert (out["count"], out["plan"]["digest"], bundle.stat().st_mode & 0o777) == (
        2,
        predicted["plan"]["digest"],
        0o600,
    )
    assert not play(desk, collections_root, **wanted)["changed"]
    tenant = in_tenant(desk)
    assert not tenant.run("volume_backup_record", state="exported", path=str(records), volumes=[volume]).failed

    # Nothing is left but the store and two files.
    lose(desk, volume)
    with desk.session() as session:
        for one in secrets(desk):
            session.call(_KEYS, "DELETE", f"/secrets/{one}", accept=(404,))
    assert (secrets(desk), past.rows(desk.cloud, volume)) == ([], {})

    began = time.time()
    taking = {"state": "imported", **sealing}
    predicted = play(desk, collections_root, check=True, **taking)
    assert (len(predicted["imported"]), desk.cloud.writes("barbican", began)) == (2, [])
    back = play(desk, collections_root, **taking)
    assert (sorted(back["imported"]), back["plan"]["digest"]) == (sorted(back["ids"]), predicted["plan"]["digest"])
    assert sorted(secrets(desk)) == sorted(back["ids"].values())
    began = time.time()
    again = play(desk, collections_root, **taking)
    assert (again["changed"], again["ids"], desk.cloud.writes("barbican", began)) == (False, back["ids"], [])

    done = tenant.run("volume_backup_record", state="imported", path=str(records), keys=back["ids"])
    assert (done.failed, done.values["imported"]) == ("", [backup])
    assert key_of(desk, "backup", backup) == back["ids"][before] != before
    with desk.session() as session:
        rebuilt = cinder.Cinder(session).begin_volume(
            size=1, name=f"{disks.mark}-rebuilt", metadata={}, backup=backup, kind=TYPE
        )
    disks.until(rebuilt, "available")
    mine = key_of(desk, "volume", rebuilt)
    assert mine not in back["ids"].values()
    assert payload(desk, mine) == key
    plain.unlink()
    qemu(desk, payload(desk, mine), rebuilt, plain, into=False)
    assert sha256(plain) == recorded
    with pytest.raises(subprocess.CalledProcessError):
        qemu(desk, bytes(32), rebuilt, plain, into=False)
    # Cinder's own copy of the key, which goes with the volume, is not taken for the one of the bundle.
    assert play(desk, collections_root, **taking)["ids"] == back["ids"]
    nowhere(desk, key, out["said"], back["said"], again["said"], predicted["said"])


def test_the_module_as_a_program_seals_by_gpg_and_relinks_an_image(desk: Desk, collections_root: Path) -> None:
    if not client.has("gpg"):
        pytest.skip("gpg is not installed here")
    home, bundle = desk.folder / "gnupg", desk.folder / "keys.json"
    home.mkdir(mode=0o700)
    key = random.Random(1).randbytes(32)
    body = {
        "secret_type": "symmetric",
        "algorithm": "aes",
        "bit_length": 256,
        "payload": base64.b64encode(key).decode(),
    }
    body.update(payload_content_type="application/octet-stream", payload_content_encoding="base64")
    with desk.session() as cloud:
        made = model.id_of(cloud.call(_KEYS, "POST", "/secrets", json=body).body["secret_ref"])
        shape = {"name": "sealed", "disk_format": "raw", "container_format": "bare", model.IMAGE_KEY: made}
        image = cloud.call("image", "POST", "/images", json=shape).body["id"]
        cloud.call(_KEYS, "PUT", f"/secrets/{made}/acl", json={"read": {"project-access": False, "users": ["u9"]}})
    begin = [
        "gpg",
        "--homedir",
        str(home),
        "--batch",
        "--quiet",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        PASSWORD,
    ]
    subprocess.run([*begin, "--quick-generate-key", "Operator <ops@example.org>", "future-default"], check=True)
    try:
        gpg = {"path": str(bundle), "gnupg_home": str(home), "passphrase": PASSWORD}
        out = play(
            desk,
            collections_root,
            remote=True,
            state="exported",
            method="gpg",
            recipients=["ops@example.org"],
            images=[image],
            **gpg,
        )
        with desk.session() as cloud:
            cloud.call(_KEYS, "DELETE", f"/secrets/{made}")
        back = play(desk, collections_root, remote=True, state="imported", **gpg)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True)
    new = back["ids"][made]
    assert back["relinked"] == [{"image": image, "property": model.IMAGE_KEY, "before": made, "after": new}]
    assert payload(desk, new) == key
    with desk.session() as cloud:
        assert cloud.get("image", f"/images/{image}")[model.IMAGE_KEY] == new
        read = cloud.get(_KEYS, f"/secrets/{new}/acl")["read"]
    assert (read["project-access"], read["users"]) == (False, ["u9"])
    nowhere(desk, key, out["said"], back["said"])


def test_a_volume_whose_key_is_gone_is_named(desk: Desk, seed: int) -> None:
    """And a reader, who may not read payloads, is told which roles may."""
    disks = Disks(desk, f"gone-{seed}", random.Random(seed))
    with desk.session() as session:
        volume = cinder.Cinder(session).begin_volume(size=1, name=f"{disks.mark}-source", metadata={}, kind=TYPE)
    disks.until(volume, "available")
    key = key_of(desk, "volume", volume)
    reader = Desk(desk.cloud, desk.folder, "reader")
    assert until(lambda: bool(secrets(desk)), PATIENCE * yardstick.pace())
    public = {"method": "age", "recipients": ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]}
    path = desk.folder / "keys.json"
    said = reader.run("secret_bundle", state="exported", path=str(path), volumes=[volume], **public)
    assert (said.changed, path.exists(), [one["id"] for one in said.values["failed_secrets"]]) == (False, False, [key])
    assert "the role creator" in said.failed
