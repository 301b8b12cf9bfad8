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

from ansible_collections.scs.landscape.plugins.module_utils.openstack.keys import client, model
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import past
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.disks import Disks
from ansible_collections.scs.landscape.tests.lab.openstack_tests.test_volume_backup_record import in_tenant, lose
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.keys.keyrings import OWNER, keyring

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.full,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

_KEYS, _CINDER = "key-manager", "block-storage"
PASSWORD, TYPE = "nothing but a test's password", "luks"
#: Bytes that a test writes; LUKS takes some of the volume for itself.
SIZE = 16 << 20


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


def secret(desk: Desk, content: bytes) -> str:
    """Id of a new secret of the member's own."""
    body = {"secret_type": "symmetric", "algorithm": "aes", "bit_length": 256}
    body.update(payload=base64.b64encode(content).decode(), payload_content_encoding="base64")
    body.update(payload_content_type="application/octet-stream")
    with desk.session() as cloud:
        return model.id_of(cloud.call(_KEYS, "POST", "/secrets", json=body).body["secret_ref"])


class Files:
    """Encrypted volumes of the NFS driver: files of QEMU with LUKS inside."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def put(self, volume: str, key: bytes, plain: Path) -> None:
        """Writes the bytes of a volume."""
        there = f"driver=qcow2,encrypt.key-secret=s,file.filename={self._path(volume)}"
        qemu(key, "-n", "-f", "raw", str(plain), "--target-image-opts", there)

    def take(self, volume: str, key: bytes, plain: Path) -> None:
        """Reads them."""
        there = f"driver=qcow2,encrypt.key-secret=s,file.filename={self._path(volume)}"
        qemu(key, "--image-opts", there, "-O", "raw", str(plain))

    def _path(self, volume: str) -> Path:
        return self.desk.cloud.share / f"volume-{volume}"


def qemu(key: bytes, *words: str) -> None:
    """A conversion by qemu-img, which gets the key as Nova gives it to QEMU: in hexadecimal."""
    handed = Path("/dev/shm") / f"scs-{os.getpid()}"  # outside of what is searched
    handed.touch(0o600)
    try:
        handed.write_text(binascii.hexlify(key).decode(), encoding="ascii")
        begin = ["qemu-img", "convert", "--object", f"secret,id=s,format=raw,file={handed}"]
        subprocess.run([*begin, *words], check=True, capture_output=True, timeout=600)
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


def volume_of(desk: Desk, disks: Disks, name: str, **source: str) -> str:
    """Id of a new encrypted volume."""
    body = {"volume": {"size": 1, "name": f"{disks.mark}-{name}", "volume_type": TYPE, **source}}
    with desk.session() as cloud:
        made = str(cloud.call(_CINDER, "POST", "/volumes", json=body, microversion="3.47").body["volume"]["id"])
    disks.until(made, "available")
    return made


def emptied(desk: Desk, volume: str) -> None:
    """Nothing is left but the stores of bytes and the files of the operator."""
    lose(desk, volume)
    with desk.session() as session:
        for one in secrets(desk):
            session.call(_KEYS, "DELETE", f"/secrets/{one}", accept=(404,))
    assert (secrets(desk), past.rows(desk.cloud, volume)) == ([], {})


def rebuilt(desk: Desk, root: Path, store: Files, seed: int) -> None:
    """An encrypted volume, lost with its key, is there again."""
    disks, plain = Disks(desk, f"keys-{seed}", random.Random(seed)), desk.folder / "plain"
    volume = volume_of(desk, disks, "source")
    key = payload(desk, key_of(desk, "volume", volume))
    plain.write_bytes(random.Random(seed).randbytes(SIZE))
    recorded = sha256(plain)
    store.put(volume, key, plain)
    backup = past.back_up(desk, volume)
    before = key_of(desk, "backup", backup)

    bundle, records = desk.folder / "keys.json", desk.folder / "records.json"
    sealing = {"path": str(bundle), "passphrase": PASSWORD}
    wanted = {"state": "exported", "method": "vault", "volumes": [volume], **sealing}
    predicted = play(desk, root, check=True, **wanted)
    assert (predicted["changed"], bundle.exists()) == (True, False)
    out = play(desk, root, **wanted)
    assert (out["count"], out["plan"]["digest"]) == (2, predicted["plan"]["digest"])
    assert bundle.stat().st_mode & 0o777 == 0o600
    assert not play(desk, root, **wanted)["changed"]
    tenant = in_tenant(desk)
    assert not tenant.run("volume_backup_record", state="exported", path=str(records), volumes=[volume]).failed
    emptied(desk, volume)

    began = time.time()
    taking = {"state": "imported", **sealing}
    predicted = play(desk, root, check=True, **taking)
    assert (len(predicted["imported"]), desk.cloud.writes("barbican", began)) == (out["count"], [])
    back = play(desk, root, **taking)
    assert sorted(back["imported"]) == sorted(back["ids"])
    assert sorted(secrets(desk)) == sorted(back["ids"].values())
    began = time.time()
    again = play(desk, root, **taking)
    assert (again["changed"], again["ids"], desk.cloud.writes("barbican", began)) == (False, back["ids"], [])

    done = tenant.run("volume_backup_record", state="imported", path=str(records), keys=back["ids"])
    assert (done.failed, done.values["imported"]) == ("", [backup])
    assert key_of(desk, "backup", backup) == back["ids"][before] != before
    made = volume_of(desk, disks, "rebuilt", backup_id=backup)
    mine = key_of(desk, "volume", made)
    assert mine not in back["ids"].values()
    assert payload(desk, mine) == key
    store.take(made, payload(desk, mine), plain)
    os.truncate(plain, SIZE)
    assert sha256(plain) == recorded
    with pytest.raises(subprocess.CalledProcessError):
        store.take(made, bytes(32), plain)
    # Cinder's own copies of the key, which go with the volumes, are not taken for those of the bundle.
    assert play(desk, root, **taking)["ids"] == back["ids"]
    nowhere(desk, key, out["said"], back["said"], again["said"], predicted["said"])


@pytest.mark.accept("B1.14")
def test_an_encrypted_volume_is_rebuilt_from_the_bundle(desk: Desk, collections_root: Path, seed: int) -> None:
    rebuilt(desk, collections_root, Files(desk), seed)


@pytest.mark.skipif(not client.has("gpg"), reason="gpg is not installed here")
def test_the_module_as_a_program_seals_by_gpg_and_relinks_an_image(desk: Desk, collections_root: Path) -> None:
    key = random.Random(1).randbytes(32)
    made = secret(desk, key)
    with desk.session() as cloud:
        shape = {"name": "sealed", "disk_format": "raw", "container_format": "bare", model.IMAGE_KEY: made}
        image = cloud.call("image", "POST", "/images", json=shape).body["id"]
        cloud.call(_KEYS, "PUT", f"/secrets/{made}/acl", json={"read": {"project-access": False, "users": ["u9"]}})
    with keyring(desk.folder / "gnupg", PASSWORD) as home:
        gpg = {"path": str(desk.folder / "keys.json"), "gnupg_home": str(home), "passphrase": PASSWORD}
        sealing = {"method": "gpg", "recipients": [OWNER], "images": [image]}
        out = play(desk, collections_root, remote=True, state="exported", **sealing, **gpg)
        with desk.session() as cloud:
            cloud.call(_KEYS, "DELETE", f"/secrets/{made}")
        back = play(desk, collections_root, remote=True, state="imported", **gpg)
    new = back["ids"][made]
    assert back["relinked"] == [{"image": image, "property": model.IMAGE_KEY, "before": made, "after": new}]
    assert payload(desk, new) == key
    with desk.session() as cloud:
        assert cloud.get("image", f"/images/{image}")[model.IMAGE_KEY] == new
        read = cloud.get(_KEYS, f"/secrets/{new}/acl")["read"]
    assert (read["project-access"], read["users"]) == (False, ["u9"])
    nowhere(desk, key, out["said"], back["said"])


def test_a_reader_is_told_which_roles_may_read_keys(desk: Desk) -> None:
    made = secret(desk, random.Random(2).randbytes(32))
    reader, path = Desk(desk.cloud, desk.folder, "reader"), desk.folder / "keys.json"
    public = {"method": "age", "recipients": ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]}
    said = reader.run("secret_bundle", state="exported", path=str(path), secrets=[made], **public)
    assert (said.changed, path.exists(), [one["id"] for one in said.values["failed_secrets"]]) == (False, False, [made])
    assert "the role creator" in said.failed
