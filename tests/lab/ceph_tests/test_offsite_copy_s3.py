# SPDX-License-Identifier: Apache-2.0
"""Copies in a bucket of a real object gateway, as boto3 speaks to it; the gateway's log says what was asked."""

from __future__ import annotations

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

from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS

pytestmark = pytest.mark.full

ENDPOINT, BUCKET, ACCESS, SECRET = "http://10.61.0.11:8080", "copies", "offsite-access", "offsite-canary-secret"
LOG = "/var/log/ceph/ceph-rgw-ceph-1.rgw0.log"
STORE = {
    "kind": "s3",
    "endpoint": ENDPOINT,
    "bucket": BUCKET,
    "prefix": "cloud-a",
    "access_key": ACCESS,
    "secret_key": SECRET,
}
BOTO = """
import boto3, json, sys
s3 = boto3.client("s3", endpoint_url=sys.argv[1], aws_access_key_id=sys.argv[2], aws_secret_access_key=sys.argv[3],
                  region_name="us-east-1")
bucket = sys.argv[4]
"""


class Gateway:
    """The gateway of a cluster, seen from inside its network."""

    def __init__(self, cluster: CephCluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        self.inside = cluster.lab.entering()

    def boto(self, program: str) -> str:
        """What a third party's client prints."""
        argv = [*self.inside, sys.executable, "-c", BOTO + program, ENDPOINT, ACCESS, SECRET, BUCKET]
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=300).stdout

    def begun(self, check: bool = False, **options: Any) -> subprocess.Popen[str]:
        """The module on its way, as Ansible starts it."""
        config = self.folder / "ansible.cfg"
        config.write_text("[defaults]\n", encoding="utf-8")
        command = [
            *self.inside,
            *(str(PROGRAMS / "ansible"), "localhost", "--connection", "local", "-vvv"),
            *("--extra-vars", f"ansible_python_interpreter={sys.executable}"),
            *("--module-name", "scs.landscape.offsite_copy", "--args", json.dumps({"store": STORE, **options})),
            *(["--check"] if check else []),
        ]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(config), "ANSIBLE_HOME": str(self.folder / "home")}
        environment.update(ANSIBLE_NOCOLOR="1", ANSIBLE_LOCALHOST_WARNING="false")
        pipe: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        return subprocess.Popen(command, env=environment, text=True, start_new_session=True, **pipe)

    def task(self, check: bool = False, **options: Any) -> dict[str, Any]:
        """What the module returns; the secret is nowhere in all that Ansible says."""
        said, _nothing = self.begun(check, **options).communicate(timeout=900)
        assert SECRET not in said
        head, arrow, result = said.partition(" => ")
        assert arrow, said
        return {**json.JSONDecoder().raw_decode(result)[0], "failed": "FAILED" in head}

    def requests(self) -> list[str]:
        """Lines of the log, one for each request."""
        lines = self.cluster.machine("ceph-1").run(["cat", LOG]).stdout.splitlines()
        return [line for line in lines if "beast: " in line and f"/{BUCKET}" in line]

    def writes(self) -> list[str]:
        """Those that change something."""
        return [line for line in self.requests() if any(f'"{verb} ' in line for verb in ("PUT", "POST", "DELETE"))]


@pytest.fixture(scope="module")
def gateway(ceph: CephCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    user = ["--uid=offsite", "--display-name=offsite", f"--access-key={ACCESS}", f"--secret-key={SECRET}"]
    ceph.run(["radosgw-admin", "user", "create", *user])
    found = Gateway(ceph, tmp_path_factory.mktemp("gateway"))
    found.boto("s3.create_bucket(Bucket=bucket)")
    yield found
    ceph.run(["radosgw-admin", "bucket", "rm", f"--bucket={BUCKET}", "--purge-objects"])
    ceph.run(["radosgw-admin", "user", "rm", "--uid=offsite"])


def grown(root: Path, seed: int) -> Path:
    chance = random.Random(seed)
    (root / "images").mkdir(parents=True)
    (root / "images/disk.raw").write_bytes(chance.randbytes(40_000_000) + bytes(8_000_000) + b"end")
    (root / "records.json").write_text('{"name": "ümlaut"}', encoding="utf-8")
    (root / "nothing").write_bytes(b"")
    return root


def content(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_copies_go_out_come_back_and_are_thinned_out(gateway: Gateway, tmp_path: Path, seed: int) -> None:
    src, dest = grown(tmp_path / "src", seed), tmp_path / "back"
    before = len(gateway.writes())
    foreseen = gateway.task(check=True, src=str(src))
    assert foreseen["changed"]
    assert len(gateway.writes()) == before, "check mode only reads"
    done = gateway.task(src=str(src))
    assert (done["changed"], done["objects"], done["plan"]["digest"]) == (True, 3, foreseen["plan"]["digest"])
    written = len(gateway.writes())
    assert written > before
    assert not gateway.task(src=str(src), keep=1)["changed"]
    assert not gateway.task(state="verified")["failed"]
    assert gateway.task(state="restored", dest=str(dest))["changed"]
    assert len(gateway.writes()) == written, "a second run, a proof and a restore only read"
    assert content(dest) == content(src)
    # Another client finds the bytes under the name that the manifest says.
    digest = gateway.boto(
        "import hashlib\n"
        "for one in s3.list_objects_v2(Bucket=bucket, Prefix='cloud-a/objects/')['Contents']:\n"
        "    body = s3.get_object(Bucket=bucket, Key=one['Key'])['Body'].read()\n"
        "    print(hashlib.sha256(body).hexdigest() == one['Key'].rpartition('/')[2])\n"
    )
    assert digest.split() == ["True"] * 3
    (src / "records.json").write_text("other")
    done = gateway.task(src=str(src), keep=1)
    assert (done["objects"], len(done["removed"]), done["removed_objects"]) == (1, 1, 1)
    large = "print(*[one['Key'] for one in s3.list_objects_v2(Bucket=bucket)['Contents'] if one['Size'] > 1000000])"
    (name,) = gateway.boto(large).split()
    gateway.boto(
        f"body = bytearray(s3.get_object(Bucket=bucket, Key={name!r})['Body'].read())\n"
        f"body[20_000_000] ^= 1\n"
        f"s3.put_object(Bucket=bucket, Key={name!r}, Body=bytes(body))"
    )
    proof = gateway.task(state="verified")
    assert proof["failed"]
    assert [one["path"] for one in proof["damaged"]] == ["images/disk.raw"]
    assert gateway.task(state="restored", dest=str(tmp_path / "never"))["failed"]
    assert not (tmp_path / "never").exists()


def test_killed_while_it_sends_parts_it_goes_on(gateway: Gateway, tmp_path: Path, seed: int) -> None:
    src = grown(tmp_path / "src", seed + 1)
    (src / "images/disk.raw").write_bytes(random.Random(seed).randbytes(160_000_000))
    process = gateway.begun(src=str(src), name="killed")
    end = time.monotonic() + 300
    while not any("partNumber=2" in line for line in gateway.requests()[-20:]):
        assert time.monotonic() < end
        assert process.poll() is None, "it was too fast to be killed"
        time.sleep(0.05)
    os.killpg(process.pid, 9)
    process.communicate(timeout=60)
    listed = gateway.boto("print(*[one['Key'] for one in s3.list_objects_v2(Bucket=bucket)['Contents']])")
    assert "snapshots/killed" not in listed
    before = len([line for line in gateway.requests() if "partNumber=" in line])
    done = gateway.task(src=str(src), name="killed")
    assert not done["failed"], done
    sent = len([line for line in gateway.requests() if "partNumber=" in line]) - before
    assert sent < 10, "parts that are there are not sent again"
    assert not gateway.task(state="verified", name="killed")["failed"]
    assert gateway.boto("print(len(s3.list_multipart_uploads(Bucket=bucket).get('Uploads', [])))").strip() == "0"
