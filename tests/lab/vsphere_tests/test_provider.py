# SPDX-License-Identifier: Apache-2.0
"""The provider vsphere: govmomi's own client judges its bytes, plain SOAP its manners."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import random
import re
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere, toolchain
from ansible_collections.scs.landscape.tests.lab.vsphere_tests.conftest import endpoint
from ansible_collections.scs.landscape.tests.lab.vsphere_tests.soap import Client, Fault
from ansible_collections.scs.landscape.tests.tools.console import Unavailable

MACHINE = "böse 1"
NAMES = ("odd", "small", "empty")


def fetched(vsphere, folder, way, port=0):
    """What govmomi's client gets by one way: its own words, with the files in a folder."""
    url = vsphere.url.replace(f":{vsphere.port}", f":{port or vsphere.port}")
    argv = [str(toolchain.program("govmomi")), url, vsphere.username, str(vsphere.password_file), str(vsphere.ca)]
    argv += [MACHINE, str(folder), way]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


# bytes


@pytest.mark.parametrize("way", ["lease", "snapshot"])
def test_govmomi_exports_the_same_bytes(vsphere, disks, way, tmp_path, qemu_img):
    found = fetched(vsphere, tmp_path, way)
    assert [one["file"] for one in found if one["disk"]] == ["disk-0.vmdk", "disk-1.vmdk", "disk-2.vmdk"]
    assert [one["key"].rpartition("/")[2] for one in found if one["disk"]] == [
        "ParaVirtualSCSIController0:0",
        "VirtualAHCIController0:0",
        "VirtualNVMEController0:0",
    ]
    assert all(("//*:" in one["url"]) == (vsphere.mode == "esxi") for one in found)
    for name, one in zip(NAMES, found):
        stream = (tmp_path / one["file"]).read_bytes()
        assert (one["size"], one["sha1"]) == (len(stream), hashlib.sha1(stream).hexdigest())
        raw = disks[name].read_bytes()
        decoded = qemu_img(tmp_path / one["file"])
        # capacities end in the middle of a grain; qemu counts whole sectors as well
        assert hashlib.sha256(decoded).hexdigest() == hashlib.sha256(raw).hexdigest(), name
    assert (tmp_path / "disk-2.vmdk").stat().st_size < 1 << 18, "zeroes are left out"
    assert not vsphere.state()["leases"]


def test_govmomi_downloads_the_same_bytes(vsphere, disks, tmp_path, qemu_img):
    found = {one["file"] for one in fetched(vsphere, tmp_path, "folder")}
    assert found == {f"böse 1{number}{kind}.vmdk" for number in ("", "_1", "_2") for kind in ("", "-flat")}
    for name, number in zip(NAMES, ("", "_1", "_2")):
        assert (tmp_path / f"böse 1{number}-flat.vmdk").read_bytes() == disks[name].read_bytes()
    # and the descriptor beside it is one
    assert qemu_img(tmp_path / "böse 1.vmdk") == disks["odd"].read_bytes()


def test_ranges_of_a_file(client, disks, seed):
    draw, raw = random.Random(seed), disks["odd"].read_bytes()
    path = client.file("ds 1" if client.vsphere.mode == "esxi" else "datastore1", "böse 1/böse 1-flat.vmdk")
    for _number in range(8):
        begin = draw.randrange(len(raw))
        end = min(begin + draw.randrange(1, 1 << 20), len(raw)) - 1
        status, body, headers = client.ask("GET", path, {"Range": f"bytes={begin}-{end}"})
        assert (status, headers["Content-Range"]) == (206, f"bytes {begin}-{end}/{len(raw)}")
        assert body == raw[begin : end + 1]
    assert client.ask("GET", path, {"Range": f"bytes={len(raw)}-"})[0] == 416
    status, body, headers = client.ask("HEAD", path)
    assert (status, body, headers["Content-Length"]) == (200, b"", str(len(raw)))
    last = client.vsphere.calls("http")[-1]
    assert (last["method"], last["status"], last["user"]) == ("HEAD", 200, client.vsphere.username)


def test_what_no_datastore_has(client):
    known = "ds 1" if client.vsphere.mode == "esxi" else "datastore1"
    assert client.ask("GET", client.file(known, "nothing.vmdk"))[0] == 404
    assert client.ask("GET", client.file("other", "x"))[0] == 404
    assert client.ask("GET", client.file(known, "../description.json").replace("..", "%2e%2e"))[0] in (301, 404)


def test_a_vsan_datastore_has_no_flat_files(esxi):
    esxi.put_disk("vs", "a/a-flat.vmdk", b"x" * 512)
    esxi.put_disk("vs", "a/a.vmdk", b"# Disk DescriptorFile\n")
    client = Client(esxi).login()
    assert client.ask("GET", client.file("vs", "a/a-flat.vmdk"))[0] == 404
    assert client.ask("GET", client.file("vs", "a/a.vmdk"))[1] == b"# Disk DescriptorFile\n"


# sessions


def test_without_a_session_there_is_nothing(vsphere):
    stranger, known = Client(vsphere), Client(vsphere).login()
    lease = known.export(vsphere.machines[MACHINE])
    path = known.file("ds 1" if vsphere.mode == "esxi" else "datastore1", "böse 1/böse 1.vmdk")
    assert stranger.ask("GET", path)[0] == 401
    assert stranger.ask("GET", lease.paths["disk-1.vmdk"])[0] == 401
    assert known.ask("GET", path)[0] == 200
    with pytest.raises(Fault, match="NotAuthenticated"):
        stranger.read("VirtualMachine", vsphere.machines[MACHINE], "name")
    with pytest.raises(Fault, match="NotAuthenticated"):
        stranger.call("PowerOnVM_Task", vsphere.machines[MACHINE], "VirtualMachine")
    with pytest.raises(Fault, match="InvalidLogin"):
        stranger.login("not the password")
    key = base64.b64encode(f"{vsphere.username}:{vsphere.password}".encode()).decode()
    assert stranger.ask("GET", path, {"Authorization": f"Basic {key}"})[0] == 200
    lease.say("Abort")


def test_a_ticket_is_good_for_one_request(vsphere):
    client = Client(vsphere).login()
    inner = '<spec xsi:type="SessionManagerHttpServiceRequestSpec"><url>https://x/folder/y</url></spec>'
    text = client.call("AcquireGenericServiceTicket", client.manager, "SessionManager", inner)
    ticket = re.search(r"<id>([^<]+)<", text).group(1)
    assert f":{vsphere.port}</hostName><sslThumbprint>" in text
    path = client.file("ds 1" if vsphere.mode == "esxi" else "datastore1", "böse 1/böse 1.vmdk")
    headers = {"Cookie": f"vmware_cgi_ticket={ticket}"}
    assert [Client(vsphere).ask("GET", path, headers)[0] for _time in range(2)] == [200, 401]


def test_a_session_that_was_ended(vsphere):
    client = Client(vsphere).login()
    path = client.file("ds 1" if vsphere.mode == "esxi" else "datastore1", "böse 1/böse 1.vmdk")
    assert client.ask("GET", path)[0] == 200
    assert vsphere.drop_sessions() >= 1
    assert client.ask("GET", path)[0] == 401
    with pytest.raises(Fault, match="NotAuthenticated"):
        client.power(vsphere.machines[MACHINE])
    client.cookie = ""
    assert client.login().power(vsphere.machines[MACHINE]) == "poweredOff"


def test_the_certificate_is_the_lane_s(vsphere, esxi, vcenter):
    other = vcenter if vsphere is esxi else esxi
    with pytest.raises(ssl.SSLCertVerificationError):
        Client(vsphere, ca=other.ca).login()
    raw = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", vsphere.port)))
    assert hashlib.sha256(raw).hexdigest().upper() == vsphere.thumbprint.replace(":", "")


# leases


def test_a_lease_lives_on_progress_and_ends_for_good(vsphere):
    client = Client(vsphere).login()
    vsphere.change(lease_seconds=1.0)
    try:
        lease = client.export(vsphere.machines[MACHINE])
        assert "<sslThumbprint>" in lease.info
        assert "<leaseTimeout>1<" in lease.info
        for _second in range(8):
            time.sleep(0.25)
            lease.say("Progress", "<percent>10</percent>")
        assert lease.get("disk-1.vmdk")[0] == 200
        assert kernel.wait_for(lambda: lease.state() == "error", 30)
        assert lease.get("disk-1.vmdk")[0] == 404
        with pytest.raises(Fault, match="InvalidState"):
            lease.say("Progress", "<percent>20</percent>")
    finally:
        vsphere.change(lease_seconds=300)
    assert [call["method"] for call in vsphere.calls("lease") if call["this"] == lease.name] == ["ready", "expired"]


@pytest.mark.parametrize(("how", "state"), [("Complete", "done"), ("Abort", "error")])
def test_an_ended_lease_cuts_what_is_under_way(esxi, how, state):
    client = Client(esxi).login()
    lease = client.export(esxi.machines["dense"])
    with contextlib.closing(client.open("GET", lease.paths["disk-0.vmdk"])) as connection:
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Content-Length")) == (200, None)
        answer.read(1000)
        lease.say(how)
        assert lease.state() == state
        assert lease.get("disk-0.vmdk")[0] == 404
        with pytest.raises((http.client.IncompleteRead, ConnectionError, ssl.SSLError)):
            answer.read()


def test_a_machine_that_runs_gives_no_lease(client):
    with pytest.raises(Fault, match="InvalidPowerState"):
        client.export(client.vsphere.machines["running"])


# up and down


def test_up_again_changes_nothing_and_down_leaves_nothing(seed):
    description = {"machines": [{"name": "m", "disks": [{"size": 1 << 20}]}]}
    with endpoint("vs-up", "esxi", description) as own, endpoint("vs-up", "vcenter", description) as beside:
        first, word, second = own.status(), own.password, beside.status()
        again = Vsphere(own.lane, "esxi", description)
        assert again.up() == first
        assert first["up"]
        assert first["pid"] != second["pid"]
        assert first["url"] != second["url"]
        assert own.password_file.stat().st_mode & 0o777 == 0o600
        assert own.folder.stat().st_mode & 0o777 == 0o700
        argv = (Path("/proc") / str(first["pid"]) / "cmdline").read_bytes()
        environ = (Path("/proc") / str(first["pid"]) / "environ").read_bytes()
        assert word.encode() not in argv + environ
        assert word not in json.dumps(first)
        assert Vsphere(own.lane, "esxi", {"machines": []}).up()["machines"] == {}
        assert own.password != word
        assert beside.status() == second, "the other one of the lane stays"
        processes = [kernel.Process.of(Vsphere(own.lane, mode).status()["pid"]) for mode in ("esxi", "vcenter")]
        assert all(process.alive for process in processes)
    assert not any(process.alive for process in processes)
    assert not own.folder.exists()
    assert not beside.folder.exists()
    assert own.status() == {"lane": own.lane, "mode": "esxi", "up": False}
    with pytest.raises(Unavailable, match="is not up"):
        assert own.url


def test_a_simulator_ends_with_its_starter_until_it_is_told_to_stay(tmp_path):
    (tmp_path / "word").write_text("x")
    said = {"mode": "esxi", "folder": str(tmp_path), "user": "root", "password_file": str(tmp_path / "word")}
    (tmp_path / "d.json").write_text(json.dumps(said))
    argv = [str(toolchain.program()), str(tmp_path / "d.json")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline().startswith(b"ready ")
        process.stdin.close()
        assert process.wait(timeout=60) == 0


@pytest.mark.parametrize(
    ("machine", "why"),
    [
        ({"name": "m", "disks": [{"size": 1000}]}, "no whole sectors"),
        ({"name": "m", "disks": [{"size": 512, "controller": "tape"}]}, "no controller"),
        ({"name": "m", "host": 3}, "no host 3"),
        ({"name": "m", "disks": [{"size": 512, "chain": ["[datastore1] m/base.vmdk"]}]}, "no such file"),
        ({"name": "m", "nics": [{"network": "nowhere"}]}, "nowhere"),
    ],
)
def test_a_description_that_cannot_be(machine, why):
    own = Vsphere(lane("vs-bad"), "esxi", {"machines": [machine]})
    with pytest.raises(Unavailable, match=why):
        own.up()
    assert not own.folder.exists()


def test_the_command_line(repo, tmp_path):
    (tmp_path / "d.json").write_text('{"machines": [{"name": "only"}]}')

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [
            sys.executable,
            "-B",
            "-m",
            "tests.lab",
            "vsphere",
            *arguments,
            "--lane",
            lane("vs-cli"),
            "--mode",
            "vcenter",
        ]
        return subprocess.run(argv, cwd=repo, capture_output=True, text=True, check=False, timeout=600)

    try:
        up = run("up", "--description", str(tmp_path / "d.json"))
        assert up.returncode == 0, up.stderr
        shown = json.loads(up.stdout[up.stdout.index("{\n") :])
        assert (shown["mode"], list(shown["machines"])) == ("vcenter", ["only"])
        assert json.loads(run("status").stdout) == shown
    finally:
        down = run("down")
    assert (down.returncode, json.loads(run("status").stdout)["up"]) == (0, False)
    assert run("up", "--description", str(tmp_path / "none.json")).returncode == 2
